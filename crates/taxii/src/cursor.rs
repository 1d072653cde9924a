//! `next`: where the following page begins, bound to the filters it was made for.
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ledger::{RowKey, keyed_hash64};

/// Makes a cursor after `pos` for a request whose filters are `filters`.
pub(crate) fn write(key: &RowKey, pos: u64, filters: &str) -> String {
    let mut bytes = pos.to_be_bytes().to_vec();
    bytes.extend_from_slice(&tag(key, pos, filters).to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The `pos` of a cursor that we made for these filters; `None` for any other text.
pub(crate) fn read(key: &RowKey, text: &str, filters: &str) -> Option<u64> {
    let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let (pos, mac) = bytes.split_at_checked(8)?;
    let pos = u64::from_be_bytes(pos.try_into().ok()?);
    (tag(key, pos, filters) == i64::from_be_bytes(mac.try_into().ok()?)).then_some(pos)
}

fn tag(key: &RowKey, pos: u64, filters: &str) -> i64 {
    let mut bytes = pos.to_be_bytes().to_vec();
    bytes.extend_from_slice(filters.as_bytes());
    keyed_hash64(key, "taxii next", &bytes)
}
