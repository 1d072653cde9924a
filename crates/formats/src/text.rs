//! Free text: a hotline note becomes an `incident`, an advert or chat becomes a `lure`.
//!
//! One file is one record. Identifiers in the text are found when it is folded, not here.

use crate::fault::Fault;
use crate::input::{broken, is_text};
use crate::object::Object;
use crate::record::{Out, Position, ReadError, TextAs};
use crate::vocabulary;
use serde_json::json;
use std::io::{BufRead, Read};

/// The longest `name` of an incident, in characters.
const MAX_NAME: usize = 80;

pub(crate) fn read<'i>(input: Box<dyn BufRead + 'i>, utf16: bool, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
    let at = Position::of("text").record(1);
    let max = out.options.limits.max_object_bytes as u64;
    let mut bytes = Vec::new();
    input.take(max + 1).read_to_end(&mut bytes).map_err(|error| broken(at.clone(), &error))?;
    if bytes.len() as u64 > max {
        return Err(ReadError::Limit { at, why: format!("one text may have {max} bytes (max_object_bytes)") });
    }
    out.record()?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            out.note("the text is not valid UTF-8; what could not be read is shown as \u{fffd}");
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        }
    };
    // Of anything else the bytes say that it is text, and a note may hold what a word processor left in it.
    if utf16 && !is_text(&text) {
        let why = "more than one character in twenty is none that texts have; look at what file it is";
        return Err(ReadError::Malformed { at, format: "text", why: why.into() });
    }
    let text = text.trim().replace("\r\n", "\n").replace('\0', "\u{fffd}");
    if text.is_empty() {
        return out.bad(at, Fault::EmptyText, b"");
    }
    let lang = out.options.lang.map(str::to_owned).or_else(|| guess_language(&text).map(str::to_owned));
    let mut object = match out.options.text_as {
        TextAs::Complaint => {
            let id = out.id("incident", &[&text]);
            Object::domain("incident", id).with("name", name_of(&text)).with("description", text.as_str()).with(
                "extensions",
                json!({ vocabulary::INCIDENT_CORE: {
                    "extension_type": "property-extension",
                    "incident_types": ["reported-scam"],
                    "investigation_status": "new",
                } }),
            )
        }
        TextAs::Lure => {
            let id = out.id("lure", &[&text]);
            Object::observable("lure").with("id", id).with("text", text.as_str())
        }
    };
    if let Some(lang) = &lang {
        object.put(if out.options.text_as == TextAs::Lure { "language" } else { "lang" }, lang.as_str());
    }
    object.also("country", out.options.country);
    object.also("corrections", out.options.corrections.cloned());
    out.object(object, &at).map(drop)
}

/// The first line, at most [`MAX_NAME`] characters of it, cut at a word.
fn name_of(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    if line.chars().count() <= MAX_NAME {
        return line.to_owned();
    }
    let cut: String = line.chars().take(MAX_NAME - 1).collect();
    let cut = cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head);
    format!("{cut}…")
}

/// The language as RFC 5646 spells it, when the text is long enough to say.
pub(crate) fn guess_language(text: &str) -> Option<&'static str> {
    let info = whatlang::detect(text)?;
    if !info.is_reliable() {
        return None;
    }
    two_letters(info.lang().code())
}

/// ISO 639-3 codes of whatlang to the shortest code, as RFC 5646 section 2.2.1 asks.
fn two_letters(code: &'static str) -> Option<&'static str> {
    Some(match code {
        "eng" => "en",
        "rus" => "ru",
        "cmn" => "zh",
        "spa" => "es",
        "por" => "pt",
        "ita" => "it",
        "ben" => "bn",
        "fra" => "fr",
        "deu" => "de",
        "ukr" => "uk",
        "kat" => "ka",
        "ara" => "ar",
        "hin" => "hi",
        "jpn" => "ja",
        "heb" => "he",
        "yid" => "yi",
        "pol" => "pl",
        "amh" => "am",
        "jav" => "jv",
        "kor" => "ko",
        "nob" => "nb",
        "dan" => "da",
        "swe" => "sv",
        "fin" => "fi",
        "tur" => "tr",
        "nld" => "nl",
        "hun" => "hu",
        "ces" => "cs",
        "ell" => "el",
        "bul" => "bg",
        "bel" => "be",
        "mar" => "mr",
        "kan" => "kn",
        "ron" => "ro",
        "slv" => "sl",
        "hrv" => "hr",
        "srp" => "sr",
        "mkd" => "mk",
        "lit" => "lt",
        "lav" => "lv",
        "est" => "et",
        "tam" => "ta",
        "vie" => "vi",
        "urd" => "ur",
        "tha" => "th",
        "guj" => "gu",
        "uzb" => "uz",
        "pan" => "pa",
        "aze" => "az",
        "ind" => "id",
        "tel" => "te",
        "pes" => "fa",
        "mal" => "ml",
        "ori" => "or",
        "mya" => "my",
        "nep" => "ne",
        "sin" => "si",
        "khm" => "km",
        "tuk" => "tk",
        "aka" => "ak",
        "zul" => "zu",
        "sna" => "sn",
        "afr" => "af",
        "lat" => "la",
        "slk" => "sk",
        "cat" => "ca",
        "tgl" => "tl",
        "hye" => "hy",
        "epo" => "eo",
        "cym" => "cy",
        _ => return None,
    })
}
