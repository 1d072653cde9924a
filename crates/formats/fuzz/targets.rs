//! Any bytes read as any format: whatever comes out is JSON with an id.
use crate::{Format, Item, KeyedIds, Mapping, Options};
use std::ops::ControlFlow;
use std::sync::LazyLock;

fn run(format: Format, bytes: &[u8], mapping: Option<&Mapping>) {
    let ids = KeyedIds::new([7; 32]);
    let mut options = Options::new("fuzz", &ids);
    options.mapping = mapping;
    options.limits.max_object_bytes = 1 << 16;
    options.limits.max_input_bytes = 1 << 22;
    let _any = crate::read(format, Box::new(bytes), &options, &mut |item| {
        if let Item::Object(record) = item {
            assert!(record.body.starts_with('{') && record.id.contains("--"));
        }
        ControlFlow::Continue(())
    });
}

/// As [`Format::StixBundle`].
pub fn stix(bytes: &[u8]) {
    run(Format::StixBundle, bytes, None);
}

/// As [`Format::StixLines`].
pub fn stix_lines(bytes: &[u8]) {
    run(Format::StixLines, bytes, None);
}

/// As [`Format::MispEvent`].
pub fn misp(bytes: &[u8]) {
    run(Format::MispEvent, bytes, None);
}

/// As [`Format::TagPack`].
pub fn tagpack(bytes: &[u8]) {
    run(Format::TagPack, bytes, None);
}

/// As [`Format::ActorPack`].
pub fn actorpack(bytes: &[u8]) {
    run(Format::ActorPack, bytes, None);
}

/// As [`Format::OfacSdn`].
pub fn ofac_sdn(bytes: &[u8]) {
    run(Format::OfacSdn, bytes, None);
}

/// As [`Format::List`].
pub fn list(bytes: &[u8]) {
    run(Format::List, bytes, None);
}

/// As [`Format::PhishingConfig`].
pub fn phishing(bytes: &[u8]) {
    run(Format::PhishingConfig, bytes, None);
}

/// As [`Format::Text`].
pub fn text(bytes: &[u8]) {
    run(Format::Text, bytes, None);
}

static MAPPING: LazyLock<Option<Mapping>> = LazyLock::new(|| {
    Mapping::parse("header = false\n[object.a]\ntype = \"auto\"\ncolumns.1 = { to = \"value\" }\n").ok()
});

/// As [`Format::Csv`].
pub fn csv(bytes: &[u8]) {
    run(Format::Csv, bytes, MAPPING.as_ref());
}

/// A mapping file.
pub fn mapping(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _any = Mapping::parse(text);
    }
}

/// What the format might be.
pub fn guess(bytes: &[u8]) {
    let _any = crate::guess("name", bytes);
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
                ("stix", super::stix),
                ("stix_lines", super::stix_lines),
                ("misp", super::misp),
                ("tagpack", super::tagpack),
                ("actorpack", super::actorpack),
                ("ofac_sdn", super::ofac_sdn),
                ("list", super::list),
                ("phishing", super::phishing),
                ("text", super::text),
                ("csv", super::csv),
                ("mapping", super::mapping),
                ("guess", super::guess),
            ],
        );
    }
}
