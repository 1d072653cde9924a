//! Loading one file of tags into one batch: whole, or not at all.
use super::batch::{Marks, Said, Writer};
use super::concept::speaks_of_coinjoin;
use super::reserves::{Signed, Signer, read_reserves};
use super::store::{BatchInfo, Counts, Tags};
use super::subject::{Subject, Unfit};
use super::{Error, Result, columns_io};
use crate::hash::file_sha256;
use formats::{Format, Item, KeyedIds, Limits, Options, PackActor, PackItem, PackTag, ReadError};
use serde_json::Value;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// So many refused records are named; all are counted.
const NAMED: usize = 1_000;
/// Most wallets of a sanctions list that are held until their party's name comes.
const MAX_WALLETS: usize = 1 << 20;

/// What a file of tags is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Told by its beginning: a TagPack, an ActorPack, OFAC's list; a table when a signer is named.
    Guess(Option<Signer>),
    /// A GraphSense TagPack.
    TagPack,
    /// A GraphSense ActorPack.
    ActorPack,
    /// OFAC's SDN list as Advanced XML.
    OfacSdn,
    /// Addresses with messages that their keys signed, as CSV.
    Reserves(Signer),
}

/// One file to load.
#[derive(Debug, Clone)]
pub struct Job {
    /// The file; gzip and bzip2 are undone.
    pub file: PathBuf,
    /// What it is.
    pub source: Source,
    /// Where it can be had.
    pub uri: Option<String>,
    /// Who made it, when it does not say so itself.
    pub author: Option<String>,
    /// The collection whose readers may see it.
    pub collection: Option<String>,
    /// Its TLP marking.
    pub marking: Option<String>,
    /// The time now.
    pub now: jiff::Timestamp,
}

/// A record that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Refusal {
    /// Where it stands in its file.
    pub at: String,
    /// Why; repeats nothing of the record.
    pub why: String,
}

/// What a load did.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The batch; `None` when it was stopped, or when the file was loaded before.
    pub batch: Option<BatchInfo>,
    /// The batch into which the very same file was loaded before.
    pub known: Option<u64>,
    /// The newest other batch of a file of the same name, which this one may be meant to replace.
    pub older: Option<u64>,
    /// The first refused records; `batch.counts.refused` says how many there are.
    pub refused: Vec<Refusal>,
    /// What a reader should know, each with a count.
    pub notes: Vec<(String, u64)>,
    /// Whether it was asked to stop; nothing was kept then.
    pub stopped: bool,
}

impl Tags {
    /// Loads a file into a batch of its own. `progress` hears how many records were read, and stops the load with a `Break`.
    ///
    /// # Errors
    /// [`Error::Read`] when the file cannot be read to its end, [`Error::File`] when it is of no known format or nothing in it
    /// can be kept. Nothing of the file is kept then.
    pub fn load(&mut self, job: &Job, progress: &mut dyn FnMut(u64) -> ControlFlow<()>) -> Result<Loaded> {
        let pack = job.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let sha256 = file_sha256(&job.file).map_err(columns_io(&job.file))?;
        if let Some(known) = self.loaded_as(&sha256, job.collection.as_deref()) {
            return Ok(Loaded { known: Some(known.id), ..Loaded::default() });
        }
        let older = self.batches().filter(|info| info.pack == pack && info.collection == job.collection).last();
        let older = older.map(|info| info.id);
        let source = known_source(job)?;
        let (id, writer) = self.begin()?;
        let mut intake = Intake::new(writer, progress);
        let read = intake.read(&job.file, &source);
        let kept = intake.counts.tags + intake.counts.actors;
        if read.is_err() || intake.stopped || intake.failed.is_some() || kept == 0 {
            let Intake { stopped, failed, refused, notes, writer, .. } = intake;
            drop(writer);
            self.abandon()?;
            if let Some(error) = failed {
                return Err(error);
            }
            read.map_err(|source| Error::Read { path: job.file.clone(), source })?;
            if stopped {
                return Ok(Loaded { stopped, ..Loaded::default() });
            }
            let first = refused.first().map_or_else(String::new, |one| format!("; the first: {}: {}", one.at, one.why));
            let notes: String = notes.iter().map(|(note, n)| format!("; {note} ({n})")).collect();
            return Err(file(&job.file, format!("nothing in it can be kept{first}{notes}")));
        }
        let Intake { writer, counts, refused, notes, title, author, is_public, .. } = intake;
        let info = BatchInfo {
            id,
            format: source.code().to_owned(),
            pack,
            sha256,
            title,
            author: author.or_else(|| job.author.clone()),
            uri: job.uri.clone(),
            loaded: job.now.to_string(),
            collection: job.collection.clone(),
            marking: job.marking.clone(),
            is_public,
            counts,
            extent: writer.finish()?,
        };
        self.keep(info.clone())?;
        Ok(Loaded { batch: Some(info), older, refused, notes, ..Loaded::default() })
    }
}

