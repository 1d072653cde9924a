use ledger::{RowKey, Staged, keyed_hash64};
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;
use std::sync::Arc;

/// Maps values once to dense numbers in log order, through a keyed 64-bit hash that is confirmed by the value.
/// Additions wait in memory until the transaction ends, and go in sorted by key, each page once.
pub(super) struct Dictionary {
    tag: &'static str,
    find: [&'static str; 2],
    value_of: &'static str,
    next: &'static str,
    rows: Staged,
    add_value: &'static str,
    keys: Arc<ledger::Keys>,
    next_number: Option<i64>,
    new: HashMap<i64, Vec<i64>>,
    values: Vec<(i64, i64, u16, Box<str>)>,
    first_new: i64,
    recent: HashMap<i64, (i64, u16, Box<str>)>,
}

/// Numbers looked up lately that are kept in memory.
const RECENT: usize = 8_192;

impl Dictionary {
    pub(super) fn objects(keys: Arc<ledger::Keys>) -> Self {
        Self::new(
            keys,
            "object",
            Staged::new("object_rows"),
            ["SELECT n FROM object_rows_new WHERE h = ?", "SELECT n FROM object_rows WHERE h = ?"],
            [
                "SELECT id, 0 FROM objects WHERE obj = ?",
                "SELECT coalesce(max(obj), 0) FROM objects",
                "INSERT INTO objects(obj, id) VALUES (?1, ?3)",
            ],
        )
    }

    pub(super) fn selectors(keys: Arc<ledger::Keys>) -> Self {
        Self::new(
            keys,
            "selector",
            Staged::new("selector_rows"),
            ["SELECT n FROM selector_rows_new WHERE h = ?", "SELECT n FROM selector_rows WHERE h = ?"],
            [
                "SELECT value, kind FROM selectors WHERE sel = ?",
                "SELECT coalesce(max(sel), 0) FROM selectors",
                "INSERT INTO selectors(sel, kind, value) VALUES (?1, ?2, ?3)",
            ],
        )
    }

    fn new(
        keys: Arc<ledger::Keys>,
        tag: &'static str,
        rows: Staged,
        find: [&'static str; 2],
        sql: [&'static str; 3],
    ) -> Self {
        let [value_of, next, add_value] = sql;
        Self {
            tag,
            find,
            value_of,
            next,
            rows,
            add_value,
            keys,
            next_number: None,
            new: HashMap::new(),
            values: Vec::new(),
            first_new: 0,
            recent: HashMap::new(),
        }
    }

    /// The number of (kind, value), if it has one.
    pub(super) fn find(&self, view: &Connection, kind: u16, value: &str) -> rusqlite::Result<Option<i64>> {
        let h = row(self.keys.row(), self.tag, kind, value);
        if let Some((n, k, text)) = self.recent.get(&h)
            && *k == kind
            && **text == *value
        {
            return Ok(Some(*n));
        }
        match self.among_new(h, kind, value) {
            Some(n) => Ok(Some(n)),
            None => self.stored(view, h, kind, value),
        }
    }

    /// The number of (kind, value), and whether it is new.
    pub(super) fn number(&mut self, view: &Connection, kind: u16, value: &str) -> rusqlite::Result<(i64, bool)> {
        let h = row(self.keys.row(), self.tag, kind, value);
        if let Some((n, k, text)) = self.recent.get(&h)
            && *k == kind
            && **text == *value
        {
            return Ok((*n, false));
        }
        if let Some(n) = self.among_new(h, kind, value) {
            return Ok((n, false));
        }
        if let Some(n) = self.stored(view, h, kind, value)? {
            self.remember(h, n, kind, value);
            return Ok((n, false));
        }
        let n = match self.next_number {
            Some(n) => n,
            None => view.prepare_cached(self.next)?.query_row([], |r| r.get::<_, i64>(0))? + 1,
        };
        if self.values.is_empty() {
            self.first_new = n;
        }
        self.next_number = Some(n + 1);
        self.new.entry(h).or_default().push(n);
        self.values.push((h, n, kind, value.into()));
        Ok((n, true))
    }

    fn among_new(&self, h: i64, kind: u16, value: &str) -> Option<i64> {
        self.new.get(&h)?.iter().copied().find(|n| {
            let at = usize::try_from(n - self.first_new).unwrap_or(usize::MAX);
            self.values.get(at).is_some_and(|(_, _, k, v)| *k == kind && **v == *value)
        })
    }

    fn stored(&self, view: &Connection, h: i64, kind: u16, value: &str) -> rusqlite::Result<Option<i64>> {
        for find in self.find {
            let mut find = view.prepare_cached(find)?;
            let mut rows = find.query([h])?;
            while let Some(found) = rows.next()? {
                let n: i64 = found.get(0)?;
                let mut confirm = view.prepare_cached(self.value_of)?;
                let same = confirm
                    .query_row([n], |r| Ok(r.get_ref(0)?.as_str()? == value && r.get::<_, u16>(1)? == kind))
                    .optional()?;
                if same == Some(true) {
                    return Ok(Some(n));
                }
            }
        }
        Ok(None)
    }

    fn remember(&mut self, h: i64, n: i64, kind: u16, value: &str) {
        if self.recent.len() >= RECENT {
            self.recent.clear();
        }
        self.recent.insert(h, (n, kind, value.into()));
    }

    /// Writes what is new; call before the transaction ends and before SQL joins with the dictionary.
    pub(super) fn flush(&mut self, view: &Connection) -> rusqlite::Result<()> {
        {
            let mut add = view.prepare_cached(self.add_value)?;
            for (_, n, kind, value) in &self.values {
                if self.tag == "object" {
                    add.execute(rusqlite::params![n, rusqlite::types::Null, value])?;
                } else {
                    add.execute((n, kind, value))?;
                }
            }
        }
        // What a load took in memory goes back with its transaction.
        self.new = HashMap::new();
        let mut rows: Vec<(i64, i64)> =
            std::mem::take(&mut self.values).into_iter().map(|(h, n, _, _)| (h, n)).collect();
        rows.sort_unstable();
        self.rows.write(view, &rows)?;
        Ok(())
    }

    /// Forgets what memory holds, after a rollback or when values were deleted.
    pub(super) fn reset(&mut self) {
        self.next_number = None;
        self.rows.reset();
        self.new.clear();
        self.values.clear();
        self.recent.clear();
    }

    /// Takes a number's row away; the value's own row goes with the caller.
    pub(super) fn remove(&mut self, view: &Connection, kind: u16, value: &str, n: i64) -> rusqlite::Result<()> {
        let h = row(self.keys.row(), self.tag, kind, value);
        self.rows.remove(view, h, n)
    }
}

/// The row key of (kind, value); readers find numbers by it.
pub(crate) fn row(key: &RowKey, tag: &str, kind: u16, value: &str) -> i64 {
    let mut bytes = Vec::with_capacity(value.len() + 2);
    bytes.extend_from_slice(&kind.to_be_bytes());
    bytes.extend_from_slice(value.as_bytes());
    keyed_hash64(key, tag, &bytes)
}
