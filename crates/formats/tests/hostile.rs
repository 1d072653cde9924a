//! Whatever comes in: no panic, no unbounded memory, an error that says where.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use formats::{Format, Item, KeyedIds, Mapping, Options, ReadError, Summary};
use proptest::prelude::*;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;

const MAPPING: &str = "[object.a]\ntype = \"auto\"\ncolumns.1 = { to = \"value\" }\n";

fn read_all<'i>(format: Format, input: Box<dyn std::io::BufRead + 'i>) -> (Result<Summary, ReadError>, Vec<Item>) {
    let ids = KeyedIds::new([7; 32]);
    let mapping = Mapping::parse(&format!("header = false\n{MAPPING}")).unwrap();
    let mut options = Options::new("hostile", &ids);
    options.mapping = Some(&mapping);
    options.limits.max_object_bytes = 1 << 20;
    let mut items = Vec::new();
    let outcome = formats::read(format, input, &options, &mut |item| {
        items.push(item);
        ControlFlow::Continue(())
    });
    (outcome, items)
}

fn error_of(format: Format, input: &[u8]) -> String {
    read_all(format, Box::new(input)).0.unwrap_err().to_string()
}

/// Pieces that bring a reader into its corners more often than plain noise does.
fn nasty() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::sample::select(vec![
            &b"{\"type\":\"bundle\",\"objects\":["[..],
            b"{\"Event\":{\"Attribute\":[",
            b"\"type\":\"domain\",\"value\":\"a.example\"",
            b"{\"uuid\":\"1\",",
            b"]}",
            b"}",
            b",",
            b"title: x\ncreator: y\n",
            b"tags:\n- address: x\n  label: ",
            b"&a [*a, *a]\n",
            b"<Sanctions>",
            b"<DistinctParties><DistinctParty FixedRef='1'>",
            b"<Profile ID=\"1\">",
            b"</Sanctions>",
            b"&lt;",
            b"&#0;",
            b"<!DOCTYPE x>",
            b"\"blacklist\":[",
            b"0.0.0.0 a.example\n",
            b"\xff\xfe",
            b"\x1f\x8b\x08",
            b"BZh9",
            b"\"a\"\"b,c\n",
            b"\r\n",
            b"\0",
            b"[[[[",
            b"\\u0000\"",
            b"{\"name\":\"file\",\"Attribute\":[{\"object_relation\":\"filename\",\"value\":\"x\"}]}",
            b"\"Object\":[",
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_bytes_make_any_reader_panic_and_every_error_says_where(bytes in nasty()) {
        for format in Format::all() {
            let (outcome, items) = read_all(*format, Box::new(bytes.as_slice()));
            if let Err(error) = outcome {
                prop_assert!(error.to_string().contains(':'), "{}", error);
            }
            for item in items {
                match item {
                    Item::Object(record) => prop_assert!(serde_json::from_str::<serde_json::Value>(&record.body).is_ok()),
                    Item::Skipped(bad) => prop_assert!(!bad.at.to_string().is_empty() && !bad.why.to_string().is_empty()),
                }
            }
        }
        let _any_answer = formats::guess("name", &bytes);
        let _any_mapping = Mapping::parse(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn a_gigabyte_of_opening_brackets_ends_at_once() {
    let brackets = BufReader::new(std::io::repeat(b'[').take(1 << 30));
    for format in [Format::StixBundle, Format::MispEvent] {
        let (outcome, _) = read_all(format, Box::new(BufReader::new(std::io::repeat(b'[').take(1 << 30))));
        assert!(outcome.unwrap_err().to_string().contains("brackets"), "{format}");
    }
    drop(brackets);
}

#[test]
fn an_object_nested_too_deeply_is_set_aside_and_the_next_is_read() {
    let deep = format!(r#"{{"type":"url","id":"url--1","x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    let bundle = format!(r#"{{"objects":[{deep},{{"type":"url","id":"url--2"}}]}}"#);
    let (outcome, _) = read_all(Format::StixBundle, Box::new(bundle.as_bytes()));
    let summary = outcome.unwrap();
    assert_eq!((summary.objects, summary.bad), (1, 1));
}

#[test]
fn a_huge_text_is_set_aside_without_being_held() {
    let head: &[u8] = br#"{"objects":[{"type":"url","id":"url--1","value":""#;
    let tail: &[u8] = br#""},{"type":"url","id":"url--2"}]}"#;
    let input = BufReader::new(head.chain(std::io::repeat(b'a').take(10 << 20)).chain(tail));
    let (outcome, items) = read_all(Format::StixBundle, Box::new(input));
    let summary = outcome.unwrap();
    assert_eq!((summary.objects, summary.bad), (1, 1));
    let Item::Skipped(bad) = &items[0] else { panic!("the long object came through") };
    assert!(bad.cut && bad.snippet.as_ref().unwrap().len() <= formats::Limits::default().max_kept_bytes);
}

#[test]
fn yaml_aliases_that_explode_are_refused() {
    let mut pack = "title: x\ncreator: y\na0: &a0 [lol, lol, lol]\n".to_owned();
    for level in 1..12 {
        pack.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", ")));
    }
    pack.push_str("tags:\n- address: x\n");
    let error = error_of(Format::TagPack, pack.as_bytes());
    assert!(error.contains("tagpack"), "{error}");
}

#[test]
fn xml_with_a_doctype_or_its_own_entities_is_refused() {
    let bomb =
        b"<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><Sanctions>&b;</Sanctions>";
    assert!(error_of(Format::OfacSdn, bomb).contains("DOCTYPE"));
    assert!(
        error_of(Format::OfacSdn, b"<Sanctions><DateOfIssue><Year>&b;</Year></DateOfIssue></Sanctions>")
            .contains("entities")
    );
}

#[test]
fn files_that_break_off_say_so() {
    assert!(error_of(Format::OfacSdn, b"<Sanctions><DistinctParties>").contains("ends inside"));
    assert!(error_of(Format::StixBundle, br#"{"objects":[{"type":"url""#).contains("broken off"));
    assert!(error_of(Format::List, &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0]).contains("broken off"));
    assert!(error_of(Format::List, b"BZh91AY&SY").contains("broken off"));
    assert!(error_of(Format::Text, b"PK\x03\x04rest").contains("unpack"));
}

#[test]
fn a_list_line_that_is_not_utf8_is_set_aside_and_the_next_is_read() {
    let (outcome, _) = read_all(Format::List, Box::new(&b"\xff\xfa.example\nscam.example\n"[..]));
    let summary = outcome.unwrap();
    assert_eq!((summary.objects, summary.bad), (1, 1));
}

#[test]
fn a_quote_that_is_never_closed_does_not_swallow_the_memory() {
    let input = BufReader::new((&b"a.example\n\""[..]).chain(std::io::repeat(b'x').take(64 << 20)));
    let (outcome, _) = read_all(Format::Csv, Box::new(input));
    assert!(outcome.unwrap_err().to_string().contains("max_object_bytes"));
}

#[test]
fn more_records_than_allowed_end_the_reading_with_the_limit() {
    let ids = KeyedIds::new([7; 32]);
    let mut options = Options::new("t", &ids);
    options.limits.max_records = 2;
    let outcome =
        formats::read(Format::List, Box::new(&b"a.example\nb.example\nc.example\n"[..]), &options, &mut |_| {
            ControlFlow::Continue(())
        });
    assert!(outcome.unwrap_err().to_string().contains("max_records"));
}
