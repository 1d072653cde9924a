//! CSV as spreadsheets write it, and what is handed on of a row that cannot be taken.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use formats::{Bad, Format, Item, KeyedIds, Mapping, Options};
use std::ops::ControlFlow;

const MAPPING: &str = "delimiter = \";\"\nkey = [\"case\"]\n[object.report]\ntype = \"incident\"\n\
    columns.case = { to = \"name\" }\ncolumns.story = { to = \"description\" }\n\
    [object.site]\ntype = \"auto\"\ncolumns.site = { to = \"value\" }\n";

/// The descriptions that came out, the rows set aside, and why the file could not be read on.
fn read(mapping: &str, file: &[u8]) -> (Vec<String>, Vec<Bad>, Option<String>) {
    let (ids, mapping) = (KeyedIds::new([7; 32]), Mapping::parse(mapping).unwrap());
    let mut options = Options::new("test.csv", &ids);
    options.mapping = Some(&mapping);
    let (mut stories, mut bad) = (Vec::new(), Vec::new());
    let read = formats::read(Format::Csv, Box::new(file), &options, &mut |item| {
        match item {
            Item::Object(record) => {
                let body: serde_json::Value = serde_json::from_str(&record.body).unwrap();
                stories.extend(body["description"].as_str().map(str::to_owned));
            }
            Item::Skipped(one) => bad.push(one),
        }
        ControlFlow::Continue(())
    });
    (stories, bad, read.err().map(|e| e.to_string()))
}

fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn whatever_a_spreadsheet_writes_is_read_and_a_byte_order_mark_goes_before_the_mapping() {
    let text = "case;story;site\r\nA1;\"ถูกหลอก; a\r\nb\";scam.example\r\n";
    let thai = encoding_rs::WINDOWS_874.encode(text).0.into_owned();
    let western = format!("encoding = \"windows-1252\"\n{MAPPING}");
    let files: [(&str, Vec<u8>); 5] = [
        (MAPPING, text.as_bytes().to_vec()),
        (MAPPING, [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        (&western, [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        (&western, utf16(text)),
        (MAPPING, format!("sep=;\r\n{text}").into_bytes()),
    ];
    for (n, (mapping, file)) in files.iter().enumerate() {
        let (stories, bad, broken) = read(mapping, file);
        assert_eq!((stories, bad.len(), broken), (vec!["ถูกหลอก; a\r\nb".to_owned()], 0, None), "file {n}");
    }
    let (stories, ..) = read(&format!("encoding = \"windows-874\"\n{MAPPING}"), &thai);
    assert_eq!(stories, ["ถูกหลอก; a\r\nb"]);
}

#[test]
fn the_format_of_a_utf_16_file_is_told_by_its_text() {
    assert_eq!(formats::guess("x", &utf16("case;site\nA1;a.example\nA2;b.example\n")).unwrap(), Format::Csv);
    assert_eq!(formats::guess("x.txt", &utf16("0.0.0.0 bad.example\n0.0.0.0 worse.example\n")).unwrap(), Format::List);
    assert_eq!(formats::guess("note.txt", &utf16("They called me yesterday about a job.")).unwrap(), Format::Text);
}

#[test]
fn letters_of_another_encoding_set_the_row_aside_and_not_the_file() {
    let file = b"case;story;site\nA1;caf\xe9;a.example\nA2;tea;b.example\n";
    let (stories, bad, _) = read(MAPPING, file);
    assert_eq!((stories, bad[0].why.fault), (vec!["tea".to_owned()], formats::Fault::Encoding));
    let gbk = format!("encoding = \"gbk\"\n{MAPPING}");
    let (stories, bad, _) = read(&gbk, b"case;story;site\nA1;\xff\xff;a.example\nA2;\xd6\xd0;b.example\n");
    assert_eq!((stories, bad[0].why.fault), (vec!["中".to_owned()], formats::Fault::Encoding));
}

#[test]
fn a_row_set_aside_is_read_alone_once_it_is_mended_whatever_the_file_was_written_in() {
    let mapping = format!("encoding = \"windows-1252\"\nskip = 1\n{MAPPING}");
    let file = b"Complaints;;\n\"case\";story;\"si\"\"te\"\n\"A;1\";\"caf\xe9\nau lait\";no site\n";
    let mapping = mapping.replace("columns.site", "columns.'si\"te'");
    let (stories, bad, broken) = read(&mapping, file);
    assert_eq!((stories.len(), bad.len(), broken), (0, 1, None));
    let (header, row) = (bad[0].header.clone().unwrap(), bad[0].snippet.clone().unwrap());
    assert_eq!((&*header, &*row), ("case;story;\"si\"\"te\"", "\"A;1\";\"café\nau lait\";no site"));
    // What is kept has no title above it, and is UTF-8.
    let alone = Mapping::parse(&mapping).unwrap().alone();
    let mended = format!("{header}\n{}\n", row.replace("no site", "scam.example"));
    for file in [mended.clone(), format!("\u{feff}{mended}")] {
        let (stories, bad, broken) = read(&alone, file.as_bytes());
        assert_eq!((stories, bad.len(), broken), (vec!["café\nau lait".to_owned()], 0, None));
    }
}

#[test]
fn a_title_above_the_header_and_a_wrong_delimiter_are_named_with_what_to_write() {
    let titled = "Complaints 2026;;\n;;\ncase;story;site\nA1;x;scam.example\n";
    let (.., broken) = read(MAPPING, titled.as_bytes());
    assert!(broken.as_ref().is_some_and(|why| why.contains("`skip = 2`")), "{broken:?}");
    let (stories, bad, broken) = read(&format!("skip = 2\n{MAPPING}"), titled.as_bytes());
    assert_eq!((stories.len(), bad.len(), broken), (1, 0, None));
    let (.., broken) = read(MAPPING, b"case,story,site\nA1,x,scam.example\n");
    assert!(broken.as_ref().is_some_and(|why| why.contains("`delimiter = ','`")), "{broken:?}");
    let (.., broken) = read(MAPPING, b"case;tale;site\nA1;x;scam.example\n");
    assert!(broken.is_some_and(|why| why.contains("no column `story`; there are: case, tale, site.")));
}

#[test]
fn a_row_is_named_by_the_line_that_an_editor_shows() {
    for end in ["\n", "\r\n"] {
        let rows = ["case;story;site", "A1;\"two", "lines\";a.example", "A2;x;no site", "", "A3;y;no site"];
        let (_, bad, _) = read(MAPPING, rows.join(end).as_bytes());
        assert_eq!(bad.iter().map(|one| one.at.line).collect::<Vec<_>>(), [Some(4), Some(6)], "{end:?}");
        let (_, bad, _) = read(
            &format!("header = false\nskip = 1\n{MAPPING}")
                .replace("case", "1")
                .replace("story", "2")
                .replace("columns.site", "columns.3"),
            rows.join(end).as_bytes(),
        );
        assert_eq!(bad.first().and_then(|one| one.at.line), Some(4), "{end:?}");
    }
}
