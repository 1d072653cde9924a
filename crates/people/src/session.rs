//! Sessions of browsers. A cookie is an id and its HMAC: nobody without the node's key makes
//! one, and the table alone opens nothing.
use crate::authenticate::Door;
use crate::view::{signed, unsigned};
use crate::{AuthError, Credential, Error, People, Result, Right, Viewer};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ledger::{Ledger, keyed_id};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use subtle::ConstantTimeEq;

pub(crate) const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS sessions(
  id BLOB PRIMARY KEY, account INTEGER NOT NULL, rights INTEGER NOT NULL, created INTEGER NOT NULL,
  seen INTEGER NOT NULL, agent TEXT NOT NULL) WITHOUT ROWID;";

/// Sessions of a node.
const MOST: usize = 20_000;
/// `seen` is written at most so often, µs.
const SEEN_EVERY: i64 = 60_000_000;
/// µs in a minute.
pub(crate) const MINUTE: i64 = 60_000_000;

/// How long a session lasts, and how many an account has.
#[derive(Debug, Clone, Copy)]
pub struct Lasting {
    /// Minutes from sign-in.
    pub whole: u32,
    /// Minutes without a request.
    pub idle: u32,
    /// Sessions of one account at a time; the one longest quiet gives way.
    pub sessions: usize,
}

impl Default for Lasting {
    fn default() -> Self {
        Self { whole: 12 * 60, idle: 60, sessions: 20 }
    }
}

/// A session as its owner's list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id: not the cookie, and of no use to sign in.
    pub id: [u8; 16],
    /// Whose it is.
    pub account: u32,
    /// When it began, µs.
    pub created: i64,
    /// When it was last used, µs, to a minute.
    pub seen: i64,
    /// The browser's family and system alone, such as `Firefox on Linux`.
    pub agent: String,
    rights: u64,
}

/// A session that has begun.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The cookie's value; set it `HttpOnly; SameSite=Lax; Path=/`, and `Secure` off loopback.
    pub cookie: String,
    /// Whose it is.
    pub viewer: Viewer,
    /// The cookie's `Max-Age`, seconds.
    pub max_age: u64,
}

/// All sessions by id.
#[derive(Default)]
pub(crate) struct Sessions(RwLock<HashMap<[u8; 16], SessionRow>>);

impl Sessions {
    pub(crate) fn load(state: &ledger::State) -> Result<Self> {
        let rows = state.read(|conn| {
            let mut stmt = conn.prepare("SELECT id, account, rights, created, seen, agent FROM sessions")?;
            let rows = stmt.query_map([], |r| {
                let id: [u8; 16] = r.get(0)?;
                let (account, rights) = (r.get(1)?, unsigned(r.get(2)?));
                Ok((id, SessionRow { id, account, rights, created: r.get(3)?, seen: r.get(4)?, agent: r.get(5)? }))
            })?;
            Ok(rows.collect::<rusqlite::Result<HashMap<_, _>>>()?)
        })?;
        Ok(Self(RwLock::new(rows)))
    }

