use crate::Right;

/// Why the hall did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger's.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The account's role does not allow it.
    #[error("your role may not {}; ask whoever administers this node", .0.as_str())]
    Forbidden(Right),
    /// No such collection, or not for this viewer: the two are not told apart.
    #[error("there is no such collection")]
    NoCollection,
    /// No such account.
    #[error("there is no such account")]
    NoAccount,
    /// There is nothing to take back.
    #[error("there is no such grant on this collection; what an account may, it may also have by its role")]
    NoGrant,
    /// Another collection that they know of is called so.
    #[error("another collection has this title, or commands mean one by it; choose another")]
    Taken,
    /// What was asked cannot be so.
    #[error("{0}")]
    Invalid(String),
    /// The machine gives no random bytes.
    #[error("the machine gives no random bytes; nothing was made")]
    NoRandom,
}

/// The hall's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<rusqlite::Error> for Error {
    fn from(e: rusqlite::Error) -> Self {
        Self::Ledger(e.into())
    }
}

impl Error {
    /// The HTTP status to answer with.
    pub fn status(&self) -> u16 {
        use ledger::Error as L;
        match self {
            Self::Forbidden(_) => 403,
            Self::NoCollection | Self::NoAccount => 404,
            Self::Invalid(_) | Self::NoGrant | Self::Taken | Self::Ledger(L::Limit(_)) => 422,
            Self::Ledger(L::Conflict) => 409,
            Self::Ledger(L::Behind { .. } | L::Closed) => 503,
            Self::Ledger(_) | Self::NoRandom => 500,
        }
    }

    /// A refusal that says what to do.
    pub(crate) fn invalid(why: impl Into<String>) -> Self {
        Self::Invalid(why.into())
    }
}
