//! `eye money tags` and `eye money doctor`. Whoever may read the data folder sees every batch, whatever its collection.
use super::{SIGNALLED, asked_to_end, document};
use crate::arguments::{MoneyTags, TagsFormat, TagsLoad};
use crate::commands::Io;
use crate::node::Problem;
use money::chain::Room;
use money::tags::{
    Answer, BatchInfo, Coverage, Job, Loaded, NetworkLine, RULES, Saying, Signer, Source, Tags, coverage,
};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::Ordering;

/// A network with fewer tags, and no chain, is named in one line with its like.
const FEW: u64 = 10;
/// Most files that a folder may hold.
const MOST_FILES: usize = 4_096;
/// How deep folders in folders are looked into.
const DEPTH: usize = 8;

fn all(_: &BatchInfo) -> bool {
    true
}

pub fn run(dir: &Path, what: &MoneyTags, io: &mut Io<'_>) -> Result<u8, Problem> {
    match what {
        MoneyTags::Load(job) => load(dir, job, io),
        MoneyTags::List { json } => list(&Tags::open(dir)?, *json, io).map(|()| 0),
        MoneyTags::Show { address, json } => {
            let answer = Tags::open(dir)?.show(address, &all);
            match json {
                true => document(&answer, io)?,
                false => show(&answer, io)?,
            }
            Ok(0)
        }
        MoneyTags::Remove { batches, json } => {
            let mut tags = Tags::open_to_write(dir)?;
            for id in batches {
                let gone = tags.remove(*id)?;
                match json {
                    true => document(&gone, io)?,
                    false => {
                        writeln!(io.out, "batch {id} ({}) is removed with its {} tags", gone.pack, gone.counts.tags)?
                    }
                }
            }
            Ok(0)
        }
    }
}

fn load(dir: &Path, job: &TagsLoad, io: &mut Io<'_>) -> Result<u8, Problem> {
    let collection = job.collection.as_deref().map(collection).transpose()?;
    let mut files = Vec::new();
    for file in &job.files {
        gather(&io.path(file), DEPTH, &mut files)?;
    }
    let signer = job
        .actor
        .as_ref()
        .map(|actor| Signer { actor: actor.clone(), name: job.signs_as.clone().unwrap_or_else(|| actor.clone()) });
    let source = match (job.format, signer) {
        (None, signer) => Source::Guess(signer),
        (Some(TagsFormat::Reserves), Some(signer)) => Source::Reserves(signer),
        (Some(TagsFormat::Reserves), None) => {
            return Err(Problem::other("signed addresses need --actor ID: whose they are, as an ActorPack names it"));
        }
        (Some(_), Some(_)) => return Err(Problem::other("--actor is for signed addresses: leave it or --format out")),
        (Some(TagsFormat::TagPack), None) => Source::TagPack,
        (Some(TagsFormat::ActorPack), None) => Source::ActorPack,
        (Some(TagsFormat::OfacSdn), None) => Source::OfacSdn,
    };
    let mut tags = Tags::open_to_write(dir)?;
    let (stop, meter) = (asked_to_end()?, io.meter.clone());
    let mut whole = true;
    for file in files {
        let one = Job {
            file: file.clone(),
            source: source.clone(),
            uri: job.uri.clone(),
            author: job.author.clone(),
            collection: collection.clone(),
            marking: job.marking.map(|tlp| tlp.to_string()),
            now: jiff::Timestamp::now(),
        };
        let what = format!("{} loads", file.display());
        let loaded = tags.load(&one, &mut |seen| {
            meter.tell(&what, seen, None);
            match stop.load(Ordering::Relaxed) {
                0 => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            }
        });
        match loaded {
            Ok(Loaded { stopped: true, .. }) => {
                let file = file.display();
                writeln!(io.err, "eye: stopped; nothing of {file} was kept; the same command goes on with it")?;
            }
            Ok(loaded) => told(&file, &loaded, job.json, io)?,
            Err(error) => {
                whole = false;
                writeln!(io.err, "eye: {error}")?;
            }
        }
        let signal = stop.load(Ordering::Relaxed);
        if signal != 0 {
            return Ok(SIGNALLED + signal);
        }
    }
    Ok(u8::from(!whole))
}

