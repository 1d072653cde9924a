//! What an import cannot take: told to whoever imports, and kept for those who may read it.
use super::Running;
use crate::Reason;
use crate::quarantine::SetAside;
use serde_json::Value;

/// Problems named in a report; the rest is counted.
const NAMED: usize = 100;

impl Running<'_> {
    pub(super) fn aside(&mut self, row: SetAside) {
        self.told(&row);
        self.setting.add(&self.intel.inner.limits, row);
    }

    /// Tells whoever imports; the quarantine, which others read too, is a second step.
    pub(super) fn told(&mut self, row: &SetAside) {
        self.report.aside += 1;
        if self.report.problems.len() < NAMED {
            self.report.problems.push(row.to_string());
        }
    }

    /// A record that could not be read; the header of its file says what its fields are, a marking among them.
    pub(super) fn skipped(&mut self, bad: &formats::Bad) {
        self.setting.frame(&self.intel.inner.limits, bad.header.as_deref());
        let texts = [bad.header.as_deref(), bad.snippet.as_deref()];
        self.aside_as_marked(bad_record(bad), &texts.into_iter().flatten().collect::<Vec<_>>().join("\n"));
    }

    /// Keeps of a record what those may read who import into the import's own collection: nothing of one that is marked
    /// tighter than that collection takes.
    pub(super) fn aside_as_marked(&mut self, row: SetAside, body: &str) {
        let home = self.places.first().map(|(_, policy)| policy);
        let marking = match stix::parse_header(body) {
            Ok(header) => Some(header.marking),
            // What cannot be read may say that it is marked: then it counts as the tightest.
            Err(_) if row.cut || says_a_marking(body) => None,
            Err(_) => Some(stix::Marking { tlp: None, others: false }),
        };
        let takes = |policy: &people::CollectionPolicy, marking| people::accept(policy, marking, self.marking).is_ok();
        let tighter = !marking.zip(home).is_some_and(|(marking, policy)| takes(policy, marking));
        if tighter {
            self.told(&row);
            self.setting.add(&self.intel.inner.limits, SetAside { object: None, record: None, ..row });
        } else {
            self.aside(row);
        }
    }
}

/// A bad record with the id it claims: whoever brought the file must find the record in it.
pub(crate) fn bad_record(bad: &formats::Bad) -> SetAside {
    let value: Option<Value> = bad.snippet.as_deref().and_then(|s| serde_json::from_str(s).ok());
    let id = value.as_ref().and_then(|v| v.get("id")).and_then(Value::as_str).filter(|id| id.len() <= 300);
    let why = Reason::from(&bad.why);
    SetAside { cut: bad.cut, ..SetAside::new(bad.at.to_string(), id.map(str::to_owned), why, bad.snippet.clone()) }
}

pub(super) fn refused(object: Option<String>, why: Reason, record: Option<String>) -> SetAside {
    SetAside::new("object".into(), object, why, record)
}

/// Whether a text that is no object may carry a marking: STIX's property names and TLP labels of any format.
fn says_a_marking(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.contains("marking") || lower.contains("tlp")
}
