//! Who may do what: the one table. Which collections somebody sees is a second question, asked by their audiences.
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an account is for. Reader, analyst and supervisor are a ladder; the others stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads what the audiences allow.
    Reader,
    /// Reads and writes.
    Analyst,
    /// An analyst who also reads `restricted`, grants, approves and expunges.
    Supervisor,
    /// Accounts, who reads what, and the machine; no bodies.
    Administrator,
    /// Access log, retention, proofs; no bodies.
    Auditor,
    /// Another node: what it was granted, collection by collection.
    Peer,
    /// Whoever sits at the machine and owns the data folder: the command line.
    Local,
    /// A role of a newer version of this program: may do nothing.
    #[serde(other)]
    Unknown,
}

impl Role {
    /// Every role that this version knows, in the order of the table.
    pub const ALL: [Self; 7] =
        [Self::Reader, Self::Analyst, Self::Supervisor, Self::Administrator, Self::Auditor, Self::Peer, Self::Local];
    /// The roles that an account may be given.
    pub const GIVEN: [Self; 6] =
        [Self::Reader, Self::Analyst, Self::Supervisor, Self::Administrator, Self::Auditor, Self::Peer];

    /// Its word, as commands, forms and entries write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Analyst => "analyst",
            Self::Supervisor => "supervisor",
            Self::Administrator => "administrator",
            Self::Auditor => "auditor",
            Self::Peer => "peer",
            Self::Local => "local",
            Self::Unknown => "unknown",
        }
    }

    /// The rung on the ladder reader < analyst < supervisor; the others have none.
    const fn rung(self) -> Option<u8> {
        match self {
            Self::Reader => Some(1),
            Self::Analyst => Some(2),
            Self::Supervisor => Some(3),
            _ => None,
        }
    }

    /// Whether `self` counts where an audience names `least`: the same role, or a higher rung of the ladder.
    pub fn reaches(self, least: Self) -> bool {
        match (self.rung(), least.rung()) {
            (Some(mine), Some(asked)) => mine >= asked,
            _ => self == least && self != Self::Unknown,
        }
    }

    /// The table.
    pub const fn may(self, right: Right) -> bool {
        use Right as R;
        use Role as O;
        match right {
            R::ReadBodies => matches!(self, O::Reader | O::Analyst | O::Supervisor | O::Peer | O::Local),
            R::SeeAuthors => matches!(self, O::Reader | O::Analyst | O::Supervisor | O::Local),
            R::Write => matches!(self, O::Analyst | O::Supervisor | O::Peer | O::Local),
            R::Import | R::Withdraw | R::OverruleLinks => matches!(self, O::Analyst | O::Supervisor | O::Local),
            R::Expunge | R::Approve => matches!(self, O::Supervisor | O::Local),
            R::Grant => matches!(self, O::Supervisor | O::Administrator | O::Local),
            R::SeeAudiences => matches!(self, O::Supervisor | O::Administrator | O::Auditor | O::Local),
            R::ManageFeeds => matches!(self, O::Supervisor | O::Administrator | O::Local),
            R::ManageAccounts | R::ManageMachine => matches!(self, O::Administrator | O::Local),
            R::SeeAccessLog => matches!(self, O::Auditor | O::Local),
            R::SeeCollections => matches!(self, O::Administrator | O::Auditor | O::Local),
            R::SeeProofs => matches!(self, O::Supervisor | O::Administrator | O::Auditor | O::Local),
            R::SignIn => matches!(self, O::Reader | O::Analyst | O::Supervisor | O::Administrator | O::Auditor),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let word = text.trim().to_ascii_lowercase();
        Self::GIVEN
            .into_iter()
            .find(|role| role.as_str() == word)
            .ok_or_else(|| "write one of reader, analyst, supervisor, administrator, auditor, peer".into())
    }
}

