//! Tags and actors as GraphSense's packs state them, with what they inherit from the header: for whoever needs them typed, not
//! as STIX. The conversions to STIX read them here too.

use crate::fault::Fault;
use crate::ids::KeyedIds;
use crate::record::{Bad, Limits, Options, Out, Position, ReadError, Summary};
use crate::yaml::{Fields, read_pack as read_yaml, text_of, texts_of};
use crate::{Format, Item};
use serde_json::Value;
use std::cell::RefCell;
use std::io::BufRead;
use std::ops::ControlFlow;

/// The fields of a tag that the header may give for all.
const INHERITED: [&str; 15] = [
    "label",
    "source",
    "currency",
    "network",
    "confidence",
    "context",
    "is_cluster_definer",
    "lastmod",
    "category",
    "abuse",
    "actor",
    "concepts",
    "tag_type",
    "address",
    "tx_hash",
];
/// Fields a header has for itself.
const HEADER: [&str; 5] = ["title", "creator", "description", "owner", "is_public"];

/// One tag with all that it inherits from its pack's header (GraphSense's `tagpack_schema.yaml`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackTag {
    /// Its number in the pack, from 1.
    pub number: u64,
    /// What it says.
    pub label: String,
    /// The address as it is spelled; one of this and `tx_hash` is there.
    pub address: Option<String>,
    /// The transaction as it is spelled.
    pub tx_hash: Option<String>,
    /// The currency's ticker, upper case.
    pub currency: Option<String>,
    /// The network as the pack states it, lower case; packs rarely do.
    pub network: Option<String>,
    /// Where it is from, most often a URL.
    pub source: Option<String>,
    /// The confidence class; see [`confidence_of`].
    pub confidence: Option<String>,
    /// The actor's id in an ActorPack.
    pub actor: Option<String>,
    /// When it was last changed: RFC 3339 in UTC.
    pub lastmod: Option<String>,
    /// Free text or JSON.
    pub context: Option<String>,
    /// Whether the pack says that it holds for the whole cluster.
    pub is_cluster_definer: Option<bool>,
    /// `actor`, `event`, `mention`.
    pub tag_type: Option<String>,
    /// Concepts of the taxonomy.
    pub concepts: Vec<String>,
    /// A concept, of abuse.
    pub abuse: Option<String>,
    /// A concept, of the entity.
    pub category: Option<String>,
    /// The pack's title.
    pub title: Option<String>,
    /// Who made the pack.
    pub creator: Option<String>,
    /// Whether the pack says that it is public.
    pub is_public: Option<bool>,
}

/// One actor of an ActorPack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackActor {
    /// Its number in the pack, from 1.
    pub number: u64,
    /// The id by which tags name it.
    pub id: String,
    /// Its name.
    pub label: String,
    /// Its pages: `uri` first, then those of the context.
    pub uris: Vec<String>,
    /// Concepts.
    pub categories: Vec<String>,
    /// ISO 3166-1 alpha-2 codes, as the pack has them.
    pub jurisdictions: Vec<String>,
    /// Other names and ids.
    pub aliases: Vec<String>,
    /// When it was last changed: RFC 3339 in UTC.
    pub lastmod: Option<String>,
    /// Free text or JSON.
    pub context: Option<String>,
    /// Who made the pack.
    pub creator: Option<String>,
}

/// What a pack holds, one at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackItem {
    /// A tag.
    Tag(Box<PackTag>),
    /// An actor.
    Actor(Box<PackActor>),
    /// A record that could not be read.
    Skipped(Bad),
}

/// GraphSense's confidence classes and their level in per cent (its `confidence.csv`); `None` for a class that it does not list.
///
/// ```
/// assert_eq!(formats::confidence_of("authority_data"), Some(60));
/// ```
pub fn confidence_of(class: &str) -> Option<u8> {
    Some(match class {
        "override" | "ownership" | "ledger_immanent" => 100,
        "manual_transaction" => 90,
        "service_api" | "forensic_investigation" => 70,
        "authority_data" => 60,
        "trusted_provider" | "service_data" | "forensic" => 50,
        "untrusted_transaction" => 40,
        "web_crawl" => 20,
        "heuristic" => 10,
        "unknown" => 5,
        _ => return None,
    })
}

