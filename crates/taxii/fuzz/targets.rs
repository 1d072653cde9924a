//! Whatever a client writes into a query, a media type or a cursor.
use crate::{Limits, cursor, filter::Filter, media};

/// A query string: an answer of 400, or a filter within its limits.
pub fn query(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(filter) = Filter::read(text, &Limits::default())
    {
        let limits = Limits::default();
        assert!((1..=limits.most).contains(&filter.limit));
        assert!(filter.matching.ids.len() <= limits.values && filter.matching.versions.at.len() <= limits.values);
    }
}

/// `Accept` and `Content-Type`: what is our type is let through as well.
pub fn media(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && media::is_taxii(Some(text))
    {
        assert!(text.contains(',') || media::accepts(Some(text)));
    }
}

/// `next`: nobody makes one up, and ours is read for its own filters alone.
pub fn cursor(bytes: &[u8]) {
    let key = ledger::RowKey::new(&[7; 32]);
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert_eq!(cursor::read(&key, text, ""), None);
        let made = cursor::write(&key, bytes.len() as i64, text);
        assert_eq!(cursor::read(&key, &made, text), Some(bytes.len() as i64));
        assert_eq!(cursor::read(&key, &made, &format!("{text}x")), None);
    }
}

#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    #[test]
    fn no_seed_and_nothing_a_fuzzer_found_breaks_a_rule() {
        super::replay::replay(
            env!("CARGO_MANIFEST_DIR"),
            &[("query", super::query), ("media", super::media), ("cursor", super::cursor)],
        );
    }
}
