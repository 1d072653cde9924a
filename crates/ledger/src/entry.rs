use std::fmt;
use std::sync::Arc;

/// A collection's id: random, 16 bytes, shown as a UUID. A collection is an audience: who may read it may read all of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct CollectionId(pub uuid::Uuid);

/// The collection of what comes in, with the id every TAXII client of a node can rely on.
pub const INTAKE: CollectionId = CollectionId(uuid::Uuid::from_u128(0x4d1c3a5e_5c0f_4f0e_9b52_6d2f6f0a7e10));

/// What `house`'s and `restricted`'s ids are derived from beside the node's key.
pub const HOUSE_SEED: &str = "collection";

impl CollectionId {
    /// A new random id.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4())
    }
    /// The 16 bytes that stand in the leaf.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for CollectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}
impl fmt::Debug for CollectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}
impl std::str::FromStr for CollectionId {
    type Err = uuid::Error;
    fn from_str(s: &str) -> Result<Self, uuid::Error> {
        uuid::Uuid::try_parse(s).map(Self)
    }
}

/// What sort of thing an entry says, a short lower-case word that its room owns, such as `stix` or `account`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Kind(pub(crate) Arc<str>);

impl Kind {
    /// A kind by its word.
    pub fn new(word: &str) -> Self {
        Self(Arc::from(word))
    }
    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl PartialEq<str> for Kind {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}
impl PartialEq<&str> for Kind {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

/// One row of the log, as folds and doors read it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// This node's number for it, dense from 1; it never leaves the node.
    pub pos: u64,
    /// `node/epoch` that wrote it.
    pub origin: Arc<str>,
    /// The audience it stands in.
    pub collection: CollectionId,
    /// The collection's small number on this node: what views store. It never leaves the node.
    pub col: u32,
    /// The leaf's index in its collection's tree, from 0.
    pub seq: u64,
    /// What tells "the same again".
    pub id: [u8; 32],
    /// What it is about: a STIX object's id, an account, a case; empty when about nothing.
    pub subject: Arc<str>,
    /// `pos` of the import that brought it.
    pub cause: Option<u64>,
    /// The account that wrote it; 0 is the node itself.
    pub author: u32,
    /// The author's claimed time, µs since the epoch.
    pub time: i64,
    /// When this node took it, µs since the epoch, strictly increasing.
    pub arrived: i64,
    /// What sort of thing it says.
    pub kind: Kind,
    /// The kind's schema version.
    pub version: u16,
    /// The effective marking, such as `TLP:AMBER`, caveats after a space.
    pub marking: Arc<str>,
    /// SHA-256(salt ‖ body).
    pub commitment: [u8; 32],
    /// The leaf's hash.
    pub leaf: [u8; 32],
    /// For a share: the `pos` whose body it carries.
    pub body_of: Option<u64>,
    /// The body, unless it was expunged.
    pub body: Option<Arc<str>>,
}
