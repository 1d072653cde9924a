//! Comparisons of a STIX pattern (STIX 2.1, section 9): object path, `=` or `IN`, and the literals.

/// Most comparisons of one pattern that are read.
const MAX_COMPARISONS: usize = 2000;

/// Calls `each(object type, property path, literal)` for every equality and every member of an `IN` set that is not
/// negated. `LIKE`, `MATCHES` and orderings name no single value and are left out.
pub(crate) fn comparisons(pattern: &str, mut each: impl FnMut(&str, &str, &str)) {
    let bytes = pattern.as_bytes();
    let mut i = 0;
    let mut count = 0;
    while let Some(offset) = pattern.get(i..).and_then(|rest| memchr::memchr(b':', rest.as_bytes())) {
        let colon = i + offset;
        let start = back(bytes, colon);
        let (path_end, path) = path(pattern, colon + 1);
        i = path_end.max(colon + 1);
        let rest = pattern.get(path_end..).unwrap_or("");
        let trimmed = rest.trim_start();
        let negated = trimmed.get(..3).is_some_and(|w| w.eq_ignore_ascii_case("NOT"));
        let trimmed = if negated { trimmed.get(3..).unwrap_or("").trim_start() } else { trimmed };
        let kind = pattern.get(start..colon).unwrap_or("");
        let after = |trimmed: &str, n: usize| pattern.len() - trimmed.len() + n;
        if trimmed.starts_with('=') {
            let from = after(trimmed, trimmed.bytes().take_while(|b| *b == b'=').count());
            if let Some((literal, end)) = literal(pattern, from) {
                i = end;
                if !negated {
                    each(kind, &path, &literal);
                }
            }
        } else if trimmed.get(..2).is_some_and(|w| w.eq_ignore_ascii_case("IN")) {
            let mut from = after(trimmed, 2);
            while let Some((literal, end)) = literal(pattern, from) {
                i = end;
                from = end;
                count += 1;
                if !negated && count < MAX_COMPARISONS {
                    each(kind, &path, &literal);
                }
                if !pattern.get(from..).is_some_and(|rest| rest.trim_start().starts_with(',')) {
                    break;
                }
            }
        } else if let Some((_, end)) =
            literal(pattern, after(trimmed, trimmed.find('\'').filter(|n| *n < 12).unwrap_or(0)))
        {
            i = end;
        }
        count += 1;
        if count >= MAX_COMPARISONS {
            return;
        }
    }
}

fn back(bytes: &[u8], colon: usize) -> usize {
    let mut start = colon;
    while start > 0
        && colon - start < 64
        && (bytes.get(start - 1).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'-' || *b == b'_'))
    {
        start -= 1;
    }
    start
}

/// A property path without its quotes: `hashes.'SHA-256'` is `hashes.SHA-256`.
fn path(pattern: &str, start: usize) -> (usize, String) {
    let mut path = String::new();
    let mut quoted = false;
    for (i, c) in pattern.get(start..).unwrap_or("").char_indices().take(256) {
        match c {
            '\'' | '"' => quoted = !quoted,
            c if quoted || c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '[' | ']' | '*') => path.push(c),
            _ => return (start + i, path),
        }
    }
    (pattern.len().min(start + path.len()), path)
}

/// The string literal behind blanks, brackets and commas, with `\'` and `\\` undone, and where it ends.
fn literal(pattern: &str, from: usize) -> Option<(String, usize)> {
    let rest = pattern.get(from..)?;
    let open = rest.find(|c: char| !matches!(c, ' ' | '\t' | '\n' | '\r' | '(' | ','))?;
    if rest.as_bytes().get(open) != Some(&b'\'') {
        return None;
    }
    let mut value = String::new();
    let mut escaped = false;
    for (i, c) in rest.get(open + 1..)?.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '\'' => return Some((value, from + open + 1 + i + 1)),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pattern: &str) -> Vec<String> {
        let mut out = Vec::new();
        comparisons(pattern, |kind, path, value| out.push(format!("{kind}:{path}={value}")));
        out
    }

    #[test]
    fn equalities_and_sets_are_read_and_negations_are_not() {
        assert_eq!(
            read("[domain-name:value = 'a.example' OR url:value='http://b.example/']"),
            ["domain-name:value=a.example", "url:value=http://b.example/"]
        );
        assert_eq!(
            read("[file:hashes.'SHA-256' = 'ab' AND file:name = 'it\\'s']"),
            ["file:hashes.SHA-256=ab", "file:name=it's"]
        );
        assert_eq!(
            read("[ipv4-addr:value IN ('198.51.100.1', '198.51.100.2')]"),
            ["ipv4-addr:value=198.51.100.1", "ipv4-addr:value=198.51.100.2"]
        );
        assert!(read("[domain-name:value NOT = 'a.example']").is_empty());
        assert!(read("[domain-name:value != 'a.example']").is_empty());
        assert!(read("[url:value MATCHES 'http://x:y']").is_empty());
        assert!(read("[a:b = 'open").is_empty());
    }
}
