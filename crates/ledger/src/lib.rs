//! Owns the log: entries, appends, the index of ids, the views' folding threads, the state file and the folder itself.
//! Never knows what a body means, who may read it, or what a room's rows hold.
//! Data flows one way: `append` → one durable commit → every room's fold, in its own file and time → reads behind the barrier.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod append;
mod backup;
mod clock;
mod commit;
mod counters;
mod digest;
mod entry;
mod erase;
mod error;
mod fold;
mod folder;
mod folding;
mod generations;
mod heads;
mod index;
mod inspect;
mod log;
mod minute;
mod names;
mod node;
mod prove;
mod queue;
mod reader;
mod rebuild;
mod room;
mod sqlite;
mod staged;
mod state;
mod tail;
#[cfg(feature = "testing")]
pub mod testing;
mod verify;
mod view;
mod writer;

pub use append::{Append, Expect, IdSource, NewEntry, Outcome, Receipt, Refusal, SameRule};
pub use backup::{BackupFile, Manifest, RecoveryKey, Restored, Unwrap, Wrap, backed_up, restore};
pub use counters::{BOUNDS, Counted, Times, TimesRead};
pub use entry::{CollectionId, Entry, HOUSE_SEED, INTAKE, Kind};
pub use erase::{
    EXPUNGE, Expunge, ExpungeNotice, Expunged, ExpungedEntry, Hook, TakenBack, Target, WITHDRAW, Withdrawal,
};
pub use error::{Error, Result};
pub use folder::Folder;
pub use heads::SignedHead;
pub use inspect::{FileState, Inspection, ViewState, inspect};
pub use node::{Clock, Ledger, Options, SystemClock, Urgency};
pub use reader::LogReader;
pub use rebuild::Compared;
pub use room::{Bodies, FoldError, Kinds, Room};
pub use sqlite::open_reader;
pub use staged::Staged;
pub use state::State;
pub use tail::{Batch, LogHead};
pub use verify::{Problem, Report, check, verify_folder};
pub use view::{Reading, RoomFactory, View};

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

/// What is fuzzed (`cargo fuzz` sets the cfg), and what tests replay.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[path = "../fuzz/targets.rs"]
pub mod fuzzing;
