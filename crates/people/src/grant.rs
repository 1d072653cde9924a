//! Grants: an account or a role reads a collection, or writes to it as well. [`Collection::may_be_granted_by`] says who
//! gives and takes them; each is an entry of that collection's audience, with its author.
use crate::entry::{Member, Sort};
use crate::{Account, Collection, Error, People, Result, Right, Role, Viewer};
use ledger::CollectionId;
use std::sync::Arc;

/// Whom a grant is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// A role, and those above it on the ladder.
    Role(Role),
    /// One account, by its number.
    Account(u32),
}

impl Whom {
    fn is(self, member: &Member) -> bool {
        match self {
            Self::Role(role) => member.role == Some(role) && member.account.is_none() && member.peer.is_none(),
            Self::Account(number) => member.account == Some(number) && member.role.is_none() && member.peer.is_none(),
        }
    }

    fn member(self, write: bool) -> Member {
        match self {
            Self::Role(role) => Member::role(role, write),
            Self::Account(number) => Member::account(number, write),
        }
    }
}

/// What an account may in one collection.
#[derive(Debug, Clone)]
pub struct Reach {
    /// The collection.
    pub collection: Arc<Collection>,
    /// It reads what stands in it.
    pub reads: bool,
    /// It writes to it.
    pub writes: bool,
    /// It was granted by name, so that it can be taken back; else its role is in the audience.
    pub by_name: bool,
}

/// What a role may not, no grant gives: so it is not promised either.
fn fits(role: Role, write: bool) -> Result<()> {
    if !role.may(Right::ReadBodies) {
        return Err(Error::invalid(format!("the role {role} reads no intelligence, whatever it is granted")));
    }
    if write && !role.may(Right::Write) {
        return Err(Error::invalid(format!("the role {role} only reads; grant reading, or change the account's role")));
    }
    Ok(())
}

impl People {
    /// Lets an account or a role read a collection, and write to it if `write`. Granted again, the last word holds; what
    /// is so already is not written again.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NoCollection`], [`Error::NoAccount`], [`Error::Invalid`] for a role that may not read
    /// or write at all and for the node's own accounts, the ledger's.
    pub fn grant(&self, viewer: &Viewer, id: CollectionId, whom: Whom, write: bool) -> Result<Arc<Collection>> {
        viewer.need(Right::Grant)?;
        match whom {
            Whom::Role(role) if !Role::GIVEN.contains(&role) => {
                return Err(Error::invalid("that role is not given to accounts"));
            }
            // It would reach every neighbour, also one who comes later.
            Whom::Role(Role::Peer) => return Err(Error::invalid("a neighbour is granted by name, not by its role")),
            Whom::Role(role) => fits(role, write)?,
            Whom::Account(number) => {
                let account = self.current()?.accounts.get(&number).cloned().ok_or(Error::NoAccount)?;
                not_a_machine(&account)?;
                fits(account.body.role, write)?;
            }
        }
        let due = whom.member(write);
        let there = self.collection(id)?.filter(|c| c.may_be_granted_by(viewer)).ok_or(Error::NoCollection)?;
        if there.audience.members.iter().filter(|m| whom.is(m)).eq([&due]) {
            return Ok(there);
        }
        self.change_audience(viewer, id, |audience| {
            audience.members.retain(|m| !whom.is(m));
            audience.members.push(due.clone());
        })
    }

    /// Takes a grant back: the account or role itself is no longer in the audience. What an account may by its role stays.
    ///
    /// # Errors
    /// As [`People::grant`]; [`Error::NoGrant`].
    pub fn take_back(&self, viewer: &Viewer, id: CollectionId, whom: Whom) -> Result<Arc<Collection>> {
        viewer.need(Right::Grant)?;
        if let Whom::Account(number) = whom
            && let Some(account) = self.current()?.accounts.get(&number)
        {
            not_a_machine(account)?;
        }
        let there = self.collection(id)?.filter(|c| c.may_be_granted_by(viewer)).ok_or(Error::NoCollection)?;
        if !there.audience.members.iter().any(|m| whom.is(m)) {
            return Err(Error::NoGrant);
        }
        self.change_audience(viewer, id, |audience| audience.members.retain(|m| !whom.is(m)))
    }

    /// What an account may in each collection that the viewer may know of; those where it may nothing are left out.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NoAccount`], the storage's.
    pub fn reach(&self, viewer: &Viewer, number: u32) -> Result<Vec<Reach>> {
        viewer.need(Right::SeeAudiences)?;
        let account = self.current()?.accounts.get(&number).cloned().ok_or(Error::NoAccount)?;
        let theirs = self.viewer(number)?;
        let reach = |collection: Arc<Collection>| {
            let by_name = collection.audience.members.iter().any(|m| Whom::Account(account.number).is(m));
            let reads = theirs.as_ref().is_some_and(|v| v.sees(collection.col));
            let writes = theirs.as_ref().is_some_and(|v| v.may_write(collection.col));
            Reach { collection, reads, writes, by_name }
        };
        let known = self.known_collections(viewer)?.into_iter().map(reach);
        Ok(known.filter(|r| r.reads || r.writes || r.by_name).collect())
    }

    /// The collections whose audiences the viewer may know of, by title. The command line's are all but cases and notes.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; the storage's.
    pub fn known_collections(&self, viewer: &Viewer) -> Result<Vec<Arc<Collection>>> {
        viewer.need(Right::SeeAudiences)?;
        self.collections(viewer)
    }

    /// The account with a name, for whoever grants or reads the access log.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NoAccount`], the storage's.
    pub fn account_named(&self, viewer: &Viewer, name: &str) -> Result<Arc<Account>> {
        viewer.need(Right::Grant).or_else(|_| viewer.need(Right::SeeAccessLog))?;
        self.current()?.named(name.trim()).cloned().ok_or(Error::NoAccount)
    }
}

fn not_a_machine(account: &Account) -> Result<()> {
    match account.body.sort {
        Sort::Machine => Err(Error::invalid("what the node's own accounts may is not changed here")),
        _ => Ok(()),
    }
}
