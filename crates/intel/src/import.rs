//! A file or feed becomes entries, in a numbered import that can be looked at and withdrawn whole.
mod aside;
mod brought;
mod listing;
mod stands;

use crate::entry::{self, IMPORT, IMPORTED, Import, Imported, Seen};
use crate::quarantine::{SetAside, Setting};
use crate::take::{CHUNK, CHUNK_BYTES};
use crate::{Error, Intel, Reason, Result};
pub(crate) use aside::bad_record;
use aside::refused;
use formats::{Format, Item, KeyedIds, Mapping, Options, Record};
use ledger::{Append, CollectionId, Entry, IdSource, Kind, NewEntry, Outcome, SameRule, Urgency};
pub use listing::ImportRow;
use people::entry::Purpose;
use people::{Collection, CollectionPolicy, Right, Viewer};
use stands::{Stands, Window};
use std::io::{BufRead, BufReader, Read, Seek};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The version of the mappings to STIX, noted with each import.
const MAPPING: u32 = 1;

/// A collection that objects may go to, with what it takes.
pub(crate) type Place = (Arc<Collection>, CollectionPolicy);

/// What to import, and how.
#[derive(Default)]
pub struct ImportJob {
    /// The feed's or file's name.
    pub source: String,
    /// The format; guessed when absent.
    pub format: Option<Format>,
    /// Where to.
    pub collection: Option<CollectionId>,
    /// For what carries no marking.
    pub marking: Option<stix::Tlp>,
    /// Country of the report.
    pub country: Option<stix::Country>,
    /// What a person corrected in a free text.
    pub corrections: crate::Corrections,
    /// Mapping of a CSV file.
    pub mapping: Option<Mapping>,
    /// Refuse the whole file when one record is bad.
    pub strict: bool,
}

/// What an import came to.
#[derive(Debug, Clone, Default)]
pub struct ImportReport {
    /// The import's number: its entry.
    pub import: Option<u64>,
    /// The format it was read as.
    pub format: String,
    /// Objects that were new.
    pub added: u64,
    /// Of these, how many were marked tighter than the import's collection takes, and went where fewer people read.
    pub elsewhere: u64,
    /// Objects that stood already.
    pub same: u64,
    /// Records set aside.
    pub aside: u64,
    /// Why the file could not be read to its end; what stood before the break is taken and stays.
    pub broken: Option<Reason>,
    /// The first hundred reasons, each with its place.
    pub problems: Vec<String>,
    /// What a reader of the import should know.
    pub notes: Vec<(String, u64)>,
}

/// An import under way.
struct Running<'a> {
    intel: &'a Intel,
    viewer: &'a Viewer,
    places: Vec<Place>,
    marking: Option<stix::Tlp>,
    cause: Arc<Entry>,
    window: Window,
    waiting: Vec<NewEntry>,
    /// Their bodies' bytes.
    waiting_bytes: usize,
    seen: Vec<NewEntry>,
    setting: Setting,
    report: ImportReport,
    failed: Option<Error>,
}

impl Intel {
    /// Imports a stream. Bad records are set aside and named; what is good is written, 400 a commit, once 8,192 records or
    /// 16 MB were read, or the stream ends. A strict import
    /// appends nothing at all unless every record is good.
    ///
    /// # Errors
    /// [`Error::Format`] when the format cannot be told; [`Error::Bad`] with `strict`, when a record is bad; [`Error::Read`]
    /// when nothing at all of the file could be read (when it breaks off later, the report says so:
    /// [`ImportReport::broken`]); the ledger's.
    pub fn import(
        &self,
        viewer: &Viewer,
        job: &ImportJob,
        mut input: Box<dyn Read + '_>,
        progress: &mut dyn FnMut(&ImportReport),
    ) -> Result<ImportReport> {
        viewer.need(Right::Import)?;
        let places = self.places(viewer, job)?;
        let ids = KeyedIds::new(ledger::keyed_id(self.inner.keys.index_hmac(), &[b"converted ids"]));
        let corrections = (!job.corrections.is_empty()).then(|| job.corrections.json());
        let mut options = self.options(job, &ids)?;
        options.corrections = corrections.as_ref();
        if job.strict {
            let mut file = self.spool(job, &mut *input)?;
            let (format, reading) = opened(job, Box::new(&file))?;
            self.judge(viewer, job, format, reading, &options, &places)?;
            file.rewind()?;
            input = Box::new(file);
        }
        let (format, reading) = opened(job, input)?;
        let mut running = self.begin(viewer, job, format, places)?;
        options.now = Some(stix::Instant(running.cause.arrived).millis_string());
        let summary = formats::read(format, reading, &options, &mut |item| running.take(item, progress));
        running.end(summary, progress)
    }

