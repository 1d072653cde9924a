use crate::entry::{self, LOCAL};
use crate::snapshot::Snapshot;
use crate::{Account, Collection, Error, Result, Right, Role, VisibleSet};
use ledger::{CollectionId, Expect};
use std::sync::Arc;

/// What somebody showed to come in; asked again before each batch of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// The machine's own: the command line, a follower, or a page's own code.
    Inside,
    /// A token, by the SHA-256 of its secret.
    Token([u8; 32]),
    /// A name and password; the password's revision.
    Password(u64),
    /// A session, by its id.
    Session([u8; 16]),
}

/// Who asks, and what they see: the one answer to "may they see it?". Cloning costs one atomic step.
///
/// It is as old as the request it was made for; long-lived streams ask [`crate::People::again`].
#[derive(Debug, Clone)]
pub struct Viewer {
    inner: Arc<Inner>,
    via: Credential,
}

#[derive(Debug)]
pub(crate) struct Inner {
    account: u32,
    role: Role,
    name: Arc<str>,
    zone: Arc<str>,
    locale: Arc<str>,
    set: VisibleSet,
    writes: VisibleSet,
    revision: Option<u64>,
    rights: u64,
    house: Option<CollectionId>,
    position: u64,
}

impl Inner {
    /// Derives a viewer from the audiences: what its role may not, no membership gives.
    pub(crate) fn derive(account: &Account, snapshot: &Snapshot) -> Self {
        let role = account.body.role;
        let local = role == Role::Local && account.number == LOCAL;
        let (mut set, mut writes) = (Vec::new(), Vec::new());
        for c in snapshot.collections.values() {
            let (reads, may_write) = if local { (c.local(), c.local()) } else { c.member(account) };
            if reads && role.may(Right::ReadBodies) {
                set.push(c.col);
            }
            // Only its own node writes a collection, and nothing that people write goes into the house.
            if may_write && role.may(Right::Write) && snapshot.own(c) && Some(c.id) != snapshot.house {
                writes.push(c.col);
            }
        }
        Self {
            account: account.number,
            role,
            name: account.display().into(),
            zone: if account.body.zone.is_empty() { "UTC".into() } else { account.body.zone.as_str().into() },
            locale: account.body.locale.as_str().into(),
            set: set.into_iter().collect(),
            writes: writes.into_iter().collect(),
            revision: Some(account.pos).filter(|pos| *pos > 0),
            rights: account.rights,
            house: snapshot.house,
            position: snapshot.position,
        }
    }
}

impl Viewer {
    pub(crate) fn new(inner: Arc<Inner>, via: Credential) -> Self {
        Self { inner, via }
    }

    /// A viewer for the tests of rooms that fold by themselves: account 1, this role, these collections.
    #[doc(hidden)]
    pub fn for_test(role: Role, cols: impl IntoIterator<Item = u32>) -> Self {
        let set: VisibleSet = cols.into_iter().collect();
        let writes = if role.may(Right::Write) { set.clone() } else { VisibleSet::default() };
        let set = if role.may(Right::ReadBodies) { set } else { VisibleSet::default() };
        let (name, zone, locale) = ("test".into(), "UTC".into(), "".into());
        let (revision, rights, house, position) = (None, 0, None, 0);
        let inner = Inner { account: LOCAL, role, name, zone, locale, set, writes, revision, rights, house, position };
        Self::new(Arc::new(inner), Credential::Inside)
    }

    /// The account's number: the `author` of what it writes.
    pub fn account(&self) -> u32 {
        self.inner.account
    }
    /// Its role.
    pub fn role(&self) -> Role {
        self.inner.role
    }
    /// The name for pages; it stays on this node.
    pub fn name(&self) -> &str {
        &self.inner.name
    }
    /// IANA time zone of its pages.
    pub fn zone(&self) -> &str {
        &self.inner.zone
    }
    /// BCP 47 language tag of its pages; empty = ask the browser.
    pub fn locale(&self) -> &str {
        &self.inner.locale
    }
    /// What it came in with.
    pub fn via(&self) -> Credential {
        self.via
    }
    /// Whether it is the command line.
    pub fn is_local(&self) -> bool {
        self.role() == Role::Local
    }
    /// The `pos` up to which audiences and accounts are in it.
    pub fn position(&self) -> u64 {
        self.inner.position
    }
    /// `pos` of the entry that last moved the account's rights.
    pub(crate) fn rights(&self) -> u64 {
        self.inner.rights
    }

    /// The collections whose bodies it reads.
    pub fn set(&self) -> &VisibleSet {
        &self.inner.set
    }
    /// Whether it reads the collection with this small number.
    #[inline]
    pub fn sees(&self, col: u32) -> bool {
        self.inner.set.has(col)
    }

    /// Whether its role has the right.
    pub fn may(&self, right: Right) -> bool {
        self.role().may(right)
    }
    /// As [`Viewer::may`], for `?`.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn need(&self, right: Right) -> Result<()> {
        if self.may(right) { Ok(()) } else { Err(Error::Forbidden(right)) }
    }
    /// What changes how an account comes in asks for a session, so that a token that was stolen makes no second one.
    pub(crate) fn need_session(&self) -> Result<()> {
        match self.via {
            Credential::Session(_) | Credential::Inside => Ok(()),
            _ => Err(Error::Invalid("sign in with a browser to do this".into())),
        }
    }
    /// Whether it reads any bodies at all.
    pub fn may_read_bodies(&self) -> bool {
        self.may(Right::ReadBodies)
    }
    /// Whether it may write to the collection with this small number.
    pub fn may_write(&self, col: u32) -> bool {
        self.inner.writes.has(col)
    }
    /// The collections it may write to.
    pub fn writes(&self) -> &VisibleSet {
        &self.inner.writes
    }
    /// Whether it may withdraw.
    pub fn may_withdraw(&self) -> bool {
        self.may(Right::Withdraw)
    }
    /// Whether it may expunge.
    pub fn may_expunge(&self) -> bool {
        self.may(Right::Expunge)
    }
    /// Whether it may make and change accounts.
    pub fn may_manage_accounts(&self) -> bool {
        self.may(Right::ManageAccounts)
    }
    /// Whether it may read the access log.
    pub fn may_see_access_log(&self) -> bool {
        self.may(Right::SeeAccessLog)
    }

    /// What an append by this viewer rests on: the account's rights, and the audiences of the collections it writes
    /// to. Put them into [`ledger::Append::expect`]; after a Conflict ask for the viewer again, check again, try again.
    pub fn expects<'a>(&self, collections: impl IntoIterator<Item = &'a Collection>) -> Vec<Expect> {
        let mut expects: Vec<Expect> = collections.into_iter().map(Collection::expect).collect();
        if let (Some(house), Some(last)) = (self.inner.house, self.inner.revision) {
            let subject = entry::account_subject(self.account()).into();
            expects.push(Expect { collection: house, subject, last: Some(last) });
        }
        expects
    }
}

impl Collection {
    /// "The audience is still the one that was read."
    pub fn expect(&self) -> Expect {
        Expect { collection: self.id, subject: entry::audience_subject(self.id).into(), last: Some(self.pos) }
    }
}
