use crate::entry::{AccountBody, AudienceBody, Purpose, Sort};
use crate::view::{AccountRow, CollectionRow};
use crate::{Right, Role, Viewer};
use ledger::CollectionId;
use std::sync::Arc;

/// A collection as it is now.
#[derive(Debug, Clone)]
pub struct Collection {
    /// Its id.
    pub id: CollectionId,
    /// Its small number on this node.
    pub col: u32,
    /// The node that writes it.
    pub node: Arc<str>,
    /// `pos` of the entry that made it.
    pub first: u64,
    /// `pos` of the audience that holds: its revision.
    pub pos: u64,
    /// What its audience says. Of an audience that was expunged or cannot be read: closed, and nobody in it.
    pub audience: Arc<AudienceBody>,
}

impl Collection {
    pub(crate) fn new(row: CollectionRow, body: Option<&str>) -> Self {
        let read = body.and_then(|b| serde_json::from_str(b).ok());
        let audience = Arc::new(read.unwrap_or_else(nobody));
        Self { id: row.id, col: row.col, node: row.node.into(), first: row.first, pos: row.pos, audience }
    }

    /// Its title.
    pub fn title(&self) -> &str {
        &self.audience.title
    }

    /// Whether it is the collection that an EXERCISE world is loaded into.
    pub fn is_exercise_world(&self) -> bool {
        self.audience.exercise && self.title() == crate::entry::WORLD
    }

    /// Whether the account is in its audience, and whether it may write.
    pub(crate) fn member(&self, account: &Account) -> (bool, bool) {
        if self.audience.closed {
            return (false, false);
        }
        let mut meant = self.audience.members.iter().filter(|m| m.means(account)).peekable();
        (meant.peek().is_some(), meant.any(|m| m.write))
    }

    /// Whether the command line sees it: all but cases and personal notes.
    pub(crate) fn local(&self) -> bool {
        !self.audience.closed && self.is_common()
    }

    /// Whether it is neither a case nor somebody's notes.
    fn is_common(&self) -> bool {
        use Purpose as P;
        matches!(self.audience.sort, P::House | P::Intake | P::Restricted | P::Shared)
    }

    /// The one rule of who says who reads a collection: whoever has [`Right::Grant`], of those that they read; who lists
    /// every collection, of every one that is neither a case nor somebody's notes. The command line opens again what was
    /// closed. The house has no audience to change.
    pub fn may_be_granted_by(&self, viewer: &Viewer) -> bool {
        let reaches = viewer.sees(self.col)
            || (viewer.may(Right::SeeCollections) && self.is_common())
            || (viewer.is_local() && self.audience.closed);
        viewer.may(Right::Grant) && reaches && self.audience.sort != Purpose::House
    }

    /// Whoever lists every collection, and the command line, close and open one: the others would not know it any more.
    pub fn may_be_closed_by(&self, viewer: &Viewer) -> bool {
        let knows_closed = viewer.is_local() || viewer.may(Right::SeeCollections);
        knows_closed && self.audience.sort == Purpose::Shared && self.may_be_granted_by(viewer)
    }

    /// Whether the viewer may have it in a list of TAXII collections.
    pub fn listed_for(&self, viewer: &Viewer) -> bool {
        self.audience.listed && viewer.sees(self.col)
    }
}

/// The audience of a collection whose own cannot be read.
fn nobody() -> AudienceBody {
    AudienceBody {
        title: "(its audience cannot be read)".into(),
        description: String::new(),
        sort: Purpose::Unknown,
        purpose: String::new(),
        default: stix::Tlp::Red,
        highest: stix::Tlp::Red,
        caveats: Vec::new(),
        retention_days: None,
        listed: false,
        exercise: false,
        closed: true,
        members: Vec::new(),
        node: None,
    }
}

/// An account as it is now.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its number.
    pub number: u32,
    /// `pos` of the entry that made it.
    pub first: u64,
    /// `pos` of the entry that holds: its revision.
    pub pos: u64,
    /// `pos` of the entry that last moved its rights: sessions from before are void.
    pub rights: u64,
    /// What its entry says. Of one that was expunged or cannot be read: disabled.
    pub body: Arc<AccountBody>,
}

impl Account {
    pub(crate) fn new(row: &AccountRow, body: Option<&str>) -> Self {
        let read = body.and_then(|b| serde_json::from_str::<AccountBody>(b).ok()).filter(|b| b.account == row.number);
        let body = Arc::new(read.unwrap_or_else(|| AccountBody {
            account: row.number,
            name: format!("(account {})", row.number),
            display: String::new(),
            role: Role::Unknown,
            sort: Sort::Unknown,
            disabled: true,
            zone: String::new(),
            locale: String::new(),
        }));
        Self { number: row.number, first: row.first, pos: row.pos, rights: row.rights, body }
    }

    /// The name for pages.
    pub fn display(&self) -> &str {
        if self.body.display.is_empty() { &self.body.name } else { &self.body.display }
    }
}
