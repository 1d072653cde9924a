//! URLs in the WHATWG serialisation, and what else one tells: host, account, invite, place.

use super::{host, ip, messaging};
use crate::{Flags, Found, Kind, place};
use url::{Host, Url};

/// Longest URL that is read, in bytes.
pub(crate) const MAX_URL: usize = 4096;

/// A URL that was read.
pub(crate) struct Web {
    /// The URL itself.
    pub(crate) url: Found,
    /// The account, invite or place it leads to.
    pub(crate) leads: Vec<Found>,
    /// Host and registrable domain, or the IP address. None for platforms, which everybody shares.
    pub(crate) hosts: Vec<Found>,
}

/// Reads a URL with its scheme; `None` when it is none that a browser or messenger opens.
pub(crate) fn read(raw: &str) -> Option<Web> {
    if raw.len() > MAX_URL {
        return None;
    }
    let mut url = Url::parse(raw).ok()?;
    if matches!(url.scheme(), "tg" | "whatsapp" | "viber" | "line" | "sgnl") {
        let leads = messaging::from_app_link(&url);
        let found = Found::links(Kind::Url, url.as_str());
        return (!leads.is_empty()).then_some(Web { url: found, leads, hosts: Vec::new() });
    }
    if !matches!(url.scheme(), "http" | "https" | "ftp" | "ftps" | "sftp" | "ws" | "wss") {
        return None;
    }
    let mut leads = messaging::from_url(&url);
    if leads.is_empty() {
        leads.extend(place::from_url(&url));
    }
    // `#/address/…` and `#!…` are routes of pages that load once; Signal keeps the whole account in the fragment.
    let route = url.fragment().is_some_and(|f| f.starts_with(['/', '!']) && f.len() > 2);
    if !route && !matches!(url.host_str(), Some("signal.me" | "signal.group")) {
        url.set_fragment(None);
    }
    if let Some(name) = url.host_str().and_then(|name| name.strip_suffix('.')).map(str::to_string) {
        // A name with the root's dot is the same name; where it cannot be set the URL is refused below.
        let _ = url.set_host(Some(&name));
    }
    // They fail only for URLs without a host, which are refused below.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let mut found = Found::links(Kind::Url, "");
    let mut hosts = Vec::new();
    match url.host()? {
        Host::Domain(name) => match host::read(name) {
            Some(host) if host.known && host.registrable > 0 => {
                let platform = messaging::is_platform(host.registrable());
                if !platform {
                    hosts.extend(host.domains());
                } else if leads.is_empty() && url.path() == "/" && url.query().is_none() {
                    (found.strength, found.why) =
                        (crate::Strength::Weak, "the front page of a platform that everybody shares");
                }
                if host.confusable {
                    found = found.flag(Flags::CONFUSABLE);
                }
            }
            _ => {
                (found.strength, found.why) = (crate::Strength::Weak, "its host is no public name");
            }
        },
        Host::Ipv4(address) => hosts.extend(ip::v4(&address.to_string())),
        Host::Ipv6(address) => hosts.extend(ip::v6(&address.to_string())),
    }
    if let Some(nobody) = hosts.first().filter(|h| h.strength == crate::Strength::Never) {
        (found.strength, found.why) = (nobody.strength, nobody.why);
    }
    found.value = String::from(url);
    Some(Web { url: found, leads, hosts })
}

/// Hosts whose URLs are entries of public catalogues: they name a concept, as a citation does, and no site of anybody's.
/// Objects of ATT&CK carry tens of thousands.
pub(crate) fn is_catalogue(after_scheme: &str) -> bool {
    const CATALOGUES: [&str; 8] = [
        "attack.mitre.org",
        "capec.mitre.org",
        "cwe.mitre.org",
        "cve.mitre.org",
        "d3fend.mitre.org",
        "nvd.nist.gov",
        "docs.oasis-open.org",
        "collaborate.mitre.org",
    ];
    let host = after_scheme.strip_prefix("www.").unwrap_or(after_scheme);
    let first = host.as_bytes().first();
    matches!(first, Some(b'a' | b'c' | b'd' | b'n'))
        && CATALOGUES
            .iter()
            .any(|c| host.strip_prefix(c).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':', '?', '#'])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Strength;

    #[test]
    fn one_page_has_one_form() {
        let value = |raw: &str| read(raw).map(|w| w.url.value);
        for raw in ["HTTPS://Shop.Example:443/a#top", "https://user:pw@shop.example/a", "https://shop.example/./a"] {
            assert_eq!(value(raw), Some("https://shop.example/a".into()), "{raw}");
        }
        assert_eq!(value("http://пример.рф"), Some("http://xn--e1afmkfd.xn--p1ai/".into()));
        assert!(value("javascript:alert(1)").is_none());
    }

    #[test]
    fn a_url_gives_its_hosts_but_not_its_platform() {
        let hosts =
            |raw: &str| read(raw).map(|w| w.hosts.into_iter().map(|f| f.value).collect::<Vec<_>>()).unwrap_or_default();
        assert_eq!(hosts("https://www.a.shop.example/x"), ["a.shop.example", "shop.example"]);
        assert_eq!(hosts("http://198.51.100.4/x"), ["198.51.100.4"]);
        assert!(hosts("https://t.me/somebody").is_empty());
    }

    #[test]
    fn a_url_into_a_private_network_never_links() {
        assert_eq!(read("http://192.168.1.1/login").map(|w| w.url.strength), Some(Strength::Never));
    }
}
