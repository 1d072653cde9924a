//! The rules that proofs must keep: RFC 6962's published values, every size, every flipped byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeSet, HashMap};

use ed25519_dalek::SigningKey;
use ledger::{
    Checkpoint, DamagedState, EMPTY_ROOT, Frontier, Hash, Head, Hex, LeafFields, NodeSource, NoteError, PROOF_FORMAT,
    PathError, ProofBody, ProofError, ProofFile, ProofNode, TILE_BYTES, TileWriter, commitment, consistency_proof,
    head_leaf, heads_root, inclusion_proof, leaf_hash, node_hash, node_leaf, root_of, sign_checkpoint, sign_head,
    sort_heads, verify_consistency, verify_inclusion, verify_proof_file,
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

fn hash(n: u64) -> Hash {
    Sha256::digest(n.to_be_bytes()).into()
}

/// RFC 6962 section 2.1, word for word.
fn naive(leaves: &[Hash]) -> Hash {
    match leaves.len() {
        0 => EMPTY_ROOT,
        1 => leaves[0],
        n => {
            let k = n.next_power_of_two() / 2;
            node_hash(&naive(&leaves[..k]), &naive(&leaves[k..]))
        }
    }
}

/// The leaves of Certificate Transparency's reference tests (merkletree/merkle_tree_test).
fn reference_leaves() -> Vec<Hash> {
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
        .map(|data| Sha256::digest([&[0u8][..], &hex::decode(data).unwrap()].concat()).into())
        .to_vec()
}

#[test]
fn certificate_transparencys_published_roots_hold() {
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let leaves = reference_leaves();
    for (size, root) in roots.iter().enumerate() {
        assert_eq!(hex::encode(root_of(&leaves[..size])), *root, "{size}");
    }
}

#[test]
fn certificate_transparencys_published_paths_hold() {
    let leaves = reference_leaves();
    let inclusion = |size, index| {
        let path = inclusion_proof(size, index, &mut leaves.as_slice()).unwrap();
        path.iter().map(hex::encode).collect::<Vec<_>>()
    };
    assert_eq!(
        inclusion(8, 0),
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ]
    );
    assert_eq!(
        inclusion(8, 5),
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
    );
    let consistency = consistency_proof(6, 8, &mut leaves.as_slice()).unwrap();
    assert_eq!(
        consistency.iter().map(hex::encode).collect::<Vec<_>>(),
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
    );
}

/// Every index of small trees; the edges of subtrees and a spread in large ones.
fn places(size: u64) -> BTreeSet<u64> {
    if size <= 80 {
        return (0..size).collect();
    }
    let edges = (0..10).flat_map(|bit| [1u64 << bit, size - (1 << bit).min(size)]);
    edges.chain([size / 3, size - 1]).filter(|place| *place < size).collect()
}

#[test]
fn inclusion_holds_for_every_size_up_to_600_and_no_other_index() {
    let leaves: Vec<Hash> = (0..600).map(hash).collect();
    for size in 1..=600u64 {
        let root = root_of(&leaves[..size as usize]);
        for index in places(size) {
            let leaf = &leaves[index as usize];
            let path = inclusion_proof(size, index, &mut leaves.as_slice()).unwrap();
            assert_eq!(verify_inclusion(leaf, index, size, &path, &root), Ok(()), "{index} of {size}");
            for other in [index ^ 1, index + 1, size - 1 - index, size].into_iter().filter(|other| *other != index) {
                assert!(verify_inclusion(leaf, other, size, &path, &root).is_err(), "{other} for {index} of {size}");
            }
        }
    }
    assert!(inclusion_proof(600, 600, &mut leaves.as_slice()).is_err());
    assert!(inclusion_proof(700, 3, &mut leaves.as_slice()).is_err());
}

#[test]
fn consistency_holds_for_every_size_up_to_600_and_no_other_tree() {
    let leaves: Vec<Hash> = (0..600).map(hash).collect();
    let roots: Vec<Hash> = (0..=600).map(|size| root_of(&leaves[..size])).collect();
    for second in 1..=600u64 {
        for first in places(second).into_iter().chain([second]) {
            let path = consistency_proof(first, second, &mut leaves.as_slice()).unwrap();
            let (old, new) = (&roots[first as usize], &roots[second as usize]);
            assert_eq!(verify_consistency(first, second, old, new, &path), Ok(()), "{first} in {second}");
            assert!(verify_consistency(first, second, &[1; 32], new, &path).is_err());
            if first != 0 {
                assert!(verify_consistency(first, second, old, &[1; 32], &path).is_err());
            }
        }
    }
    assert!(consistency_proof(3, 2, &mut leaves.as_slice()).is_err());
    assert_eq!(verify_consistency(3, 2, &roots[3], &roots[2], &[]), Err(PathError::Outside));
}