impl Source {
    /// The word of the command line.
    pub fn code(&self) -> &'static str {
        match self {
            Source::Guess(_) => "guess",
            Source::TagPack => "tagpack",
            Source::ActorPack => "actorpack",
            Source::OfacSdn => "ofac-sdn",
            Source::Reserves(_) => "reserves",
        }
    }
}

fn file(path: &Path, why: impl Into<String>) -> Error {
    Error::File { path: path.to_owned(), why: why.into() }
}

/// What the file is, looked at if need be.
fn known_source(job: &Job) -> Result<Source> {
    let Source::Guess(signer) = &job.source else { return Ok(job.source.clone()) };
    if let Some(signer) = signer {
        return Ok(Source::Reserves(signer.clone()));
    }
    let mut head = Vec::new();
    File::open(&job.file).and_then(|file| file.take(1 << 16).read_to_end(&mut head)).map_err(columns_io(&job.file))?;
    match formats::guess(&job.file.to_string_lossy(), &head) {
        Ok(Format::TagPack) => Ok(Source::TagPack),
        Ok(Format::ActorPack) => Ok(Source::ActorPack),
        Ok(Format::OfacSdn) => Ok(Source::OfacSdn),
        Ok(Format::Csv) => Err(file(
            &job.file,
            "is a table: name whose signed addresses these are with --actor ID (and --signs-as NAME), or make a TagPack of it",
        )),
        Ok(other) => Err(file(&job.file, format!("is read as {other}, which holds no tags; name it with --format"))),
        Err(error) => Err(file(&job.file, error.to_string())),
    }
}

/// Takes records and writes the good ones.
struct Intake<'p> {
    writer: Writer,
    progress: &'p mut dyn FnMut(u64) -> ControlFlow<()>,
    seen: u64,
    counts: Counts,
    refused: Vec<Refusal>,
    notes: Vec<(String, u64)>,
    title: Option<String>,
    author: Option<String>,
    is_public: Option<bool>,
    stopped: bool,
    failed: Option<Error>,
}

