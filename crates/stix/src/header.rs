use crate::{Error, Instant, MAX_DEPTH, MAX_OBJECT_BYTES, Marking, StixId, effective_marking};
use serde::Deserialize;
use std::borrow::Cow;

/// What the doors need to know of an object before they take it; the body itself is never rewritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// The identifier.
    pub id: Cow<'a, str>,
    /// The type, equal to the id's.
    pub object_type: Cow<'a, str>,
    /// `2.1`, or `2.0` where `spec_version` is absent on an object that has `created`.
    pub spec_version: Cow<'a, str>,
    /// When its first version was made.
    pub created: Option<Instant>,
    /// When this version was made.
    pub modified: Option<Instant>,
    /// Its maker withdrew it.
    pub revoked: bool,
    /// Who made it.
    pub created_by: Option<Cow<'a, str>>,
    /// Effective marking.
    pub marking: Marking,
    /// The ids of the marking-definitions it names, TLP ones included.
    pub marking_refs: Vec<String>,
}

impl Header<'_> {
    /// The version: `modified`, else `created`, else none (an SCO: its version is its arrival, TAXII 2.1 §3.4.1).
    pub fn version(&self) -> Option<Instant> {
        self.modified.or(self.created)
    }
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "type")]
    object_type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    spec_version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    created: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    modified: Option<Cow<'a, str>>,
    #[serde(default)]
    revoked: Option<bool>,
    #[serde(borrow, default)]
    created_by_ref: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    object_marking_refs: Vec<Cow<'a, str>>,
    #[serde(borrow, default)]
    granular_markings: Vec<Granular<'a>>,
}

#[derive(Deserialize)]
struct Granular<'a> {
    #[serde(borrow, default)]
    marking_ref: Option<Cow<'a, str>>,
}

/// Reads the header of one object and checks what every object must have (STIX 2.1 §3.1): type, id, matching types,
/// instants that are instants, and `modified` not before `created`.
///
/// # Errors
/// Any [`Error`]; the text names the property and what would be right, never the value.
pub fn parse_header(body: &str) -> Result<Header<'_>, Error> {
    if body.len() > MAX_OBJECT_BYTES {
        return Err(Error::Limit(format!("{} bytes; the limit is {MAX_OBJECT_BYTES}", body.len())));
    }
    let raw: Raw<'_> = serde_json::from_str(body).map_err(|e| syntax(&e))?;
    let object_type = raw.object_type.ok_or(Error::Missing("type"))?;
    let id = raw.id.ok_or(Error::Missing("id"))?;
    let parsed = StixId::parse(&id)?;
    if parsed.object_type() != object_type {
        return Err(Error::Invalid { property: "id", why: "its part before `--` must equal `type`".into() });
    }
    let created = instant("created", raw.created.as_deref())?;
    let modified = instant("modified", raw.modified.as_deref())?;
    if let (Some(c), Some(m)) = (created, modified)
        && m < c
    {
        return Err(Error::Invalid { property: "modified", why: "it must not be before `created`".into() });
    }
    if let Some(by) = raw.created_by_ref.as_deref() {
        StixId::parse(by)
            .map_err(|_| Error::Invalid { property: "created_by_ref", why: "write an identity's id".into() })?;
    }
    let marking_refs: Vec<String> = raw
        .object_marking_refs
        .iter()
        .map(|r| r.as_ref())
        .chain(raw.granular_markings.iter().filter_map(|g| g.marking_ref.as_deref()))
        .map(String::from)
        .collect();
    let spec = raw.spec_version.unwrap_or(Cow::Borrowed(if created.is_some() { "2.0" } else { "2.1" }));
    Ok(Header {
        marking: effective_marking(marking_refs.iter().map(String::as_str)),
        marking_refs,
        spec_version: spec,
        created,
        modified,
        revoked: raw.revoked.unwrap_or(false),
        created_by: raw.created_by_ref,
        id,
        object_type,
    })
}

fn instant(property: &'static str, text: Option<&str>) -> Result<Option<Instant>, Error> {
    text.map(str::parse).transpose().map_err(|e| match e {
        Error::Invalid { why, .. } => Error::Invalid { property, why },
        other => other,
    })
}

/// serde's message holds a position and an expectation, and may quote a value: keep position and shape only.
fn syntax(e: &serde_json::Error) -> Error {
    let what = match e.classify() {
        serde_json::error::Category::Eof => "the text ends too early",
        serde_json::error::Category::Data => "a property has the wrong type",
        _ => "the JSON is broken",
    };
    Error::Syntax(format!("{what}, at line {} column {}", e.line(), e.column()))
}

