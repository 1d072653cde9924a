//! What comes from elsewhere and is read before anything is believed: proof files, checkpoints, backups' manifests and keys.
use crate::{parse_checkpoint, verify_proof_file};

/// A proof file: nobody makes one up, for the key is asked for.
pub fn proof(bytes: &[u8]) {
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key();
    assert!(verify_proof_file(bytes, Some(&key)).is_err());
    let _any = verify_proof_file(bytes, None);
    if let Ok(file) = crate::ProofFile::from_json(bytes)
        && let Ok(text) = file.to_json()
    {
        assert_eq!(crate::ProofFile::from_json(&text).ok(), Some(file));
    }
}

/// A signed note (C2SP tlog-checkpoint): what is read is written alike.
pub fn checkpoint(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok((checkpoint, _)) = parse_checkpoint(text) {
        assert!(text.starts_with(&checkpoint.text()));
    }
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key();
    assert!(crate::verify_head(text, &key).is_err());
    crate::heads::read_head(text);
}

/// A backup's manifest, and the list of what was expunged since.
pub fn manifest(bytes: &[u8]) {
    let _any = serde_json::from_slice::<crate::Manifest>(bytes);
    let _any = serde_json::from_slice::<crate::erase::Expunge>(bytes);
}

/// The wrapped keys of a backup that somebody else made, and a recovery key's file.
pub fn wrapped(bytes: &[u8]) {
    crate::backup::unwrap_anything(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _any = crate::Unwrap::with_recovery_keys(text);
        let _any = crate::Wrap::to_recipients(&text.lines().collect::<Vec<_>>());
    }
}

#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    #[test]
    fn no_seed_and_nothing_a_fuzzer_found_breaks_a_rule() {
        super::replay::replay(
            env!("CARGO_MANIFEST_DIR"),
            &[
                ("proof", super::proof),
                ("checkpoint", super::checkpoint),
                ("manifest", super::manifest),
                ("wrapped", super::wrapped),
            ],
        );
    }
}