/// What somebody may do at all; a collection's audience narrows reading and writing further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// Read bodies in the collections whose audience they are.
    ReadBodies,
    /// See which account of this node entered, imported or withdrew something that they read: this node's own people.
    SeeAuthors,
    /// Write to the collections that let them.
    Write,
    /// Bring in whole files and feeds.
    Import,
    /// Withdraw objects and imports.
    Withdraw,
    /// Let a suppressed link stand, or suppress one.
    OverruleLinks,
    /// Erase bodies for good.
    Expunge,
    /// Make collections and change who reads them.
    Grant,
    /// Approve what needs a second person.
    Approve,
    /// Set up where feeds come from.
    ManageFeeds,
    /// Make, change and disable accounts; revoke tokens and sessions of others.
    ManageAccounts,
    /// Back up, restore, rebuild, settings.
    ManageMachine,
    /// Read who asked for what.
    SeeAccessLog,
    /// See every collection's title, audience and retention, without bodies.
    SeeCollections,
    /// See who is in the audience of a collection that one may know of.
    SeeAudiences,
    /// See the ledger's heads, sizes and checkpoints.
    SeeProofs,
    /// Have a session in a browser.
    SignIn,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 17] = [
        Self::ReadBodies,
        Self::SeeAuthors,
        Self::Write,
        Self::Import,
        Self::Withdraw,
        Self::OverruleLinks,
        Self::Expunge,
        Self::Grant,
        Self::Approve,
        Self::ManageFeeds,
        Self::ManageAccounts,
        Self::ManageMachine,
        Self::SeeAccessLog,
        Self::SeeCollections,
        Self::SeeAudiences,
        Self::SeeProofs,
        Self::SignIn,
    ];

    /// What it allows, in the words of "you may not …".
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadBodies => "read objects",
            Self::SeeAuthors => "see who entered or withdrew something",
            Self::Write => "write",
            Self::Import => "import",
            Self::Withdraw => "withdraw",
            Self::OverruleLinks => "overrule links",
            Self::Expunge => "expunge",
            Self::Grant => "make collections or change who reads them",
            Self::Approve => "approve",
            Self::ManageFeeds => "manage feeds",
            Self::ManageAccounts => "manage accounts",
            Self::ManageMachine => "manage the machine",
            Self::SeeAccessLog => "read the access log",
            Self::SeeCollections => "list every collection",
            Self::SeeAudiences => "see who reads a collection",
            Self::SeeProofs => "read the ledger's proofs",
            Self::SignIn => "sign in with a browser",
        }
    }
}

/// The table as text, a line a right: what `eye doctor` and the tests print.
pub fn table() -> String {
    let mut out = format!("{:<42}", "");
    for role in Role::ALL {
        out.push_str(&format!(" {:<13}", role.as_str()));
    }
    for right in Right::ALL {
        out = format!("{}\n{:<42}", out.trim_end(), right.as_str());
        for role in Role::ALL {
            out.push_str(&format!(" {:<13}", if role.may(right) { "yes" } else { "." }));
        }
    }
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_of_a_newer_version_may_do_nothing_and_is_in_no_audience() {
        let role: Role = serde_json::from_str("\"sage\"").unwrap();
        assert_eq!(role, Role::Unknown);
        assert!(Right::ALL.iter().all(|right| !role.may(*right)));
        assert!(Role::ALL.iter().chain([&Role::Unknown]).all(|least| !role.reaches(*least)));
        assert!(Role::ALL.iter().all(|other| !other.reaches(Role::Unknown)));
    }

    #[test]
    fn only_the_ladder_reaches_further_than_itself() {
        let reaches = |role: Role| Role::ALL.into_iter().filter(|least| role.reaches(*least)).collect::<Vec<_>>();
        assert_eq!(reaches(Role::Supervisor), [Role::Reader, Role::Analyst, Role::Supervisor]);
        assert_eq!(reaches(Role::Analyst), [Role::Reader, Role::Analyst]);
        for role in [Role::Reader, Role::Administrator, Role::Auditor, Role::Peer, Role::Local] {
            assert_eq!(reaches(role), [role]);
        }
    }

    #[test]
    fn administrators_and_auditors_read_no_bodies_and_nobody_is_made_local() {
        assert!(!Role::Administrator.may(Right::ReadBodies) && !Role::Auditor.may(Right::ReadBodies));
        assert!("local".parse::<Role>().is_err() && "unknown".parse::<Role>().is_err());
        assert!(Role::GIVEN.iter().all(|role| role.as_str().parse::<Role>().as_ref() == Ok(role)));
    }
}
