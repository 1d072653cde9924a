//! The rules that trees and their proofs must keep: RFC 6962's published values, every size, every flipped byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeSet, HashMap};

use ledger::{
    DamagedState, EMPTY_ROOT, Frontier, Hash, NodeSource, PathError, TILE_BYTES, TileWriter, consistency_proof,
    inclusion_proof, node_hash, root_of, verify_consistency, verify_inclusion, verify_proof_file,
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

/// Every index of small trees; in large ones both sides of the great split, the ends, and some between.
fn places(size: u64) -> BTreeSet<u64> {
    if size <= 40 {
        return (0..size).collect();
    }
    let split = 1u64 << (size - 1).ilog2();
    [0, 1, size / 3, split - 1, split, split + (size - split) / 2, size - 2, size - 1].into()
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
