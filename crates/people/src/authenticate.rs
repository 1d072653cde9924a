//! From what a request carries to a Viewer.
use crate::password::{self, Cost, Passwords};
use crate::remembered::Remembered;
use crate::session::{self, Lasting, Sessions, SignedIn};
use crate::throttle::{self, Attempt, Guessing, Throttle};
use crate::token::{self, Tokens};
use crate::{AccessLog, Credential, Error, People, Result, Right, Viewer, link, second_factor};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ledger::Ledger;
use std::net::IpAddr;

/// What a request carries.
#[derive(Debug, Clone, Copy)]
pub struct AuthHeader<'a> {
    /// The `Authorization` header: `Bearer` (RFC 6750) or `Basic` (RFC 7617). It counts before the cookie.
    pub authorization: Option<&'a str>,
    /// The value of the session cookie.
    pub cookie: Option<&'a str>,
    /// Where the request comes from.
    pub peer: IpAddr,
}

/// What somebody signs in with.
#[derive(Clone, Copy)]
pub struct SignIn<'a> {
    /// The account's name.
    pub name: &'a str,
    /// Its password.
    pub password: &'a str,
    /// A code of the second factor, or a recovery code.
    pub code: Option<&'a str>,
    /// Where the request comes from.
    pub peer: IpAddr,
    /// The `User-Agent` header.
    pub agent: &'a str,
}

/// Why a request's credentials were not taken.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Wrong, revoked, disabled: one answer for all. 401.
    #[error("the credentials were not accepted; check them, or ask for new ones")]
    Refused,
    /// The session ended. Remove the cookie and ask to sign in.
    #[error("the session has ended; sign in again")]
    Ended,
    /// The password is right; ask for the code and call again with it.
    #[error("a code of the second factor is needed")]
    NeedsCode,
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

impl AuthError {
    /// The HTTP status to answer with.
    pub fn status(&self) -> u16 {
        match self {
            Self::Refused | Self::Ended | Self::NeedsCode => 401,
            Self::Throttled { .. } => 429,
            Self::People(e) => e.status(),
        }
    }

    /// Seconds for `Retry-After`.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Throttled { retry_after } => Some(*retry_after),
            _ => (self.status() == 503).then_some(1),
        }
    }
}

/// How the hall is opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// What a password's hash costs.
    pub cost: Cost,
    /// How long sessions last.
    pub lasting: Lasting,
    /// What wrong attempts cost.
    pub guessing: Guessing,
}

/// What the door keeps beside the log.
pub(crate) struct Door {
    pub(crate) ledger: Ledger,
    pub(crate) tokens: Tokens,
    pub(crate) passwords: Passwords,
    pub(crate) sessions: Sessions,
    pub(crate) throttle: Throttle,
    pub(crate) access: AccessLog,
    pub(crate) lasting: Lasting,
    remembered: Remembered,
}

impl Door {
    pub(crate) fn open(ledger: &Ledger, options: Options) -> Result<Self> {
        let state = ledger.state();
        for schema in
            [token::SCHEMA, password::SCHEMA, session::SCHEMA, link::SCHEMA, throttle::SCHEMA, second_factor::SCHEMA]
        {
            state.ensure(schema)?;
        }
        Ok(Self {
            tokens: Tokens::load(state)?,
            passwords: Passwords::load(state, options.cost)?,
            sessions: Sessions::load(state)?,
            throttle: Throttle::load(ledger, options.guessing)?,
            access: AccessLog::open(ledger)?,
            lasting: options.lasting,
            remembered: Remembered::default(),
            ledger: ledger.clone(),
        })
    }

    pub(crate) fn begin_attempt(&self, name: Option<&str>, peer: IpAddr) -> Result<Attempt, AuthError> {
        self.throttle.begin(&self.ledger, name, Some(peer)).map_err(|retry_after| AuthError::Throttled { retry_after })
    }

    /// A guess from within a session counts as one at the door.
    pub(crate) fn guess(&self, name: &str, is_right: impl FnOnce() -> Result<bool>) -> Result<bool> {
        let wait = |s| Error::invalid(format!("too many attempts; try again in {s} s"));
        let attempt = self.throttle.begin(&self.ledger, Some(name), None).map_err(wait)?;
        let right = is_right()?;
        if right {
            self.throttle.right(&self.ledger, &attempt);
        }
        Ok(right)
    }

    /// What is remembered of a password that was right: nothing that tells it.
    fn mark(&self, account: &crate::Account, name: &str, password: &str) -> Option<[u8; 32]> {
        let revision = self.passwords.of(account.number)?.revision.to_be_bytes();
        let parts = [b"basic", name.as_bytes(), password.as_bytes(), &account.pos.to_be_bytes(), &revision];
        Some(ledger::keyed_id(self.ledger.keys().cookie(), &parts))
    }
}

