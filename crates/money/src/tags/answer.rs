//! What is said of one address: equal statements once with everybody who makes them, contradictions side by side, and tagged
//! addresses that look like it. Nothing is averaged; every saying has its own confidence and its own source.
use super::batch::Marks;
use super::concept::{Role, own_concept, role};
use super::store::{BatchInfo, Hit, Sees, Tags};
use super::subject::{ends, typed, wrong};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Most tags of one address that are told, and most look-alikes.
const MOST_TAGS: usize = 1_000;
const MOST_ALIKE: usize = 20;
/// Categories that hold for most holders beside any other.
const BROAD: [&str; 5] = ["user", "organization", "service", "entity", "perpetrator"];

/// All that is said of an address.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Answer {
    /// The address in its agreed spelling, or as it was asked for.
    pub address: String,
    /// Its kind by shape and checksum; `null` when neither tells.
    pub kind: Option<&'static str>,
    /// What is wrong with it as it was asked for: then it is nobody's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong: Option<&'static str>,
    /// The statements, strongest confidence first.
    pub statements: Vec<Statement>,
    /// Where they contradict each other.
    pub conflicts: Vec<Conflict>,
    /// Tagged addresses of the same kind with the same first and last characters, said to be somebody else's.
    pub look_alikes: Vec<LookAlike>,
    /// Whether there is more than is told.
    pub more: bool,
}

/// One statement: network, currency and label. Who repeats it counts once.
#[derive(Debug, Clone, Serialize)]
pub struct Statement {
    /// The network's code; `evm` when it is not known which of Ethereum's kind.
    pub network: String,
    /// The currency that the packs name.
    pub currency: String,
    /// What is said.
    pub label: String,
    /// Who says it.
    pub said_by: Vec<Saying>,
}

/// One tag of one pack.
#[derive(Debug, Clone, Serialize)]
pub struct Saying {
    /// The actor's id, and its name if an ActorPack knows it.
    pub actor: Option<String>,
    /// Its name.
    pub actor_name: Option<String>,
    /// The countries that the ActorPack says.
    pub jurisdictions: Vec<String>,
    /// All concepts, as the pack has them.
    pub concepts: Vec<String>,
    /// For concepts of ours, the nearest of GraphSense's taxonomy.
    pub broader: Vec<&'static str>,
    /// GraphSense's confidence class, as the pack has it.
    pub confidence: Option<String>,
    /// Its level in per cent, when GraphSense lists it.
    pub level: Option<u8>,
    /// `recorded` when the address's own key signed it, else `attributed`.
    pub class: &'static str,
    /// Whether it may name the whole cluster: `yes`, `no`, or `refused` because it is about a CoinJoin.
    pub defines_cluster: &'static str,
    /// The pack's currency or network does not fit the address.
    pub misnamed: bool,
    /// Where the pack has it from.
    pub source: Option<String>,
    /// When the pack last changed it.
    pub lastmod: Option<String>,
    /// Free text of the pack.
    pub context: Option<String>,
    /// What sort of tag it is.
    pub tag_type: Option<String>,
    /// The batch, the pack and its title, its author, where it can be had, when it was loaded, and the tag's number in it.
    pub batch: u64,
    /// The file's name.
    pub pack: String,
    /// The title that it gives itself.
    pub title: Option<String>,
    /// Who made it.
    pub author: Option<String>,
    /// Where it can be had.
    pub uri: Option<String>,
    /// When it was loaded here.
    pub loaded: String,
    /// The tag's number in the pack.
    pub number: u32,
    /// The collection whose readers may see it.
    pub collection: Option<String>,
    /// Its marking.
    pub marking: Option<String>,
}

/// Two or more that cannot all be so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// What they differ in: `actor`, `party` (of a sanctions list), `category`, `owner` (a service's customers, and an offender).
    pub about: &'static str,
    /// What is said, and the batches that say so.
    pub said: Vec<(String, Vec<u64>)>,
}

/// A tagged address that could be mistaken for the one asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LookAlike {
    /// The address.
    pub address: String,
    /// What is said of it.
    pub label: String,
    /// By which batch.
    pub batch: u64,
}

impl Tags {
    /// What the batches that may be seen say of an address or transaction, as somebody typed it.
    pub fn show(&self, word: &str, sees: Sees<'_>) -> Answer {
        let readings = typed(word);
        let told = |text: &String| self.of(text, sees).next().is_some();
        let found = readings.iter().find(|(_, text)| told(text)).or_else(|| readings.first());
        let Some((kind, text)) = found else { return Answer { address: word.trim().into(), ..Answer::default() } };
        let mut answer = Answer {
            address: text.clone(),
            kind: kind.map(selectors::Kind::as_str),
            wrong: wrong(word),
            ..Answer::default()
        };
        let hits: Vec<Hit<'_>> = self.of(text, sees).take(MOST_TAGS + 1).collect();
        answer.more = hits.len() > MOST_TAGS;
        let mut by_statement: BTreeMap<(&str, &str, &str), Vec<Saying>> = BTreeMap::new();
        for hit in hits.iter().take(MOST_TAGS) {
            let said = &hit.row.said;
            by_statement.entry((said.network, said.currency, said.label)).or_default().push(self.saying(hit, sees));
        }
        answer.conflicts = self.conflicts(&hits, sees);
        let statement = |((network, currency, label), mut said_by): ((&str, &str, &str), Vec<Saying>)| {
            said_by.sort_by_key(|saying| (std::cmp::Reverse(saying.level), saying.batch, saying.number));
            Statement { network: network.into(), currency: currency.into(), label: label.into(), said_by }
        };
        answer.statements = by_statement.into_iter().map(statement).collect();
        answer.statements.sort_by_key(|one| std::cmp::Reverse(one.said_by.first().map(|saying| saying.level)));
        if let Some(ends) = kind.and_then(|kind| ends(kind, text)) {
            answer.look_alikes = self.look_alikes(text, &ends, &hits, sees);
        }
        answer
    }

