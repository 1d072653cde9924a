//! Links that sign in once: how whoever set the node up first comes in, and how a colleague does. A link names its person:
//! an account of its own, so that the access log tells two officers apart. A link stands in a password's place and never in
//! a second factor's: whose account has one is asked for its code. The access log names a link by an id that opens nothing.
use crate::session::MINUTE;
use crate::{Account, AuthError, Error, People, Result, Right, Role, SignedIn, Viewer, entry::Sort, token};
use ledger::keyed_id;
use rusqlite::OptionalExtension;
use std::net::IpAddr;
use std::sync::Arc;

pub(crate) const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS sign_in_links(
  hash BLOB PRIMARY KEY, account INTEGER NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent_links(hash BLOB PRIMARY KEY, used INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS issued_links(
  hash BLOB PRIMARY KEY, issuer INTEGER NOT NULL, issued INTEGER NOT NULL) WITHOUT ROWID;";

/// What every link's secret begins with.
const PREFIX: &str = "ei_";
/// The longest a link stands, minutes: a week.
const LONGEST: u32 = 7 * 24 * 60;
/// What became of a link is remembered this long, µs: thirty days.
const REMEMBERED: i64 = 30 * 24 * 60 * MINUTE;
/// How often a free name is looked for again when somebody took it meanwhile.
const TRIES: usize = 4;

/// A link to be made.
#[derive(Debug, Clone, Default)]
pub struct NewLink<'a> {
    /// Whom it signs in, by the account's name: made if there is none. Empty = an account of its own, such as `analyst-3`.
    pub user: &'a str,
    /// The role; `None` = the one that the account has, of a new account analyst.
    pub role: Option<Role>,
    /// How long it may be used: at least one, at most a week.
    pub minutes: u32,
}

/// A link that was made.
#[derive(Debug, Clone)]
pub struct MadeLink {
    /// The secret for its address.
    pub secret: String,
    /// What the access log calls it: `sign-in-link--UUID`, which opens nothing.
    pub id: String,
    /// The account that it signs in.
    pub account: u32,
    /// That account's name.
    pub name: String,
    /// And its role.
    pub role: Role,
    /// When it ends, µs.
    pub until: i64,
}

/// What became of a link, for whoever holds its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkState {
    /// It signs in.
    Stands {
        /// As whom.
        name: String,
        /// With which role.
        role: Role,
        /// Until when, µs.
        until: i64,
        /// That account has a second factor: its code is asked for as well.
        needs_code: bool,
    },
    /// Somebody has signed in with it.
    Used {
        /// When, µs.
        at: i64,
    },
    /// Nobody has, and its time is over.
    Over {
        /// Since when, µs.
        at: i64,
    },
    /// The node knows no such link (any more), or its account may not come in.
    Unknown,
}

/// What the access log calls every link, before its number.
const KIND: &str = "sign-in-link";

/// Whether an id of the access log is a link's: [`MadeLink::id`].
///
/// ```
/// assert!(people::is_link_id("sign-in-link--00000000-0000-4000-8000-000000000001"));
/// assert!(!people::is_link_id("account--7"));
/// ```
#[must_use]
pub fn is_link_id(id: &str) -> bool {
    id.split_once("--").is_some_and(|(kind, _)| kind == KIND)
}

/// Which link it is and who issued it: what the access log says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedLink {
    /// As [`MadeLink::id`].
    pub id: String,
    /// The account that issued it.
    pub issuer: u32,
}

impl IssuedLink {
    /// For [`crate::Access::ids`]: the link's id, and the issuer's account as [`crate::account_id`] writes it.
    #[must_use]
    pub fn ids(&self) -> [String; 2] {
        [self.id.clone(), crate::account_id(self.issuer)]
    }
}

impl People {
    /// What the access log calls the link with this hash: nobody without the node's key finds the secret or its hash by it.
    fn link_id(&self, hash: &[u8; 32]) -> String {
        let keyed = keyed_id(self.inner.door.ledger.keys().index_hmac(), &[b"sign-in link", hash]);
        stix::uuid_v4_from(KIND, keyed.split_first_chunk::<16>().map_or([0; 16], |(id, _)| *id))
    }

