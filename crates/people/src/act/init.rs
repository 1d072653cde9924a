//! The first entries of a node.
use super::{account_entry, audience, audience_entry, check_name, machine};
use crate::entry::{AudienceBody, IMPORTER, LOCAL, Member, NodeBody, Purpose, audience_subject};
use crate::{Error, Result, Role};
use ledger::{Append, CollectionId, Expect, HOUSE_SEED, INTAKE, Ledger, Urgency};
use stix::Tlp;

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
