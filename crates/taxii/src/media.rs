//! Media types (RFC 9110 §12.5.1; TAXII 2.1 §1.6.4): our one type, with version 2.1 or none.

/// Whether an `Accept` header lets our media type through. Absent means anything.
pub(crate) fn accepts(header: Option<&str>) -> bool {
    header.is_none_or(|h| h.split(',').any(|range| fits(range, true)))
}

/// Whether a `Content-Type` header is our media type.
pub(crate) fn is_taxii(header: Option<&str>) -> bool {
    header.is_some_and(|h| fits(h, false))
}

fn fits(range: &str, wildcards: bool) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next().unwrap_or("").to_ascii_lowercase();
    let known = kind == "application/taxii+json" || (wildcards && (kind == "*/*" || kind == "application/*"));
    let refused = |p: &str| {
        let (name, value) = p.split_once('=').unwrap_or((p, ""));
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "version" => value != "2.1",
            "q" => value.parse::<f32>().is_ok_and(|q| q <= 0.0),
            _ => false,
        }
    };
    known && !parts.any(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_type_goes_with_version_2_1_or_none() {
        for good in [
            "application/taxii+json",
            "application/taxii+json; version=2.1",
            "text/html, */*;q=0.1",
            "application/taxii+json;version=2.1, text/html;q=0.1",
        ] {
            assert!(accepts(Some(good)), "{good}");
        }
        for bad in ["application/foo", "application/taxii+json;version=9.9", "application/taxii+json;q=0", ""] {
            assert!(!accepts(Some(bad)), "{bad}");
        }
        assert!(accepts(None) && !is_taxii(None) && !is_taxii(Some("application/json")));
    }
}
