//! Clusters: which addresses one party controls, and the witness of every merge.
