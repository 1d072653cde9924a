//! What the node signs: its log's checkpoints, its collections' heads, and the chain of its commits.
//!
//! Format: C2SP signed-note and tlog-checkpoint. An origin is `node/epoch`, with exactly one slash; a collection's
//! head has the origin `node/epoch/COLLECTION`, so that one can never pass for the other.

mod chain;
mod head;
mod note;

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{SigningKey, VerifyingKey};

use crate::tree::Hash;

pub use chain::{ChainError, CommitEntry, CommitRow, FIRST_COMMIT, commit_hash};
pub use head::{Head, head_leaf, heads_root, node_leaf, sign_head, sort_heads, verify_head};
pub use note::{MAX_NOTE_BYTES, MAX_SIGNATURES, NoteSignature, SignedNote, key_id};

/// A tree's size and root under the name of its log: the text of a tlog-checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// `node/epoch`; a restored, shorter log is a new epoch and so a new origin.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
}

/// Why a checkpoint or head is not accepted.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum NoteError {
    /// Not a signed note, or its text is no checkpoint.
    #[error("not a checkpoint: {0}")]
    Malformed(&'static str),
    /// The origin line is another's, or not of the form that is due here.
    #[error("the checkpoint is for origin {found:?}, not {expected:?}")]
    Origin {
        /// As in the note.
        found: String,
        /// As asked for.
        expected: String,
    },
    /// No signature line bears this key's name and id.
    #[error("the checkpoint bears no signature by the expected key")]
    NotSigned,
    /// A signature line bears the key's name and id, but does not hold.
    #[error("signature wrong: the checkpoint was altered, or signed with another key")]
    BadSignature,
}

impl Checkpoint {
    /// The note's text: origin, size, base64 of the root, a line each.
    #[must_use]
    pub fn text(&self) -> String {
        text_of(&self.origin, self.size, &self.root)
    }
}

/// Signs a checkpoint; the key's name is the origin line.
///
/// ```
/// use ed25519_dalek::SigningKey;
/// use ledger::{Checkpoint, sign_checkpoint, verify_checkpoint};
/// let key = SigningKey::from_bytes(&[7; 32]);
/// let checkpoint = Checkpoint { origin: "node.example/1".into(), size: 3, root: [9; 32] };
/// let note = sign_checkpoint(&checkpoint, &key).unwrap();
/// assert_eq!(verify_checkpoint(&note, "node.example/1", &key.verifying_key()), Ok(checkpoint));
/// ```
///
/// # Errors
/// [`NoteError::Malformed`] when the origin is not `node/epoch`.
pub fn sign_checkpoint(checkpoint: &Checkpoint, key: &SigningKey) -> Result<String, NoteError> {
    check_origin(&checkpoint.origin)?;
    Ok(note::sign(&checkpoint.text(), &checkpoint.origin, key))
}

/// Reads a checkpoint without trusting it: no signature is checked.
///
/// # Errors
/// [`NoteError::Malformed`].
pub fn parse_checkpoint(note: &str) -> Result<(Checkpoint, SignedNote<'_>), NoteError> {
    let note = note::parse(note)?;
    let (origin, size, root) = parse_text(note.text)?;
    check_origin(origin)?;
    Ok((Checkpoint { origin: origin.to_owned(), size, root }, note))
}

/// Reads a checkpoint of `origin` and checks the signature of its log's `key`; other signatures are ignored.
///
/// # Errors
/// [`NoteError`].
pub fn verify_checkpoint(note: &str, origin: &str, key: &VerifyingKey) -> Result<Checkpoint, NoteError> {
    let (checkpoint, note) = parse_checkpoint(note)?;
    if checkpoint.origin != origin {
        return Err(NoteError::Origin { found: checkpoint.origin, expected: origin.to_owned() });
    }
    note.verify(origin, key)?;
    Ok(checkpoint)
}

/// The number of an origin's epoch: `node/3.9f86d081884c7d65` is of the third. What follows the dot is drawn by each
/// restore, so that two restores of one backup are two origins.
pub(crate) fn epoch_of(origin: &str) -> Option<u64> {
    let (_, epoch) = origin.split_once('/')?;
    epoch.split_once('.').map_or(epoch, |(number, _)| number).parse().ok()
}

