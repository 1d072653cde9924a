//! Commands become entries, after pure checks, with what they rest on.
mod account;
mod collections;
mod init;

pub(crate) use account::machine;
pub use collections::NewCollection;
pub use init::{NodeInfo, init};

use crate::entry::{
    ACCOUNT, AUDIENCE, AccountBody, AudienceBody, Member, Purpose, VERSION, account_subject, audience_subject,
};
use crate::snapshot::Snapshot;
use crate::{Collection, Error, People, Result, Right, Viewer};
use ledger::{Append, CollectionId, Expect, IdSource, Kind, NewEntry, SameRule, Urgency};
use std::sync::Arc;
use stix::Tlp;

/// How often a command is tried again when somebody was faster.
const TRIES: usize = 8;
/// The longest name, title or tag, characters.
pub const LONGEST_NAME: usize = 120;
/// The longest description or purpose, characters.
pub const LONGEST_TEXT: usize = 4_000;
/// Members of one audience at most.
const MEMBERS: usize = 1_000;
/// Collections of a node at most, and accounts.
const MOST: usize = 100_000;

fn audience(title: &str, sort: Purpose, highest: Tlp, members: Vec<Member>) -> AudienceBody {
    AudienceBody {
        title: title.into(),
        description: String::new(),
        sort,
        purpose: String::new(),
        default: highest,
        highest,
        caveats: Vec::new(),
        retention_days: None,
        listed: false,
        exercise: false,
        closed: false,
        members,
        node: None,
    }
}

impl AudienceBody {
    /// A shared collection with these members; what it holds is not listed over TAXII until `listed` is set.
    pub fn shared(title: &str, highest: Tlp, members: Vec<Member>) -> Self {
        audience(title, Purpose::Shared, highest, members)
    }
}

fn new_entry(
    collection: CollectionId,
    author: u32,
    kind: &str,
    subject: String,
    marking: Tlp,
    body: &impl serde::Serialize,
) -> Result<NewEntry> {
    let body = serde_json::to_string(body).map_err(|e| Error::invalid(format!("cannot be written as JSON: {e}")))?;
    Ok(NewEntry {
        collection,
        id: IdSource::Fresh,
        same: SameRule::Refuse,
        subject: subject.into(),
        cause: None,
        author,
        time: None,
        kind: Kind::new(kind),
        version: VERSION,
        marking: marking.as_str().into(),
        body: body.into(),
    })
}

fn audience_entry(collection: CollectionId, author: u32, body: &AudienceBody) -> Result<NewEntry> {
    new_entry(collection, author, AUDIENCE, audience_subject(collection), body.highest, body)
}

fn account_entry(house: CollectionId, author: u32, body: &AccountBody) -> Result<NewEntry> {
    new_entry(house, author, ACCOUNT, account_subject(body.account), Tlp::Red, body)
}

fn check_name(name: &str, what: &str) -> Result<()> {
    let n = name.trim().chars().count();
    if n == 0 || n > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Error::invalid(format!("{what} must have 1 to {LONGEST_NAME} characters and no line breaks")));
    }
    Ok(())
}

/// What an audience may be, whoever asks for it.
fn check_audience(body: &AudienceBody) -> Result<()> {
    check_name(&body.title, "the title")?;
    if body.default > body.highest {
        return Err(Error::invalid(format!(
            "the default marking {} is tighter than the highest allowed, {}; raise the highest or loosen the default",
            body.default, body.highest
        )));
    }
    if body.description.chars().count() > LONGEST_TEXT || body.purpose.chars().count() > LONGEST_TEXT {
        return Err(Error::invalid(format!("description and purpose may have {LONGEST_TEXT} characters each")));
    }
    if body.members.len() > MEMBERS {
        return Err(Error::invalid(format!("an audience may have {MEMBERS} members; name a role instead")));
    }
    // Caveats stand after the marking, a space between: so none holds one.
    let bad = |c: &String| c.is_empty() || c.len() > 40 || c.contains(|c: char| c.is_whitespace() || c.is_control());
    if body.caveats.len() > 20 || body.caveats.iter().any(bad) {
        return Err(Error::invalid("write at most 20 caveats, each one word of at most 40 bytes"));
    }
    if body.members.iter().any(|m| !m.is_one()) {
        return Err(Error::invalid("each member is a role, an account or a peer: one of the three"));
    }
    Ok(())
}

impl People {
    /// Appends what `make` decides on the state it is given; when somebody was faster, it decides again.
    fn change<T>(
        &self,
        viewer: &Viewer,
        mut make: impl FnMut(&Snapshot, &Viewer) -> Result<(NewEntry, Vec<Expect>, T)>,
    ) -> Result<T> {
        for _ in 0..TRIES {
            let now = self.current()?;
            let fresh = self.again(viewer)?.ok_or(Error::NoAccount)?;
            let (entry, mut expect, out) = make(&now, &fresh)?;
            expect.extend(fresh.expects([]));
            let append = Append { entries: vec![entry], expect };
            match self.inner.ledger.append(append, Urgency::Interactive) {
                Ok(_) => return Ok(out),
                Err(ledger::Error::Conflict) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Err(ledger::Error::Conflict.into())
    }

    /// Makes a collection. Whoever makes it must be able to read it, unless they list every collection.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`], the ledger's.
    pub fn create_collection(&self, viewer: &Viewer, body: &AudienceBody) -> Result<Arc<Collection>> {
        viewer.need(Right::Grant)?;
        check_audience(body)?;
        if !matches!(body.sort, Purpose::Shared | Purpose::Case | Purpose::Notes) || body.node.is_some() {
            return Err(Error::invalid("house, intake and restricted are made once, by `eye init`"));
        }
        let id = CollectionId::random();
        self.change(viewer, |now, fresh| {
            fresh.need(Right::Grant)?;
            if now.collections.len() >= MOST {
                return Err(Error::invalid(format!("a node has at most {MOST} collections")));
            }
            let maker = now.accounts.get(&fresh.account());
            let lists_all = fresh.may(Right::SeeCollections);
            if !lists_all && !maker.is_some_and(|a| body.members.iter().any(|m| m.means(a))) {
                return Err(Error::invalid("you must be in the audience yourself: add your role or account to it"));
            }
            let expect = Expect { collection: id, subject: audience_subject(id).into(), last: None };
            Ok((audience_entry(id, fresh.account(), body)?, vec![expect], ()))
        })?;
        self.collection(id)?.ok_or(Error::NoCollection)
    }

    /// Changes a collection's audience: `alter` gets what it is and says what it shall be. [`Right::Grant`] reaches as far
    /// as [`Collection::may_be_granted_by`] says.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NoCollection`], [`Error::Invalid`], the ledger's.
    pub fn change_audience(
        &self,
        viewer: &Viewer,
        id: CollectionId,
        alter: impl Fn(&mut AudienceBody),
    ) -> Result<Arc<Collection>> {
        viewer.need(Right::Grant)?;
        self.change(viewer, |now, fresh| {
            fresh.need(Right::Grant)?;
            let found = now.collections.get(&id).filter(|c| c.may_be_granted_by(fresh) && now.own(c));
            let found = found.ok_or(Error::NoCollection)?;
            let mut body = (*found.audience).clone();
            alter(&mut body);
            check_audience(&body)?;
            if body.sort != found.audience.sort || matches!(body.sort, Purpose::House | Purpose::Unknown) {
                return Err(Error::invalid("what a collection is for does not change, and the house has no audience"));
            }
            Ok((audience_entry(id, fresh.account(), &body)?, vec![found.expect()], ()))
        })?;
        self.collection(id)?.ok_or(Error::NoCollection)
    }
}