/// A collection's id in its one spelling.
pub fn collection(word: &str) -> Result<String, Problem> {
    if word.eq_ignore_ascii_case("intake") {
        return Ok(ledger::INTAKE.to_string());
    }
    let id = ledger::CollectionId::from_str(word);
    id.map(|id| id.to_string())
        .map_err(|_| Problem::other(format!("`{word}` is no collection's id; `eye collections` lists them")))
}

/// A file, or the YAML files of a folder and of those in it, by name.
fn gather(path: &Path, depth: usize, into: &mut Vec<PathBuf>) -> Result<(), Problem> {
    let named = |error: std::io::Error| Problem::other(format!("{}: {error}", path.display()));
    if !std::fs::metadata(path).map_err(named)?.is_dir() {
        into.push(path.to_owned());
        return Ok(());
    }
    let mut inside = std::fs::read_dir(path).map_err(named)?.collect::<Result<Vec<_>, _>>().map_err(named)?;
    inside.sort_by_key(std::fs::DirEntry::file_name);
    for entry in inside {
        let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
        let yaml = [".yaml", ".yml"].iter().any(|end| name.trim_end_matches(".gz").ends_with(end));
        let folder = entry.file_type().map_err(named)?.is_dir();
        if (folder && depth > 0) || (!folder && yaml) {
            gather(&entry.path(), depth.saturating_sub(1), into)?;
        }
        if into.len() > MOST_FILES {
            return Err(Problem::other(format!(
                "{}: more than {MOST_FILES} files; load its folders one by one",
                path.display()
            )));
        }
    }
    Ok(())
}

/// What became of one file; on stderr each record that was refused.
fn told(file: &Path, loaded: &Loaded, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    for refusal in &loaded.refused {
        writeln!(io.err, "eye: {}: {}: {}; it was refused", file.display(), refusal.at, refusal.why)?;
    }
    let named = loaded.refused.len() as u64;
    let unnamed = loaded.batch.as_ref().map_or(0, |batch| batch.counts.refused.saturating_sub(named));
    if unnamed > 0 {
        writeln!(io.err, "eye: {}: {unnamed} more were refused", file.display())?;
    }
    for (note, many) in &loaded.notes {
        writeln!(io.err, "eye: {}: {note} ({many})", file.display())?;
    }
    if let Some(older) = loaded.older {
        let file = file.display();
        writeln!(
            io.err,
            "eye: {file}: batch {older} is of a file of the same name: `eye money tags remove {older}` if this is its newer form"
        )?;
    }
    let pack = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    match (&loaded.batch, loaded.known) {
        (Some(batch), _) if json => document(batch, io),
        (None, known) if json => document(&serde_json::json!({"pack": pack, "known": known}), io),
        (Some(batch), _) => line(batch, io),
        (None, Some(known)) => Ok(writeln!(io.out, "{pack}: loaded before, as batch {known}")?),
        (None, None) => Ok(()),
    }
}

fn line(batch: &BatchInfo, io: &mut Io<'_>) -> Result<(), Problem> {
    let counts = &batch.counts;
    write!(io.out, "batch {}: {} ({}), {} tags", batch.id, batch.pack, batch.format, counts.tags)?;
    for (many, what) in [
        (counts.actors, "actors"),
        (counts.placeholders, "placeholders left out"),
        (counts.refused, "refused"),
        (counts.coinjoin_definers, "of CoinJoin users, which define no cluster"),
        (counts.misnamed, "whose currency does not fit their address"),
    ] {
        if many > 0 {
            write!(io.out, ", {many} {what}")?;
        }
    }
    writeln!(io.out)?;
    Ok(())
}

