use ledger::Bodies;
use serde::{Deserialize, Serialize};

/// The body of `withdraw` and `expunge` entries: which entry goes, without naming its `pos`, which never leaves the node.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Withdrawal {
    /// The id of the entry that goes, hexadecimal.
    pub entry: String,
    /// The object it holds.
    pub object: String,
    /// Its version, µs; `None` for SCOs.
    #[serde(default)]
    pub version: Option<i64>,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

impl Withdrawal {
    /// The row it speaks of: the one whose version fits and whose entry has that id.
    pub(crate) fn target<T: Copy>(&self, rows: &[T], parts: impl Fn(&T) -> (i64, i64, i64), bodies: &dyn Bodies) -> Option<T> {
        let fits = |row: &&T| {
            let (pos, version, _) = parts(row);
            self.version.is_none_or(|v| v == version)
                && u64::try_from(pos).ok().and_then(|p| bodies.entry(p)).is_some_and(|e| hex::encode(e.id) == self.entry)
        };
        rows.iter().find(fits).copied()
    }
}
