//! What an object says in its own words, with what was read in it marked in place.
use super::shown::selector_page;
use crate::Intel;
use serde_json::Value;

/// Characters of a text that a page shows; the whole stands in the object as it arrived.
const SHOWN: usize = 20_000;

/// A run of a text: plain, or something that was read as a selector.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// As it stands in the text.
    pub text: String,
    /// The kind of selector; empty for plain text.
    pub kind: &'static str,
    /// How it was understood: the normal form, which two agencies that write it differently agree on.
    pub value: String,
    /// The selector's page; empty for plain text.
    pub href: String,
    /// Whether it may link.
    pub links: bool,
}

/// The text that an object carries for people, in pieces; empty when it has none.
pub(super) fn says(intel: &Intel, object: &Value) -> Vec<Piece> {
    let text = |key| object.get(key).and_then(Value::as_str).filter(|t: &&str| !t.trim().is_empty());
    let Some(text) = ["description", "content", "text", "abstract", "explanation"].into_iter().find_map(text) else {
        return Vec::new();
    };
    let country = crate::reading::country_of(object, intel.inner.country.as_deref());
    let cut = text.char_indices().nth(SHOWN).map_or(text, |(at, _)| text.get(..at).unwrap_or(text));
    let hints = selectors::Hints { country };
    let mut found = selectors::scan(cut, &hints);
    crate::Corrections::of(object).apply(&mut found, &hints);
    pieces(cut, &found, &|kind, value| selector_page(intel, kind, value))
}

/// Takes a text apart at what was read in it. Where findings overlap (a link and its domain), the first and longest stays.
pub(super) fn pieces(
    text: &str,
    found: &[selectors::Found],
    page: &dyn Fn(selectors::Kind, &str) -> String,
) -> Vec<Piece> {
    let mut spans: Vec<&selectors::Found> = found.iter().filter(|f| !f.span.is_empty()).collect();
    spans.sort_by_key(|f| (f.span.start, std::cmp::Reverse(f.span.end)));
    let plain =
        |text: &str| Piece { text: text.into(), kind: "", value: String::new(), href: String::new(), links: false };
    let (mut out, mut at) = (Vec::new(), 0);
    for f in spans {
        let (Some(before), Some(here)) = (text.get(at..f.span.start), text.get(f.span.clone())) else { continue };
        if !before.is_empty() {
            out.push(plain(before));
        }
        out.push(Piece {
            text: here.into(),
            kind: f.kind.as_str(),
            value: f.value.clone(),
            href: page(f.kind, &f.value),
            links: f.strength == selectors::Strength::Links,
        });
        at = f.span.end;
    }
    if let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        out.push(plain(rest));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_of_a_text_make_the_text_again_in_every_script() {
        for text in [
            "EXERCISE: call +66 2 555 0100 or visit hxxps://golden-crane[.]example/apply today",
            "ការហៅ +855 23 555 010 ឬ golden.example",
            "ဖုန်း +95 1 555 010 @exercise_mei t.me/exercise_mei",
            "اتصل على +971 4 555 0100 — golden.example",
            "no identifiers at all",
            "",
        ] {
            let found = selectors::scan(text, &selectors::Hints { country: None });
            let again: String = pieces(text, &found, &|_, _| String::new()).iter().map(|p| p.text.as_str()).collect();
            assert_eq!(again, text);
        }
    }

    #[test]
    fn a_link_is_marked_once_though_its_domain_was_read_too() {
        let text = "see https://golden-crane.example/apply";
        let found = selectors::scan(text, &selectors::Hints { country: None });
        let marked: Vec<_> = pieces(text, &found, &|_, _| String::new())
            .into_iter()
            .filter(|p| !p.kind.is_empty())
            .map(|p| p.text)
            .collect();
        assert_eq!(marked, ["https://golden-crane.example/apply"]);
    }
}
