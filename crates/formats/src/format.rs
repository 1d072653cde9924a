//! The formats there are, and which of them a file is.

use std::fmt;
use std::str::FromStr;

/// A format that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// STIX 2.1 bundle, TAXII envelope, list of objects, or one object.
    StixBundle,
    /// STIX 2.1 objects, one a line.
    StixLines,
    /// MISP events as JSON.
    MispEvent,
    /// GraphSense TagPack, YAML.
    TagPack,
    /// GraphSense ActorPack, YAML.
    ActorPack,
    /// OFAC's SDN list as Advanced XML.
    OfacSdn,
    /// One value a line, or a hosts file.
    List,
    /// eth-phishing-detect's `config.json`.
    PhishingConfig,
    /// CSV with a mapping.
    Csv,
    /// Free text, one report.
    Text,
}

/// All formats, in the order in which help lists them.
const ALL: [Format; 10] = [
    Format::StixBundle,
    Format::StixLines,
    Format::MispEvent,
    Format::TagPack,
    Format::ActorPack,
    Format::OfacSdn,
    Format::List,
    Format::PhishingConfig,
    Format::Csv,
    Format::Text,
];

impl Format {
    /// All formats.
    pub fn all() -> &'static [Format] {
        &ALL
    }

    /// The code a command line names it by.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::StixBundle => "stix",
            Format::StixLines => "stix-lines",
            Format::MispEvent => "misp",
            Format::TagPack => "tagpack",
            Format::ActorPack => "actorpack",
            Format::OfacSdn => "ofac-sdn",
            Format::List => "list",
            Format::PhishingConfig => "eth-phishing-detect",
            Format::Csv => "csv",
            Format::Text => "text",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why no format was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuessError {
    /// No format of this name.
    #[error(
        "no format `{0}`; there are stix, stix-lines, misp, tagpack, actorpack, ofac-sdn, list, eth-phishing-detect, csv, text"
    )]
    Unknown(String),
    /// The beginning of the file tells nothing.
    #[error(
        "cannot tell the format: {seen}; name it with --format (stix, stix-lines, misp, tagpack, actorpack, ofac-sdn, list, eth-phishing-detect, csv, text)"
    )]
    Unclear {
        /// What was seen, in words; repeats nothing of the file.
        seen: String,
    },
}

impl FromStr for Format {
    type Err = GuessError;

    fn from_str(code: &str) -> Result<Self, GuessError> {
        ALL.into_iter()
            .find(|format| format.as_str() == code)
            .ok_or_else(|| GuessError::Unknown(code.chars().take(40).collect()))
    }
}

/// Tells a file's format by its beginning, and by its name where that leaves a doubt.
///
/// `head` is the beginning of the file, decompressed when it was compressed (see [`crate::decompress`]);
/// 64 KB are plenty. Compressed bytes are looked into where possible.
///
/// # Errors
/// [`GuessError::Unclear`] says what was seen and how to name a format.
///
/// ```
/// use formats::{Format, guess};
/// assert_eq!(guess("x", br#"{"type":"bundle","id":"bundle--1","objects":[]}"#)?, Format::StixBundle);
/// assert_eq!(guess("sites.txt", b"# scam sites\nscam.example\nbad.example\n")?, Format::List);
/// # Ok::<(), formats::GuessError>(())
/// ```
pub fn guess(name: &str, head: &[u8]) -> Result<Format, GuessError> {
    let unpacked = look_inside(head);
    let head = unpacked.as_deref().unwrap_or(head);
    // Cut anywhere: the last letter may be half of one.
    let decoded = crate::input::is_utf16(head).then(|| encoding_rs::UTF_16LE.decode(head).0.into_owned());
    if decoded.as_deref().is_some_and(|text| !crate::input::is_text(text)) {
        return Err(unclear("bytes that are no text, behind a byte order mark of UTF-16"));
    }
    let head = decoded.as_deref().map_or(head, |text| text.trim_end_matches('\u{fffd}').as_bytes());
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    let stem = name.trim_end_matches(".gz").trim_end_matches(".bz2");
    let head = head.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(head);
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start();
    if head.starts_with(b"PK\x03\x04") {
        return Err(unclear("a zip archive or a workbook of a spreadsheet: unpack it, or save the sheet as CSV UTF-8"));
    }
    if head.starts_with(b"%PDF") {
        return Err(unclear("a PDF: copy its text out"));
    }
    if head.contains(&0) || head.starts_with(b"BZh") || head.starts_with(&[0x1f, 0x8b]) {
        return by_name(stem).ok_or_else(|| unclear("bytes that are no text"));
    }
    match text.chars().next() {
        None => Err(unclear("an empty file")),
        Some('<') if text.contains("<Sanctions") => Ok(Format::OfacSdn),
        Some('<') => Err(unclear("XML that is not OFAC's Sanctions")),
        Some('{' | '[') => json(text)
            .or_else(|| by_name(stem))
            .ok_or_else(|| unclear("JSON without a mark of STIX, MISP or a block list")),
        Some(_) => lines(text, stem),
    }
}