/// A node's origin: `node/epoch`, exactly one slash, no space, plus or control character (signed-note, key names).
fn check_origin(origin: &str) -> Result<(), NoteError> {
    let plain =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+');
    match origin.split_once('/') {
        Some((node, epoch)) if plain(node) && plain(epoch) && !epoch.contains('/') => Ok(()),
        _ => Err(NoteError::Malformed("the origin line is not node/epoch")),
    }
}

fn text_of(origin: &str, size: u64, root: &Hash) -> String {
    format!("{origin}\n{size}\n{}\n", STANDARD.encode(root))
}

/// The three lines of a checkpoint. Extension lines are refused: we write none, and nobody audits them.
fn parse_text(text: &str) -> Result<(&str, u64, Hash), NoteError> {
    let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
    let (Some(origin), Some(size), Some(root), None) = (lines.next(), lines.next(), lines.next(), lines.next()) else {
        return Err(NoteError::Malformed("the text has not exactly three lines"));
    };
    let number: u64 = size.parse().map_err(|_| NoteError::Malformed("the size is no number"))?;
    if number.to_string() != size {
        return Err(NoteError::Malformed("the size has a sign or leading zeros"));
    }
    let root = STANDARD.decode(root).ok().and_then(|root| Hash::try_from(root).ok());
    Ok((origin, number, root.ok_or(NoteError::Malformed("the root is not 32 bytes in base64"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[42; 32])
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: "node.example/1".into(), size: 20_852_163, root: [0xab; 32] }
    }

    #[test]
    fn a_checkpoint_is_byte_for_byte_what_it_was() {
        insta::assert_snapshot!(sign_checkpoint(&checkpoint(), &key()).unwrap());
    }

    #[test]
    fn a_changed_byte_anywhere_in_a_checkpoint_is_found() {
        let note = sign_checkpoint(&checkpoint(), &key()).unwrap();
        for at in 0..note.len() {
            for flip in [1u8, 0x20, 0x80] {
                let mut bytes = note.clone().into_bytes();
                bytes[at] ^= flip;
                let Ok(changed) = String::from_utf8(bytes) else {
                    continue;
                };
                let result = verify_checkpoint(&changed, "node.example/1", &key().verifying_key());
                assert!(result.is_err(), "byte {at} ^ {flip}: {changed}");
            }
        }
    }

    #[test]
    fn anothers_key_name_and_origin_are_told_apart() {
        let note = sign_checkpoint(&checkpoint(), &key()).unwrap();
        let other = SigningKey::from_bytes(&[1; 32]).verifying_key();
        assert_eq!(verify_checkpoint(&note, "node.example/1", &other), Err(NoteError::NotSigned));
        let mine = key().verifying_key();
        assert!(matches!(verify_checkpoint(&note, "node.example/2", &mine), Err(NoteError::Origin { .. })));
        let tampered = note.replace("20852163", "20852164");
        assert_eq!(verify_checkpoint(&tampered, "node.example/1", &mine), Err(NoteError::BadSignature));
    }

    #[test]
    fn witnesses_lines_beside_the_logs_own_are_ignored_but_read() {
        let witness = "— witness.example/w Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";
        let note = sign_checkpoint(&checkpoint(), &key()).unwrap() + witness;
        assert_eq!(verify_checkpoint(&note, "node.example/1", &key().verifying_key()), Ok(checkpoint()));
        assert_eq!(parse_checkpoint(&note).unwrap().1.signatures.len(), 2);
    }

    #[test]
    fn an_origin_that_could_pass_for_a_heads_is_never_signed() {
        for origin in ["", "node", "node/", "/1", "node/1/2", "no de/1", "node/1+2", "node\n/1", "node/1\u{a0}"] {
            let checkpoint = Checkpoint { origin: origin.into(), ..checkpoint() };
            assert!(matches!(sign_checkpoint(&checkpoint, &key()), Err(NoteError::Malformed(_))), "{origin:?}");
        }
    }

    #[test]
    fn sizes_and_roots_have_one_spelling() {
        for (from, to) in
            [("20852163", "020852163"), ("20852163", "+1"), ("20852163", ""), ("q6ur", "q6u\n"), ("\n\n", "\next\n\n")]
        {
            let note = sign_checkpoint(&checkpoint(), &key()).unwrap().replacen(from, to, 1);
            assert!(matches!(parse_checkpoint(&note), Err(NoteError::Malformed(_))), "{note}");
        }
    }
}