fn list(tags: &Tags, json: bool, io: &mut Io<'_>) -> Result<(), Problem> {
    if json {
        return tags.batches().try_for_each(|batch| document(batch, io));
    }
    if tags.batches().next().is_none() {
        writeln!(io.err, "no tags are loaded yet: `eye money tags load FILE`")?;
    }
    for batch in tags.batches() {
        line(batch, io)?;
        let audience = match (&batch.collection, batch.is_public) {
            (Some(collection), _) => format!("for readers of collection {collection}"),
            (None, Some(false)) => "for readers of this node's lists, though the pack says it is not public".into(),
            (None, _) => "for readers of this node's lists".into(),
        };
        let or = |text: &Option<String>, none: &str| text.clone().unwrap_or_else(|| none.into());
        writeln!(
            io.out,
            "  {} by {}; from {}; loaded {}; {audience}, {}; {} bytes",
            or(&batch.title, "without a title"),
            or(&batch.author, "nobody named"),
            or(&batch.uri, "a file"),
            batch.loaded,
            batch.marking.as_deref().unwrap_or("no marking"),
            batch.extent.bytes
        )?;
    }
    Ok(())
}

fn show(answer: &Answer, io: &mut Io<'_>) -> Result<(), Problem> {
    writeln!(io.out, "{} ({})", answer.address, answer.kind.unwrap_or("of no known shape"))?;
    if let Some(wrong) = answer.wrong {
        writeln!(io.out, "  warning: {wrong}")?;
    }
    if answer.statements.is_empty() {
        writeln!(io.out, "  no tag; that says nothing of it (`eye money doctor` shows how much is tagged)")?;
    }
    for statement in &answer.statements {
        let times = match statement.said_by.len() {
            1 => String::new(),
            many => format!(", said {many} times, counted once"),
        };
        let currency = Some(&statement.currency).filter(|currency| !currency.is_empty());
        let currency = currency.map(|currency| format!(", {currency}")).unwrap_or_default();
        writeln!(io.out, "  {} on {}{currency}{times}", statement.label, statement.network)?;
        statement.said_by.iter().try_for_each(|saying| said(saying, io))?;
    }
    if answer.more {
        writeln!(io.out, "  and more tags than are told")?;
    }
    for conflict in &answer.conflicts {
        let sides = conflict.said.iter().map(|(what, batches)| {
            let batches: Vec<String> = batches.iter().map(u64::to_string).collect();
            format!("{what} (batch {})", batches.join(", "))
        });
        writeln!(io.out, "  conflict, {}: {}", conflict.about, sides.collect::<Vec<_>>().join(" against "))?;
    }
    for other in &answer.look_alikes {
        let (address, label, batch) = (&other.address, &other.label, other.batch);
        writeln!(io.out, "  warning: {address} looks like it and is {label} (batch {batch}): compare every character")?;
    }
    Ok(())
}

fn said(saying: &Saying, io: &mut Io<'_>) -> Result<(), Problem> {
    let confidence = match (&saying.confidence, saying.level) {
        (Some(class), Some(level)) => format!("{class} ({level} %)"),
        (Some(class), None) => format!("{class} (not in GraphSense's list)"),
        (None, _) => "no confidence given".into(),
    };
    write!(io.out, "    {}, {confidence}", saying.class)?;
    if let Some(actor) = &saying.actor {
        write!(io.out, "; actor {actor}")?;
        if let Some(name) = &saying.actor_name {
            write!(io.out, " = {name} {}", saying.jurisdictions.join(" "))?;
        }
    }
    if !saying.concepts.is_empty() {
        write!(io.out, "; {}", saying.concepts.join(", "))?;
    }
    match saying.defines_cluster {
        "yes" => write!(io.out, "; for its whole cluster")?,
        "refused" => write!(io.out, "; not for its cluster, whatever the pack says: a CoinJoin")?,
        _ => {}
    }
    if saying.misnamed {
        write!(io.out, "; the pack's currency does not fit the address")?;
    }
    writeln!(io.out)?;
    let by = saying.author.as_deref().unwrap_or("nobody named");
    write!(io.out, "      by {by}, {} tag {} (batch {})", saying.pack, saying.number, saying.batch)?;
    for (what, value) in [
        ("source", &saying.source),
        ("changed", &saying.lastmod),
        ("collection", &saying.collection),
        ("marked", &saying.marking),
    ] {
        if let Some(value) = value {
            write!(io.out, "; {what} {value}")?;
        }
    }
    writeln!(io.out)?;
    if let Some(context) = &saying.context {
        writeln!(io.out, "      {}", context.replace(['\n', '\r'], " "))?;
    }
    Ok(())
}