    /// Which link has this secret, and who issued it; `None` for what the node does not know (any more).
    ///
    /// # Errors
    /// The storage's.
    pub fn issued_link(&self, secret: &str) -> Result<Option<IssuedLink>> {
        let hash = token::hash(secret);
        let issuer: Option<u32> = self.inner.door.ledger.state().read(|conn| {
            let sql = "SELECT issuer FROM issued_links WHERE hash = ?";
            Ok(conn.query_row(sql, [hash], |r| r.get(0)).optional()?)
        })?;
        Ok(issuer.map(|issuer| IssuedLink { id: self.link_id(&hash), issuer }))
    }

    /// A link that signs in once as an account of its own; the answer is the secret. As [`People::sign_in_link`].
    ///
    /// # Errors
    /// As [`People::sign_in_link`].
    pub fn link_token(&self, viewer: &Viewer, role: Role, minutes: u32) -> Result<String> {
        Ok(self.sign_in_link(viewer, &NewLink { user: "", role: Some(role), minutes })?.secret)
    }

    /// A link that signs one person in, once.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`] for a role without a browser or an account that is disabled or has another
    /// role, the ledger's.
    pub fn sign_in_link(&self, viewer: &Viewer, new: &NewLink<'_>) -> Result<MadeLink> {
        viewer.need(Right::ManageAccounts)?;
        if new.role.is_some_and(|role| !role.may(Right::SignIn)) {
            return Err(Error::invalid("that role does not sign in with a browser; make a token"));
        }
        let account = self.account_for_link(viewer, new)?;
        let (secret, hash) = token::fresh(PREFIX)?;
        let now = self.inner.door.ledger.now();
        let until = now.saturating_add(i64::from(new.minutes.clamp(1, LONGEST)) * MINUTE);
        let (number, issuer) = (account.number, viewer.account());
        self.inner.door.ledger.state().write(move |conn| {
            conn.execute("DELETE FROM sign_in_links WHERE expires < ?", [now - REMEMBERED])?;
            conn.execute("DELETE FROM spent_links WHERE used < ?", [now - REMEMBERED])?;
            conn.execute("DELETE FROM issued_links WHERE issued < ?", [now - REMEMBERED])?;
            conn.execute("INSERT INTO sign_in_links(hash, account, expires) VALUES (?,?,?)", (hash, number, until))?;
            conn.execute("INSERT INTO issued_links(hash, issuer, issued) VALUES (?,?,?)", (hash, issuer, now))?;
            Ok(())
        })?;
        let (id, name, role) = (self.link_id(&hash), account.body.name.clone(), account.body.role);
        Ok(MadeLink { secret, id, account: number, name, role, until })
    }

    /// The account that a link signs in: the one of that name, or a new one.
    fn account_for_link(&self, viewer: &Viewer, new: &NewLink<'_>) -> Result<Arc<Account>> {
        let user = new.user.trim();
        if let Some(there) = self.current()?.named(user).cloned() {
            if there.body.sort != Sort::Person {
                return Err(Error::invalid("that account is a program's; a link signs in a person"));
            }
            if there.body.disabled {
                return Err(Error::invalid("that account is disabled; enable it first, or name another"));
            }
            if let Some(asked) = new.role.filter(|asked| *asked != there.body.role) {
                let has = there.body.role;
                let text = format!("that account has the role {has}, not {asked}; leave the role out, or name another");
                return Err(Error::invalid(text));
            }
            return Ok(there);
        }
        let role = new.role.unwrap_or(Role::Analyst);
        // RFC 7617 §2: a name in an Authorization header holds no colon.
        if user.contains(':') {
            return Err(Error::invalid("the name must not hold a colon"));
        }
        let mut tries = 0;
        let number = loop {
            let name = if user.is_empty() { self.free_name(role.as_str())? } else { user.to_owned() };
            match self.create_account(viewer, &name, role, Sort::Person) {
                // Somebody took the free name meanwhile.
                Err(Error::Invalid(_)) if user.is_empty() && tries < TRIES => tries += 1,
                made => break made?,
            }
        };
        self.current()?.accounts.get(&number).cloned().ok_or(Error::NoAccount)
    }

