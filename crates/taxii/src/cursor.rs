//! `next`: where the following page begins, bound to the filters it was made for. It holds the last object's `date_added`,
//! which the client knows already: a place in the log would tell how much stands in collections that it does not see.
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ledger::{RowKey, keyed_hash64};

/// Makes a cursor after `arrived` (µs) for a request whose filters are `filters`.
pub(crate) fn write(key: &RowKey, arrived: i64, filters: &str) -> String {
    let mut bytes = arrived.to_be_bytes().to_vec();
    bytes.extend_from_slice(&tag(key, arrived, filters).to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The `arrived` of a cursor that we made for these filters; `None` for any other text.
pub(crate) fn read(key: &RowKey, text: &str, filters: &str) -> Option<i64> {
    let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let (arrived, mac) = bytes.split_at_checked(8)?;
    let arrived = i64::from_be_bytes(arrived.try_into().ok()?);
    (tag(key, arrived, filters) == i64::from_be_bytes(mac.try_into().ok()?)).then_some(arrived)
}

fn tag(key: &RowKey, arrived: i64, filters: &str) -> i64 {
    let mut bytes = arrived.to_be_bytes().to_vec();
    bytes.extend_from_slice(filters.as_bytes());
    keyed_hash64(key, "taxii next", &bytes)
}