impl People {
    /// Who asks: `None` when the request carries no credentials at all.
    ///
    /// A bearer token costs a hash and two look-ups. A name and password costs a password hash once in ten minutes,
    /// some 20 ms in which it blocks: call it on a blocking thread when [`People::quick`] says `None`.
    ///
    /// # Errors
    /// [`AuthError`].
    pub fn authenticate(&self, asks: &AuthHeader<'_>) -> Result<Option<Viewer>, AuthError> {
        let Some(header) = asks.authorization else {
            return asks.cookie.map(|cookie| self.session_viewer(cookie)).transpose();
        };
        let (scheme, rest) = header.trim().split_once(' ').ok_or(AuthError::Refused)?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.bearer(rest.trim(), asks.peer).map(Some);
        }
        if scheme.eq_ignore_ascii_case("basic") {
            return self.basic(rest.trim(), asks.peer).map(Some);
        }
        Err(AuthError::Refused)
    }

    /// As [`People::authenticate`] when that neither waits nor hashes a password nor reads a file: for async code.
    pub fn quick(&self, asks: &AuthHeader<'_>) -> Option<Result<Option<Viewer>, AuthError>> {
        if !self.is_level() {
            return None;
        }
        let Some(header) = asks.authorization else { return Some(self.authenticate(asks)) };
        let (scheme, rest) = header.trim().split_once(' ')?;
        if scheme.eq_ignore_ascii_case("basic") {
            let (name, password) = decode_basic(rest.trim())?;
            if !password.starts_with(token::PREFIX) {
                return self.remembered(&name, &password).ok()?.map(|viewer| Ok(Some(viewer)));
            }
        }
        Some(self.authenticate(asks))
    }

    /// A right token costs the throttle nothing; only a wrong one is counted, and only then is the pause asked for.
    fn bearer(&self, secret: &str, peer: IpAddr) -> Result<Viewer, AuthError> {
        let door = &self.inner.door;
        let hash = token::hash(secret);
        if let Some(account) = door.tokens.account(&hash, door.ledger.now()) {
            return self.viewer_via(account, Credential::Token(hash))?.ok_or(AuthError::Refused);
        }
        door.begin_attempt(None, peer)?;
        Err(AuthError::Refused)
    }

    /// A token may stand in place of the password, whatever the name: many clients know no other way.
    fn basic(&self, rest: &str, peer: IpAddr) -> Result<Viewer, AuthError> {
        let (name, password) = decode_basic(rest).ok_or(AuthError::Refused)?;
        if password.starts_with(token::PREFIX) {
            return self.bearer(&password, peer);
        }
        if let Some(viewer) = self.remembered(&name, &password)? {
            return Ok(viewer);
        }
        let door = &self.inner.door;
        let place = door.passwords.place().ok_or(AuthError::Throttled { retry_after: 1 })?;
        // Somebody who waited for the place finds what the one before them left.
        if let Some(viewer) = self.remembered(&name, &password)? {
            return Ok(viewer);
        }
        let attempt = door.begin_attempt(Some(&name), peer)?;
        let account = self.enabled_named(&name)?;
        let row = account.as_ref().and_then(|a| door.passwords.of(a.number));
        if !door.passwords.is_right(&place, row.as_ref(), &password) {
            return Err(AuthError::Refused);
        }
        let account = account.ok_or(AuthError::Refused)?;
        door.throttle.right(&door.ledger, &attempt);
        // Who has a second factor uses a token here: a password alone must not go past it.
        if door.has_second_factor(account.number)? {
            return Err(AuthError::NeedsCode);
        }
        if let Some(mark) = door.mark(&account, &name, &password) {
            door.remembered.keep(mark, account.number, door.ledger.now());
        }
        let revision = row.map_or(0, |r| r.revision);
        self.viewer_via(account.number, Credential::Password(revision))?.ok_or(AuthError::Refused)
    }

    fn remembered(&self, name: &str, password: &str) -> Result<Option<Viewer>> {
        let door = &self.inner.door;
        let Some(account) = self.enabled_named(name)? else { return Ok(None) };
        let Some(mark) = door.mark(&account, name, password) else { return Ok(None) };
        if door.remembered.account(&mark, door.ledger.now()) != Some(account.number) {
            return Ok(None);
        }
        let revision = door.passwords.of(account.number).map_or(0, |row| row.revision);
        self.viewer_via(account.number, Credential::Password(revision))
    }

    /// Signs in with a browser: blocks for a password hash.
    ///
    /// # Errors
    /// [`AuthError`]; [`AuthError::NeedsCode`] when the password is right and a code is still to come.
    pub fn sign_in(&self, with: &SignIn<'_>) -> Result<SignedIn, AuthError> {
        let door = &self.inner.door;
        let place = door.passwords.place().ok_or(AuthError::Throttled { retry_after: 1 })?;
        let attempt = door.begin_attempt(Some(with.name), with.peer)?;
        let account = self.enabled_named(with.name)?;
        let row = account.as_ref().and_then(|a| door.passwords.of(a.number));
        let right = door.passwords.is_right(&place, row.as_ref(), with.password);
        drop(place);
        let account = account.filter(|a| right && a.body.role.may(Right::SignIn)).ok_or(AuthError::Refused)?.number;
        if door.has_second_factor(account)? {
            let Some(code) = with.code else {
                door.throttle.undecided(&door.ledger, &attempt);
                return Err(AuthError::NeedsCode);
            };
            if !door.second_factor_is_right(account, code)? {
                return Err(AuthError::Refused);
            }
        }
        door.throttle.right(&door.ledger, &attempt);
        self.begin_session(account, with.agent)
    }

    /// Whether what the viewer came in with still stands.
    pub(crate) fn stands(&self, viewer: &Viewer) -> Result<bool> {
        let (door, account) = (&self.inner.door, viewer.account());
        Ok(match viewer.via() {
            Credential::Inside => true,
            Credential::Token(hash) => door.tokens.account(&hash, door.ledger.now()) == Some(account),
            Credential::Password(revision) => door.passwords.of(account).is_some_and(|row| row.revision == revision),
            Credential::Session(id) => door.session(&id) == Some((account, viewer.rights())),
        })
    }

    /// The access log.
    pub fn access_log(&self) -> &AccessLog {
        &self.inner.door.access
    }
}

/// RFC 7617: Base64 of `name:password`; the password may hold colons.
pub(crate) fn decode_basic(rest: &str) -> Option<(String, String)> {
    if rest.len() > 4_096 {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}