fn unclear(seen: &str) -> GuessError {
    GuessError::Unclear { seen: seen.to_owned() }
}

/// The beginning of what is packed, as far as these bytes give it.
fn look_inside(head: &[u8]) -> Option<Vec<u8>> {
    use std::io::Read;
    let mut unpacked = Vec::new();
    let packed = crate::input::decompress(Box::new(head)).ok()?;
    if head.starts_with(&[0x1f, 0x8b]) || head.starts_with(b"BZh") {
        // The head breaks off in the middle: what came until then is what was asked for.
        let _cut = packed.take(64 * 1024).read_to_end(&mut unpacked);
        return (!unpacked.is_empty()).then_some(unpacked);
    }
    None
}

fn by_name(stem: &str) -> Option<Format> {
    if stem.contains("sdn") && stem.ends_with(".xml") {
        return Some(Format::OfacSdn);
    }
    Some(match stem.rsplit_once('.')?.1 {
        "jsonl" | "ndjson" => Format::StixLines,
        "csv" | "tsv" => Format::Csv,
        "eml" | "md" => Format::Text,
        "yaml" | "yml" if stem.contains("actor") => Format::ActorPack,
        "yaml" | "yml" => Format::TagPack,
        _ => return None,
    })
}

fn json(text: &str) -> Option<Format> {
    let has = |name: &str| text.contains(&format!("\"{name}\""));
    if has("blacklist") || has("fuzzylist") {
        return Some(Format::PhishingConfig);
    }
    let first = text.lines().next().unwrap_or_default().trim_end();
    let one_a_line = first.starts_with('{')
        && first.ends_with('}')
        && text.lines().nth(1).is_some_and(|line| line.trim_start().starts_with('{'));
    if one_a_line && has("type") {
        return Some(Format::StixLines);
    }
    let misp = has("Event") || has("Attribute") || has("threat_level_id") || (has("response") && !has("spec_version"));
    let bundle = text.contains("bundle--") || has("objects") || has("spec_version");
    match (bundle, misp) {
        (true, false) => Some(Format::StixBundle),
        (false, true) => Some(Format::MispEvent),
        // Both words occur: the one that comes first is the frame.
        (true, true) => {
            let place = |marks: &[&str]| marks.iter().filter_map(|mark| text.find(mark)).min().unwrap_or(usize::MAX);
            let stix = place(&["bundle--", "\"objects\"", "\"spec_version\""]);
            Some(if stix < place(&["\"Event\"", "\"response\"", "\"Attribute\""]) {
                Format::StixBundle
            } else {
                Format::MispEvent
            })
        }
        (false, false) => (has("type") && has("id") && text.contains("--")).then_some(Format::StixBundle),
    }
}

