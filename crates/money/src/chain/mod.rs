//! Chains: blocks and dumps become rows. Each format in a file of its own, each a pure reader with limits.
