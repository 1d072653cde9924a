//! Commands become entries, after pure checks, with what they rest on.
use crate::entry::{
    ACCOUNT, AUDIENCE, AccountBody, AudienceBody, IMPORTER, LOCAL, Member, NodeBody, Purpose, Sort, VERSION,
    account_subject, audience_subject,
};
use crate::snapshot::Snapshot;
use crate::{Account, Collection, Error, People, Result, Right, Role, Viewer};
use ledger::{Append, CollectionId, Expect, HOUSE_SEED, INTAKE, IdSource, Kind, Ledger, NewEntry, SameRule, Urgency};
use std::sync::Arc;
use stix::Tlp;

/// How often a command is tried again when somebody was faster.
const TRIES: usize = 8;
/// The longest name, title or tag, characters.
const LONGEST: usize = 120;
/// The longest description or purpose, characters.
const LONGEST_TEXT: usize = 4_000;
/// Members of one audience at most.
const MEMBERS: usize = 1_000;
/// Collections of a node at most, and accounts.
const MOST: usize = 100_000;

/// What `eye init` asks for.
#[derive(Debug, Clone, Default)]
pub struct NodeInfo {
    /// The agency's name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Everything on this node is an exercise's.
    pub exercise: bool,
}

/// Writes the first entries of a node: the audiences of `house`, `intake` and `restricted`, and the node's own accounts.
///
/// # Errors
/// [`Error::Invalid`] when the node has them already.
pub fn init(ledger: &Ledger, node: NodeInfo) -> Result<()> {
    let named = |word: &str| {
        let id = ledger::keyed_id(ledger.keys().index_hmac(), &[HOUSE_SEED.as_bytes(), word.as_bytes()]);
        let (bytes, _) = id.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
        CollectionId(uuid::Builder::from_random_bytes(*bytes).into_uuid())
    };
    let house = named("house");
    let base = |title: &str, sort, highest, members| AudienceBody {
        exercise: node.exercise,
        ..audience(title, sort, highest, members)
    };
    let country = node.country.trim().to_ascii_uppercase();
    if country.len() != 2 || !country.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(Error::invalid("write the country as two letters (ISO 3166-1), such as TH"));
    }
    check_name(&node.name, "the agency's name")?;
    let house_body = AudienceBody {
        description: "Accounts and roles of this node".into(),
        node: Some(NodeBody { name: node.name.trim().into(), country, exercise: node.exercise }),
        ..base("House", Purpose::House, Tlp::Red, vec![])
    };
    let intake = AudienceBody {
        description: "What comes in: feeds, files, reports. Not shared.".into(),
        listed: true,
        ..base(
            "Intake",
            Purpose::Intake,
            Tlp::AmberStrict,
            vec![Member::role(Role::Reader, false), Member::role(Role::Analyst, true), Member::account(IMPORTER, true)],
        )
    };
    let restricted = AudienceBody {
        description: "For supervisors alone".into(),
        ..base(
            "Restricted",
            Purpose::Restricted,
            Tlp::Red,
            vec![Member::role(Role::Supervisor, true), Member::account(IMPORTER, true)],
        )
    };
    let entries = vec![
        audience_entry(house, 0, &house_body)?,
        account_entry(house, 0, &machine(LOCAL, "local", Role::Local))?,
        account_entry(house, 0, &machine(IMPORTER, "importer", Role::Analyst))?,
        audience_entry(INTAKE, 0, &intake)?,
        audience_entry(named("restricted"), 0, &restricted)?,
    ];
    let expect = vec![Expect { collection: house, subject: audience_subject(house).into(), last: None }];
    match ledger.append(Append { entries, expect }, Urgency::Interactive) {
        Ok(_) => Ok(()),
        Err(ledger::Error::Conflict) => Err(Error::invalid("this node has its collections already")),
        Err(e) => Err(e.into()),
    }
}

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

