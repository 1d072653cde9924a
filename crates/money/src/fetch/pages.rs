//! What endpoints answered, page after page: an append-only file, so that nothing fetched is lost and no page is asked for twice.
use crate::chain::{Error, Result, io};
use crate::columns::Fields;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const MAGIC: [u8; 8] = *b"EYEPAGE\x01";
/// All pages of a chain at most: on-demand history is small, and all of it is held in memory.
const MOST: u64 = 256 << 20;
/// A record that names a block which its chain no longer has.
const STALE: u8 = 2;

/// A page as it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// When, Unix seconds.
    pub asked: u64,
    /// Whether its answer can never become another one.
    pub lasting: bool,
    /// The answer.
    pub body: String,
}

/// The pages of one chain.
#[derive(Debug)]
pub struct Pages {
    path: PathBuf,
    file: File,
    len: u64,
    pages: HashMap<String, Page>,
    stale: HashSet<String>,
}

impl Pages {
    /// Opens the file in a folder, or makes it; what a crash left half-written at its end is cut off. The caller holds the folder's lock.
    ///
    /// # Errors
    /// The disk; a file of another kind.
    pub fn open(dir: &Path) -> Result<Pages> {
        let path = dir.join("pages");
        let opened = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(io(&path))?;
        let mut bytes = Vec::new();
        (&mut file).take(MOST + 1).read_to_end(&mut bytes).map_err(io(&path))?;
        if bytes.is_empty() {
            file.write_all(&MAGIC).and_then(|()| file.sync_all()).map_err(io(&path))?;
            bytes.extend_from_slice(&MAGIC);
        }
        let rest = bytes.strip_prefix(&MAGIC).filter(|_| bytes.len() as u64 <= MOST).ok_or_else(|| {
            Error::Unknown(format!(
                "{}: is no file of fetched pages, or too large: move its folder away",
                path.display()
            ))
        })?;
        let mut found = Pages { path, file, len: 0, pages: HashMap::new(), stale: HashSet::new() };
        let whole = found.read(rest);
        found.len = (MAGIC.len() + whole) as u64;
        found.file.set_len(found.len).map_err(io(&found.path))?;
        Ok(found)
    }

    /// Takes in all whole records, and says how many bytes they have.
    fn read(&mut self, bytes: &[u8]) -> usize {
        let mut fields = Fields(bytes);
        let mut whole = 0;
        while let Some((kind, page, path)) = record(&mut fields) {
            whole = bytes.len() - fields.0.len();
            if kind == STALE {
                self.stale.insert(path);
            } else {
                self.pages.insert(path, page);
            }
        }
        whole
    }

    /// The page at a path, unless it names a block that is no more, or is older than `since` and could be another one by now.
    pub fn get(&self, path: &str, since: u64) -> Option<&str> {
        let page = self.pages.get(path).filter(|page| page.lasting || page.asked >= since)?;
        (!self.stale.iter().any(|hash| page.body.contains(hash.as_str()))).then_some(page.body.as_str())
    }

    /// The page at a path, however old, unless it names a block that is no more.
    pub fn last(&self, path: &str) -> Option<&str> {
        self.get(path, 0)
    }

    /// Every page with its path, in no order.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pages.iter().map(|(path, page)| (path.as_str(), page.body.as_str()))
    }

    /// Whether the chain no longer has a block.
    pub fn is_stale(&self, hash: &str) -> bool {
        self.stale.contains(hash)
    }

    /// Keeps a page durably.
    ///
    /// # Errors
    /// The disk; more pages than are held.
    pub fn keep(&mut self, path: &str, page: Page) -> Result<()> {
        self.append(u8::from(page.lasting), path, &page)?;
        self.pages.insert(path.to_owned(), page);
        Ok(())
    }

    /// Notes durably that the chain no longer has a block: rows of it go, and pages that name it are asked for again.
    ///
    /// # Errors
    /// The disk.
    pub fn unwind(&mut self, hash: &str, now: u64) -> Result<()> {
        self.append(STALE, hash, &Page { asked: now, lasting: false, body: String::new() })?;
        self.stale.insert(hash.to_owned());
        Ok(())
    }

    fn append(&mut self, kind: u8, path: &str, page: &Page) -> Result<()> {
        let len = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes();
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&page.asked.to_le_bytes());
        bytes.extend_from_slice(&len(path));
        bytes.extend_from_slice(&len(&page.body));
        bytes.extend_from_slice(path.as_bytes());
        bytes.extend_from_slice(page.body.as_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        if self.len + bytes.len() as u64 > MOST {
            let why = "holds as many fetched pages as it may: move its folder away, or load the chain from a node";
            return Err(Error::Unknown(format!("{}: {why}", self.path.display())));
        }
        let at = self.file.seek(SeekFrom::Start(self.len));
        let written = at.and_then(|_| self.file.write_all(&bytes)).and_then(|()| self.file.sync_data());
        written.map_err(io(&self.path))?;
        self.len += bytes.len() as u64;
        Ok(())
    }
}

/// The next record: its kind, the page, its path; `None` at the end or where it is damaged.
fn record(fields: &mut Fields<'_>) -> Option<(u8, Page, String)> {
    let begin = fields.0;
    let (kind, asked) = (*fields.take(1)?.first()?, fields.u64()?);
    let (path, body) = (fields.u32()? as usize, fields.u32()? as usize);
    let (path, body) = (fields.take(path)?, fields.take(body)?);
    let said = begin.get(..begin.len() - fields.0.len())?;
    if fields.u32()? != crc32fast::hash(said) {
        return None;
    }
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    Some((kind, Page { asked, lasting: kind == 1, body: text(body)? }, text(path)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str, lasting: bool) -> Page {
        Page { asked: 100, lasting, body: body.into() }
    }

    #[test]
    fn a_page_is_there_after_a_crash_and_what_was_half_written_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut pages = Pages::open(dir.path()).unwrap();
        pages.keep("tx/1", page("one", true)).unwrap();
        pages.keep("tx/2", page("two", false)).unwrap();
        drop(pages);
        let file = dir.path().join("pages");
        let whole = std::fs::read(&file).unwrap();
        for cut in MAGIC.len()..=whole.len() {
            std::fs::write(&file, &whole[..cut]).unwrap();
            let mut pages = Pages::open(dir.path()).unwrap();
            assert!(pages.all().all(|(path, body)| (path, body) == ("tx/1", "one") || (path, body) == ("tx/2", "two")));
            pages.keep("tx/3", page("three", true)).unwrap();
            drop(pages);
            assert_eq!(Pages::open(dir.path()).unwrap().get("tx/3", 0), Some("three"), "{cut}");
        }
    }

    #[test]
    fn what_may_have_changed_is_asked_for_again_and_so_is_what_names_a_block_that_is_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let mut pages = Pages::open(dir.path()).unwrap();
        pages.keep("tx/1", page("in block aa", true)).unwrap();
        pages.keep("address/1", page("in block bb", false)).unwrap();
        assert_eq!((pages.get("tx/1", 500), pages.get("address/1", 500)), (Some("in block aa"), None));
        assert_eq!(pages.get("address/1", 100), Some("in block bb"));
        pages.unwind("aa", 200).unwrap();
        drop(pages);
        let pages = Pages::open(dir.path()).unwrap();
        assert_eq!((pages.get("tx/1", 0), pages.get("address/1", 0)), (None, Some("in block bb")));
        assert!(pages.is_stale("aa") && !pages.is_stale("bb"));
    }
}
