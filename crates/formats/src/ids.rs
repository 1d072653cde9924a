//! Ids of converted objects: deterministic ones for standard observables, keyed ones for everything else.

use crate::canonical::write_sorted;
use crate::vocabulary::SCO_NAMESPACE;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;
use uuid::{Builder, Uuid};

/// Makes the id of a converted object from what names its record in the source.
///
/// The same `(object_type, parts)` must give the same id on every run, and nobody without the node's key
/// may find the parts from the id.
pub trait IdMaker {
    /// A STIX id `object_type--uuid`, the uuid of version 4's shape. `parts` are format, source, record key.
    fn id(&self, object_type: &str, parts: &[&str]) -> String;
}

/// An [`IdMaker`] that computes HMAC-SHA-256 over type and parts, each with its length, under a 32-byte key.
///
/// ```
/// use formats::IdMaker;
/// let ids = formats::KeyedIds::new([1; 32]);
/// let id = ids.id("identity", &["ofac-sdn", "sdn.xml", "36"]);
/// assert!(id.starts_with("identity--") && id.len() == 46);
/// assert_ne!(id, ids.id("identity", &["ofac-sdn", "sdn.xml3", "6"]));
/// ```
pub struct KeyedIds {
    /// It has taken the key in, and nothing else.
    keyed: Hmac<Sha256>,
}

impl KeyedIds {
    /// Ids under this key, 32 bytes: the node's, or a fixed one in tests.
    pub fn new(key: [u8; 32]) -> Self {
        Self { keyed: <Hmac<Sha256> as KeyInit>::new(&(&key).into_block()) }
    }
}

impl IdMaker for KeyedIds {
    fn id(&self, object_type: &str, parts: &[&str]) -> String {
        let mut mac = self.keyed.clone();
        for part in std::iter::once(&object_type).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let digest = mac.finalize().into_bytes();
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(digest.iter()) {
            *to = *from;
        }
        let uuid: Uuid = Builder::from_random_bytes(bytes).into_uuid();
        format!("{object_type}--{uuid}")
    }
}

/// HMAC pads keys to its block of 64 bytes with zeros (RFC 2104 section 2).
trait IntoBlock {
    fn into_block(self) -> hmac::digest::Key<Hmac<Sha256>>;
}

impl IntoBlock for &[u8; 32] {
    fn into_block(self) -> hmac::digest::Key<Hmac<Sha256>> {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        for (to, from) in block.iter_mut().zip(self) {
            *to = *from;
        }
        block
    }
}

/// The properties that contribute to the id of a standard observable (STIX 2.1 section 6, "ID Contributing
/// Properties"), or nothing for types whose ids are random or ours to keep.
fn contributing(object_type: &str) -> &'static [&'static str] {
    match object_type {
        "artifact" => &["hashes", "payload_bin"],
        "autonomous-system" => &["number"],
        "directory" => &["path"],
        "domain-name" | "email-addr" | "ipv4-addr" | "ipv6-addr" | "mac-addr" | "url" => &["value"],
        "cryptocurrency-wallet" => &["value"],
        "cryptocurrency-transaction" => &["symbol", "value"],
        "email-message" => &["from_ref", "subject", "body"],
        "file" => &["hashes", "name", "extensions", "parent_directory_ref"],
        "mutex" => &["name"],
        "network-traffic" => &["start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions"],
        "software" => &["name", "cpe", "swid", "vendor", "version"],
        "user-account" => &["account_type", "user_id", "account_login"],
        "windows-registry-key" => &["key", "values"],
        "x509-certificate" => &["hashes", "serial_number"],
        _ => &[],
    }
}

/// The deterministic id of an observable: UUIDv5 in STIX's namespace over the RFC 8785 form of its
/// contributing properties. `None` when the type has none, or the object carries none of them.
///
/// ```
/// let domain = serde_json::json!({"type": "domain-name", "value": "example.com"});
/// let id = formats::deterministic_id(domain.as_object().unwrap());
/// assert_eq!(id.as_deref(), Some("domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7"));
/// ```
pub fn deterministic_id(members: &Map<String, Value>) -> Option<String> {
    deterministic(members.get("type")?.as_str()?, |name| members.get(name))
}

/// The same for properties that stand in whatever `of` looks into.
pub(crate) fn deterministic<'v>(object_type: &str, of: impl Fn(&str) -> Option<&'v Value>) -> Option<String> {
    let names = contributing(object_type);
    let hashes = names.iter().find(|name| **name == "hashes").and_then(|name| of(name)).map(one_hash);
    let chosen: Vec<(&str, &Value)> = names
        .iter()
        .filter_map(|name| Some((*name, if *name == "hashes" { hashes.as_ref()? } else { of(name)? })))
        .collect();
    if chosen.is_empty() {
        return None;
    }
    let mut text = String::new();
    write_sorted(chosen, &mut text);
    let uuid = Uuid::new_v5(&SCO_NAMESPACE, text.as_bytes());
    Some(format!("{object_type}--{uuid}"))
}

/// Of several hashes only one contributes, the first there is in this order (STIX 2.1 section 6.7.1).
fn one_hash(hashes: &Value) -> Value {
    for name in ["MD5", "SHA-1", "SHA-256", "SHA-512"] {
        if let Some(hash) = hashes.get(name) {
            return serde_json::json!({ name: hash });
        }
    }
    // None of them: the first by name, as the body spells it.
    let first = hashes.as_object().and_then(|members| members.iter().min_by_key(|(name, _)| name.as_str()));
    first.map_or_else(|| hashes.clone(), |(name, hash)| serde_json::json!({ name: hash }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_shape_of_uuid_version_4_and_depend_on_the_key() {
        let (one, two) = (KeyedIds::new([1; 32]), KeyedIds::new([2; 32]));
        let id = one.id("note", &["a", "b"]);
        let uuid = Uuid::parse_str(&id["note--".len()..]).unwrap();
        assert_eq!(uuid.get_version_num(), 4);
        assert_ne!(id, two.id("note", &["a", "b"]));
    }

    #[test]
    fn a_deterministic_id_does_not_depend_on_other_properties() {
        let bare = serde_json::json!({"type": "ipv4-addr", "value": "198.51.100.3"});
        let more = serde_json::json!({"type": "ipv4-addr", "value": "198.51.100.3", "x": 1});
        let id = deterministic_id(bare.as_object().unwrap());
        assert_eq!(id, deterministic_id(more.as_object().unwrap()));
        assert_eq!(id.unwrap(), "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4");
    }
}
