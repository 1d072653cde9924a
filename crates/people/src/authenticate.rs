//! From what a request carries to a Viewer.
use crate::token::{self, Tokens};
use crate::{Credential, Error, People, Result, Viewer};
use ledger::Ledger;
use std::net::IpAddr;

/// What a request carries.
#[derive(Debug, Clone, Copy)]
pub struct AuthHeader<'a> {
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The value of the session cookie.
    pub cookie: Option<&'a str>,
    /// Where the request comes from.
    pub peer: IpAddr,
}

/// Why a request's credentials were not taken.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Wrong, ended, revoked, disabled: one answer for all. 401.
    #[error("the credentials were not accepted; sign in again, or ask for a new token")]
    Refused,
    /// Too many wrong attempts. 429 with Retry-After.
    #[error("too many attempts; try again in {retry_after} s")]
    Throttled {
        /// Seconds.
        retry_after: u64,
    },
    /// The hall could not say. 503 when behind, else 500.
    #[error(transparent)]
    People(#[from] Error),
}

/// What the door keeps beside the log.
pub(crate) struct Door {
    pub(crate) ledger: Ledger,
    pub(crate) tokens: Tokens,
}

impl Door {
    pub(crate) fn open(ledger: &Ledger) -> Result<Self> {
        let state = ledger.state();
        state.ensure(token::SCHEMA)?;
        Ok(Self { ledger: ledger.clone(), tokens: Tokens::load(state)? })
    }
}

impl People {
    /// Who asks: `None` when the request carries no credentials at all.
    ///
    /// # Errors
    /// [`AuthError`].
    pub fn authenticate(&self, asks: &AuthHeader<'_>) -> Result<Option<Viewer>, AuthError> {
        let Some(header) = asks.authorization else { return Ok(None) };
        let (scheme, rest) = header.trim().split_once(' ').ok_or(AuthError::Refused)?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.bearer(rest.trim()).map(Some);
        }
        Err(AuthError::Refused)
    }

    fn bearer(&self, secret: &str) -> Result<Viewer, AuthError> {
        let hash = token::hash(secret);
        let account = self.inner.door.tokens.account(&hash, self.inner.door.ledger.now());
        let account = account.ok_or(AuthError::Refused)?;
        self.viewer_via(account, Credential::Token(hash))?.ok_or(AuthError::Refused)
    }

    /// Whether what the viewer came in with still stands.
    pub(crate) fn stands(&self, viewer: &Viewer) -> Result<bool> {
        let door = &self.inner.door;
        Ok(match viewer.via() {
            Credential::Token(hash) => door.tokens.account(&hash, door.ledger.now()) == Some(viewer.account()),
            _ => true,
        })
    }
}
