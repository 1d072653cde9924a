//! Bodies of earlier entries, which a fold needs to take back what they brought.
use super::fold::unsigned;
use ledger::{Bodies, FoldError};
use serde_json::Value;

/// A body that something else needs: where it is damaged, that is its own entry's matter, and what needs it goes on.
pub(super) enum Readable {
    /// As it was written.
    Whole(Value),
    /// Not as it was written.
    Damaged,
    /// Expunged, or no object.
    Erased,
}

/// Reads a body of an earlier entry.
pub(super) fn readable(bodies: &dyn Bodies, pos: i64) -> Result<Readable, FoldError> {
    match body_value(bodies, pos) {
        Ok(Some(value)) => Ok(Readable::Whole(value)),
        Ok(None) => Ok(Readable::Erased),
        Err(FoldError::Lost(_)) => Ok(Readable::Damaged),
        Err(e) => Err(e),
    }
}

fn body_value(bodies: &dyn Bodies, pos: i64) -> Result<Option<Value>, FoldError> {
    Ok(bodies.body(unsigned(pos))?.and_then(|body| serde_json::from_str(&body).ok()))
}