    fn find(&self, id: &[u8; 16]) -> Option<SessionRow> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

fn tag(ledger: &Ledger, what: &str, id: &[u8; 16]) -> [u8; 32] {
    keyed_id(ledger.keys().cookie(), &[what.as_bytes(), id])
}

fn cookie(ledger: &Ledger, id: &[u8; 16]) -> String {
    let mut bytes = id.to_vec();
    bytes.extend_from_slice(&tag(ledger, "session", id));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The id in a cookie, if this node made it.
fn id_of(ledger: &Ledger, cookie: &str) -> Option<[u8; 16]> {
    let bytes: [u8; 48] = URL_SAFE_NO_PAD.decode(cookie).ok()?.try_into().ok()?;
    let (id, given) = bytes.split_first_chunk::<16>()?;
    bool::from(tag(ledger, "session", id).as_slice().ct_eq(given)).then_some(*id)
}

/// A browser's family and system, so that people tell their sessions apart; the rest of the header is not kept.
fn family(agent: &str) -> String {
    let first = |table: &[(&str, &'static str)]| table.iter().find(|(word, _)| agent.contains(word)).map(|(_, n)| *n);
    let browser = first(&[
        ("Edg", "Edge"),
        ("OPR", "Opera"),
        ("Firefox", "Firefox"),
        ("FxiOS", "Firefox"),
        ("CriOS", "Chrome"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
        ("curl", "curl"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(b), Some(s)) => format!("{b} on {s}"),
        (Some(one), None) | (None, Some(one)) => one.into(),
        (None, None) => "another program".into(),
    }
}

impl Door {
    fn lives(&self, row: &SessionRow, now: i64) -> bool {
        let (whole, idle) = (i64::from(self.lasting.whole) * MINUTE, i64::from(self.lasting.idle) * MINUTE);
        now < row.created.saturating_add(whole) && now < row.seen.saturating_add(idle)
    }

    fn begin_session(&self, account: u32, rights: u64, agent: &str) -> Result<[u8; 16]> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|_| Error::NoRandom)?;
        let now = self.ledger.now();
        let row = SessionRow { id, account, rights, created: now, seen: now, agent: family(agent) };
        for old in self.too_many(account, now) {
            self.drop_session(old)?;
        }
        let kept = row.clone();
        self.ledger.state().write(move |conn| {
            conn.execute(
                "INSERT INTO sessions(id, account, rights, created, seen, agent) VALUES (?,?,?,?,?,?)",
                (kept.id, kept.account, signed(kept.rights), kept.created, kept.seen, kept.agent),
            )?;
            Ok(())
        })?;
        self.sessions.0.write().unwrap_or_else(PoisonError::into_inner).insert(id, row);
        Ok(id)
    }

    /// What must go before another session of `account` may begin.
    fn too_many(&self, account: u32, now: i64) -> Vec<[u8; 16]> {
        let sessions = self.sessions.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut gone: Vec<_> = sessions.values().filter(|s| !self.lives(s, now)).map(|s| s.id).collect();
        let by_age = |mut rows: Vec<&SessionRow>, keep: usize| {
            rows.sort_by_key(|s| std::cmp::Reverse(s.seen));
            rows.into_iter().skip(keep).map(|s| s.id).collect::<Vec<_>>()
        };
        let own = sessions.values().filter(|s| s.account == account && self.lives(s, now)).collect();
        gone.extend(by_age(own, self.lasting.sessions.saturating_sub(1)));
        if sessions.len() >= MOST {
            gone.extend(by_age(sessions.values().collect(), MOST - 1));
        }
        gone
    }

    /// The account of a live session, and the rights it began with.
    pub(crate) fn session(&self, id: &[u8; 16]) -> Option<(u32, u64)> {
        let row = self.sessions.find(id)?;
        self.lives(&row, self.ledger.now()).then_some((row.account, row.rights))
    }

    fn saw(&self, id: [u8; 16]) {
        let now = self.ledger.now();
        let old = self.sessions.find(&id).is_some_and(|row| now - row.seen >= SEEN_EVERY);
        if !old {
            return;
        }
        if let Some(row) = self.sessions.0.write().unwrap_or_else(PoisonError::into_inner).get_mut(&id) {
            row.seen = now;
        }
        self.ledger.state().soon(move |conn| {
            conn.execute("UPDATE sessions SET seen = ? WHERE id = ?", (now, id))?;
            Ok(())
        });
    }

    fn drop_session(&self, id: [u8; 16]) -> Result<()> {
        self.sessions.0.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
        self.ledger.state().write(move |conn| {
            conn.execute("DELETE FROM sessions WHERE id = ?", [id])?;
            Ok(())
        })?;
        Ok(())
    }

    /// Ends all sessions of an account but one, and takes back links that nobody has used.
    pub(crate) fn drop_sessions(&self, account: u32, but: Option<[u8; 16]>) -> Result<()> {
        let ends = |row: &SessionRow| row.account == account && Some(row.id) != but;
        self.sessions.0.write().unwrap_or_else(PoisonError::into_inner).retain(|_, row| !ends(row));
        self.ledger.state().write(move |conn| {
            let but = but.map_or_else(Vec::new, |id| id.to_vec());
            conn.execute("DELETE FROM sessions WHERE account = ? AND id <> ?", (account, but))?;
            conn.execute("DELETE FROM sign_in_links WHERE account = ?", [account])?;
            Ok(())
        })?;
        Ok(())
    }
}

impl People {
    /// The viewer of a cookie.
    pub(crate) fn session_viewer(&self, cookie: &str) -> Result<Viewer, AuthError> {
        let door = &self.inner.door;
        let id = id_of(&door.ledger, cookie).ok_or(AuthError::Ended)?;
        let (account, rights) = door.session(&id).ok_or(AuthError::Ended)?;
        let viewer = self.viewer_via(account, Credential::Session(id))?.ok_or(AuthError::Ended)?;
        // The log decides: whose rights moved since, signs in anew.
        if viewer.rights() != rights || !viewer.may(Right::SignIn) {
            door.drop_session(id)?;
            return Err(AuthError::Ended);
        }
        door.saw(id);
        Ok(viewer)
    }

    pub(crate) fn begin_session(&self, account: u32, agent: &str) -> Result<SignedIn, AuthError> {
        let door = &self.inner.door;
        let viewer = self.viewer(account)?.filter(|v| v.may(Right::SignIn)).ok_or(AuthError::Refused)?;
        let id = door.begin_session(account, viewer.rights(), agent)?;
        let viewer = self.viewer_via(account, Credential::Session(id))?.ok_or(AuthError::Refused)?;
        let max_age = u64::from(door.lasting.whole) * 60;
        Ok(SignedIn { cookie: cookie(&door.ledger, &id), viewer, max_age })
    }

    /// Ends the session the viewer came in with.
    ///
    /// # Errors
    /// The storage's.
    pub fn sign_out(&self, viewer: &Viewer) -> Result<()> {
        match viewer.via() {
            Credential::Session(id) => self.inner.door.drop_session(id),
            _ => Ok(()),
        }
    }

    /// The sessions that live, newest first: the viewer's own; for administrators an account's.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for another's.
    pub fn sessions(&self, viewer: &Viewer, account: u32) -> Result<Vec<SessionRow>> {
        if account != viewer.account() {
            viewer.need(Right::ManageAccounts)?;
        }
        let door = &self.inner.door;
        let now = door.ledger.now();
        let sessions = door.sessions.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut list: Vec<_> =
            sessions.values().filter(|s| s.account == account && door.lives(s, now)).cloned().collect();
        list.sort_by_key(|s| std::cmp::Reverse(s.created));
        Ok(list)
    }

    /// Ends a session: one's own, or anybody's for administrators.
    ///
    /// # Errors
    /// [`Error::NoAccount`] when there is none of theirs with this id.
    pub fn revoke_session(&self, viewer: &Viewer, id: [u8; 16]) -> Result<()> {
        let row = self.inner.door.sessions.find(&id).ok_or(Error::NoAccount)?;
        if row.account != viewer.account() && !viewer.may(Right::ManageAccounts) {
            return Err(Error::NoAccount);
        }
        self.inner.door.drop_session(id)
    }

    /// What a form of this session must bring back (synchroniser token); `None` for those without a session.
    pub fn csrf(&self, viewer: &Viewer) -> Option<String> {
        match viewer.via() {
            Credential::Session(id) => Some(URL_SAFE_NO_PAD.encode(tag(&self.inner.door.ledger, "csrf", &id))),
            _ => None,
        }
    }

    /// Whether a form brought back what it must. Tokens need none, for no browser sends them by itself; names and
    /// passwords in a header a browser does send by itself, so a form never counts with them.
    pub fn csrf_is_right(&self, viewer: &Viewer, given: Option<&str>) -> bool {
        match (viewer.via(), self.csrf(viewer)) {
            (Credential::Session(_), Some(due)) => {
                given.is_some_and(|given| bool::from(due.as_bytes().ct_eq(given.as_bytes())))
            }
            (Credential::Token(_) | Credential::Inside, _) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_browser_only_family_and_system_are_kept() {
        let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0 secret-id-77";
        assert_eq!(family(agent), "Firefox on Linux");
        assert_eq!(family("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537 Edg/140"), "Edge on Windows");
        assert_eq!(family("<script>"), "another program");
    }
}
