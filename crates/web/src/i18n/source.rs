//! What a room's tests ask of its own source: words outside of Fluent, keys that are asked for, keys that nobody asks for.

use std::collections::BTreeSet;

/// The words of a template that stand between its tags, outside of Fluent: there should be none but names.
/// Rooms check their templates with it. Attributes are not looked at; the pseudo-locale shows those.
#[must_use]
pub fn bare_words(template: &str) -> Vec<String> {
    // The template language first, because it may hold a `>` of its own.
    let html = without(template, &[("{#", "#}"), ("{%", "%}"), ("{{", "}}")]);
    let text = without(&html, &[("<script", "</script>"), ("<", ">")]);
    let long = |w: &&str| w.chars().filter(|c| c.is_alphabetic()).count() > 2 && !w.starts_with('&');
    text.split_whitespace().filter(long).map(str::to_owned).collect()
}

/// `text` without what stands between any of the pairs.
fn without(text: &str, pairs: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    'text: while let Some(c) = rest.chars().next() {
        for (open, close) in pairs {
            if rest.starts_with(open) {
                rest = rest.split_once(close).map_or("", |(_, after)| after);
                continue 'text;
            }
        }
        out.push(c);
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    out
}

/// The literal keys that `source` asks for.
#[must_use]
pub fn keys_used(source: &str) -> BTreeSet<&str> {
    let mut keys = BTreeSet::new();
    for call in ["t(\"", "t1(\"", "t2(\"", "t_args(\""] {
        for (at, _) in source.match_indices(call) {
            let before = source.get(..at).and_then(|s| s.chars().next_back());
            if before != Some('.') {
                continue;
            }
            if let Some(key) = source.get(at + call.len()..).and_then(|rest| rest.split('"').next()) {
                keys.insert(key);
            }
        }
    }
    keys
}

/// The keys of a Fluent file that nothing in `sources` asks for: neither by name, nor by a family of names that is put together
/// (`"month-{…}"`, `term("kind", …)`, `said("aside", …)`).
#[must_use]
pub fn unused_keys<'a>(ftl: &'a str, sources: &[String]) -> Vec<&'a str> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let (mut words, mut families) = (BTreeSet::new(), BTreeSet::new());
    for source in sources {
        words.extend(source.split(|c| !letter(c)));
        let made = source.match_indices('{').filter_map(|(at, _)| source.get(..at)?.rsplit(|c| !letter(c)).next());
        families.extend(made.filter_map(|word| word.strip_suffix('-')).map(str::to_owned));
        for call in ["term(\"", "said(\""] {
            let named =
                source.match_indices(call).filter_map(|(at, _)| source.get(at + call.len()..)?.split('"').next());
            families.extend(named.map(str::to_owned));
        }
    }
    let in_family =
        |key: &str| key.match_indices('-').any(|(at, _)| key.get(..at).is_some_and(|f| families.contains(f)));
    let keys = ftl.lines().filter_map(|line| line.split_once(" =")).map(|(key, _)| key);
    let keys = keys.filter(|key| !key.is_empty() && key.chars().all(letter));
    keys.filter(|key| !words.contains(key) && !in_family(key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_in_a_template_is_found_and_markup_is_not() {
        let template = "<p class=\"a\">{% if n > 0 %}{{ chrome.t(\"a-b\") }}{% endif %} &nbsp;· No results</p>";
        assert_eq!(bare_words(template), ["results"]);
    }

    #[test]
    fn a_string_that_nothing_asks_for_is_found_and_one_of_a_family_is_used() {
        let ftl =
            "demo-hi = Hi\ndemo-hi-you = Hi you\n# demo-no = comment\nday-1 = Monday\nkind-note = Note\nlost-1 = x\n";
        let sources =
            ["{{ chrome.t(\"demo-hi\") }}".to_owned(), "t(&format!(\"day-{n}\")); term(\"kind\", k)".to_owned()];
        assert_eq!(unused_keys(ftl, &sources), ["demo-hi-you", "lost-1"]);
    }

    #[test]
    fn keys_are_found_in_templates() {
        let found = keys_used("{{ chrome.t(\"a-b\") }} {{ l.t1(\"c\", \"n\", n) }} format(\"x\")");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["a-b", "c"]);
    }
}
