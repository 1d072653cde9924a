//! Small lists of substrings and regular expressions, kept in memory.

use aho_corasick::AhoCorasick;
use regex::{Regex, RegexBuilder};

/// More substrings than this do not stand in memory.
pub(crate) const MAX_SUBSTRINGS: usize = 50_000;
/// More expressions than this are no list.
pub(crate) const MAX_EXPRESSIONS: usize = 500;
/// A compiled expression may take this many bytes.
const MAX_COMPILED: usize = 1 << 20;

pub(crate) struct Substrings {
    automaton: AhoCorasick,
    words: Vec<String>,
}

impl Substrings {
    pub fn new(words: Vec<String>) -> Option<Self> {
        let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let automaton =
            AhoCorasick::builder().kind(Some(aho_corasick::AhoCorasickKind::NoncontiguousNFA)).build(&words).ok()?;
        Some(Self { automaton, words })
    }

    pub fn find(&self, value: &str) -> Option<String> {
        let found = self.automaton.find(value)?;
        self.words.get(found.pattern().as_usize()).cloned()
    }
}

/// `/.../i` as PHP writes it, or a bare expression.
pub(crate) fn compile(text: &str) -> Option<Regex> {
    let (body, flags) = match text.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')) {
        Some((body, flags)) => (body, flags),
        None => (text, ""),
    };
    // PHP escapes letters that regex leaves alone.
    let body = body.replace("\\@", "@").replace("\\/", "/");
    RegexBuilder::new(&body).case_insensitive(flags.contains('i')).size_limit(MAX_COMPILED).build().ok()
}
