//! A person's word on a selector: that it links although a rule suppresses it, or must not although none does.
use crate::entry::{OVERRULE, Overrule};
use crate::import::work;
use crate::search::cols_of_selector;
use crate::{Error, Intel, Result};
use ledger::{Append, IdSource, Urgency};
use people::{Right, Viewer};
use rusqlite::OptionalExtension;
use selectors::Kind;

/// The longest reason, bytes.
const REASON: usize = 1_000;
/// Collections that one word goes to.
const PLACES: usize = 100;

/// What a person says of a selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It links.
    Links,
    /// It links nothing.
    LinksNothing,
    /// What was said before no longer counts.
    Undo,
}

/// A word that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overruled {
    /// Whether the selector links by it.
    pub links: bool,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub author: u32,
    /// When, µs.
    pub arrived: i64,
}

impl Intel {
    /// Says a word on a selector, by its normal value. It is written to every collection in which the viewer sees a
    /// holder and may write, so that whoever sees the holders there sees the word; elsewhere nothing changes. Returns
    /// to how many.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the viewer sees no holder, [`Error::Forbidden`], [`Error::Bad`] without a reason, the ledger's.
    pub fn overrule(&self, viewer: &Viewer, kind: Kind, value: &str, word: Word, reason: &str) -> Result<usize> {
        viewer.need(Right::OverruleLinks)?;
        let reason = reason.trim();
        if reason.is_empty() || reason.len() > REASON {
            return Err(Error::Bad(format!("say why, in at most {REASON} bytes")));
        }
        let mut cols: Vec<u32> = self.read(viewer, |conn| match self.selector_number(conn, kind, value)? {
            Some(sel) => cols_of_selector(conn, viewer, sel),
            None => Ok(Vec::new()),
        })?;
        cols.truncate(PLACES);
        if cols.is_empty() {
            return Err(Error::NotFound);
        }
        let places: Vec<_> = cols
            .into_iter()
            .filter(|c| viewer.may_write(*c))
            .filter_map(|c| self.inner.people.collection_of(c).transpose())
            .collect::<people::Result<_>>()?;
        if places.is_empty() {
            return Err(Error::Forbidden("it is held only in collections that you may not write to".into()));
        }
        let body = Overrule {
            kind: kind.as_str().into(),
            value: value.into(),
            links: word == Word::Links,
            reason: reason.into(),
            undone: word == Word::Undo,
        };
        // The value may be a person's telephone number: it stands in the body, which can be erased, never as a subject.
        let subject = hex::encode(ledger::keyed_id(
            self.inner.keys.index_hmac(),
            &[b"overrule", kind.as_str().as_bytes(), value.as_bytes()],
        ));
        let entry = |c: &std::sync::Arc<people::Collection>| {
            work(viewer, c.id, OVERRULE, IdSource::Fresh, &subject, None, &body)
        };
        let entries = places.iter().map(entry).collect::<Result<Vec<_>>>()?;
        let expect = viewer.expects(places.iter().map(|c| &**c));
        self.append(Append { entries, expect }, Urgency::Interactive)?;
        Ok(places.len())
    }

    /// The newest word on a selector that the viewer sees.
    ///
    /// # Errors
    /// The storage's.
    pub fn overruled(&self, viewer: &Viewer, kind: Kind, value: &str) -> Result<Option<Overruled>> {
        self.read(viewer, |conn| {
            let Some(sel) = self.selector_number(conn, kind, value)? else { return Ok(None) };
            conn.prepare_cached("SELECT links, reason, author, arrived FROM overrules WHERE sel = ? AND see(col) ORDER BY arrived DESC LIMIT 1")?
                .query_row([sel], |r| Ok(Overruled { links: r.get(0)?, reason: r.get(1)?, author: r.get(2)?, arrived: r.get(3)? }))
                .optional()
        })
    }
}