/// One of the node's own accounts.
pub(crate) fn machine(account: u32, name: &str, role: Role) -> AccountBody {
    AccountBody {
        account,
        name: name.into(),
        display: String::new(),
        role,
        sort: Sort::Machine,
        disabled: false,
        zone: String::new(),
        locale: String::new(),
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
    if n == 0 || n > LONGEST || name.chars().any(char::is_control) {
        return Err(Error::invalid(format!("{what} must have 1 to {LONGEST} characters and no line breaks")));
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

    /// Makes a collection. Whoever makes it must be able to read it, unless it is the command line.
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
            if !fresh.is_local() && !maker.is_some_and(|a| body.members.iter().any(|m| m.means(a))) {
                return Err(Error::invalid("you must be in the audience yourself: add your role or account to it"));
            }
            let expect = Expect { collection: id, subject: audience_subject(id).into(), last: None };
            Ok((audience_entry(id, fresh.account(), body)?, vec![expect], ()))
        })?;
        self.collection(id)?.ok_or(Error::NoCollection)
    }

    /// Changes a collection's audience: `alter` gets what it is and says what it shall be.
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
            // The command line opens again what was closed.
            let may = |c: &&Arc<Collection>| fresh.sees(c.col) || (fresh.is_local() && c.audience.closed);
            let found = now.collections.get(&id).filter(|c| may(c) && now.own(c));
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

    /// Makes an account; without a password or token it cannot come in yet.
    pub(crate) fn create_account(&self, viewer: &Viewer, name: &str, role: Role, sort: Sort) -> Result<u32> {
        check_name(name, "the name")?;
        check_given(role)?;
        let name = name.trim();
        self.change(viewer, |now, fresh| {
            fresh.need(Right::ManageAccounts)?;
            if now.named(name).is_some() {
                return Err(Error::invalid("an account with that name exists already; choose another name"));
            }
            let house = now.house.ok_or_else(|| Error::invalid("this folder was not made by `eye init`"))?;
            if now.accounts.len() >= MOST {
                return Err(Error::invalid(format!("a node has at most {MOST} accounts")));
            }
            let account = now.accounts.keys().max().copied().unwrap_or(IMPORTER).saturating_add(1);
            let body = AccountBody { sort, ..machine(account, name, role) };
            // Numbers are given in order, so two that are made at once meet here, and so do two of one name.
            let expect = Expect { collection: house, subject: account_subject(account).into(), last: None };
            Ok((account_entry(house, fresh.account(), &body)?, vec![expect], account))
        })
    }

    /// Changes an account; `alter` may refuse.
    pub(crate) fn change_account(
        &self,
        viewer: &Viewer,
        number: u32,
        needs: Option<Right>,
        alter: impl Fn(&mut AccountBody) -> Result<()>,
    ) -> Result<()> {
        self.change(viewer, |now, fresh| {
            if let Some(right) = needs {
                fresh.need(right)?;
            }
            let account = now.accounts.get(&number).ok_or(Error::NoAccount)?;
            if account.body.sort == Sort::Machine {
                return Err(Error::invalid("the node's own accounts cannot be changed"));
            }
            let mut body = (*account.body).clone();
            alter(&mut body)?;
            body.account = number;
            let house = now.house.ok_or(Error::NoAccount)?;
            Ok((account_entry(house, fresh.account(), &body)?, vec![account.expect(house)], ()))
        })
    }

    /// Gives an account another role: at once, and every session of it ends.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NoAccount`], [`Error::Invalid`], the ledger's.
    pub fn set_role(&self, viewer: &Viewer, account: u32, role: Role) -> Result<()> {
        check_given(role)?;
        self.change_account(viewer, account, Some(Right::ManageAccounts), |body| {
            body.role = role;
            Ok(())
        })?;
        self.inner.door.drop_sessions(account, None)
    }

    /// Disables an account, or enables it again: at once, and every session of it ends.
    ///
    /// # Errors
    /// As [`People::set_role`].
    pub fn set_disabled(&self, viewer: &Viewer, account: u32, disabled: bool) -> Result<()> {
        if disabled && account == viewer.account() {
            return Err(Error::invalid("nobody disables the account they are signed in with; let another do it"));
        }
        self.change_account(viewer, account, Some(Right::ManageAccounts), |body| {
            body.disabled = disabled;
            Ok(())
        })?;
        self.inner.door.drop_sessions(account, None)
    }

    /// Sets the viewer's own name for pages, time zone (IANA) and language (BCP 47).
    ///
    /// # Errors
    /// [`Error::Invalid`] for a zone that does not exist; the ledger's.
    pub fn set_own_settings(&self, viewer: &Viewer, display: &str, zone: &str, locale: &str) -> Result<()> {
        if !display.is_empty() {
            check_name(display, "the name")?;
        }
        if !zone.is_empty() && jiff::tz::TimeZone::get(zone).is_err() {
            return Err(Error::invalid("write a time zone such as Asia/Bangkok"));
        }
        let tag = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if locale.len() > 35 || !locale.bytes().all(tag) {
            return Err(Error::invalid("write a language tag such as en or th-TH"));
        }
        self.change_account(viewer, viewer.account(), None, |body| {
            body.display = display.trim().into();
            body.zone = zone.into();
            body.locale = locale.into();
            Ok(())
        })
    }
}

/// Nobody is made `local` or something unknown.
fn check_given(role: Role) -> Result<()> {
    if Role::GIVEN.contains(&role) { Ok(()) } else { Err(Error::invalid("that role is not given to accounts")) }
}

impl Account {
    /// "The account is still the one that was read."
    pub(crate) fn expect(&self, house: CollectionId) -> Expect {
        Expect { collection: house, subject: account_subject(self.number).into(), last: Some(self.pos) }
    }
}