fn lines(text: &str, stem: &str) -> Result<Format, GuessError> {
    let key = |name: &str| text.lines().any(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')));
    if key("actors") && (key("title") || key("creator")) {
        return Ok(Format::ActorPack);
    }
    if key("title") && (key("creator") || key("tags")) {
        return Ok(Format::TagPack);
    }
    let by_name = by_name(stem);
    if matches!(by_name, Some(Format::Csv | Format::Text)) {
        return by_name.ok_or_else(|| unclear("text"));
    }
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(['#', '!', ';']))
        .take(200)
        .collect();
    if lines.is_empty() {
        return Ok(Format::List);
    }
    let listed = lines.iter().filter(|line| is_list_line(line)).count();
    let short = lines.iter().all(|line| line.split_whitespace().count() <= 6);
    if short && listed * 10 >= lines.len() * 6 {
        return Ok(Format::List);
    }
    if lines.len() >= 2 {
        for delimiter in [',', ';', '\t', '|'] {
            let fields = |line: &&str| line.matches(delimiter).count();
            let first = lines.first().map(fields).unwrap_or_default();
            let even = lines.iter().take(20).filter(|line| fields(line) == first).count();
            let spaced = lines.first().is_some_and(|line| line.split_whitespace().count() > 2 * (first + 1) + 2);
            if first > 0 && !spaced && even * 10 >= lines.len().min(20) * 8 {
                return Ok(Format::Csv);
            }
        }
    }
    if text.contains('\u{fffd}') {
        return Err(unclear("text that is not UTF-8"));
    }
    Ok(by_name.unwrap_or(Format::Text))
}

fn is_list_line(line: &str) -> bool {
    let value = line.split(" #").next().unwrap_or_default().trim();
    let mut fields = value.split_ascii_whitespace();
    match (fields.next(), fields.next(), fields.next()) {
        (Some(one), None, None) => crate::typing::type_of(one).is_some(),
        (Some("0.0.0.0" | "127.0.0.1" | "::1" | "::"), Some(_), None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back() {
        for format in Format::all() {
            assert_eq!(format.as_str().parse::<Format>().unwrap(), *format);
        }
        assert!("xml".parse::<Format>().unwrap_err().to_string().contains("ofac-sdn"));
    }

    #[test]
    fn content_comes_before_the_name() {
        let cases: [(&str, &[u8], Format); 11] = [
            ("a.csv", br#"{"type": "bundle", "objects": []}"#, Format::StixBundle),
            ("a", b"{\"type\":\"url\",\"id\":\"url--1\"}\n{\"type\":\"url\"}\n", Format::StixLines),
            ("a", br#"{"Event": {"info": "x", "Attribute": []}}"#, Format::MispEvent),
            ("a", br#"{"response": [{"Event": {}}]}"#, Format::MispEvent),
            ("a", b"title: x\ncreator: y\ntags:\n- address: z\n", Format::TagPack),
            ("a", b"title: x\ncreator: y\nactors:\n- id: z\n", Format::ActorPack),
            ("a", b"<?xml version=\"1.0\"?>\n<Sanctions Version=\"3\">", Format::OfacSdn),
            ("a", b"0.0.0.0 bad.example\n0.0.0.0 worse.example\n", Format::List),
            ("a", br#"{"version": 2, "blacklist": ["bad.example"]}"#, Format::PhishingConfig),
            ("a", b"site,seen\nbad.example,2025-01-01\nworse.example,2025-01-02\n", Format::Csv),
            ("a", "Me llamaron ayer, dicen que es un trabajo en otro país.".as_bytes(), Format::Text),
        ];
        for (name, head, format) in cases {
            assert_eq!(guess(name, head).unwrap(), format, "{format}");
        }
    }

    #[test]
    fn what_cannot_be_told_says_what_was_seen() {
        let error = guess("x.bin", &[0, 1, 2, 3]).unwrap_err().to_string();
        assert!(error.contains("no text") && error.contains("--format"), "{error}");
        for (head, says) in [(&b"PK\x03\x04\0\0"[..], "CSV UTF-8"), (b"%PDF-1.7\n", "copy its text")] {
            let error = guess("sheet.csv", head).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        assert!(guess("", b"").is_err());
        // Whatever its name says.
        let noise: Vec<u8> = [0xff, 0xfe].into_iter().chain((0..2_000_u32).map(|n| (n * n % 251) as u8)).collect();
        for name in ["note", "note.md", "sheet.csv"] {
            let error = guess(name, &noise).unwrap_err().to_string();
            assert!(error.contains("UTF-16") && error.contains("no text"), "{name}: {error}");
        }
        let text: Vec<u8> = "\u{feff}EXERCISE นาย ก. called".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(guess("note", &text).unwrap(), Format::Text);
    }
}
