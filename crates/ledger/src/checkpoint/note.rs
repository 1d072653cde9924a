//! C2SP signed notes: a text, a blank line, signature lines.

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::NoteError;

/// Longest note read, bytes: 16 post-quantum signatures of 5 KB must fit.
pub const MAX_NOTE_BYTES: usize = 128 * 1024;
/// Most signature lines read; the specification asks for at least 16.
pub const MAX_SIGNATURES: usize = 32;

/// signed-note, "Signature types": Ed25519.
const ED25519: u8 = 0x01;

/// A note that was read but not trusted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote<'a> {
    /// What is signed, with its last newline.
    pub text: &'a str,
    /// All signature lines, known or not.
    pub signatures: Vec<NoteSignature<'a>>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature<'a> {
    /// The key's name.
    pub name: &'a str,
    /// The key's id, see [`key_id`].
    pub key_id: [u8; 4],
    /// The bytes after the key id.
    pub signature: Vec<u8>,
}

/// `SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key)[:4]`, for Ed25519 keys.
#[must_use]
pub fn key_id(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let mut hash = Sha256::new();
    hash.update(name);
    hash.update([b'\n', ED25519]);
    hash.update(key.as_bytes());
    let [a, b, c, d, ..]: [u8; 32] = hash.finalize().into();
    [a, b, c, d]
}

pub(super) fn sign(text: &str, name: &str, key: &SigningKey) -> String {
    let signature = key.sign(text.as_bytes()).to_bytes();
    let line = STANDARD.encode([&key_id(name, &key.verifying_key())[..], &signature].concat());
    format!("{text}\n— {name} {line}\n")
}

pub(super) fn parse(note: &str) -> Result<SignedNote<'_>, NoteError> {
    if note.len() > MAX_NOTE_BYTES {
        return Err(NoteError::Malformed("longer than 128 KiB"));
    }
    if note.contains(|c: char| c < ' ' && c != '\n') {
        return Err(NoteError::Malformed("it holds control characters"));
    }
    let Some(blank) = note.rfind("\n\n") else {
        return Err(NoteError::Malformed("no blank line before the signatures"));
    };
    let (Some(text), Some(lines)) = (note.get(..=blank), note.get(blank + 2..)) else {
        return Err(NoteError::Malformed("no blank line before the signatures"));
    };
    let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed("the last line does not end"))?;
    let signatures = lines.split('\n').take(MAX_SIGNATURES + 1).map(parse_line).collect::<Result<Vec<_>, _>>()?;
    if signatures.len() > MAX_SIGNATURES {
        return Err(NoteError::Malformed("more than 32 signature lines"));
    }
    Ok(SignedNote { text, signatures })
}

fn parse_line(line: &str) -> Result<NoteSignature<'_>, NoteError> {
    let malformed = NoteError::Malformed("a signature line is not `— name base64`");
    let parts = line.strip_prefix("— ").and_then(|rest| rest.split_once(' '));
    let (name, encoded) = parts.ok_or_else(|| malformed.clone())?;
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '+') {
        return Err(malformed);
    }
    let bytes = STANDARD.decode(encoded).map_err(|_| malformed.clone())?;
    match bytes.split_first_chunk::<4>() {
        Some((key_id, signature)) if !signature.is_empty() => {
            Ok(NoteSignature { name, key_id: *key_id, signature: signature.to_vec() })
        }
        _ => Err(malformed),
    }
}

impl SignedNote<'_> {
    /// Checks the signature of this key. Lines of other keys are ignored; one of this key that fails refuses the note.
    ///
    /// # Errors
    /// [`NoteError::NotSigned`], [`NoteError::BadSignature`].
    pub fn verify(&self, name: &str, key: &VerifyingKey) -> Result<(), NoteError> {
        let id = key_id(name, key);
        let mut signed = false;
        for line in self.signatures.iter().filter(|line| line.name == name && line.key_id == id) {
            let signature = Signature::from_slice(&line.signature).map_err(|_| NoteError::BadSignature)?;
            // Strict: no small-order keys, one encoding only (RFC 8032 section 5.1.7, without cofactor).
            key.verify_strict(self.text.as_bytes(), &signature).map_err(|_| NoteError::BadSignature)?;
            signed = true;
        }
        if signed { Ok(()) } else { Err(NoteError::NotSigned) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in the specification's Ed25519 form: name and key of Go's `golang.org/x/mod/sumdb/note` docs,
    /// `PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW`.
    #[test]
    fn gos_own_example_note_verifies() {
        let key = STANDARD.decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
        let key = VerifyingKey::from_bytes(&key[1..].try_into().unwrap()).unwrap();
        assert_eq!(key_id("PeterNeumann", &key), [0xc7, 0x4f, 0x20, 0xa3]);
        let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
                    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let note = parse(note).unwrap();
        assert_eq!(note.verify("PeterNeumann", &key), Ok(()));
        assert_eq!(note.verify("SomebodyElse", &key), Err(NoteError::NotSigned));
    }

    #[test]
    fn notes_without_bound_are_refused() {
        let line = "— a.example AAAAAAAA\n";
        let note = |n: usize| format!("text\n\n{}", line.repeat(n));
        assert_eq!(parse(&note(MAX_SIGNATURES)).unwrap().signatures.len(), MAX_SIGNATURES);
        assert!(parse(&note(MAX_SIGNATURES + 1)).is_err());
        assert!(parse(&format!("{}\n\n{line}", "x".repeat(MAX_NOTE_BYTES))).is_err());
        for bad in
            ["", "\n", "text\n\n", "text\n\n— a AAAA\n", "text\n\n- a.example AAAAAAAA\n", "te\rxt\n\n— a AAAAAAAA\n"]
        {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
