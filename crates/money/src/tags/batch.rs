//! One loaded file of tags, written once and never changed: rows, the text they point into, and two indexes.
//! The bytes are described in `docs/tags.md` of this crate.
use super::sort::Sorter;
use super::subject::{Subject, ends};
use crate::columns::map;
use crate::columns::{Fields, Result, Run, format, io, u40, uint};
use memmap2::Mmap;
use selectors::Kind;
use siphasher::sip::SipHasher13;
use siphasher::sip128::{Hasher128, SipHasher13 as SipHasher128};
use std::collections::HashMap;
use std::fs::File;
use std::hash::Hasher;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Bytes of a row.
const ROW: usize = 16;
/// The kind of a row that is an actor.
const ACTOR: u8 = 0xff;
/// So many different statements are remembered while a batch is written; one beyond that is written again.
const REMEMBERED: usize = 1 << 18;
/// Longest text of a field.
pub const MAX_FIELD: usize = 1 << 16;

/// What a row says beyond its texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks(pub u8);

impl Marks {
    /// The pack says that the tag holds for the whole cluster.
    pub const DEFINER: Marks = Marks(1);
    /// The pack says that it does not.
    pub const NO_DEFINER: Marks = Marks(2);
    /// It speaks of taking part in a CoinJoin.
    pub const COINJOIN: Marks = Marks(4);
    /// The pack's currency or network does not fit the address.
    pub const MISNAMED: Marks = Marks(8);
    /// A signature of the address's key was verified.
    pub const SIGNED: Marks = Marks(16);

    /// Whether all of these are there.
    pub fn has(self, marks: Marks) -> bool {
        self.0 & marks.0 == marks.0
    }

    /// With these too, when `so`.
    #[must_use]
    pub fn with(self, marks: Marks, so: bool) -> Marks {
        if so { Marks(self.0 | marks.0) } else { self }
    }
}

/// The texts of a row in the order in which they stand; lists have one entry a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the schema's own words
pub struct Said<'a> {
    pub label: &'a str,
    pub network: &'a str,
    pub currency: &'a str,
    pub source: &'a str,
    pub actor: &'a str,
    pub category: &'a str,
    pub abuse: &'a str,
    pub concepts: &'a str,
    pub confidence: &'a str,
    pub lastmod: &'a str,
    pub context: &'a str,
    pub tag_type: &'a str,
}

impl<'a> Said<'a> {
    fn fields(&self) -> [&'a str; 12] {
        [
            self.label,
            self.network,
            self.currency,
            self.source,
            self.actor,
            self.category,
            self.abuse,
            self.concepts,
            self.confidence,
            self.lastmod,
            self.context,
            self.tag_type,
        ]
    }

    /// All its concepts, each once as it stands: category, abuse, then the others.
    pub fn all_concepts(&self) -> impl Iterator<Item = &'a str> {
        [self.category, self.abuse].into_iter().chain(self.concepts.lines()).filter(|word| !word.is_empty())
    }

    /// Whether every text fits its field.
    pub fn fits(&self) -> bool {
        self.fields().iter().all(|text| text.len() <= MAX_FIELD)
    }
}

/// A row as it stands in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The address, the transaction or the actor's id.
    pub subject: &'a str,
    /// Its kind; `None` when its shape was not known, and for actors.
    pub kind: Option<Kind>,
    /// Its number in the pack.
    pub number: u32,
    /// What the row says beyond its texts.
    pub marks: Marks,
    /// Whether it is an actor.
    pub actor: bool,
    /// What it says.
    pub said: Said<'a>,
}

/// The hash under which a subject is found.
pub fn subject_hash(key: &[u8; 16], text: &str) -> u64 {
    hash(key, &[b"s", text.as_bytes()])
}

/// The hash under which an actor is found by its id or another name.
pub fn actor_hash(key: &[u8; 16], id: &str) -> u64 {
    hash(key, &[b"a", id.as_bytes()])
}

/// The hash under which look-alikes are found.
pub fn ends_hash(key: &[u8; 16], ends: &str) -> u64 {
    hash(key, &[b"e", ends.as_bytes()])
}