    /// Where objects may go: the collection asked for, and `restricted` for what is marked tighter.
    fn places(&self, viewer: &Viewer, job: &ImportJob) -> Result<Vec<Place>> {
        let home = self.inner.people.writable(viewer, job.collection.unwrap_or(ledger::INTAKE))?;
        let policy = self.inner.people.policy(viewer, &home)?;
        let mut places = vec![(Arc::clone(&home), policy)];
        if let Some(tighter) = self.inner.people.collection_for(Purpose::Restricted)?
            && viewer.may_write(tighter.col)
            && tighter.id != home.id
        {
            let policy = self.inner.people.policy(viewer, &tighter)?;
            places.push((tighter, policy));
        }
        Ok(places)
    }

    fn options<'a>(&'a self, job: &'a ImportJob, ids: &'a KeyedIds) -> Result<Options<'a>> {
        let mut options = Options::new(&job.source, ids);
        options.mapping = job.mapping.as_ref();
        options.country = job.country.map(stix::Country::as_str).or(self.inner.country.as_deref());
        options.exercise = self.inner.people.node()?.is_some_and(|n| n.exercise);
        options.limits = self.inner.limits.file.clone();
        Ok(options)
    }

    /// The entry of an object in the first place that takes it, or why the first does not.
    pub(crate) fn place_for(
        &self,
        viewer: &Viewer,
        places: &[Place],
        body: &str,
        cause: Option<u64>,
        given: Option<stix::Tlp>,
    ) -> std::result::Result<NewEntry, Reason> {
        let mut why = None;
        for (collection, policy) in places {
            match self.entry_of(viewer, collection.id, policy, body, cause, given) {
                Ok((entry, _, _)) => return Ok(entry),
                Err(e) => why = why.or(Some(e)),
            }
        }
        Err(why.unwrap_or_else(Reason::not_written))
    }

    fn begin<'a>(
        &'a self,
        viewer: &'a Viewer,
        job: &ImportJob,
        format: Format,
        places: Vec<Place>,
    ) -> Result<Running<'a>> {
        let home = places.first().map(|(c, _)| Arc::clone(c)).ok_or(Error::NotFound)?;
        let body =
            Import { source: job.source.clone(), format: format.as_str().into(), sha256: None, mapping: MAPPING };
        let entry = work(viewer, home.id, IMPORT, IdSource::Fresh, "", None, &body)?;
        let outcomes =
            self.append(Append { entries: vec![entry], expect: viewer.expects([&*home]) }, Urgency::Interactive)?;
        let Some(Outcome::New(cause)) = outcomes.into_iter().next() else { return Err(ledger::Error::Closed.into()) };
        let report =
            ImportReport { import: Some(cause.pos), format: format.as_str().into(), ..ImportReport::default() };
        Ok(Running {
            intel: self,
            viewer,
            places,
            marking: job.marking,
            cause,
            window: Window::default(),
            waiting: Vec::new(),
            waiting_bytes: 0,
            seen: Vec::new(),
            setting: Setting::of(report.import.unwrap_or(0), job.mapping.as_ref().filter(|_| format == Format::Csv)),
            report,
            failed: None,
        })
    }
}

