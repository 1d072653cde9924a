use std::time::Duration;

/// What listeners may cost; the defaults are documented in `docs/operator.md`.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Listeners at a time.
    pub listeners: usize,
    /// Listeners of one account.
    pub of_account: usize,
    /// Entries worked on at a time: all that a listener ever holds in memory.
    pub batch: usize,
    /// Bytes after which a batch takes no further entry; the first always has its place.
    pub batch_bytes: usize,
    /// Something is sent at least this often.
    pub heartbeat: Duration,
    /// Entries that the view may lack while the stream goes on without it.
    pub unfolded: u64,
    /// How long a batch waits for the view when it lacks more.
    pub lag: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            listeners: 256,
            of_account: 32,
            batch: 400,
            batch_bytes: 4 << 20,
            heartbeat: Duration::from_secs(5),
            unfolded: 25_000,
            lag: Duration::from_secs(2),
        }
    }
}