#[test]
fn a_changed_cut_or_grown_path_is_refused() {
    let leaves: Vec<Hash> = (0..37).map(hash).collect();
    let (root, old) = (root_of(&leaves), root_of(&leaves[..21]));
    let inclusion = inclusion_proof(37, 20, &mut leaves.as_slice()).unwrap();
    let consistency = consistency_proof(21, 37, &mut leaves.as_slice()).unwrap();
    let included = |path: &[Hash]| verify_inclusion(&leaves[20], 20, 37, path, &root);
    let consistent = |path: &[Hash]| verify_consistency(21, 37, &old, &root, path);
    type Check<'a> = &'a dyn Fn(&[Hash]) -> Result<(), PathError>;
    let checks: [(Check<'_>, _); 2] = [(&included, inclusion), (&consistent, consistency)];
    for (check, path) in checks {
        assert_eq!(check(&path), Ok(()));
        for at in 0..path.len() * 32 {
            let mut changed = path.clone();
            changed[at / 32][at % 32] ^= 1 << (at % 8);
            assert_eq!(check(&changed), Err(PathError::Root), "byte {at}");
        }
        for keep in 0..path.len() {
            assert!(check(&path[..keep]).is_err());
        }
        assert_eq!(check(&[path.clone(), vec![[0; 32]]].concat()), Err(PathError::Length));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn frontier_and_naive_root_agree_for_any_leaves(leaves in prop::collection::vec(any::<[u8; 32]>(), 0..700)) {
        let mut frontier = Frontier::default();
        for leaf in &leaves {
            frontier.push(*leaf);
        }
        prop_assert_eq!(frontier.root(), naive(&leaves));
        prop_assert_eq!(Frontier::from_bytes(&frontier.to_bytes()).unwrap(), frontier);
    }

    #[test]
    fn no_bytes_make_the_readers_of_state_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Frontier::from_bytes(&bytes);
        let _ = TileWriter::from_bytes(&bytes);
        let _ = verify_proof_file(&bytes, None);
        let _ = ledger::parse_checkpoint(&String::from_utf8_lossy(&bytes));
    }
}

/// Leaf hashes and full tiles, as the store has them.
#[derive(Default)]
struct Store {
    leaves: Vec<Hash>,
    tiles: HashMap<(u8, u64), Vec<Hash>>,
    leaves_read: u64,
}

impl NodeSource for Store {
    type Error = std::convert::Infallible;

    fn leaves(&mut self, start: u64, end: u64) -> Result<Vec<Hash>, Self::Error> {
        assert!(end - start <= 256);
        self.leaves_read += end - start;
        Ok(self.leaves[start as usize..end as usize].to_vec())
    }

    fn tile(&mut self, level: u8, index: u64) -> Result<Option<Vec<Hash>>, Self::Error> {
        Ok(self.tiles.get(&(level, index)).cloned())
    }
}

/// Two full tiles of level 1 and a good part of the third.
const SIZE: u64 = 2 * 65_536 + 5 * 256 + 77;

fn grown() -> (Store, TileWriter) {
    let mut store = Store { leaves: (0..SIZE).map(hash).collect(), ..Store::default() };
    let (mut writer, mut full) = (TileWriter::default(), Vec::new());
    for leaf in &store.leaves {
        writer.push(*leaf, &mut full);
    }
    for tile in full {
        assert_eq!(tile.hashes.len(), TILE_BYTES);
        store.tiles.insert((tile.level, tile.index), tile.hashes.as_chunks::<32>().0.to_vec());
    }
    (store, writer)
}

#[test]
fn tiles_hold_the_naive_roots_and_only_full_ones_come_out() {
    let (store, writer) = grown();
    assert_eq!(store.tiles.keys().copied().collect::<BTreeSet<_>>(), BTreeSet::from([(1, 0), (1, 1)]));
    for ((_, index), hashes) in &store.tiles {
        for (n, hash) in hashes.iter().enumerate() {
            let first = (*index as usize * 256 + n) * 256;
            assert_eq!(*hash, naive(&store.leaves[first..first + 256]));
        }
    }
    assert_eq!(writer.root(), naive(&store.leaves));
    assert_eq!(writer.unfinished(1, 2).unwrap().len(), 5);
    assert_eq!((writer.unfinished(1, 1), writer.unfinished(1, 3), writer.unfinished(0, 0)), (None, None, None));
}

#[test]
fn after_a_crash_the_tree_is_derived_from_leaves_and_tiles_and_goes_on_alike() {
    let (mut store, mut writer) = grown();
    let mut again = TileWriter::rebuild(SIZE, &mut store).unwrap();
    assert_eq!(again, writer);
    assert_eq!(store.leaves_read, SIZE % 65_536, "only leaves past the last full tile are read");
    assert_eq!(TileWriter::from_bytes(&writer.to_bytes()).unwrap(), writer);
    let (mut one, mut other) = (Vec::new(), Vec::new());
    for n in SIZE..3 * 65_536 {
        writer.push(hash(n), &mut one);
        again.push(hash(n), &mut other);
    }
    assert_eq!((one.len(), one), (1, other));
    assert_eq!(again.root(), writer.root());
    for size in [0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 131_072] {
        let rebuilt = TileWriter::rebuild(size, &mut store).unwrap();
        assert_eq!((rebuilt.size(), rebuilt.root()), (size, root_of(&store.leaves[..size as usize])), "{size}");
    }
    let bytes = writer.to_bytes();
    assert_eq!(TileWriter::from_bytes(&bytes[1..]), Err(DamagedState(bytes.len() - 1)));
}

#[test]
fn proofs_built_through_tiles_equal_those_built_from_all_leaves() {
    let (mut store, writer) = grown();
    let leaves = store.leaves.clone();
    for index in [0, 1, 65_535, 65_536, 131_071, 131_072, 132_351, 132_352, SIZE - 1] {
        let path = inclusion_proof(SIZE, index, &mut store).unwrap();
        assert_eq!(verify_inclusion(&hash(index), index, SIZE, &path, &writer.root()), Ok(()), "{index}");
    }
    for first in [1, 256, 65_536, 70_000, 131_072, SIZE - 1] {
        let path = consistency_proof(first, SIZE, &mut store).unwrap();
        assert_eq!(path, consistency_proof(first, SIZE, &mut leaves.as_slice()).unwrap());
        let old = root_of(&leaves[..first as usize]);
        assert_eq!(verify_consistency(first, SIZE, &old, &writer.root(), &path), Ok(()), "{first}");
    }
    store.leaves_read = 0;
    inclusion_proof(131_072, 5, &mut store).unwrap();
    assert!(store.leaves_read <= 256, "a proof under full tiles reads {} leaves", store.leaves_read);
}

#[test]
fn a_flipped_bit_in_a_tile_or_leaf_shows_in_the_derived_root() {
    let (mut store, writer) = grown();
    store.tiles.get_mut(&(1, 1)).unwrap()[200][31] ^= 1;
    assert_ne!(TileWriter::rebuild(SIZE, &mut store).unwrap().root(), writer.root());
    store.tiles.get_mut(&(1, 1)).unwrap()[200][31] ^= 1;
    store.leaves[SIZE as usize - 300][0] ^= 0x80;
    assert_ne!(TileWriter::rebuild(SIZE, &mut store).unwrap().root(), writer.root());
}

/// A tree of nearly `2^24` leaves of which only level 1 and the last leaves are known.
struct Tall;

impl NodeSource for Tall {
    type Error = std::convert::Infallible;

    fn leaves(&mut self, start: u64, end: u64) -> Result<Vec<Hash>, Self::Error> {
        assert!(start >= (1 << 24) - 256, "only the last leaves may be needed");
        Ok((start..end).map(hash).collect())
    }

    fn tile(&mut self, level: u8, index: u64) -> Result<Option<Vec<Hash>>, Self::Error> {
        let known = if index == 255 { 255 } else { 256 };
        Ok((level == 1).then(|| (0..known).map(|n| hash(!(index * 256 + n))).collect()))
    }
}

#[test]
fn the_second_level_of_tiles_completes_with_the_first() {
    let mut writer = TileWriter::rebuild((1 << 24) - 256, &mut Tall).unwrap();
    let mut full = Vec::new();
    for n in (1 << 24) - 256..1 << 24 {
        writer.push(hash(n), &mut full);
    }
    let mut level_1: Vec<Hash> = (0..65_535u64).map(|n| hash(!n)).collect();
    level_1.push(naive(&((1 << 24) - 256..1 << 24).map(hash).collect::<Vec<_>>()));
    assert_eq!(full.iter().map(|tile| (tile.level, tile.index)).collect::<Vec<_>>(), [(1, 255), (2, 0)]);
    let roots: Vec<Hash> = level_1.chunks(256).map(naive).collect();
    assert_eq!(full[0].hashes, level_1[65_280..].as_flattened());
    assert_eq!(full[1].hashes, roots.as_flattened());
    assert_eq!(writer.root(), naive(&level_1));
    assert_eq!(TileWriter::from_bytes(&writer.to_bytes()).unwrap(), writer);
    let path = inclusion_proof(1 << 24, (1 << 24) - 7, &mut Tall).unwrap();
    assert_eq!(verify_inclusion(&hash((1 << 24) - 7), (1 << 24) - 7, 1 << 24, &path, &writer.root()), Ok(()));
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