/// Reads a TagPack or ActorPack and hands over its tags or actors as they stand, in order. Compression is undone; memory stays
/// bounded by `limits`, whatever the size of the file. `sink` may stop it.
///
/// # Errors
/// [`ReadError`] when the file as a whole cannot be read on, or is of another format. What was handed over before stays good.
///
/// ```
/// use std::ops::ControlFlow;
/// let pack = "title: t\ncreator: c\ncurrency: BTC\nlabel: EXERCISE shop\ntags:\n- address: 1BoatSLRHtKNngkdXEeobR76b53LETtpyT\n";
/// let mut tags = Vec::new();
/// formats::read_pack(formats::Format::TagPack, Box::new(pack.as_bytes()), &formats::Limits::default(), &mut |item| {
///     if let formats::PackItem::Tag(tag) = item { tags.push(tag) }
///     ControlFlow::Continue(())
/// })?;
/// assert_eq!((tags[0].label.as_str(), tags[0].currency.as_deref()), ("EXERCISE shop", Some("BTC")));
/// # Ok::<(), formats::ReadError>(())
/// ```
pub fn read_pack<'i>(
    format: Format,
    input: Box<dyn BufRead + 'i>,
    limits: &Limits,
    sink: &mut dyn FnMut(PackItem) -> ControlFlow<()>,
) -> Result<Summary, ReadError> {
    let ids = KeyedIds::new([0; 32]);
    let options = Options { limits: limits.clone(), ..Options::new("", &ids) };
    let sink = RefCell::new(sink);
    let give = |item: PackItem| (*sink.borrow_mut())(item);
    let mut aside = |item| match item {
        Item::Skipped(bad) => give(PackItem::Skipped(bad)),
        Item::Object(_) => ControlFlow::Continue(()),
    };
    let mut out = Out::new(format, &options, &mut aside);
    let input = crate::input::open(input, limits.max_input_bytes, format)?.input;
    let stop = |flow: ControlFlow<()>, out: &mut Out<'_, '_>| if flow.is_break() { Err(out.stopped()) } else { Ok(()) };
    let outcome = match format {
        Format::TagPack => tags(input, &mut out, &mut |tag, _, out| stop(give(PackItem::Tag(Box::new(tag))), out)),
        Format::ActorPack => {
            actors(input, &mut out, &mut |actor, _, out| stop(give(PackItem::Actor(Box::new(actor))), out))
        }
        other => Err(ReadError::Options(format!("{other} is neither a tagpack nor an actorpack"))),
    };
    match outcome {
        Ok(()) | Err(ReadError::Stopped) => Ok(out.finish()),
        Err(error) => Err(error),
    }
}

/// Takes one record of a pack, with the place where it stands.
pub(crate) type Take<'t, T> = &'t mut dyn FnMut(T, &Position, &mut Out<'_, '_>) -> Result<(), ReadError>;

/// The tags of a pack, those that cannot be read set aside.
pub(crate) fn tags<'i>(
    input: Box<dyn BufRead + 'i>,
    out: &mut Out<'_, '_>,
    take: Take<'_, PackTag>,
) -> Result<(), ReadError> {
    read_yaml(input, "tags", out, &mut |header, item, number, out| {
        out.record()?;
        let at = Position::of("tag").record(number);
        let Value::Object(own) = item else {
            return out.bad(at, Fault::TagShape, item.to_string().as_bytes());
        };
        if number == 1 {
            for name in header.keys().filter(|name| !known(name)) {
                out.note(&format!("an unknown header field was left out ({})", short(name)));
            }
        }
        match PackTag::new(number, header, &own) {
            Ok(tag) => take(tag, &at, out),
            Err(why) => out.bad(at, why, Value::Object(own).to_string().as_bytes()),
        }
    })
    .map(drop)
}

