//! What a chain costs: bytes and rows of each column and of what is derived.
use super::{Accounts, Head, Layout, Store, Utxo};

/// One column or derived file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// How many rows or entries.
    pub rows: u64,
    /// How many bytes on disk up to the head.
    pub bytes: u64,
    /// Whether it can be built anew from the others.
    pub derived: bool,
}

impl Part {
    /// Bytes a row in thousandths, rounded down; `None` without rows.
    pub fn milli_bytes_a_row(&self) -> Option<u64> {
        self.bytes.checked_mul(1000)?.checked_div(self.rows)
    }
}

/// What a chain holds and what it costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The last block.
    pub head: Option<Head>,
    /// The first block's height.
    pub first: Option<u64>,
    /// How many blocks.
    pub blocks: u64,
    /// Columns, then what is derived.
    pub parts: Vec<Part>,
}

impl Inspection {
    fn of(store: &Store, layout: &Layout, derived: &[(&'static str, u64, u64)]) -> super::Result<Inspection> {
        let columns = layout.columns.iter().enumerate().filter_map(|(i, spec)| {
            let column = store.column(i)?;
            Some(Part { name: spec.name.into(), rows: column.rows(), bytes: column.len(), derived: false })
        });
        let derived = derived.iter().map(|(name, bytes, rows)| Part {
            name: (*name).into(),
            rows: *rows,
            bytes: *bytes,
            derived: true,
        });
        Ok(Inspection {
            head: store.head(),
            first: store.record(0)?.map(|record| record.height),
            blocks: store.blocks(),
            parts: columns.chain(derived).collect(),
        })
    }
}

impl Utxo {
    /// Bytes a row of each column and dictionary.
    pub fn inspect(&self) -> super::Result<Inspection> {
        Inspection::of(self.store(), &super::UTXO_WITH_TOKENS, &self.derived_bytes())
    }
}

impl Accounts {
    /// Bytes a row of each column and dictionary.
    pub fn inspect(&self) -> super::Result<Inspection> {
        Inspection::of(self.store(), &super::ACCOUNTS, &self.derived_bytes())
    }
}
