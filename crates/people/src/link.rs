//! Links that sign in once: how whoever set the node up first comes in.
use crate::session::MINUTE;
use crate::{AuthError, Error, People, Result, Right, Role, SignedIn, Viewer, entry::Sort, token};
use std::net::IpAddr;

pub(crate) const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS sign_in_links(
  hash BLOB PRIMARY KEY, account INTEGER NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;";

/// What every link's secret begins with.
const PREFIX: &str = "ei_";
/// The longest a link stands, minutes: a week.
const LONGEST: u32 = 7 * 24 * 60;

impl People {
    /// A link that signs in once, within `minutes`, as an account of its own with this role (made if it is not there).
    /// The answer is the secret for the link's address; `./run` prints it.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`], the ledger's.
    pub fn link_token(&self, viewer: &Viewer, role: Role, minutes: u32) -> Result<String> {
        viewer.need(Right::ManageAccounts)?;
        if !role.may(Right::SignIn) {
            return Err(Error::invalid("that role does not sign in with a browser; make a token"));
        }
        let name = format!("{role}-link");
        let account = match self.current()?.named(&name).map(|a| (a.number, a.body.disabled, a.body.role)) {
            Some((number, false, has)) if has == role => number,
            Some(_) => {
                return Err(Error::invalid("the account for such links was disabled or changed; enable it first"));
            }
            None => self.create_account(viewer, &name, role, Sort::Person)?,
        };
        let (secret, hash) = token::fresh(PREFIX)?;
        let now = self.inner.door.ledger.now();
        let expires = now.saturating_add(i64::from(minutes.clamp(1, LONGEST)) * MINUTE);
        self.inner.door.ledger.state().write(move |conn| {
            conn.execute("DELETE FROM sign_in_links WHERE expires < ?", [now])?;
            conn.execute("INSERT INTO sign_in_links(hash, account, expires) VALUES (?,?,?)", (hash, account, expires))?;
            Ok(())
        })?;
        Ok(secret)
    }

    /// Signs in with a link, once.
    ///
    /// # Errors
    /// [`AuthError`].
    pub fn sign_in_with_link(&self, secret: &str, peer: IpAddr, agent: &str) -> Result<SignedIn, AuthError> {
        let door = &self.inner.door;
        let attempt = door.begin_attempt(None, peer)?;
        let (hash, now) = (token::hash(secret), door.ledger.now());
        let taken = door.ledger.state().write(move |conn| {
            let mut stmt = conn.prepare("DELETE FROM sign_in_links WHERE hash = ? RETURNING account, expires")?;
            let row = stmt.query_map([hash], |r| Ok((r.get::<_, u32>(0)?, r.get::<_, i64>(1)?)))?.next().transpose()?;
            Ok(row)
        });
        let (account, expires) = taken.map_err(Error::from)?.ok_or(AuthError::Refused)?;
        if now >= expires {
            return Err(AuthError::Refused);
        }
        door.throttle.right(&door.ledger, &attempt);
        self.begin_session(account, agent)
    }
}
