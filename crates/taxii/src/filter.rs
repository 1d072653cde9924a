use crate::Limits;
use crate::answer::Answer;
use intel::{Match, VersionMatch};
use percent_encoding::percent_decode_str;
use stix::Instant;

/// What a query string asks for (TAXII 2.1 §3.4, §3.5).
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) matching: Match,
    pub(crate) versions_named: bool,
    pub(crate) added_after: Option<i64>,
    pub(crate) limit: usize,
    pub(crate) next: Option<String>,
    /// Everything but `next` and `limit`, in one form: what a cursor is bound to.
    pub(crate) canonical: String,
}

impl Filter {
    pub(crate) fn read(query: &str, limits: &Limits) -> Result<Self, Answer> {
        let bad = |what: &str| Answer::error(400, what);
        let mut filter = Self {
            matching: Match::default(),
            versions_named: false,
            added_after: None,
            limit: limits.page.min(limits.most),
            next: None,
            canonical: String::new(),
        };
        for pair in query.split('&').filter(|p| !p.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).ok_or_else(|| bad("the query is not UTF-8"))?;
            let value = decode(value).ok_or_else(|| bad("the query is not UTF-8"))?;
            let list = || {
                value
                    .split(',')
                    .filter(|v| !v.is_empty())
                    .map(str::to_owned)
                    .take(limits.values + 1)
                    .collect::<Vec<_>>()
            };
            match name.as_str() {
                "limit" => {
                    let n: usize = value.parse().map_err(|_| bad("`limit` must be a number from 1"))?;
                    if n == 0 {
                        return Err(bad("`limit` must be a number from 1"));
                    }
                    filter.limit = n.min(limits.most);
                    continue;
                }
                "next" => {
                    filter.next = Some(value);
                    continue;
                }
                "added_after" => {
                    let at: Instant = value
                        .parse()
                        .map_err(|_| bad("`added_after` must be an instant such as 2026-01-31T08:00:00.000Z"))?;
                    filter.added_after = Some(at.micros());
                }
                "match[id]" => filter.matching.ids.extend(list()),
                "match[type]" => filter.matching.types.extend(list()),
                "match[spec_version]" => filter.matching.spec_versions.extend(list()),
                "match[version]" => {
                    filter.versions_named = true;
                    filter.matching.versions = versions(&list())?;
                }
                _ => {}
            }
            filter.canonical.push_str(&format!("{name}={value}\n"));
        }
        let m = &filter.matching;
        if m.ids.len().max(m.types.len()).max(m.spec_versions.len()).max(m.versions.at.len()) > limits.values {
            return Err(bad(&format!("a filter holds more than {} values; ask in parts", limits.values)));
        }
        Ok(filter)
    }
}

fn versions(list: &[String]) -> Result<VersionMatch, Answer> {
    let mut found = VersionMatch { last: false, ..VersionMatch::default() };
    for value in list {
        match value.as_str() {
            "all" => found.all = true,
            "first" => found.first = true,
            "last" => found.last = true,
            at => {
                let at: Instant = at
                    .parse()
                    .map_err(|_| Answer::error(400, "`match[version]` takes all, first, last or an instant"))?;
                found.at.push(at.micros());
            }
        }
    }
    Ok(found)
}

fn decode(text: &str) -> Option<String> {
    percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_page_is_larger_and_no_filter_longer_than_the_limits_say() {
        let limits = Limits { page: 20, most: 7, values: 2, ..Limits::default() };
        assert_eq!(Filter::read("", &limits).unwrap().limit, 7);
        assert_eq!(Filter::read("limit=5", &limits).unwrap().limit, 5);
        assert_eq!(Filter::read("limit=8", &limits).unwrap().limit, 7);
        assert!(Filter::read("match[id]=a,b", &limits).is_ok());
        assert!(Filter::read("match[id]=a,b,c", &limits).is_err());
    }
}