/// The actors of a pack, those that cannot be read set aside.
pub(crate) fn actors<'i>(
    input: Box<dyn BufRead + 'i>,
    out: &mut Out<'_, '_>,
    take: Take<'_, PackActor>,
) -> Result<(), ReadError> {
    read_yaml(input, "actors", out, &mut |header, item, number, out| {
        out.record()?;
        let at = Position::of("actor").record(number);
        match PackActor::new(number, header, &item) {
            Ok(actor) => take(actor, &at, out),
            Err(why) => out.bad(at, why, item.to_string().as_bytes()),
        }
    })
    .map(drop)
}

fn known(name: &str) -> bool {
    INHERITED.contains(&name) || HEADER.contains(&name)
}

fn short(name: &str) -> String {
    name.chars().take(32).collect()
}

impl PackTag {
    /// A tag from its own fields and the header's.
    fn new(number: u64, header: &Fields, own: &Fields) -> Result<PackTag, Fault> {
        let field = |name: &str| own.get(name).filter(|value| !value.is_null()).or_else(|| header.get(name));
        let text = |name: &str| field(name).and_then(text_of).filter(|text| !text.is_empty());
        let (address, tx_hash) = (text("address"), text("tx_hash"));
        let tagged = address.as_ref().or(tx_hash.as_ref()).ok_or(Fault::TagOfNothing)?;
        if tagged.len() > 256 || tagged.chars().any(char::is_whitespace) {
            return Err(Fault::AddressShape);
        }
        Ok(PackTag {
            number,
            label: text("label").ok_or(Fault::TagLabel)?,
            source: text("source"),
            lastmod: text("lastmod").and_then(|day| crate::dates::from_iso(&day)),
            context: field("context").map(|value| text_of(value).unwrap_or_else(|| crate::canonical_json(value))),
            is_cluster_definer: field("is_cluster_definer").and_then(Value::as_bool),
            tag_type: text("tag_type"),
            concepts: texts_of(field("concepts")),
            abuse: text("abuse"),
            category: text("category"),
            actor: text("actor"),
            title: header.get("title").and_then(text_of),
            creator: header.get("creator").and_then(text_of),
            is_public: header.get("is_public").and_then(Value::as_bool),
            currency: text("currency").map(|text| text.to_ascii_uppercase()),
            network: text("network").map(|text| text.to_ascii_lowercase()),
            confidence: text("confidence"),
            address,
            tx_hash,
        })
    }
}

impl PackActor {
    fn new(number: u64, header: &Fields, item: &Value) -> Result<PackActor, Fault> {
        let field = |name: &str| item.get(name).filter(|value| !value.is_null()).or_else(|| header.get(name));
        let own = |name: &str| item.get(name).and_then(text_of).filter(|text| !text.is_empty());
        let id = own("id").ok_or(Fault::ActorId)?;
        let label = own("label").ok_or(Fault::ActorLabel)?;
        let mut uris = texts_of(field("uri"));
        let context = field("context").map(context_of).unwrap_or_default();
        uris.extend(texts_of(context.get("uris")).into_iter().chain(texts_of(context.get("urls"))));
        Ok(PackActor {
            number,
            id,
            label,
            uris,
            categories: texts_of(field("categories")),
            jurisdictions: texts_of(field("jurisdictions")),
            aliases: texts_of(field("aliases")),
            lastmod: field("lastmod").and_then(text_of).and_then(|day| crate::dates::from_iso(&day)),
            context: field("context").map(|value| text_of(value).unwrap_or_else(|| crate::canonical_json(value))),
            creator: header.get("creator").and_then(text_of),
        })
    }
}

/// The context is JSON inside a text, or a mapping.
fn context_of(value: &Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        other => other.clone(),
    }
}