    /// What became of a link; asking uses nothing up.
    ///
    /// # Errors
    /// The storage's.
    pub fn link_state(&self, secret: &str) -> Result<LinkState> {
        Ok(self.link(secret)?.0)
    }

    /// What became of a link, and while it stands whom it signs in.
    fn link(&self, secret: &str) -> Result<(LinkState, Option<Arc<Account>>)> {
        let (hash, now) = (token::hash(secret), self.inner.door.ledger.now());
        let (used, row) = self.inner.door.ledger.state().read(|conn| {
            let used: Option<i64> =
                conn.query_row("SELECT used FROM spent_links WHERE hash = ?", [hash], |r| r.get(0)).optional()?;
            let sql = "SELECT account, expires FROM sign_in_links WHERE hash = ?";
            let row: Option<(u32, i64)> = conn.query_row(sql, [hash], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
            Ok((used, row))
        })?;
        if let Some(at) = used {
            return Ok((LinkState::Used { at }, None));
        }
        let Some((account, until)) = row else { return Ok((LinkState::Unknown, None)) };
        if now >= until {
            return Ok((LinkState::Over { at: until }, None));
        }
        let person = self.current()?.accounts.get(&account).filter(|a| !a.body.disabled).cloned();
        let Some(person) = person.filter(|a| a.body.role.may(Right::SignIn)) else {
            return Ok((LinkState::Unknown, None));
        };
        let (name, role) = (person.body.name.clone(), person.body.role);
        let needs_code = self.inner.door.has_second_factor(account)?;
        Ok((LinkState::Stands { name, role, until, needs_code }, Some(person)))
    }

    /// Signs in with a link, once. `code` is the second factor's: whose account has one comes in with both alone, and a wrong
    /// code counts as a wrong password does. A link is used up by a sign-in, never by an attempt.
    ///
    /// # Errors
    /// [`AuthError`]; [`AuthError::NeedsCode`] when the link stands and a code is still to come.
    pub fn sign_in_with_link(
        &self,
        secret: &str,
        code: Option<&str>,
        peer: IpAddr,
        agent: &str,
    ) -> Result<SignedIn, AuthError> {
        let door = &self.inner.door;
        let (state, person) = self.link(secret)?;
        let factor = matches!(state, LinkState::Stands { needs_code: true, .. });
        let guessed = person.as_ref().filter(|_| factor).map(|a| a.body.name.as_str());
        let attempt = door.begin_attempt(guessed, peer)?;
        // Of an account that may not come in, nothing is used up: it may be enabled again.
        let person = person.ok_or(AuthError::Refused)?;
        if factor {
            let Some(code) = code else {
                door.throttle.undecided(&door.ledger, &attempt);
                return Err(AuthError::NeedsCode);
            };
            if !door.second_factor_is_right(person.number, code)? {
                return Err(AuthError::Refused);
            }
        }
        let account = self.spend_link(secret)?.ok_or(AuthError::Refused)?;
        door.throttle.right(&door.ledger, &attempt);
        self.begin_session(account, agent)
    }

    /// Uses a link up; whom it signs in, for the first who does.
    fn spend_link(&self, secret: &str) -> Result<Option<u32>> {
        let ledger = &self.inner.door.ledger;
        let (hash, now) = (token::hash(secret), ledger.now());
        Ok(ledger.state().write(move |conn| {
            let sql = "DELETE FROM sign_in_links WHERE hash = ? AND expires > ? RETURNING account";
            let row: Option<u32> = conn.query_row(sql, (hash, now), |r| r.get(0)).optional()?;
            if row.is_some() {
                conn.execute("INSERT INTO spent_links(hash, used) VALUES (?,?)", (hash, now))?;
            }
            Ok(row)
        })?)
    }
}
