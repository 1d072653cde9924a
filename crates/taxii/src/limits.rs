use std::time::Duration;

/// What the door may cost; the defaults are documented in `docs/operator.md`.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a body; the API root says it as `max_content_length`.
    pub body: usize,
    /// Objects of one envelope that is posted.
    pub objects: usize,
    /// Objects on a page when the client names no `limit`.
    pub page: usize,
    /// Objects on a page at most, whatever it names.
    pub most: usize,
    /// Bytes after which a page takes no further object; the first always has its place.
    pub page_bytes: usize,
    /// Values that one filter may hold.
    pub values: usize,
    /// How long a status resource is kept.
    pub status: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 100 << 20,
            objects: 25_000,
            page: 1_000,
            most: 10_000,
            page_bytes: 16 << 20,
            values: 500,
            status: Duration::from_secs(2 * 86_400),
        }
    }
}
