//! Columns: append-only files up to a head, a commit record a block, and what is derived from them.
