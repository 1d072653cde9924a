/// Why the room did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger's.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The hall's.
    #[error(transparent)]
    People(#[from] people::Error),
    /// The reference lists'.
    #[error(transparent)]
    Reference(#[from] reference::Error),
    /// Nothing of that id that the viewer may see: the two are not told apart.
    #[error("there is no such object")]
    NotFound,
    /// The viewer may not.
    #[error("{0}")]
    Forbidden(String),
    /// What was asked cannot be so.
    #[error("{0}")]
    Bad(String),
    /// Nobody said of what format a file is, and it does not tell.
    #[error(transparent)]
    Format(#[from] formats::GuessError),
    /// A file cannot be read on.
    #[error(transparent)]
    Read(#[from] formats::ReadError),
}

/// The room's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<rusqlite::Error> for Error {
    fn from(e: rusqlite::Error) -> Self {
        Self::Ledger(e.into())
    }
}

impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Self {
        Self::Bad(format!("the input cannot be read: {e}"))
    }
}

impl Error {
    /// The HTTP status to answer with.
    pub fn status(&self) -> u16 {
        match self {
            Self::Ledger(ledger::Error::Behind { .. } | ledger::Error::Closed) => 503,
            Self::Ledger(ledger::Error::Conflict) => 409,
            Self::Ledger(ledger::Error::Limit(_)) => 422,
            Self::Ledger(_) | Self::Reference(_) => 500,
            Self::People(e) => e.status(),
            Self::NotFound => 404,
            Self::Forbidden(_) => 403,
            Self::Bad(_) | Self::Format(_) | Self::Read(_) => 422,
        }
    }
}
