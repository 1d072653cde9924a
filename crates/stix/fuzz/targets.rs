//! Whatever text comes in: an answer or an error, and what is taken can be read by everybody after us.
use crate::{
    Instant, StixId, canonical_json, check_deterministic_id, check_shape, parse_header, read_bundle, read_envelope,
    refs_of, same_json,
};

fn text(bytes: &[u8], f: impl FnOnce(&str)) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        f(text);
    }
}

/// One object: whoever passes the door's checks is JSON for every view.
pub fn header(bytes: &[u8]) {
    text(bytes, |body| {
        if check_shape(body).is_ok()
            && let Ok(header) = parse_header(body)
        {
            assert!(StixId::parse(&header.id).is_ok_and(|id| id.object_type() == header.object_type));
            let value: serde_json::Value = serde_json::from_str(body).expect("what the door takes, a view can read");
            refs_of(&value, 1_000);
            check_deterministic_id(&value);
        }
    });
}

/// The shape that the door asks for.
pub fn shape(bytes: &[u8]) {
    text(bytes, |body| {
        if check_shape(body).is_ok()
            && let Err(e) = serde_json::from_str::<serde_json::Value>(body)
        {
            // Broken JSON is the parser's to refuse; what its grammar lets pass and no value holds is ours.
            assert!(serde_json::from_str::<&serde_json::value::RawValue>(body).is_err(), "{e}");
        }
    });
}

/// A TAXII envelope.
pub fn envelope(bytes: &[u8]) {
    text(bytes, |body| {
        let mut seen = 0;
        let read = read_envelope(body, |item| {
            assert_eq!(item.index, seen);
            seen += 1;
        });
        assert!(read.is_err() || read == Ok(seen));
    });
}

/// A bundle, streamed: what comes out are JSON values, in order.
pub fn bundle(bytes: &[u8]) {
    let mut seen = 0;
    let read = read_bundle(bytes, |item| {
        assert_eq!(item.index, seen);
        seen += 1;
    });
    assert!(read.is_err() || read == Ok(seen));
}

/// A timestamp: what is read survives its own text.
pub fn instant(bytes: &[u8]) {
    text(bytes, |given| {
        if let Ok(at) = given.parse::<Instant>() {
            assert_eq!(at.to_string().parse::<Instant>(), Ok(at));
            assert!(at.millis_string().parse::<Instant>().is_ok());
        }
    });
}

/// An id: its parts are the whole.
pub fn id(bytes: &[u8]) {
    text(bytes, |given| {
        if let Ok(id) = StixId::parse(given) {
            assert_eq!(format!("{}--{}", id.object_type(), id.uuid()), given);
            id.uuid_version();
        }
    });
}

/// RFC 8785: the canonical form of a canonical form is itself.
pub fn value(bytes: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes)
        && let Ok(once) = canonical_json(&value)
    {
        let again = serde_json::from_str(&once).ok().and_then(|v| canonical_json(&v).ok());
        assert_eq!(again.as_ref(), Some(&once));
        assert!(same_json(&once, &once));
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
            &[
                ("header", super::header),
                ("shape", super::shape),
                ("envelope", super::envelope),
                ("bundle", super::bundle),
                ("instant", super::instant),
                ("id", super::id),
                ("value", super::value),
            ],
        );
    }
}