pub fn doctor(dir: &Path, room: &Room, json: bool, io: &mut Io<'_>) -> Result<u8, Problem> {
    let tags = Tags::open(dir)?;
    let chains: Vec<String> = room.chains()?.iter().map(|chain| chain.as_str().to_owned()).collect();
    let all = coverage(&tags, &chains, &all);
    let damaged: Vec<(u64, &str)> = tags.damaged().iter().map(|info| (info.id, info.pack.as_str())).collect();
    if json {
        let damaged: Vec<u64> = damaged.iter().map(|(id, _)| *id).collect();
        document(&serde_json::json!({"coverage": all, "damaged": damaged}), io)?;
    } else {
        told_of(&all, io)?;
    }
    for (id, pack) in &damaged {
        writeln!(io.err, "eye: batch {id} ({pack}) is damaged: `eye money tags remove {id}` and load it again")?;
    }
    Ok(u8::from(!damaged.is_empty()))
}

fn told_of(all: &Coverage, io: &mut Io<'_>) -> Result<(), Problem> {
    writeln!(
        io.out,
        "{} tags read from {} batches: {} count, {} repeat another, {} are of addresses that nobody holds, {} were refused; {} actors",
        all.read, all.batches, all.tags, all.repeats, all.placeholders, all.refused, all.actors
    )?;
    let (told, rest): (Vec<&NetworkLine>, Vec<&NetworkLine>) =
        all.networks.iter().partition(|line| line.loaded || line.tags >= FEW);
    if !told.is_empty() {
        writeln!(
            io.out,
            "  {:<12} {:>9} {:>9} {:>9} {:>8} {:>8} {:>8}  chain",
            "network", "tags", "repeats", "addresses", "actors", "services", "listed"
        )?;
    }
    for line in &told {
        let chain = if line.loaded { "loaded" } else { "" };
        writeln!(
            io.out,
            "  {:<12} {:>9} {:>9} {:>9} {:>8} {:>8} {:>8}  {chain}",
            line.network, line.tags, line.repeats, line.addresses, line.actors, line.services, line.listed
        )?;
    }
    if !rest.is_empty() {
        let names: Vec<&str> = rest.iter().map(|line| line.network.as_str()).collect();
        writeln!(io.out, "  fewer than {FEW} tags each: {}", names.join(", "))?;
    }
    for (rule, concludes, _) in RULES {
        let of = |tags: &str| {
            let lines = told.iter().filter(|line| line.rules.iter().any(|one| one.rule == rule && one.tags == tags));
            lines.map(|line| line.network.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (none, few) = (of("none"), of("few"));
        if !none.is_empty() || !few.is_empty() {
            writeln!(io.out, "rule {rule} ({concludes}):")?;
        }
        if !none.is_empty() {
            writeln!(io.out, "  has no tags on {none}: that it finds nothing there means nothing")?;
        }
        if !few.is_empty() {
            writeln!(
                io.out,
                "  has tags of fewer than a hundred addresses on {few}: it finds little of what there is"
            )?;
        }
    }
    Ok(())
}