/// Checks what JSON's grammar lets pass and a reader further on could not take: nesting deeper than [`MAX_DEPTH`],
/// halves of surrogate pairs, numbers out of range. Without recursion and without building anything; what is no JSON at
/// all is the parser's to refuse.
///
/// # Errors
/// [`Error::Limit`], [`Error::Syntax`].
pub fn check_shape(body: &str) -> Result<(), Error> {
    let bytes = body.as_bytes();
    let (mut depth, mut at) = (0usize, 0usize);
    while let Some(b) = bytes.get(at) {
        at = match b {
            b'"' => end_of_text(bytes, at + 1)?,
            b'-' | b'0'..=b'9' => end_of_number(body, at)?,
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Error::Limit(format!("nested deeper than {MAX_DEPTH}")));
                }
                at + 1
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at + 1
            }
            _ => at + 1,
        };
    }
    Ok(())
}

/// Past the closing quote of a text that begins at `at`. Halves of surrogate pairs are no characters (RFC 8259 §8.2).
fn end_of_text(bytes: &[u8], mut at: usize) -> Result<usize, Error> {
    let unit = |at: usize| {
        let hex = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
    };
    while let Some(step) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += step;
        at += match (bytes.get(at), unit(at)) {
            (Some(b'"'), _) => return Ok(at + 1),
            (_, Some(0xd800..=0xdbff)) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => 12,
            (_, Some(0xd800..=0xdfff)) => {
                return Err(Error::Syntax("a text holds half of a surrogate pair; write the character itself".into()));
            }
            _ => 2,
        };
    }
    Ok(bytes.len())
}

/// Past a number that begins at `at`. One that no double holds (`1e999`) would be read differently by everybody
/// (RFC 8259 §6).
fn end_of_number(body: &str, at: usize) -> Result<usize, Error> {
    /// Digits that cannot leave a double's range without an exponent.
    const SAFE: usize = 300;
    let rest = body.get(at..).unwrap_or_default();
    let part = |b: u8| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    let length = rest.bytes().position(|b| !part(b)).unwrap_or(rest.len());
    let number = rest.get(..length).unwrap_or_default();
    let doubtful = length > SAFE || memchr::memchr2(b'e', b'E', number.as_bytes()).is_some();
    if doubtful && serde_json::from_str::<serde_json::Number>(number).is_err() {
        return Err(Error::Syntax("a number is broken, or too large for anybody to hold".into()));
    }
    Ok(at + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_object_must_have_is_named_when_absent() {
        assert_eq!(parse_header("{}").unwrap_err(), Error::Missing("type"));
        assert_eq!(parse_header(r#"{"type":"indicator"}"#).unwrap_err(), Error::Missing("id"));
        assert!(parse_header(r#"{"type":"note","id":"indicator--00000000-0000-4000-8000-000000000001"}"#).is_err());
        let late = r#"{"type":"note","id":"note--00000000-0000-4000-8000-000000000001","created":"2021-01-02T00:00:00Z","modified":"2021-01-01T00:00:00Z"}"#;
        assert!(parse_header(late).is_err());
    }

    #[test]
    fn an_error_never_repeats_a_value() {
        let e = parse_header(r#"{"type":7,"id":"secretvalue"}"#).unwrap_err().to_string();
        assert!(!e.contains("secretvalue"), "{e}");
    }

    #[test]
    fn deep_nesting_is_refused_without_recursion() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(check_shape(&deep).is_err());
        assert!(check_shape(r#"{"a":"[[[[\"[[[["}"#).is_ok());
    }

    #[test]
    fn what_no_reader_after_us_could_hold_is_refused_at_the_door() {
        for bad in
            [r#"{"a":"\ud800"}"#, r#"{"a":"\udc00x"}"#, r#"["\ud800\u0041"]"#, r#"{"\uDBFF":1}"#, "[1e999]", "[-1E400]"]
        {
            assert!(matches!(check_shape(bad), Err(Error::Syntax(_))), "{bad}");
            assert!(serde_json::from_str::<serde_json::Value>(bad).is_err(), "{bad}");
        }
        assert!(check_shape(&format!("[{}]", "9".repeat(400))).is_err());
        for good in [r#"{"a":"\ud83d\ude00 \\ud800 \" "}"#, "[1e300,0e999,-1.5E-999,true,false]", r#"["x"#] {
            check_shape(good).unwrap();
        }
    }

    #[test]
    fn granular_markings_count_at_their_tightest() {
        let body = format!(
            r#"{{"type":"note","id":"note--00000000-0000-4000-8000-000000000001","object_marking_refs":["{}"],"granular_markings":[{{"selectors":["a"],"marking_ref":"{}"}}]}}"#,
            crate::Tlp::Green.definition_id(),
            crate::Tlp::Red.definition_id()
        );
        assert_eq!(parse_header(&body).unwrap().marking.tlp, Some(crate::Tlp::Red));
    }
}
