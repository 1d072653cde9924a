//! YAML within budgets: a pack is one mapping with a header and one long list, read item by item.

use crate::record::{Out, Position, ReadError};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::cell::Cell;
use std::fmt;
use std::io::BufRead;

/// A header value inherited by items, or an item: scalars, lists and small mappings as JSON.
pub(crate) type Fields = Map<String, Value>;

/// Takes one item: the header as far as it was read, the item, its number.
pub(crate) type Each<'e> = &'e mut dyn FnMut(&Fields, Value, u64, &mut Out<'_, '_>) -> Result<(), ReadError>;

/// Reads a pack: `each` gets the header as far as it stood before the list, the item, and its number.
///
/// A header field after the list cannot be inherited by items that were handed over already: it is refused.
pub(crate) fn read_pack<'i>(
    input: Box<dyn BufRead + 'i>,
    list: &'static str,
    out: &mut Out<'_, '_>,
    each: Each<'_>,
) -> Result<Fields, ReadError> {
    let limits = out.options.limits.clone();
    let failure: Cell<Option<ReadError>> = Cell::new(None);
    let count = Cell::new(0_u64);
    let budget = serde_saphyr::budget! {
        max_reader_input_bytes: Some(usize::try_from(limits.max_input_bytes).unwrap_or(usize::MAX)),
        max_depth: limits.max_depth,
        max_aliases: 1_000,
        max_anchors: 1_000,
        max_recorded_anchor_events: 10_000,
        max_recorded_anchor_bytes: 1 << 20,
        max_events: 400_000_000,
        max_nodes: 200_000_000,
        max_total_scalar_bytes: usize::try_from(limits.max_input_bytes).unwrap_or(usize::MAX),
    };
    let options = serde_saphyr::options! {
        budget: budget,
        with_snippet: false,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::FirstWins,
    };
    let seed = PackSeed { list, out, each, failure: &failure, count: &count };
    let outcome = serde_saphyr::with_deserializer_from_reader_with_options(input, options, |de| seed.deserialize(de));
    if let Some(failure) = failure.take() {
        return Err(failure);
    }
    outcome.map_err(|error| {
        let mut at = Position::of("YAML");
        at.line = error.location().map(|location| location.line());
        at.record = (count.get() > 0).then_some(count.get());
        ReadError::Malformed {
            at,
            format: if list == "actors" { "actorpack" } else { "tagpack" },
            why: words_of(&error),
        }
    })
}

/// What is wrong with the YAML, without repeating its text.
fn words_of(error: &serde_saphyr::Error) -> String {
    let text = error.to_string();
    // Quoted parts may be values of the file.
    let head = text.lines().next().unwrap_or_default().split(['"', '`', '\'']).next().unwrap_or_default();
    let head: String = head.chars().take(160).collect();
    if text.contains("udget") || text.contains("alias") {
        return format!("over a limit on aliases, nesting or size ({head})");
    }
    head
}

struct PackSeed<'p, 'a, 's> {
    list: &'static str,
    out: &'p mut Out<'a, 's>,
    each: Each<'p>,
    failure: &'p Cell<Option<ReadError>>,
    count: &'p Cell<u64>,
}

impl<'de> DeserializeSeed<'de> for PackSeed<'_, '_, '_> {
    type Value = Fields;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Fields, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PackSeed<'_, '_, '_> {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a pack with a header and `{}`", self.list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut header = Fields::new();
        let mut listed = false;
        while let Some(name) = map.next_key::<String>()? {
            if name == self.list && !listed {
                listed = true;
                map.next_value_seed(ListSeed {
                    header: &header,
                    out: &mut *self.out,
                    each: &mut *self.each,
                    failure: self.failure,
                    count: self.count,
                })?;
            } else if listed && name != "context" && name != "description" {
                return Err(serde::de::Error::custom("a header field comes after the list; move it above"));
            } else {
                let value = field(&name, &mut map)?;
                header.insert(name, value);
            }
        }
        if !listed {
            return Err(serde::de::Error::custom(format!("there is no `{}` in the pack", self.list)));
        }
        Ok(header)
    }
}

struct ListSeed<'p, 'a, 's> {
    header: &'p Fields,
    out: &'p mut Out<'a, 's>,
    each: Each<'p>,
    failure: &'p Cell<Option<ReadError>>,
    count: &'p Cell<u64>,
}

impl<'de> DeserializeSeed<'de> for ListSeed<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ListSeed<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element::<Item>()?.map(|item| item.0) {
            self.count.set(self.count.get() + 1);
            if let Err(error) = (self.each)(self.header, item, self.count.get(), self.out) {
                self.failure.set(Some(error));
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Err(serde::de::Error::custom("a list was expected, not a mapping"))
    }
}

/// Fields that are one text, whatever YAML would make of it: an address of digits is no number.
const TEXTS: [&str; 7] = ["address", "tx_hash", "label", "id", "actor", "lastmod", "currency"];

fn field<'de, A: MapAccess<'de>>(name: &str, map: &mut A) -> Result<Value, A::Error> {
    if TEXTS.contains(&name) {
        return Ok(map.next_value::<Option<String>>()?.map_or(Value::Null, Value::String));
    }
    map.next_value::<Value>()
}

/// One item of the list; its [`TEXTS`] are kept as they are spelled.
struct Item(Value);

impl<'de> serde::Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping of fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
        let mut fields = Fields::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = field(&name, &mut map)?;
            fields.insert(name, value);
        }
        Ok(Item(Value::Object(fields)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Item, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Item(Value::Array(Vec::new())))
    }

    fn visit_str<E>(self, text: &str) -> Result<Item, E> {
        Ok(Item(text.into()))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Item, E> {
        Ok(Item(flag.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Item, E> {
        Ok(Item(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Item, E> {
        Ok(Item(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Item, E> {
        Ok(Item(number.into()))
    }

    fn visit_unit<E>(self) -> Result<Item, E> {
        Ok(Item(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Item, E> {
        Ok(Item(Value::Null))
    }
}

/// A scalar as text: YAML reads `0x12` as a number and `yes` as a word, sources mean what they wrote.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// A field that may be one text or a list of them.
pub(crate) fn texts_of(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(text_of).collect(),
        Some(one) => text_of(one).into_iter().collect(),
        None => Vec::new(),
    }
}