impl<'p> Intake<'p> {
    fn new(writer: Writer, progress: &'p mut dyn FnMut(u64) -> ControlFlow<()>) -> Intake<'p> {
        Intake {
            writer,
            progress,
            seen: 0,
            counts: Counts::default(),
            refused: Vec::new(),
            notes: Vec::new(),
            title: None,
            author: None,
            is_public: None,
            stopped: false,
            failed: None,
        }
    }

    fn read(&mut self, path: &Path, source: &Source) -> std::result::Result<(), ReadError> {
        let broken =
            |error: std::io::Error| ReadError::Broken { at: formats::Position::of("file"), why: error.to_string() };
        let input: Box<dyn BufRead> = Box::new(BufReader::with_capacity(1 << 16, File::open(path).map_err(broken)?));
        let limits = Limits::default();
        match source {
            Source::OfacSdn => self.read_sanctions(input, limits),
            Source::Reserves(signer) => {
                self.title = Some(format!("Signed addresses of {}", signer.name));
                self.author = Some(signer.name.clone());
                let input = formats::decompress(input).map_err(broken)?;
                read_reserves(input, signer, &mut |signed| self.take_signed(signed))
            }
            Source::TagPack | Source::Guess(_) => self.read_pack(Format::TagPack, input, &limits),
            Source::ActorPack => self.read_pack(Format::ActorPack, input, &limits),
        }
    }

    fn read_pack(
        &mut self,
        format: Format,
        input: Box<dyn BufRead>,
        limits: &Limits,
    ) -> std::result::Result<(), ReadError> {
        let summary = formats::read_pack(format, input, limits, &mut |item| match item {
            PackItem::Tag(tag) => self.take(&tag, Marks::default()),
            PackItem::Actor(actor) => self.take_actor(&actor),
            PackItem::Skipped(bad) => {
                self.refuse(bad.at.to_string(), bad.why.to_string());
                self.flow()
            }
        })?;
        self.notes.extend(summary.notes);
        Ok(())
    }

    /// OFAC's list, as its reader hands it over: wallets, who they belong to, and at the end the parties with their names.
    fn read_sanctions(&mut self, input: Box<dyn BufRead>, limits: Limits) -> std::result::Result<(), ReadError> {
        (self.title, self.author) = (Some("OFAC SDN list".into()), Some("US Treasury, OFAC".into()));
        let ids = KeyedIds::new([0; 32]);
        let options = Options { limits, ..Options::new("ofac", &ids) };
        let mut wallets: HashMap<String, String> = HashMap::new();
        let mut owned: HashMap<String, Vec<(String, String)>> = HashMap::new();
        let mut held = 0_usize;
        let summary = formats::read(Format::OfacSdn, input, &options, &mut |item| {
            let record = match item {
                Item::Object(record) => record,
                Item::Skipped(bad) => {
                    self.refuse(bad.at.to_string(), bad.why.to_string());
                    return self.flow();
                }
            };
            let wanted = ["cryptocurrency-wallet--", "relationship--", "identity--"];
            if !wanted.iter().any(|kind| record.id.starts_with(kind)) || held > MAX_WALLETS {
                return self.flow();
            }
            let Ok(object) = serde_json::from_str::<Value>(&record.body) else { return self.flow() };
            let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
            if let Some(address) = object.get("value").and_then(Value::as_str) {
                wallets.insert(record.id.clone(), address.to_owned());
            } else if text("relationship_type") == "attributed-to" {
                if let Some(address) = wallets.get(text("source_ref")) {
                    let currency =
                        imported(&object).and_then(|more| more.get("currency")?.as_str()).unwrap_or_default();
                    let entry = owned.entry(text("target_ref").to_owned()).or_default();
                    entry.push((address.clone(), currency.to_owned()));
                    held += 1;
                }
            } else if let Some(addresses) = owned.remove(&record.id) {
                for (address, currency) in addresses {
                    let tag = listed(&object, address, currency, self.seen + 1);
                    if self.take(&tag, Marks::default()).is_break() {
                        return ControlFlow::Break(());
                    }
                }
            }
            self.flow()
        })?;
        self.notes.extend(summary.notes);
        for _ in owned.into_values().flatten() {
            self.refuse("a wallet".into(), "its party is not in the file".into());
        }
        Ok(())
    }

    fn take_signed(&mut self, signed: Signed) -> ControlFlow<()> {
        match signed {
            Signed::Proved(tag) => self.take(&tag, Marks::SIGNED),
            Signed::Refused { line, why } => {
                self.refuse(format!("line {line}"), why);
                self.flow()
            }
        }
    }

    fn take(&mut self, tag: &PackTag, marks: Marks) -> ControlFlow<()> {
        if self.title.is_none() {
            (self.title, self.author, self.is_public) = (tag.title.clone(), tag.creator.clone(), tag.is_public);
        }
        let (currency, network) = (tag.currency.as_deref(), tag.network.as_deref());
        let subject = match (&tag.address, &tag.tx_hash) {
            (Some(address), _) => Subject::address(address, currency, network),
            (None, Some(hash)) => Subject::transaction(hash, currency, network),
            (None, None) => Err(Unfit::Length),
        };
        let subject = match subject {
            Ok(subject) => subject,
            Err(Unfit::Placeholder) => {
                self.counts.placeholders += 1;
                return self.flow();
            }
            Err(unfit) => {
                self.refuse(format!("tag {}", tag.number), unfit.says().to_owned());
                return self.flow();
            }
        };
        let concepts = tag.concepts.join("\n");
        let text = |text: &'_ Option<String>| text.clone().unwrap_or_default();
        let [source, actor, category, abuse] = [&tag.source, &tag.actor, &tag.category, &tag.abuse].map(text);
        let [confidence, lastmod, context, tag_type] =
            [&tag.confidence, &tag.lastmod, &tag.context, &tag.tag_type].map(text);
        let said = Said {
            label: &tag.label,
            network: &subject.network,
            currency: currency.unwrap_or_default(),
            source: &source,
            actor: &actor,
            category: &category,
            abuse: &abuse,
            concepts: &concepts,
            confidence: &confidence,
            lastmod: &lastmod,
            context: &context,
            tag_type: &tag_type,
        };
        if !said.fits() {
            self.refuse(format!("tag {}", tag.number), "a field of it is longer than 64 KiB".into());
            return self.flow();
        }
        let title = tag.title.as_deref().unwrap_or_default();
        let coinjoin = speaks_of_coinjoin(said.all_concepts(), &[&tag.label, title]);
        let definer = tag.is_cluster_definer;
        let marks = marks
            .with(Marks::DEFINER, definer == Some(true))
            .with(Marks::NO_DEFINER, definer == Some(false))
            .with(Marks::COINJOIN, coinjoin)
            .with(Marks::MISNAMED, subject.misnamed);
        self.counts.tags += 1;
        self.counts.coinjoin_definers += u64::from(coinjoin && definer == Some(true));
        self.counts.misnamed += u64::from(subject.misnamed);
        let written = self.writer.tag(&subject, tag.number, marks, &said);
        self.written(written)
    }

    fn take_actor(&mut self, actor: &PackActor) -> ControlFlow<()> {
        if self.author.is_none() {
            self.author.clone_from(&actor.creator);
        }
        let lists = [&actor.jurisdictions, &actor.uris, &actor.aliases, &actor.categories].map(|list| list.join("\n"));
        let [currency, source, aliases, concepts] = &lists;
        let said = Said {
            label: &actor.label,
            currency,
            source,
            actor: aliases,
            concepts,
            lastmod: actor.lastmod.as_deref().unwrap_or_default(),
            context: actor.context.as_deref().unwrap_or_default(),
            ..Said::default()
        };
        if !said.fits() || actor.id.len() > 256 {
            self.refuse(
                format!("actor {}", actor.number),
                "a field of it is longer than 64 KiB, or its id than 256 bytes".into(),
            );
            return self.flow();
        }
        self.counts.actors += 1;
        let written = self.writer.actor(&actor.id, &actor.aliases, actor.number, &said);
        self.written(written)
    }

    fn refuse(&mut self, at: String, why: String) {
        self.counts.refused += 1;
        if self.refused.len() < NAMED {
            self.refused.push(Refusal { at, why });
        }
    }

    fn written(&mut self, written: crate::columns::Result<()>) -> ControlFlow<()> {
        if let Err(error) = written {
            self.failed = Some(error.into());
            return ControlFlow::Break(());
        }
        self.flow()
    }

    fn flow(&mut self) -> ControlFlow<()> {
        self.seen += 1;
        // A look at the clock or a flag costs more than a tag.
        if self.seen.is_multiple_of(1_024) && (self.progress)(self.seen).is_break() {
            self.stopped = true;
        }
        if self.stopped || self.failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// What the reader of the list knows beyond STIX's own properties.
fn imported(object: &Value) -> Option<&Value> {
    object.get("extensions")?.get(formats::vocabulary::IMPORTED)
}

/// The tag of one address of a listed party.
fn listed(party: &Value, address: String, currency: String, number: u64) -> PackTag {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let more = imported(party);
    let reference = party.get("external_references").and_then(|all| all.get(0));
    let uid = text(reference.and_then(|one| one.get("external_id"))).unwrap_or_default();
    let programmes = more.and_then(|more| more.get("programmes")?.as_array()).into_iter().flatten();
    let programmes: Vec<&str> = programmes.filter_map(Value::as_str).collect();
    let person = party.get("identity_class").is_some_and(|class| class == "individual");
    PackTag {
        number,
        label: text(party.get("name")).unwrap_or_default(),
        address: Some(address),
        currency: Some(currency).filter(|currency| !currency.is_empty()),
        source: text(reference.and_then(|one| one.get("url"))),
        confidence: Some("authority_data".into()),
        actor: Some(format!("ofac:{uid}")),
        lastmod: text(more.and_then(|more| more.get("listed_on"))),
        category: Some(if person { "user" } else { "organization" }.into()),
        abuse: Some("sanction".into()),
        context: Some(programmes.join(", ")).filter(|programmes| !programmes.is_empty()),
        tag_type: Some("actor".into()),
        ..PackTag::default()
    }
}
