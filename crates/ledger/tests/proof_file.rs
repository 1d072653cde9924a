//! The rules that a proof file must keep: what it says, every flipped byte, every broken link by its name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use ed25519_dalek::SigningKey;
use ledger::{
    Checkpoint, Hash, Head, Hex, LeafFields, NoteError, PROOF_FORMAT, PathError, ProofBody, ProofError, ProofFile,
    ProofNode, commitment, head_leaf, heads_root, inclusion_proof, leaf_hash, node_leaf, root_of, sign_checkpoint,
    sign_head, sort_heads, verify_proof_file,
};
use sha2::{Digest, Sha256};

fn hash(n: u64) -> Hash {
    Sha256::digest(n.to_be_bytes()).into()
}

const BODY: &str =
    r#"{"type":"domain-name","id":"domain-name--3c10e93f-798e-5a26-a0c1-08156efab7f5","value":"exercise.example"}"#;

fn fields<'a>(seq: u64, commitment: &'a Hash) -> LeafFields<'a> {
    LeafFields {
        origin: "node.example/1",
        collection: &[0x4d; 16],
        seq,
        id: &[3; 32],
        subject: "domain-name--3c10e93f-798e-5a26-a0c1-08156efab7f5",
        cause: Some(&[4; 32]),
        author: 7,
        time: 1_764_000_000_000_000,
        kind: "stix",
        version: 1,
        marking: "amber",
        commitment,
    }
}

#[test]
fn a_leaf_hash_is_what_it_was() {
    let commitment = commitment(&[5; 32], BODY.as_bytes());
    let with = fields(123, &commitment);
    let without = LeafFields { cause: None, time: -1, ..with };
    insta::assert_snapshot!(format!("{}\n{}", hex::encode(leaf_hash(&with)), hex::encode(leaf_hash(&without))));
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[42; 32])
}

fn hexes(path: Vec<Hash>) -> Vec<Hex<32>> {
    path.into_iter().map(Hex).collect()
}

/// One object in a collection of 300, among three heads, in a node log of five leaves.
fn proof() -> ProofFile {
    let commitment = commitment(&[5; 32], BODY.as_bytes());
    let entry = fields(123, &commitment);
    let mut leaves: Vec<Hash> = (0..300).map(hash).collect();
    leaves[123] = leaf_hash(&entry);
    let head = Head { origin: "node.example/1".into(), collection: [0x4d; 16], size: 300, root: root_of(&leaves) };
    let other = |n| Head { origin: "node.example/1".into(), collection: [n; 16], size: 1, root: [n; 32] };
    let mut heads = vec![other(0x50), head.clone(), other(0x20)];
    sort_heads(&mut heads);
    let head_leaves: Vec<Hash> = heads.iter().map(head_leaf).collect();
    let index = heads.iter().position(|h| *h == head).unwrap() as u64;
    let mut log: Vec<Hash> = (1000..1005).map(hash).collect();
    log[3] = node_leaf(&[8; 32], &heads_root(&heads), &[9; 32]);
    let checkpoint = Checkpoint { origin: "node.example/1".into(), size: 5, root: root_of(&log) };
    ProofFile {
        format: PROOF_FORMAT.into(),
        entry: (&entry).into(),
        body: Some(ProofBody { salt: Hex([5; 32]), text: BODY.into() }),
        collection_path: hexes(inclusion_proof(300, 123, &mut leaves.as_slice()).unwrap()),
        head: sign_head(&head, &key()).unwrap(),
        node: Some(ProofNode {
            heads_index: index,
            heads_count: 3,
            heads_path: hexes(inclusion_proof(3, index, &mut head_leaves.as_slice()).unwrap()),
            heads_root: Hex(heads_root(&heads)),
            salt: Hex([8; 32]),
            commit: Hex([9; 32]),
            index: 3,
            path: hexes(inclusion_proof(5, 3, &mut log.as_slice()).unwrap()),
            checkpoint: sign_checkpoint(&checkpoint, &key()).unwrap(),
        }),
        public_key: Hex(key().verifying_key().to_bytes()),
    }
}

#[test]
fn a_proof_file_is_byte_for_byte_what_it_was_and_verifies() {
    let json = proof().to_json().unwrap();
    insta::assert_snapshot!(String::from_utf8_lossy(&json));
    let verified = verify_proof_file(&json, Some(&key().verifying_key())).unwrap();
    assert!(verified.body && verified.key_expected);
    assert_eq!((verified.seq, verified.head.size, verified.checkpoint.unwrap().size), (123, 300, 5));
}