fn hash(key: &[u8; 16], parts: &[&[u8]]) -> u64 {
    let mut hasher = SipHasher13::new_with_key(key);
    parts.iter().for_each(|part| hasher.write(part));
    hasher.finish()
}

/// Where the parts of a batch stand.
#[derive(Debug, Clone)]
pub struct Paths {
    dir: PathBuf,
    id: u64,
}

impl Paths {
    /// Of the batch `id` in `dir`.
    pub fn new(dir: &Path, id: u64) -> Paths {
        Paths { dir: dir.to_owned(), id }
    }

    fn part(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{}.{name}", self.id))
    }

    /// All of them.
    pub fn all(&self) -> [PathBuf; 4] {
        ["rows", "text", "subject.run", "alike.run"].map(|name| self.part(name))
    }
}

/// Lengths and checksums of a finished batch, for the manifest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Extent {
    /// How many rows.
    pub rows: u64,
    /// Bytes of the texts.
    pub text: u64,
    /// CRC-32 of the rows.
    pub rows_crc: u32,
    /// CRC-32 of the texts.
    pub text_crc: u32,
    /// Bytes of all four files.
    pub bytes: u64,
}

/// Bytes on their way to a file, counted.
struct Sink {
    path: PathBuf,
    file: BufWriter<File>,
    crc: crc32fast::Hasher,
    len: u64,
}

impl Sink {
    fn new(path: PathBuf) -> Result<Sink> {
        let file = BufWriter::with_capacity(1 << 16, File::create(&path).map_err(io(&path))?);
        Ok(Sink { path, file, crc: crc32fast::Hasher::new(), len: 0 })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.crc.update(bytes);
        self.len += bytes.len() as u64;
        self.file.write_all(bytes).map_err(io(&self.path))
    }

    fn finish(self) -> Result<(u64, u32)> {
        let file = self.file.into_inner().map_err(|error| io(&self.path)(error.into_error()))?;
        file.sync_data().map_err(io(&self.path))?;
        Ok((self.len, self.crc.finalize()))
    }
}

/// Writes one batch. Memory does not grow with it.
pub struct Writer {
    key: [u8; 16],
    rows: Sink,
    text: Sink,
    subjects: Sorter,
    alike: Sorter,
    count: u32,
    statements: HashMap<u128, u64>,
    buffer: Vec<u8>,
}

impl Writer {
    /// Begins the batch that `paths` names.
    pub fn new(paths: &Paths, key: &[u8; 16]) -> Result<Writer> {
        Ok(Writer {
            key: *key,
            rows: Sink::new(paths.part("rows"))?,
            text: Sink::new(paths.part("text"))?,
            subjects: Sorter::new(&paths.part("subject.run")),
            alike: Sorter::new(&paths.part("alike.run")),
            count: 0,
            statements: HashMap::new(),
            buffer: Vec::new(),
        })
    }

    /// Adds a tag.
    pub fn tag(&mut self, subject: &Subject, number: u64, marks: Marks, said: &Said<'_>) -> Result<()> {
        let kind = subject.kind.map_or(0, |kind| u8::try_from(kind.code()).unwrap_or(0));
        self.subjects.push(subject_hash(&self.key, &subject.text), self.count)?;
        if let Some(ends) = subject.ends() {
            self.alike.push(ends_hash(&self.key, &ends), self.count)?;
        }
        self.row(&subject.text, number, marks, kind, said)
    }

    /// Adds an actor under its id and its other names.
    pub fn actor(&mut self, id: &str, aliases: &[String], number: u64, said: &Said<'_>) -> Result<()> {
        for name in std::iter::once(id).chain(aliases.iter().map(String::as_str).filter(|alias| *alias != id)) {
            self.subjects.push(actor_hash(&self.key, name), self.count)?;
        }
        self.row(id, number, Marks::default(), ACTOR, said)
    }

