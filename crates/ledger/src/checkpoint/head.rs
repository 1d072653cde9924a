//! Heads of collections, the root over all of them, and the leaf that the node's own log takes.

use ed25519_dalek::{SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{NoteError, check_origin, note, parse_text, text_of};
use crate::tree::{Hash, root_of};

/// A collection's size and root at its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The writing node, `node/epoch`.
    pub origin: String,
    /// The collection's id.
    pub collection: [u8; 16],
    /// Number of its entries.
    pub size: u64,
    /// Root over their leaf hashes.
    pub root: Hash,
}

impl Head {
    /// `node/epoch/COLLECTION`, the collection as a UUID in lower case.
    #[must_use]
    pub fn origin_line(&self) -> String {
        format!("{}/{}", self.origin, Uuid::from_bytes(self.collection).hyphenated())
    }

    /// The text that is signed, and that the head's leaf hashes.
    #[must_use]
    pub fn text(&self) -> String {
        text_of(&self.origin_line(), self.size, &self.root)
    }
}

/// Signs a head as a signed note; the key's name is the origin line.
///
/// # Errors
/// [`NoteError::Malformed`] when the head's origin is not `node/epoch`.
pub fn sign_head(head: &Head, key: &SigningKey) -> Result<String, NoteError> {
    check_origin(&head.origin)?;
    Ok(note::sign(&head.text(), &head.origin_line(), key))
}

/// Reads a signed head and checks its node's signature. Whose head it is, is for the caller to compare.
///
/// # Errors
/// [`NoteError`].
pub fn verify_head(note: &str, key: &VerifyingKey) -> Result<Head, NoteError> {
    let note = note::parse(note)?;
    let (line, size, root) = parse_text(note.text)?;
    let parts = line.rsplit_once('/').and_then(|(origin, id)| Some((origin, Uuid::try_parse(id).ok()?)));
    let (origin, id) = parts.ok_or(NoteError::Malformed("the origin line does not end in a collection's id"))?;
    check_origin(origin)?;
    let head = Head { origin: origin.to_owned(), collection: id.into_bytes(), size, root };
    if head.origin_line() != line {
        return Err(NoteError::Malformed("the collection's id is not in its one spelling"));
    }
    note.verify(line, key)?;
    Ok(head)
}

/// A head's leaf in the tree over all heads: `SHA-256(0x00 ‖ text of the head)`.
#[must_use]
pub fn head_leaf(head: &Head) -> Hash {
    let mut hash = Sha256::new();
    hash.update([0x00]);
    hash.update(head.text());
    hash.finalize().into()
}

/// Puts heads into the order in which [`heads_root`] hashes them: by collection id, then origin.
pub fn sort_heads(heads: &mut [Head]) {
    heads.sort_by(|a, b| (a.collection, &a.origin).cmp(&(b.collection, &b.origin)));
}

/// The RFC 6962 root over the heads' leaves in order of collection id, whatever order they come in.
///
/// For the path of one head: [`sort_heads`], then [`crate::inclusion_proof`] over the [`head_leaf`]s.
#[must_use]
pub fn heads_root(heads: &[Head]) -> Hash {
    let mut sorted: Vec<&Head> = heads.iter().collect();
    sorted.sort_by(|a, b| (a.collection, &a.origin).cmp(&(b.collection, &b.origin)));
    root_of(&sorted.into_iter().map(head_leaf).collect::<Vec<_>>())
}

/// The leaf that the node's log takes once a minute:
/// `SHA-256(0x00 ‖ salt ‖ root over all heads ‖ hash of the last commit)`. The salt keeps an outsider from telling
/// two quiet minutes apart from two busy ones.
#[must_use]
pub fn node_leaf(salt: &[u8; 32], heads_root: &Hash, commit_hash: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update([0x00]);
    hash.update(salt);
    hash.update(heads_root);
    hash.update(commit_hash);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(n: u8) -> Head {
        Head { origin: "node.example/1".into(), collection: [n; 16], size: u64::from(n), root: [n; 32] }
    }

    #[test]
    fn a_head_is_byte_for_byte_what_it_was() {
        let key = SigningKey::from_bytes(&[42; 32]);
        insta::assert_snapshot!(sign_head(&head(7), &key).unwrap());
    }

    #[test]
    fn a_head_round_trips_and_a_changed_byte_is_found() {
        let key = SigningKey::from_bytes(&[42; 32]);
        let note = sign_head(&head(0xa7), &key).unwrap();
        assert_eq!(verify_head(&note, &key.verifying_key()), Ok(head(0xa7)));
        for at in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[at] ^= 0x20;
            let Ok(changed) = String::from_utf8(bytes) else {
                continue;
            };
            assert!(verify_head(&changed, &key.verifying_key()).is_err(), "{changed}");
        }
    }

    #[test]
    fn a_checkpoint_is_no_head_and_a_head_no_checkpoint() {
        let key = SigningKey::from_bytes(&[42; 32]);
        let head_note = sign_head(&head(1), &key).unwrap();
        assert!(super::super::parse_checkpoint(&head_note).is_err());
        let epoch = Uuid::from_bytes([3; 16]);
        let checkpoint = super::super::Checkpoint { origin: format!("node/{epoch}"), size: 1, root: [1; 32] };
        let note = super::super::sign_checkpoint(&checkpoint, &key).unwrap();
        assert!(verify_head(&note, &key.verifying_key()).is_err());
    }

    #[test]
    fn the_root_over_heads_does_not_depend_on_their_order_but_on_every_field() {
        let heads: Vec<Head> = (0..5).map(head).collect();
        let root = heads_root(&heads);
        let mut shuffled = heads.clone();
        shuffled.reverse();
        assert_eq!(heads_root(&shuffled), root);
        sort_heads(&mut shuffled);
        assert_eq!(shuffled, heads);
        for at in 0..5 {
            let mut changed = heads.clone();
            changed[at].size += 1;
            assert_ne!(heads_root(&changed), root);
        }
        assert_ne!(heads_root(&heads[..4]), root);
        assert_eq!(heads_root(&[]), crate::tree::EMPTY_ROOT);
    }

    #[test]
    fn the_node_leaf_depends_on_all_its_parts() {
        let leaf = node_leaf(&[1; 32], &[2; 32], &[3; 32]);
        assert_ne!(leaf, node_leaf(&[0; 32], &[2; 32], &[3; 32]));
        assert_ne!(leaf, node_leaf(&[1; 32], &[0; 32], &[3; 32]));
        assert_ne!(leaf, node_leaf(&[1; 32], &[2; 32], &[0; 32]));
    }
}
