use std::time::Duration;

/// What the room may cost; the defaults are documented in `docs/operator.md`.
#[derive(Debug, Clone)]
pub struct Limits {
    /// What one imported file may cost.
    pub file: formats::Limits,
    /// Bytes of a file uploaded through a page; larger ones go through the command line.
    pub upload: usize,
    /// Records set aside that are kept of one import.
    pub aside_records: u64,
    /// Bytes of records set aside that are kept of one import.
    pub aside_bytes: u64,
    /// Bytes of records set aside that are kept at all; beyond that the oldest import's go.
    pub aside_total: u64,
    /// How long a request waits for the view before it answers 503 (LEDGER.md, "Barrier").
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file: formats::Limits::default(),
            upload: 100 << 20,
            aside_records: 10_000,
            aside_bytes: 16 << 20,
            aside_total: 256 << 20,
            patience: Duration::from_secs(2),
        }
    }
}
