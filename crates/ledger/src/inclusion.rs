//! The proof file: one object, and all that shows offline that it stands in a node's ledger.
//!
//! Owns its JSON format and the check; reads no store and trusts nothing in the file but what a signature covers.
//! Flow: body → commitment → leaf → collection's head (signed) → root over heads → node's leaf → checkpoint (signed).

mod json;

use ed25519_dalek::VerifyingKey;

use crate::checkpoint::{
    Checkpoint, Head, NoteError, epoch_of, head_leaf, node_leaf, parse_checkpoint, verify_checkpoint, verify_head,
};
use crate::leaf::{commitment, leaf_hash};
use crate::tree::{Hash, PathError, verify_inclusion};

pub use json::{Hex, ProofBody, ProofEntry, ProofFile, ProofNode};

/// The format's name and version, as in the file's first field.
pub const PROOF_FORMAT: &str = "compound-eye-proof/1";
/// Largest proof file read, bytes: one body of the largest size, escaped.
pub const MAX_PROOF_BYTES: usize = 128 << 20;

/// What a proof file proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Index of the entry in its collection.
    pub seq: u64,
    /// The collection's head that it stands under.
    pub head: Head,
    /// Whether the file carries the body; without it (expunged, or not shown) only the entry's fields are proved.
    pub body: bool,
    /// The checkpoint of the node's log that fixes the head, when the file carries the way there. Without it the
    /// node vouches for the head, but could have shown others another.
    pub checkpoint: Option<Checkpoint>,
    /// Whether the key was one that the reader expected. If not, the proof says only that *some* key signed.
    pub key_expected: bool,
}

/// What exactly does not hold in a proof file.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum ProofError {
    /// Longer than [`MAX_PROOF_BYTES`].
    #[error("proof file is larger than 128 MiB")]
    TooLarge,
    /// Not JSON of the format.
    #[error("not a proof file: line {line}, column {column} is not as the format has it")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Another version.
    #[error("proof file is not of format compound-eye-proof/1; use the `eye` that wrote it, or a newer one")]
    Format,
    /// The public key is no usable Ed25519 key.
    #[error("the public key in the file is not a valid Ed25519 key")]
    BadKey,
    /// Another key than expected.
    #[error("the file is signed with another key than the one expected of this node")]
    OtherKey,
    /// Salt and body do not give the commitment.
    #[error("body does not match commitment")]
    Body,
    /// The head's signature or text.
    #[error("head signature wrong: {0}")]
    Head(#[source] NoteError),
    /// A head, but not of this entry's collection.
    #[error("head belongs to another collection or origin than the entry")]
    OtherHead,
    /// The entry's fields or path.
    #[error("leaf not under head: {0}")]
    Leaf(#[source] PathError),
    /// The head's path to the root over heads.
    #[error("head not under the root over all heads: {0}")]
    Heads(#[source] PathError),
    /// The checkpoint's signature or text.
    #[error("checkpoint signature wrong: {0}")]
    Checkpoint(#[source] NoteError),
    /// The node log's leaf.
    #[error("node log's leaf not under checkpoint: {0}")]
    Node(#[source] PathError),
}

/// Checks a proof file; needs nothing else. Pass the node's key if you know it: without it the file may have been
/// made, whole, by anybody, and [`Verified::key_expected`] is false.
///
/// # Errors
/// [`ProofError`] names the first link that does not hold.
pub fn verify_proof_file(json: &[u8], expected_key: Option<&VerifyingKey>) -> Result<Verified, ProofError> {
    let file = ProofFile::from_json(json)?;
    let key = VerifyingKey::from_bytes(&file.public_key.0).map_err(|_| ProofError::BadKey)?;
    if key.is_weak() {
        return Err(ProofError::BadKey);
    }
    if expected_key.is_some_and(|expected| *expected != key) {
        return Err(ProofError::OtherKey);
    }
    let entry = file.entry.fields();
    if let Some(body) = &file.body
        && commitment(&body.salt.0, body.text.as_bytes()) != *entry.commitment
    {
        return Err(ProofError::Body);
    }
    let head = verify_head(&file.head, &key).map_err(ProofError::Head)?;
    if !covers(&head.origin, entry.origin) || head.collection != *entry.collection {
        return Err(ProofError::OtherHead);
    }
    let path = hashes(&file.collection_path);
    verify_inclusion(&leaf_hash(&entry), entry.seq, head.size, &path, &head.root).map_err(ProofError::Leaf)?;
    let checkpoint = file.node.as_ref().map(|node| verify_node(node, &head, &key)).transpose()?;
    Ok(Verified { seq: entry.seq, head, body: file.body.is_some(), checkpoint, key_expected: expected_key.is_some() })
}

fn verify_node(node: &ProofNode, head: &Head, key: &VerifyingKey) -> Result<Checkpoint, ProofError> {
    let path = hashes(&node.heads_path);
    verify_inclusion(&head_leaf(head), node.heads_index, node.heads_count, &path, &node.heads_root.0)
        .map_err(ProofError::Heads)?;
    // The node may have opened a new epoch since; the checkpoint's own origin names it, the key is the same node's.
    let (found, _) = parse_checkpoint(&node.checkpoint).map_err(ProofError::Checkpoint)?;
    let same_node = node_name(&found.origin) == node_name(&head.origin);
    let expected = if same_node { &found.origin } else { &head.origin };
    let checkpoint = verify_checkpoint(&node.checkpoint, expected, key).map_err(ProofError::Checkpoint)?;
    let leaf = node_leaf(&node.salt.0, &node.heads_root.0, &node.commit.0);
    let path = hashes(&node.path);
    verify_inclusion(&leaf, node.index, checkpoint.size, &path, &checkpoint.root).map_err(ProofError::Node)?;
    Ok(checkpoint)
}

/// A head covers what its own node wrote in its epoch or before: a restored log goes on under the next one.
fn covers(head: &str, entry: &str) -> bool {
    let (after, before) = (epoch_of(head), epoch_of(entry));
    head == entry || (node_name(head) == node_name(entry) && before.is_some() && after > before)
}

fn node_name(origin: &str) -> &str {
    origin.split_once('/').map_or(origin, |(node, _)| node)
}

fn hashes(path: &[Hex<32>]) -> Vec<Hash> {
    path.iter().map(|hash| hash.0).collect()
}
