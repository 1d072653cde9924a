//! The kinds this hall writes. Unknown fields are read over; an unknown word in a grant grants nothing.
use crate::Role;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use stix::Tlp;

/// The kind of an entry about an account; its subject is `account:NUMBER`; it stands in `house`.
pub const ACCOUNT: &str = "account";
/// The kind of an entry about a collection's audience; its subject is `audience:UUID`; it stands in that collection.
pub const AUDIENCE: &str = "audience";
/// The version this program writes of both.
pub const VERSION: u16 = 1;

/// The account of whoever sits at the command line; `eye init` makes it.
pub const LOCAL: u32 = 1;
/// The account under which feeds are fetched; `eye init` makes it.
pub const IMPORTER: u32 = 2;

/// The subject of an account's entries.
pub fn account_subject(number: u32) -> String {
    format!("account:{number}")
}

/// The subject of an audience's entries.
pub fn audience_subject(collection: ledger::CollectionId) -> String {
    format!("audience:{collection}")
}

/// What stands behind an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// Somebody with a password or a sign-in link.
    #[default]
    Person,
    /// A program with a token.
    Token,
    /// The node's own: `local` and `importer`.
    Machine,
    /// Another node.
    Peer,
    /// A newer version's.
    #[serde(other)]
    Unknown,
}

/// The body of an `account` entry: the account as it is from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountBody {
    /// Its number: what `author` says in every entry.
    pub account: u32,
    /// The name it signs in with; no two accounts share one.
    pub name: String,
    /// The name on pages; empty = `name`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub display: String,
    /// What it may do.
    pub role: Role,
    /// What stands behind it.
    #[serde(default)]
    pub sort: Sort,
    /// It may do nothing any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// IANA time zone of its pages, such as `Asia/Bangkok`; empty = UTC.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zone: String,
    /// BCP 47 language tag of its pages; empty = the browser's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub locale: String,
}

/// What a collection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Accounts, roles and what concerns foreign collections; never listed.
    House,
    /// What comes in.
    Intake,
    /// What only supervisors read.
    Restricted,
    /// Intelligence for an audience of its own.
    #[default]
    Shared,
    /// A case; not for the command line.
    Case,
    /// Somebody's personal notes; not for the command line.
    Notes,
    /// A newer version's; not for the command line.
    #[serde(other)]
    Unknown,
}

/// Who is in an audience: exactly one of `role` (that rung and above), `account` and `peer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Member {
    /// A local role, and those above it on the ladder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// One account of this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<u32>,
    /// Another node, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// It may write too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub write: bool,
    /// Conditions of a newer version. A member with a condition that cannot be read is no member.
    #[serde(flatten)]
    pub conditions: BTreeMap<String, serde_json::Value>,
}

impl Member {
    /// Everybody of a role and above.
    pub fn role(role: Role, write: bool) -> Self {
        Self { role: Some(role), write, ..Self::default() }
    }
    /// One account.
    pub fn account(account: u32, write: bool) -> Self {
        Self { account: Some(account), write, ..Self::default() }
    }

    /// Whether exactly one of the three is named.
    pub(crate) fn is_one(&self) -> bool {
        u8::from(self.role.is_some()) + u8::from(self.account.is_some()) + u8::from(self.peer.is_some()) == 1
    }

    /// Whether an account is meant.
    pub(crate) fn means(&self, account: &crate::Account) -> bool {
        if !self.conditions.is_empty() {
            return false;
        }
        match (&self.role, self.account, &self.peer) {
            (Some(least), None, None) => account.body.role.reaches(*least),
            (None, Some(one), None) => one == account.number,
            (None, None, Some(node)) => account.body.sort == Sort::Peer && account.body.name == *node,
            _ => false,
        }
    }
}

/// The title of the collection that an EXERCISE world is loaded into.
pub const WORLD: &str = "EXERCISE world";

/// Who runs the node; in the audience of `house`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct NodeBody {
    /// The agency's name.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    #[serde(default)]
    pub country: String,
    /// The node is for exercises: every page says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exercise: bool,
}

/// The body of an `audience` entry: the collection as it is from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudienceBody {
    /// What people call it.
    pub title: String,
    /// What stands in it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What sort of collection it is.
    #[serde(default)]
    pub sort: Purpose,
    /// Why these members may use what stands in it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub purpose: String,
    /// The marking of objects that bring none.
    pub default: Tlp,
    /// The tightest marking that may stand in it.
    pub highest: Tlp,
    /// Restrictions beside TLP, for every reader to see.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caveats: Vec<String>,
    /// Days after which bodies are to be expunged; none = kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// It is a TAXII collection.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub listed: bool,
    /// Its contents are an exercise's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exercise: bool,
    /// Nobody reads or writes it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
    /// Who reads, and who writes.
    #[serde(default)]
    pub members: Vec<Member>,
    /// Of `house` alone: who runs the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeBody>,
}