    fn row(&mut self, subject: &str, number: u64, marks: Marks, kind: u8, said: &Said<'_>) -> Result<()> {
        let full = |path: &Path| format(path, "has no room for more rows; split the pack");
        let statement = self.statement(said)?;
        let at = self.text.len;
        self.buffer.clear();
        put_text(&mut self.buffer, subject);
        self.text.put(&self.buffer)?;
        let mut row = [0; ROW];
        let number = u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
        let parts = u40(at).into_iter().chain(u40(statement)).chain(number).chain([marks.0, kind]);
        row.iter_mut().zip(parts).for_each(|(byte, part)| *byte = part);
        self.rows.put(&row)?;
        self.count = self.count.checked_add(1).ok_or_else(|| full(&self.rows.path))?;
        Ok(())
    }

    /// Where the statement stands: most of a pack's tags say the same.
    fn statement(&mut self, said: &Said<'_>) -> Result<u64> {
        self.buffer.clear();
        said.fields().iter().for_each(|text| put_text(&mut self.buffer, text));
        let mut hasher = SipHasher128::new_with_key(&self.key);
        hasher.write(&self.buffer);
        let hash = hasher.finish128().as_u128();
        if let Some(at) = self.statements.get(&hash) {
            return Ok(*at);
        }
        let at = self.text.len;
        self.text.put(&self.buffer)?;
        if self.statements.len() < REMEMBERED {
            self.statements.insert(hash, at);
        }
        Ok(at)
    }

    /// Makes all of it durable.
    pub fn finish(self) -> Result<Extent> {
        let rows = u64::from(self.count);
        let (row_bytes, rows_crc) = self.rows.finish()?;
        let (text, text_crc) = self.text.finish()?;
        let bytes = row_bytes + text + self.subjects.finish()? + self.alike.finish()?;
        Ok(Extent { rows, text, rows_crc, text_crc, bytes })
    }
}

/// A text with its length before it, in base 128 (LEB128).
fn put_text(to: &mut Vec<u8>, text: &str) {
    let mut len = text.len();
    while len >= 0x80 {
        to.push(u8::try_from(len & 0x7f).unwrap_or(0) | 0x80);
        len >>= 7;
    }
    to.push(u8::try_from(len).unwrap_or(0));
    to.extend_from_slice(text.as_bytes());
}

fn take_text<'a>(fields: &mut Fields<'a>) -> Option<&'a str> {
    let mut len = 0;
    for shift in [0, 7, 14] {
        let [byte] = fields.array::<1>()?;
        len |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return std::str::from_utf8(fields.take(len)?).ok();
        }
    }
    None
}

/// A batch that can be read.
#[derive(Debug)]
pub struct Batch {
    rows: Mmap,
    text: Mmap,
    /// By subject, and by actor.
    pub subjects: Run,
    /// By the ends of addresses.
    pub alike: Run,
    count: u64,
}

impl Batch {
    /// Opens a batch whose lengths the manifest knows.
    pub fn open(paths: &Paths, extent: &Extent) -> Result<Batch> {
        let [rows, text, subjects, alike] = paths.all();
        Ok(Batch {
            rows: whole(&rows, extent.rows.saturating_mul(ROW as u64))?,
            text: whole(&text, extent.text)?,
            subjects: Run::open(&subjects)?,
            alike: Run::open(&alike)?,
            count: extent.rows,
        })
    }

    /// How many rows there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Row `n`, or `None` when there is none or its bytes are not what they should be.
    pub fn row(&self, n: u32) -> Option<Row<'_>> {
        read_row(&self.rows, &self.text, n)
    }

    /// Whether all bytes are as they were written.
    pub fn sound(&self, extent: &Extent) -> bool {
        crc32fast::hash(&self.rows) == extent.rows_crc && crc32fast::hash(&self.text) == extent.text_crc
    }
}

/// A row out of the bytes of both files, which may be any bytes.
pub fn read_row<'a>(rows: &[u8], text: &'a [u8], n: u32) -> Option<Row<'a>> {
    let at = usize::try_from(n).ok()?.checked_mul(ROW)?;
    let mut fields = Fields(rows.get(at..at.checked_add(ROW)?)?);
    let mut place = || Some(Fields(text.get(usize::try_from(uint(fields.take(5)?)).ok()?..)?));
    let subject = take_text(&mut place()?)?;
    let mut said = place()?;
    let (number, [marks, kind]) = (fields.u32()?, fields.array::<2>()?);
    let mut next = || take_text(&mut said);
    let said = Said {
        label: next()?,
        network: next()?,
        currency: next()?,
        source: next()?,
        actor: next()?,
        category: next()?,
        abuse: next()?,
        concepts: next()?,
        confidence: next()?,
        lastmod: next()?,
        context: next()?,
        tag_type: next()?,
    };
    let actor = kind == ACTOR;
    let kind = Kind::from_code(u16::from(kind)).filter(|_| !actor);
    Some(Row { subject, kind, number, marks: Marks(marks), actor, said })
}