#[test]
fn an_expunged_body_leaves_a_proof_that_holds_and_says_so() {
    let file = ProofFile { body: None, node: None, ..proof() };
    let verified = verify_proof_file(&file.to_json().unwrap(), None).unwrap();
    assert!(!verified.body && !verified.key_expected);
    assert_eq!(verified.checkpoint, None);
}

#[test]
fn a_flipped_bit_in_any_byte_of_a_proof_file_is_found() {
    let json = proof().to_json().unwrap();
    let key = key().verifying_key();
    for at in 0..json.len() {
        let mut changed = json.clone();
        changed[at] ^= 1 << (at % 8);
        let found = verify_proof_file(&changed, Some(&key));
        assert!(found.is_err(), "byte {at}: {}", String::from_utf8_lossy(&changed));
        assert!(verify_proof_file(&json[..at], None).is_err(), "cut at {at}");
    }
}

#[test]
fn each_broken_link_is_named() {
    fn changed(change: impl FnOnce(&mut ProofFile)) -> ProofError {
        let mut file = proof();
        change(&mut file);
        verify_proof_file(&file.to_json().unwrap(), None).unwrap_err()
    }
    fn node(change: impl FnOnce(&mut ProofNode)) -> ProofError {
        changed(|file| change(file.node.as_mut().unwrap()))
    }
    let body = changed(|f| f.body.as_mut().unwrap().text.push(' '));
    assert_eq!((body.to_string().as_str(), body), ("body does not match commitment", ProofError::Body));
    assert_eq!(changed(|f| f.body.as_mut().unwrap().salt.0[0] ^= 1), ProofError::Body);
    assert_eq!(changed(|f| f.entry.marking = "clear".into()), ProofError::Leaf(PathError::Root));
    assert_eq!(changed(|f| f.entry.seq += 1), ProofError::Leaf(PathError::Root));
    assert_eq!(changed(|f| f.entry.seq = 300), ProofError::Leaf(PathError::Outside));
    assert_eq!(changed(|f| f.collection_path.truncate(3)), ProofError::Leaf(PathError::Length));
    assert_eq!(changed(|f| f.entry.collection[0] ^= 1), ProofError::OtherHead);
    assert_eq!(changed(|f| f.entry.origin = "node.example/2".into()), ProofError::OtherHead);
    assert_eq!(changed(|f| f.head = f.head.replace("\n300\n", "\n301\n")), ProofError::Head(NoteError::BadSignature));
    assert_eq!(node(|n| n.heads_path[0].0[0] ^= 1), ProofError::Heads(PathError::Root));
    assert_eq!(node(|n| n.heads_index = 0), ProofError::Heads(PathError::Root));
    assert_eq!(node(|n| n.salt.0[0] ^= 1), ProofError::Node(PathError::Root));
    assert_eq!(node(|n| n.commit.0[0] ^= 1), ProofError::Node(PathError::Root));
    assert_eq!(
        node(|n| n.checkpoint = n.checkpoint.replace("\n5\n", "\n6\n")),
        ProofError::Checkpoint(NoteError::BadSignature)
    );
    let elsewhere = Checkpoint { origin: "other.example/1".into(), size: 5, root: [0; 32] };
    let found = node(|n| n.checkpoint = sign_checkpoint(&elsewhere, &key()).unwrap());
    assert!(matches!(found, ProofError::Checkpoint(NoteError::Origin { .. })));
    assert_eq!(changed(|f| f.format = "compound-eye-proof/2".into()), ProofError::Format);
    assert_eq!(changed(|f| f.public_key.0 = [0; 32]), ProofError::BadKey);
    let other = SigningKey::from_bytes(&[1; 32]).verifying_key();
    assert_eq!(changed(|f| f.public_key.0 = other.to_bytes()), ProofError::Head(NoteError::NotSigned));
    assert_eq!(verify_proof_file(&proof().to_json().unwrap(), Some(&other)), Err(ProofError::OtherKey));
    assert!(matches!(verify_proof_file(b"{\"format\": 1}", None), Err(ProofError::Malformed { line: 1, .. })));
}

#[test]
fn a_proof_whole_but_made_by_another_key_passes_only_as_unexpected() {
    let forger = SigningKey::from_bytes(&[66; 32]);
    let mut file = ProofFile { node: None, public_key: Hex(forger.verifying_key().to_bytes()), ..proof() };
    let head = ledger::verify_head(&file.head, &key().verifying_key()).unwrap();
    file.head = sign_head(&head, &forger).unwrap();
    let json = file.to_json().unwrap();
    assert!(!verify_proof_file(&json, None).unwrap().key_expected);
    assert_eq!(verify_proof_file(&json, Some(&key().verifying_key())), Err(ProofError::OtherKey));
}
