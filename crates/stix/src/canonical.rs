use serde_json::Value;

/// A value as RFC 8785 canonical JSON, the one form that hashes and comparisons use.
///
/// # Errors
/// [`crate::Error::Syntax`] when a number has no canonical form.
pub fn canonical_json(value: &Value) -> Result<String, crate::Error> {
    serde_json_canonicalizer::to_string(value).map_err(|e| crate::Error::Syntax(e.to_string()))
}

/// Whether two bodies say the same, white space and order of members apart (RFC 8785 forms compared).
pub fn same_json(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    match (serde_json::from_str::<Value>(a), serde_json::from_str::<Value>(b)) {
        (Ok(a), Ok(b)) => matches!((canonical_json(&a), canonical_json(&b)), (Ok(a), Ok(b)) if a == b),
        _ => false,
    }
}
