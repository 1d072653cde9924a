//! What proofs cost on the write path: nanoseconds a call, best of five rounds on one core.
//!
//! `cargo run --release -p ledger --example leaf_cost`
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::hint::black_box;
use std::time::Instant;

use ledger::{
    CommitEntry, CommitRow, FIRST_COMMIT, LeafFields, RowKey, Salts, TileWriter, commit_hash, commitment, keyed_hash64,
    keyed_id, leaf_hash,
};

const ROUND: u32 = 100_000;

fn measure<T>(what: &str, mut call: impl FnMut(u64) -> T) {
    let mut round = || {
        let start = Instant::now();
        for n in 0..u64::from(ROUND) {
            black_box(call(n));
        }
        start.elapsed().as_nanos() / u128::from(ROUND)
    };
    let best = (0..5).map(|_| round()).min().unwrap_or(0);
    println!("{best:>6} ns  {what}");
}

fn main() {
    let body = vec![b'x'; 1536];
    let salt = [7u8; 32];
    let bound = commitment(&salt, &body);
    let fields = |seq| LeafFields {
        origin: "node.example/1",
        collection: &[1; 16],
        seq,
        id: &[2; 32],
        subject: "indicator--3c10e93f-798e-4a26-a0c1-08156efab7f5",
        cause: Some(&[3; 32]),
        author: 7,
        time: 1_764_000_000_000_000,
        kind: "stix",
        version: 1,
        marking: "amber",
        commitment: &bound,
    };
    let (mut tree, mut full, mut salts) = (TileWriter::default(), Vec::new(), Salts::default());
    let row = RowKey::new(&[4; 32]);
    measure("commitment of 1.5 KB", |_| commitment(black_box(&salt), black_box(&body)));
    measure("leaf_hash", |n| leaf_hash(&fields(n)));
    measure("push", |n| {
        let mut leaf = [0; 32];
        leaf[..8].copy_from_slice(&n.to_be_bytes());
        tree.push(leaf, &mut full);
    });
    measure("salt", |_| salts.next_salt());
    measure("salt + commitment + leaf_hash + push", |n| {
        let salt = salts.next_salt().unwrap();
        let bound = commitment(&salt, black_box(&body));
        tree.push(leaf_hash(&LeafFields { commitment: &bound, ..fields(n) }), &mut full);
    });
    measure("keyed_id of 4 parts (100 bytes)", |n| keyed_id(&salt, &[&[1; 16], &[2; 48], &[3; 27], &n.to_be_bytes()]));
    measure("keyed_hash64 of 48 bytes", |n| {
        let mut bytes = [9u8; 48];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        keyed_hash64(&row, "id", &bytes)
    });
    let commit = CommitRow { n: 1, first_pos: 1, count: 400, arrived_first: 0, arrived_last: 399, prev: FIRST_COMMIT };
    let start = Instant::now();
    let entry = |arrived| CommitEntry { arrived, body_of: None, leaf: [5; 32] };
    for _ in 0..1000 {
        let _ = black_box(commit_hash(&commit, (0..400).map(entry)));
    }
    println!("{:>6} ns  commit_hash, each of 400 entries", start.elapsed().as_nanos() / 400_000);
    println!("{:>6}     full tiles", full.len());
}
