use crate::view::{searchable_type, spaced};

/// Words and quoted phrases of a query that are read; what is beyond is told, not searched.
pub(crate) const MOST_WORDS: usize = 16;
/// Types that one query may name.
const MOST_TYPES: usize = 16;

/// A query as it was understood.
pub(crate) struct Query {
    pub id: Option<String>,
    pub selectors: Vec<(selectors::Kind, String)>,
    /// FTS5's query; `None` when nothing in it is a word.
    pub text: Option<String>,
    pub types: Vec<String>,
    /// Words and phrases in `text`.
    pub words: usize,
    /// Words that were left out.
    pub ignored: usize,
}

impl Query {
    /// Whether nothing but bounds is asked.
    pub fn is_blank(&self) -> bool {
        self.id.is_none() && self.selectors.is_empty() && self.words == 0
    }

    /// Words mean AND; `"quoted words"` stand side by side; `type:indicator` keeps a type, several keep any of them.
    pub fn read(asked: &str) -> Self {
        let (mut types, mut words) = (Vec::new(), Vec::new());
        for part in parts(asked.trim()) {
            match part.strip_prefix("type:").filter(|kind| !kind.is_empty()) {
                Some(kind) if types.len() < MOST_TYPES => types.push(kind.to_owned()),
                Some(_) => {}
                None => words.push(part),
            }
        }
        let rest = words.join(" ");
        let id = stix::StixId::parse(&rest).ok().map(|id| id.as_str().to_owned());
        let mut phrases: Vec<String> = words.iter().filter_map(|w| phrase(w)).collect();
        phrases.sort_unstable();
        phrases.dedup();
        // The longest are the rarest, more often than not.
        phrases.sort_by_key(|p| std::cmp::Reverse(p.len()));
        let ignored = phrases.len().saturating_sub(MOST_WORDS);
        phrases.truncate(MOST_WORDS);
        let selectors = selectors::parse_query(&rest);
        Self { id, selectors, text: match_text(&phrases, &types), types, words: phrases.len(), ignored }
    }
}

/// Words, and what stands between two quotation marks as one.
fn parts(asked: &str) -> Vec<&str> {
    let mut out = Vec::new();
    for (at, piece) in asked.split('"').enumerate() {
        // Every second piece stood in quotes, unless the closing mark is missing.
        if at % 2 == 1 { out.push(piece.trim()) } else { out.extend(piece.split_whitespace()) }
    }
    out.retain(|p| !p.is_empty());
    out
}

/// A word as FTS5 takes it: a phrase in quotes, so that nothing a person types is syntax.
fn phrase(word: &str) -> Option<String> {
    let mut cut = String::new();
    spaced(word, &mut cut);
    cut.chars().any(char::is_alphanumeric).then(|| format!("\"{}\"", cut.trim().replace(['"', '\0'], " ")))
}

fn match_text(phrases: &[String], types: &[String]) -> Option<String> {
    let mut out = phrases.join(" AND ");
    if !types.is_empty() {
        let any: Vec<String> = types.iter().map(|t| format!("\"{}\"", searchable_type(t))).collect();
        if !out.is_empty() {
            out.push_str(" AND ");
        }
        out.push_str(&format!("({})", any.join(" OR ")));
    }
    (!out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_person_types_is_syntax() {
        for asked in ["a* OR b", "NEAR(a b, 2)", "text:x", "\"", "a AND NOT b", "col : {x} ^y", "-1 + 2", "' OR 1=1"] {
            let query = Query::read(asked);
            let conn = rusqlite::Connection::open_in_memory().unwrap();
            conn.execute_batch("CREATE VIRTUAL TABLE t USING fts5(text)").unwrap();
            if let Some(text) = query.text {
                let found: rusqlite::Result<i64> =
                    conn.query_row("SELECT count(*) FROM t WHERE t MATCH ?", [&text], |r| r.get(0));
                assert_eq!(found.unwrap(), 0, "{asked}: {text}");
            }
        }
    }

    #[test]
    fn quotes_keep_words_together_and_too_many_words_are_told() {
        assert_eq!(Query::read("\"free flight\" visa").text.unwrap(), "\"free flight\" AND \"visa\"");
        assert_eq!(Query::read("type:note type:report").words, 0);
        let many: Vec<String> = (0..100).map(|n| format!("word{n}")).collect();
        let query = Query::read(&many.join(" "));
        assert_eq!((query.words, query.ignored), (MOST_WORDS, 100 - MOST_WORDS));
    }
}
