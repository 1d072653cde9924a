//! The proof file's JSON: hashes in lower-case hex, the collection as a UUID, one spelling for everything.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use uuid::Uuid;

use super::{MAX_PROOF_BYTES, PROOF_FORMAT, ProofError};
use crate::leaf::LeafFields;

/// Bytes that JSON shows in lower-case hex; capitals are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hex<const N: usize>(pub [u8; N]);

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; N];
        let spelled = !text.bytes().any(|b| b.is_ascii_uppercase());
        match hex::decode_to_slice(&text, &mut bytes) {
            Ok(()) if spelled => Ok(Self(bytes)),
            _ => Err(D::Error::custom("not lower-case hex of the right length")),
        }
    }
}

/// A proof file. [`super::verify_proof_file`] reads it; a node fills it in and writes it with
/// [`ProofFile::to_json`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofFile {
    /// [`PROOF_FORMAT`].
    pub format: String,
    /// The fields that the leaf hashes.
    pub entry: ProofEntry,
    /// Salt and body, unless expunged or not shown.
    pub body: Option<ProofBody>,
    /// From the leaf to the collection's root.
    pub collection_path: Vec<Hex<32>>,
    /// The collection's head, a signed note.
    pub head: String,
    /// The way from the head to the node's checkpoint; absent before the node log's next leaf.
    pub node: Option<ProofNode>,
    /// The node's Ed25519 public key.
    pub public_key: Hex<32>,
}

/// The entry's fields, see [`LeafFields`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each is documented at LeafFields")]
pub struct ProofEntry {
    pub origin: String,
    #[serde(with = "as_uuid")]
    pub collection: [u8; 16],
    pub seq: u64,
    pub id: Hex<32>,
    pub subject: String,
    pub cause: Option<Hex<32>>,
    pub author: u32,
    pub time: i64,
    pub kind: String,
    pub version: u16,
    pub marking: String,
    pub commitment: Hex<32>,
}

/// A body and the salt that its commitment was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofBody {
    /// The commitment's salt.
    pub salt: Hex<32>,
    /// The body, byte for byte (UTF-8 JSON inside a JSON string).
    pub text: String,
}

/// From a collection's head to the checkpoint of the node's own log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofNode {
    /// Place of the head among all heads, in order of collection id.
    pub heads_index: u64,
    /// Number of heads.
    pub heads_count: u64,
    /// From the head's leaf to [`ProofNode::heads_root`].
    pub heads_path: Vec<Hex<32>>,
    /// Root over all heads.
    pub heads_root: Hex<32>,
    /// Salt of the node log's leaf.
    pub salt: Hex<32>,
    /// Hash of the last commit in the node log's leaf.
    pub commit: Hex<32>,
    /// Index of the leaf in the node's log.
    pub index: u64,
    /// From that leaf to the checkpoint's root.
    pub path: Vec<Hex<32>>,
    /// The node's checkpoint, a signed note, with witnesses' cosignatures if there are any.
    pub checkpoint: String,
}

impl ProofFile {
    /// The file's bytes: indented JSON.
    ///
    /// # Errors
    /// None that these types can cause; serde's signature has one.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec_pretty(self)
    }

    /// Reads a file without checking what it claims.
    ///
    /// # Errors
    /// [`ProofError::TooLarge`], [`ProofError::Malformed`], [`ProofError::Format`].
    pub fn from_json(json: &[u8]) -> Result<Self, ProofError> {
        if json.len() > MAX_PROOF_BYTES {
            return Err(ProofError::TooLarge);
        }
        // serde's message may quote the body; the place is enough.
        let malformed = |e: serde_json::Error| ProofError::Malformed { line: e.line(), column: e.column() };
        let file: Self = serde_json::from_slice(json).map_err(malformed)?;
        if file.format == PROOF_FORMAT { Ok(file) } else { Err(ProofError::Format) }
    }
}

impl ProofEntry {
    /// The fields as the leaf hashes them.
    #[must_use]
    pub fn fields(&self) -> LeafFields<'_> {
        LeafFields {
            origin: &self.origin,
            collection: &self.collection,
            seq: self.seq,
            id: &self.id.0,
            subject: &self.subject,
            cause: self.cause.as_ref().map(|cause| &cause.0),
            author: self.author,
            time: self.time,
            kind: &self.kind,
            version: self.version,
            marking: &self.marking,
            commitment: &self.commitment.0,
        }
    }
}

impl From<&LeafFields<'_>> for ProofEntry {
    fn from(fields: &LeafFields<'_>) -> Self {
        Self {
            origin: fields.origin.to_owned(),
            collection: *fields.collection,
            seq: fields.seq,
            id: Hex(*fields.id),
            subject: fields.subject.to_owned(),
            cause: fields.cause.copied().map(Hex),
            author: fields.author,
            time: fields.time,
            kind: fields.kind.to_owned(),
            version: fields.version,
            marking: fields.marking.to_owned(),
            commitment: Hex(*fields.commitment),
        }
    }
}

mod as_uuid {
    use super::{Deserialize, Deserializer, Error, Serializer, Uuid};

    pub fn serialize<S: Serializer>(id: &[u8; 16], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Uuid::from_bytes(*id).hyphenated())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 16], D::Error> {
        let text = String::deserialize(deserializer)?;
        match Uuid::try_parse(&text) {
            Ok(id) if id.hyphenated().to_string() == text => Ok(id.into_bytes()),
            _ => Err(D::Error::custom("not a lower-case UUID")),
        }
    }
}
