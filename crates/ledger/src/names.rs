use crate::Result;
use rusqlite::Connection;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The log's dictionary: origins, collections, kinds and markings stand in entries as small numbers.
/// Shared by the writer and all readers of one process; the writer alone adds.
#[derive(Debug, Default)]
pub(crate) struct Names {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    by_number: Vec<Arc<str>>,
    by_text: HashMap<Arc<str>, u32>,
}

impl Names {
    pub(crate) fn load(conn: &Connection) -> Result<Self> {
        let mut inner = Inner::default();
        let mut stmt = conn.prepare("SELECT text FROM names ORDER BY n")?;
        let mut rows = stmt.query([])?;
        while let Some(row) = rows.next()? {
            inner.add(Arc::from(row.get_ref(0)?.as_str().unwrap_or("")));
        }
        Ok(Self { inner: RwLock::new(inner) })
    }

    pub(crate) fn text(&self, n: u32) -> Arc<str> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        inner.by_number.get(n as usize).cloned().unwrap_or_else(|| Arc::from(""))
    }

    pub(crate) fn number(&self, text: &str) -> Option<u32> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).by_text.get(text).copied()
    }

    /// The number of `text`, written to the log in the running transaction when new. After a rollback call [`Names::reload`].
    pub(crate) fn number_or_add(&self, conn: &Connection, text: &str) -> Result<u32> {
        if let Some(n) = self.number(text) {
            return Ok(n);
        }
        let n = self.inner.write().unwrap_or_else(PoisonError::into_inner).add(Arc::from(text));
        conn.prepare_cached("INSERT INTO names(n, text) VALUES (?, ?)")?.execute((n, text))?;
        Ok(n)
    }

    pub(crate) fn reload(&self, conn: &Connection) -> Result<()> {
        let fresh = Self::load(conn)?.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        *self.inner.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }
}

impl Inner {
    fn add(&mut self, text: Arc<str>) -> u32 {
        let n = u32::try_from(self.by_number.len()).unwrap_or(u32::MAX);
        self.by_number.push(Arc::clone(&text));
        self.by_text.insert(text, n);
        n
    }
}