impl Running<'_> {
    fn take(&mut self, item: Item, progress: &mut dyn FnMut(&ImportReport)) -> ControlFlow<()> {
        self.window.push(item);
        if self.window.is_full()
            && let Err(e) = self.settle(progress)
        {
            self.failed = Some(e);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// What was read since the last time is looked up, judged and written, in the file's order.
    fn settle(&mut self, progress: &mut dyn FnMut(&ImportReport)) -> Result<()> {
        let items = self.window.take();
        let stands = self.stands(&items)?;
        for item in items {
            match item {
                Item::Skipped(bad) => self.skipped(&bad),
                Item::Object(record) => self.object(record, &stands)?,
            }
            let full = self.waiting.len() >= CHUNK || self.waiting_bytes >= CHUNK_BYTES;
            if full || self.setting.waiting() >= CHUNK {
                self.write()?;
                progress(&self.report);
            }
        }
        Ok(())
    }

    fn object(&mut self, record: Record, stands: &Stands) -> Result<()> {
        let Some(body) = self.body_of(&record, stands)? else { return Ok(()) };
        match self.intel.place_for(self.viewer, &self.places, &body, Some(self.cause.pos), self.marking) {
            Ok(entry) => {
                self.waiting_bytes += entry.body.len();
                self.waiting.push(entry);
            }
            Err(why) => {
                let (place, object) = (record.at.to_string(), Some(record.id));
                let row = SetAside::new(place, object, why, Some(record.body.clone()));
                self.aside_as_marked(row, &record.body);
            }
        }
        Ok(())
    }

    fn write(&mut self) -> Result<()> {
        let entries = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        let sent: Vec<_> = entries
            .iter()
            .map(|e| (Arc::clone(&e.subject), e.collection, e.time, object_of(&e.id), Arc::clone(&e.body)))
            .collect();
        let expect = self.viewer.expects(self.places.iter().map(|(c, _)| &**c));
        let outcomes = self.intel.append(Append { entries, expect }, Urgency::Bulk)?;
        for (outcome, (subject, collection, version, object, body)) in outcomes.into_iter().zip(sent) {
            match outcome {
                Outcome::New(_) => {
                    self.report.added += 1;
                    self.report.elsewhere += u64::from(collection != self.cause.collection);
                }
                Outcome::Same(pos) => {
                    self.report.same += 1;
                    self.note_seen(pos, collection, &subject, version)?;
                }
                Outcome::Refused(ledger::Refusal::OtherBytes) => {
                    let row = refused(object, Reason::other_content(), Some(body.to_string()));
                    // What stands in a collection of fewer readers is told to whoever imports, and kept nowhere else.
                    if collection == self.cause.collection { self.aside_as_marked(row, &body) } else { self.told(&row) }
                }
                // Its text goes nowhere again.
                Outcome::Refused(ledger::Refusal::Expunged(_)) => {
                    self.aside(refused(object, Reason::erased(), None));
                }
            }
        }
        self.setting.flush(self.intel)?;
        self.flush_seen()
    }

    fn note_seen(&mut self, pos: u64, collection: CollectionId, object: &str, version: Option<i64>) -> Result<()> {
        let Some(stands) = self.intel.inner.ledger.log().entry(pos)? else { return Ok(()) };
        if stands.cause == Some(self.cause.pos) {
            return Ok(());
        }
        let body = Seen { entry: hex::encode(stands.id), object: object.to_owned(), version };
        let once = IdSource::Once([&b"seen"[..], &self.cause.id, &stands.id].concat());
        self.seen.push(work(self.viewer, collection, entry::SEEN, once, object, Some(self.cause.pos), &body)?);
        Ok(())
    }

    fn flush_seen(&mut self) -> Result<()> {
        let entries = std::mem::take(&mut self.seen);
        self.intel.append(Append { entries, expect: Vec::new() }, Urgency::Bulk)?;
        Ok(())
    }

    fn end(
        mut self,
        summary: std::result::Result<formats::Summary, formats::ReadError>,
        progress: &mut dyn FnMut(&ImportReport),
    ) -> Result<ImportReport> {
        if let Some(e) = self.failed.take() {
            return Err(e);
        }
        self.settle(progress)?;
        self.write()?;
        let broken = match summary {
            Ok(summary) => {
                self.report.notes = summary.notes;
                if self.report.elsewhere > 0 {
                    let note = "Marked tighter than the collection takes: it went where fewer people read";
                    self.report.notes.push((note.into(), self.report.elsewhere));
                }
                None
            }
            Err(e) => {
                let place = "the rest of the file".to_owned();
                self.report.broken = Some(Reason::from(&e));
                self.aside(SetAside::new(place, None, Reason::from(&e), None));
                self.setting.flush(self.intel)?;
                Some(e)
            }
        };
        let body = Imported {
            import: hex::encode(self.cause.id),
            // Who reads the import's own collection hears of nothing that went elsewhere.
            added: self.report.added - self.report.elsewhere,
            same: self.report.same,
            aside: self.report.aside,
            broken: self.report.broken.as_ref().map(|why| why.code.to_owned()),
        };
        let done = work(
            self.viewer,
            self.cause.collection,
            IMPORTED,
            IdSource::Once(self.cause.id.to_vec()),
            "",
            Some(self.cause.pos),
            &body,
        )?;
        self.intel.append(Append { entries: vec![done], expect: Vec::new() }, Urgency::Interactive)?;
        match broken {
            // Nothing at all could be read: that is the file's fault, not one record's.
            Some(e) if self.report.added + self.report.same == 0 => Err(e.into()),
            _ => Ok(self.report),
        }
    }
}

/// A file that was half taken helps nobody: an import waits for the view longer than somebody at a page does.
const PATIENCE: Duration = Duration::from_secs(3_600);

fn patiently<T>(ask: impl Fn() -> Result<T>) -> Result<T> {
    let until = Instant::now() + PATIENCE;
    loop {
        match ask() {
            Err(Error::Ledger(ledger::Error::Behind { .. })) if Instant::now() < until => std::thread::yield_now(),
            answer => return answer,
        }
    }
}

/// The input unpacked, and what it is read as.
fn opened<'i>(job: &ImportJob, input: Box<dyn Read + 'i>) -> Result<(Format, Box<dyn BufRead + 'i>)> {
    let unpacked = formats::decompress(Box::new(BufReader::new(input)))?;
    let mut input = BufReader::with_capacity(1 << 16, unpacked);
    let format = match job.format {
        Some(format) => format,
        None => {
            let head = input.fill_buf().map_err(|e| Error::Bad(format!("{}: {e}", job.source)))?;
            formats::guess(&job.source, head)?
        }
    };
    Ok((format, Box::new(input)))
}

fn object_of(id: &IdSource) -> Option<String> {
    match id {
        IdSource::Object { object, .. } => Some(object.to_string()),
        _ => None,
    }
}

/// A small event of this room.
pub(crate) fn work(
    viewer: &Viewer,
    collection: CollectionId,
    kind: &str,
    id: IdSource,
    subject: &str,
    cause: Option<u64>,
    body: &impl serde::Serialize,
) -> Result<NewEntry> {
    let body = serde_json::to_string(body).map_err(|e| Error::Bad(e.to_string()))?;
    Ok(NewEntry {
        collection,
        id,
        same: SameRule::Refuse,
        subject: subject.into(),
        cause,
        author: viewer.account(),
        time: None,
        kind: Kind::new(kind),
        version: 1,
        marking: stix::Tlp::AmberStrict.as_str().into(),
        body: body.into(),
    })
}
