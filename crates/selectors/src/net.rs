//! Names and addresses of the network: hosts, URLs, e-mail, IP and hardware addresses.

pub(crate) mod host;
pub(crate) mod ip;
pub(crate) mod messaging;
pub(crate) mod web;

use crate::{Found, Kind};
use unicode_normalization::UnicodeNormalization;

/// An e-mail address. The local part is folded to lower-case, because every provider that matters does; dots and
/// `+tags` are kept, because only some providers ignore them.
pub(crate) fn email(raw: &str) -> Option<Found> {
    let raw = raw.trim();
    let raw = raw.strip_prefix("mailto:").unwrap_or(raw);
    let (local, domain) = raw.rsplit_once('@')?;
    let shaped = (1..=64).contains(&local.len())
        && !local.starts_with('.')
        && !local.ends_with('.')
        && local.chars().all(|c| {
            c.is_ascii_alphanumeric()
                || "!#$%&'*+-/=?^_`{|}~.".contains(c)
                || (!c.is_ascii() && (c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c)))
        });
    if !shaped {
        return None;
    }
    let host = host::read(domain)?;
    if !host.known {
        return None;
    }
    // Composed and decomposed letters are the same mailbox (RFC 6532, section 3.1).
    let local: String = local.to_lowercase().nfc().collect();
    let mut found = Found::links(Kind::Email, format!("{local}@{}", host.ascii));
    if host.confusable {
        found = found.flag(crate::Flags::CONFUSABLE);
    }
    Some(found)
}

/// A hardware address of six bytes, with `:` or `-` (or Cisco's dots).
pub(crate) fn mac(raw: &str) -> Option<Found> {
    let hex: String = raw.bytes().filter(u8::is_ascii_hexdigit).map(|b| char::from(b.to_ascii_lowercase())).collect();
    let separators = raw.bytes().filter(|b| b":-.".contains(b)).count();
    if hex.len() != 12 || !matches!((raw.len(), separators), (17, 5) | (14, 2)) {
        return None;
    }
    let value = hex.as_bytes().chunks(2).map(String::from_utf8_lossy).collect::<Vec<_>>().join(":");
    Some(match value.as_str() {
        "00:00:00:00:00:00" | "ff:ff:ff:ff:ff:ff" => {
            Found::never(Kind::Mac, value, "nobody's address: zero or broadcast")
        }
        _ => Found::links(Kind::Mac, value),
    })
}