    fn saying(&self, hit: &Hit<'_>, sees: Sees<'_>) -> Saying {
        let Hit { batch, row } = hit;
        let BatchInfo { id, pack, title, author, uri, loaded, collection, marking, .. } = (*batch).clone();
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let actor = self.actor(row.said.actor, sees).next().filter(|_| !row.said.actor.is_empty());
        Saying {
            actor: some(row.said.actor),
            actor_name: actor.map(|actor| actor.row.said.label.to_owned()),
            jurisdictions: actor.map(|actor| lines(actor.row.said.currency)).unwrap_or_default(),
            concepts: row.said.all_concepts().map(str::to_owned).collect(),
            broader: row.said.all_concepts().filter_map(own_concept).flat_map(|own| own.graphsense).copied().collect(),
            confidence: some(row.said.confidence),
            level: formats::confidence_of(row.said.confidence),
            class: if row.marks.has(Marks::SIGNED) { "recorded" } else { "attributed" },
            defines_cluster: match (row.marks.has(Marks::DEFINER), row.marks.has(Marks::COINJOIN)) {
                (true, true) => "refused",
                (true, false) => "yes",
                (false, _) => "no",
            },
            misnamed: row.marks.has(Marks::MISNAMED),
            source: some(row.said.source),
            lastmod: some(row.said.lastmod),
            context: some(row.said.context),
            tag_type: some(row.said.tag_type),
            batch: id,
            pack,
            title,
            author,
            uri,
            loaded,
            number: row.number,
            collection,
            marking,
        }
    }

    /// The actor's own id for an id or another name of it.
    fn same_actor(&self, id: &str, sees: Sees<'_>) -> String {
        self.actor(id, sees).next().map_or_else(|| id.to_owned(), |hit| hit.row.subject.to_owned())
    }

    fn conflicts(&self, hits: &[Hit<'_>], sees: Sees<'_>) -> Vec<Conflict> {
        let mut said: BTreeMap<(&'static str, String), BTreeSet<u64>> = BTreeMap::new();
        let mut say = |about, what: String, batch: u64| {
            said.entry((about, what)).or_default().insert(batch);
        };
        for Hit { batch, row } in hits {
            // A sanctions list names a party and another pack an exchange: both may be right. Two parties cannot be.
            let about = if row.said.actor.starts_with("ofac:") { "party" } else { "actor" };
            if !row.said.actor.is_empty() {
                say(about, self.same_actor(row.said.actor, sees), batch.id);
            }
            if !row.said.category.is_empty() && !BROAD.contains(&row.said.category) {
                say("category", row.said.category.to_owned(), batch.id);
            }
            for role in row.said.all_concepts().map(role) {
                match role {
                    Role::Service => say("owner", "a service's customers".into(), batch.id),
                    Role::Offender => say("owner", "an offender".into(), batch.id),
                    _ => {}
                }
            }
        }
        let mut conflicts: BTreeMap<&'static str, Vec<(String, Vec<u64>)>> = BTreeMap::new();
        for ((about, what), batches) in said {
            conflicts.entry(about).or_default().push((what, batches.into_iter().collect()));
        }
        let conflicts = conflicts.into_iter().filter(|(_, said)| said.len() > 1);
        conflicts.map(|(about, said)| Conflict { about, said }).collect()
    }

    fn look_alikes(&self, text: &str, ends: &str, own: &[Hit<'_>], sees: Sees<'_>) -> Vec<LookAlike> {
        let own_names: BTreeSet<&str> = own
            .iter()
            .flat_map(|hit| [hit.row.said.actor, hit.row.said.label])
            .filter(|name| !name.is_empty())
            .collect();
        let mut found: BTreeMap<String, LookAlike> = BTreeMap::new();
        for hit in self.alike(ends, sees).take(MOST_TAGS) {
            let said = &hit.row.said;
            let other =
                hit.row.subject != text && ![said.actor, said.label].iter().any(|name| own_names.contains(name));
            if other && found.len() < MOST_ALIKE {
                found.entry(hit.row.subject.to_owned()).or_insert_with(|| LookAlike {
                    address: hit.row.subject.to_owned(),
                    label: said.label.to_owned(),
                    batch: hit.batch.id,
                });
            }
        }
        found.into_values().collect()
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}
