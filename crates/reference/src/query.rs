//! What is looked for: a value and what follows from it (the domains above it, the host of a URL).

use std::net::IpAddr;

/// The shapes lists are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Host,
    Url,
    Address,
    Email,
    Hash,
    Phone,
    Other,
}

pub(crate) struct Query {
    pub shape: Shape,
    /// The value itself, normalised.
    pub value: String,
    /// The host and the domains above it, nearest first.
    pub hosts: Vec<String>,
    pub address: Option<IpAddr>,
}

/// A domain has at most this many labels (RFC 1035 section 2.3.4: 255 bytes).
const MAX_LABELS: usize = 127;

impl Query {
    pub fn new(kind: &str, value: &str) -> Self {
        let value = value.trim();
        let shape = match kind {
            "domain" | "domain-name" | "hostname" => Shape::Host,
            "url" | "uri" => Shape::Url,
            "ipv4" | "ipv6" | "ip" | "ipv4-addr" | "ipv6-addr" => Shape::Address,
            "email" | "email-addr" => Shape::Email,
            "md5" | "sha1" | "sha256" | "sha512" | "sha224" | "sha384" | "hash" => Shape::Hash,
            "phone" | "phone-number" => Shape::Phone,
            _ => Shape::Other,
        };
        let host = match shape {
            Shape::Host => normal_host(value),
            Shape::Url => host_of(value),
            Shape::Email => value.rsplit_once('@').map(|(_, host)| normal_host(host)).unwrap_or_default(),
            Shape::Address => value.to_owned(),
            _ => String::new(),
        };
        let address = host.trim_matches(['[', ']']).split('/').next().and_then(|host| host.parse().ok());
        let hosts = if address.is_some() || host.is_empty() { Vec::new() } else { above(&host) };
        Self { shape, value: normal(value), hosts, address }
    }
}

/// How values are compared: lower case, but for wallets and the like, whose case means something.
pub(crate) fn normal(value: &str) -> String {
    let value = value.trim();
    let base58 = (25..=110).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && value.bytes().any(|byte| byte.is_ascii_uppercase())
        && value.bytes().any(|byte| byte.is_ascii_lowercase())
        && !value.starts_with("0x");
    if base58 { value.to_owned() } else { value.to_lowercase() }
}

fn normal_host(host: &str) -> String {
    let host = host.trim().trim_start_matches("*.").trim_matches('.').to_lowercase();
    if host.len() > 1_024 { String::new() } else { host }
}

/// The host of a URL (RFC 3986 section 3.2.2) without user and port.
pub(crate) fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    normal_host(host)
}

fn above(host: &str) -> Vec<String> {
    let mut hosts = vec![host.to_owned()];
    let mut rest = host;
    while let Some((_, parent)) = rest.split_once('.') {
        if !parent.contains('.') || hosts.len() >= MAX_LABELS {
            break;
        }
        hosts.push(parent.to_owned());
        rest = parent;
    }
    hosts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_looked_up_by_its_real_host() {
        let query = Query::new("url", "https://honest.example@shop.Scam.example:8443/x?y#z");
        assert_eq!(query.hosts, ["shop.scam.example", "scam.example"]);
        assert_eq!(Query::new("url", "http://198.51.100.7/x").address, "198.51.100.7".parse().ok());
    }

    #[test]
    fn a_wallet_keeps_its_case_and_a_domain_does_not() {
        assert_eq!(normal("1BoatSLRHtKNngkdXEeobR76b53LETtpyT"), "1BoatSLRHtKNngkdXEeobR76b53LETtpyT");
        assert_eq!(normal("Scam.Example"), "scam.example");
    }
}
