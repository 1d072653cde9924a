//! The truth beside the world: `truth.jsonl`, one JSON object a line, told apart by `kind`. Written as the reports are,
//! so that it needs no memory, and read back by [`crate::score`].

use crate::cast::{Agency, Selector, Syndicate};
use serde::{Deserialize, Serialize};

/// Why a report names a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It is the syndicate's own at that time: the only kind that makes a true pair.
    Genuine,
    /// It is a single offender's or nobody's.
    Lone,
    /// It is a hub that a reference list of the world names.
    Hub,
    /// It is a hub that no list names.
    UnlistedHub,
    /// It is the hotline's own number, quoted by the caller.
    Hotline,
    /// It was a syndicate's number and now belongs to an innocent person.
    Reassigned,
    /// It has one character wrong.
    Typo,
    /// It stands where nobody knew a value.
    Placeholder,
}

/// What kind of trap it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrapKind {
    /// A number that `from` had and `to` (a syndicate; absent: an innocent person) has now.
    Reassigned,
    /// A value with one character wrong; `from` is the right one.
    Typo,
    /// A recruiter's name that people of several syndicates give.
    SameName,
    /// A value on one of the world's reference lists.
    ListedHub,
    /// A value that many unrelated reports name and no list has.
    UnlistedHub,
}

/// One trap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrapTruth {
    /// What kind it is.
    pub trap: TrapKind,
    /// The kind of the value: `phone`, `email`, `domain`, `wallet`, `telegram`, `line`, `wechat`, `iban` or `name`.
    pub selector: String,
    /// The value as it stands in the report, normalised.
    pub value: String,
    /// Whose it was, or what it should be.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
    /// Whose it is now.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<String>,
    /// In how many syndicates, for a name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub count: Option<u64>,
    /// The report that shows it first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub report: Option<String>,
}

impl TrapTruth {
    pub(crate) fn new(trap: TrapKind, selector: &Selector, from: Option<String>, to: Option<String>) -> Self {
        let (selector, value) = (selector.kind.code().to_owned(), selector.value.clone());
        Self { trap, selector, value, from, to, count: None, report: None }
    }

    pub(crate) fn same_name(name: &str, count: u64) -> Self {
        let (selector, value) = ("name".to_owned(), name.to_owned());
        Self { trap: TrapKind::SameName, selector, value, from: None, to: None, count: Some(count), report: None }
    }
}

/// One syndicate, once its work has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyndicateTruth {
    /// `S00001` and so on.
    pub id: String,
    /// The name its agencies use.
    pub name: String,
    /// Its compounds' names.
    pub compounds: Vec<String>,
    /// Its recruiters' names.
    pub recruiters: Vec<String>,
    /// How many reports are of it.
    pub reports: u64,
}

impl SyndicateTruth {
    pub(crate) fn of(syndicate: &Syndicate) -> Self {
        Self {
            id: syndicate.code(),
            name: syndicate.name.clone(),
            compounds: syndicate.compounds.clone(),
            recruiters: syndicate.recruiters.iter().map(|&name| name.to_owned()).collect(),
            reports: syndicate.reports,
        }
    }
}

/// One agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgencyTruth {
    /// Its ISO 3166-1 user-assigned code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The folder with its files.
    pub folder: String,
    /// Its identity in STIX files.
    pub identity: String,
    /// Its own hotline.
    pub hotline: String,
}

impl AgencyTruth {
    pub(crate) fn of(agency: &Agency) -> Self {
        Self {
            code: agency.code.to_owned(),
            name: agency.name.clone(),
            folder: agency.folder.clone(),
            identity: agency.identity.clone(),
            hotline: agency.hotline.clone(),
        }
    }
}

/// One value in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MentionTruth {
    /// The kind of the value, as in [`TrapTruth::selector`].
    pub selector: String,
    /// The value, normalised: E.164, lower-case domain, address as issued, handle without `@`, IBAN without spaces.
    pub value: String,
    /// Why it stands there.
    pub role: Role,
}

/// One report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportTruth {
    /// The agency's reference. It stands in the report's own text too, but in plain lists.
    pub id: String,
    /// The agency's code.
    pub agency: String,
    /// The file, relative to the world's folder, with `/`.
    pub file: String,
    /// Which line of a plain list, which row of a CSV file (without its header), which tag of a TagPack; from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<u64>,
    /// The id of the `report` in a STIX file, or what a MISP event becomes: `report--` and the event's UUID.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stix: Option<String>,
    /// Ids that belong to this report alone: of STIX objects, or UUIDs of a MISP event's attributes.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub objects: Vec<String>,
    /// When it was written, RFC 3339.
    pub when: String,
    /// Whose work it reports; absent when it is nobody's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub syndicate: Option<String>,
    /// What it names.
    pub names: Vec<MentionTruth>,
}

/// One line of `truth.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Line {
    /// The first line: the plan.
    World {
        /// The plan's seed.
        seed: u64,
        /// How many agencies.
        agencies: usize,
        /// How many months.
        months: usize,
        /// How many objects were asked for.
        objects: usize,
        /// When it begins, RFC 3339.
        start: String,
    },
    /// An agency.
    Agency(AgencyTruth),
    /// A syndicate.
    Syndicate(SyndicateTruth),
    /// A trap.
    Trap(TrapTruth),
    /// A report.
    Report(ReportTruth),
}
