//! Where the lists on an object's page begin: each has pages of its own, and a long text is cut.
use super::shown::query;
use std::borrow::Cow;

/// Shared selectors on a page.
pub(super) const LINKS: usize = 50;
/// Selectors on a page.
pub(super) const SELECTORS: usize = 200;
/// Neighbours on a page.
pub(super) const NEIGHBOURS: usize = 100;
/// Versions on a page.
pub(super) const VERSIONS: usize = 50;
/// Bytes of the object as it is written.
pub(super) const RAW: usize = 64 << 10;
/// Bytes of each of the versions that stand side by side.
pub(super) const BESIDE: usize = 16 << 10;
/// Nobody reads further; each list ends there.
const DEEPEST: usize = 100_000;

/// The first row of each list that is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct From {
    pub links: usize,
    pub selectors: usize,
    pub neighbours: usize,
    pub versions: usize,
}

impl From {
    /// Of an address's query; what is no number counts as the beginning.
    pub fn parse(query: Option<&str>) -> Self {
        let sent = web::Fields::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
        let at = |name: &str| sent.text(name).parse::<usize>().unwrap_or(0).min(DEEPEST);
        Self { links: at("links"), selectors: at("selectors"), neighbours: at("neighbours"), versions: at("versions") }
    }

    /// The page's address with these beginnings; the place on it is `at`.
    pub fn href(self, page: &str, at: &str) -> String {
        let all = [
            ("links", self.links),
            ("selectors", self.selectors),
            ("neighbours", self.neighbours),
            ("versions", self.versions),
        ];
        let told: Vec<(&str, String)> =
            all.into_iter().filter(|(_, n)| *n > 0).map(|(k, n)| (k, n.to_string())).collect();
        let pairs: Vec<(&str, &str)> = told.iter().map(|(k, n)| (*k, n.as_str())).collect();
        if pairs.is_empty() { format!("{page}#{at}") } else { format!("{page}?{}#{at}", query(&pairs)) }
    }
}

/// A list's way to its other pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Turn {
    pub first: Option<String>,
    pub next: Option<String>,
}

impl Turn {
    /// `of` puts a beginning into the list's place.
    pub fn new(
        page: &str,
        at: &str,
        from: From,
        here: usize,
        next: Option<usize>,
        of: impl Fn(From, usize) -> From,
    ) -> Self {
        Self {
            first: (here > 0).then(|| of(from, 0).href(page, at)),
            next: next.filter(|n| *n <= DEEPEST).map(|n| of(from, n).href(page, at)),
        }
    }
}

/// At most so many bytes of a text, whole characters, and whether that is less than all.
pub(super) fn cut(text: &str, most: usize) -> (Cow<'_, str>, bool) {
    if text.len() <= most {
        return (Cow::Borrowed(text), false);
    }
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    (Cow::Borrowed(text.get(..end).unwrap_or_default()), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_the_beginning_and_nobody_reads_deeper_than_the_end() {
        assert_eq!(From::parse(Some("links=x&versions=-1")), From::default());
        assert_eq!(From::parse(Some("links=99999999")).links, DEEPEST);
        let from = From::parse(Some("links=50&versions=100"));
        assert_eq!(from.href("/objects/a", "links"), "/objects/a?links=50&versions=100#links");
        assert_eq!(From::default().href("/objects/a", "links"), "/objects/a#links");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("ab", 2), (Cow::Borrowed("ab"), false));
        assert_eq!(cut("a\u{e01}b", 2), (Cow::Borrowed("a"), true));
    }
}