/// The look-alike key of a row.
pub fn ends_of(row: &Row<'_>) -> Option<String> {
    ends(row.kind?, row.subject)
}

fn whole(path: &Path, len: u64) -> Result<Mmap> {
    let file = File::open(path).map_err(io(path))?;
    let there = file.metadata().map_err(io(path))?.len();
    if there != len {
        return Err(format(path, format!("has {there} bytes, not {len}")));
    }
    map(&file, len, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 16] = [3; 16];

    fn said<'a>(label: &'a str, context: &'a str) -> Said<'a> {
        Said { label, network: "btc", currency: "BTC", concepts: "scam\npool", context, ..Said::default() }
    }

    #[test]
    fn rows_come_back_as_they_were_written_and_equal_statements_stand_once() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path(), 7);
        let long = "x".repeat(MAX_FIELD);
        let mut writer = Writer::new(&paths, &KEY).unwrap();
        let boat = Subject::address("1BoatSLRHtKNngkdXEeobR76b53LETtpyT", Some("BTC"), None).unwrap();
        writer.tag(&boat, 1, Marks::DEFINER, &said("EXERCISE", &long)).unwrap();
        writer.tag(&boat, 2, Marks::default(), &said("EXERCISE", &long)).unwrap();
        writer
            .actor("exercise_desk", &["desk".into()], 3, &Said { label: "EXERCISE desk", ..Said::default() })
            .unwrap();
        let extent = writer.finish().unwrap();
        assert!(extent.text < 2 * MAX_FIELD as u64, "{extent:?}");
        let batch = Batch::open(&paths, &extent).unwrap();
        let first = batch.row(0).unwrap();
        assert_eq!((first.subject, first.kind, first.number), (boat.text.as_str(), Some(Kind::Btc), 1));
        assert_eq!((first.said.context.len(), first.marks), (MAX_FIELD, Marks::DEFINER));
        assert_eq!(first.said.all_concepts().collect::<Vec<_>>(), ["scam", "pool"]);
        assert!(batch.row(2).unwrap().actor && batch.row(3).is_none() && batch.sound(&extent));
        let rows: Vec<u32> = batch.subjects.all(subject_hash(&KEY, &boat.text)).collect();
        assert_eq!(rows, [0, 1]);
        for name in ["exercise_desk", "desk"] {
            assert_eq!(batch.subjects.all(actor_hash(&KEY, name)).collect::<Vec<_>>(), [2]);
        }
        assert_eq!(batch.alike.all(ends_hash(&KEY, &ends_of(&first).unwrap())).count(), 2);
    }

    #[test]
    fn a_batch_cut_anywhere_is_refused_and_a_flipped_byte_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::new(dir.path(), 1);
        let mut writer = Writer::new(&paths, &KEY).unwrap();
        let boat = Subject::address("1BoatSLRHtKNngkdXEeobR76b53LETtpyT", Some("BTC"), None).unwrap();
        writer.tag(&boat, 1, Marks::default(), &said("EXERCISE", "")).unwrap();
        let extent = writer.finish().unwrap();
        let [rows, text, ..] = paths.all();
        for path in [rows, text.clone()] {
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
            assert!(Batch::open(&paths, &extent).unwrap_err().to_string().contains("bytes, not"));
            std::fs::write(&path, &bytes).unwrap();
        }
        let mut bytes = std::fs::read(&text).unwrap();
        bytes[3] ^= 1;
        std::fs::write(&text, &bytes).unwrap();
        assert!(!Batch::open(&paths, &extent).unwrap().sound(&extent));
    }
}
