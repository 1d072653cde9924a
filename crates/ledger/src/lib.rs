//! .
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

// proofs
mod checkpoint;
mod inclusion;
mod keys;
mod leaf;
mod salt;
mod tree;
pub use checkpoint::{
    ChainError, Checkpoint, CommitEntry, CommitRow, FIRST_COMMIT, Head, MAX_NOTE_BYTES, MAX_SIGNATURES, NoteError,
    NoteSignature, SignedNote, commit_hash, head_leaf, heads_root, key_id, node_leaf, parse_checkpoint,
    sign_checkpoint, sign_head, sort_heads, verify_checkpoint, verify_head,
};
pub use inclusion::{
    Hex, MAX_PROOF_BYTES, PROOF_FORMAT, ProofBody, ProofEntry, ProofError, ProofFile, ProofNode, Verified,
    verify_proof_file,
};
pub use keys::{Keys, KeysError, RowKey, SealError, keyed_hash64, keyed_id};
pub use leaf::{LeafFields, commitment, leaf_bytes, leaf_hash};
pub use salt::{NoRandom, Salts};
pub use tree::{
    BuildError, DamagedState, EMPTY_ROOT, Frontier, Hash, NodeSource, PathError, TILE_BYTES, TILE_WIDTH, Tile,
    TileWriter, consistency_proof, inclusion_proof, node_hash, root_of, verify_consistency, verify_inclusion,
};
