//! STIX patterns: comparisons joined by AND, values quoted (STIX 2.1 section 9.2).

use crate::fault::Fault;

/// Types whose attributes are detection material unless the attribute says otherwise (`sane_defaults` of
/// MISP's describeTypes).
pub(super) fn for_detection(misp_type: &str) -> bool {
    const PLAIN: [&str; 47] = [
        "aba-rtn",
        "authentihash",
        "bank-account-nr",
        "bic",
        "bin",
        "bro",
        "btc",
        "cc-number",
        "cdhash",
        "chrome-extension-id",
        "community-id",
        "dash",
        "dom-hash",
        "domain",
        "domain|ip",
        "edge-extension-id",
        "email",
        "email-attachment",
        "email-dst",
        "email-src",
        "eppn",
        "favicon-mmh3",
        "filename-pattern",
        "hassh-md5",
        "hasshserver-md5",
        "hostname",
        "hostname|port",
        "iban",
        "ip-dst",
        "ip-dst|port",
        "ip-src",
        "ip-src|port",
        "ja3-fingerprint-md5",
        "jarm-fingerprint",
        "malware-sample",
        "mutex",
        "onion-address",
        "pattern-in-file",
        "pattern-in-memory",
        "pattern-in-traffic",
        "prtn",
        "regkey",
        "regkey|value",
        "uri",
        "url",
        "xmr",
        "zeek",
    ];
    PLAIN.contains(&misp_type)
        || matches!(
            misp_type,
            "filename" | "sigma" | "snort" | "stix2-pattern" | "suricata" | "yara" | "mobile-application-id"
        )
        || misp_type.starts_with("filename|")
        || misp_type.starts_with("x509-fingerprint-")
        || hash_name(misp_type).is_some()
}

/// The STIX name of a hash (hash-algorithm-ov, else MISP's in capitals).
pub(super) fn hash_name(misp_type: &str) -> Option<&'static str> {
    Some(match misp_type.to_ascii_lowercase().as_str() {
        "md5" => "MD5",
        "sha1" | "sha-1" => "SHA-1",
        "sha224" => "SHA-224",
        "sha256" | "sha-256" => "SHA-256",
        "sha384" => "SHA-384",
        "sha512" | "sha-512" => "SHA-512",
        "sha512/224" => "SHA-512/224",
        "sha512/256" => "SHA-512/256",
        "sha3-224" => "SHA3-224",
        "sha3-256" => "SHA3-256",
        "sha3-384" => "SHA3-384",
        "sha3-512" => "SHA3-512",
        "ssdeep" => "SSDEEP",
        "tlsh" => "TLSH",
        "authentihash" => "AUTHENTIHASH",
        "imphash" => "IMPHASH",
        "impfuzzy" => "IMPFUZZY",
        "pehash" => "PEHASH",
        "vhash" => "VHASH",
        "telfhash" => "TELFHASH",
        "cdhash" => "CDHASH",
        _ => return None,
    })
}

/// One comparison.
pub(super) type Clause = (String, String);

/// `[a = 'x' AND b = 'y']`.
pub(super) fn pattern(clauses: &[Clause]) -> String {
    let compared: Vec<String> = clauses.iter().map(|(path, value)| format!("{path} = '{}'", escape(value))).collect();
    format!("[{}]", compared.join(" AND "))
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\'', "\\'")
}

/// An object path with the parts quoted that need it: `file:hashes.SHA-1` → `file:hashes.'SHA-1'`.
pub(super) fn path(object_type: &str, property: &str) -> String {
    let parts: Vec<String> = property
        .split('.')
        .map(|part| match part.contains(['-', '/', ' ']) {
            true => format!("'{part}'"),
            false => part.to_owned(),
        })
        .collect();
    format!("{object_type}:{}", parts.join("."))
}

/// What MISP's own library refuses: values that cannot be what their type says.
pub(super) fn fault(misp_type: &str, value: &str) -> Option<Fault> {
    let host = |value: &str| {
        crate::typing::ip_type(value).is_some()
            || crate::typing::type_of(value).is_some_and(|typed| typed.object_type == "domain-name")
    };
    let port = |value: &str| value.parse::<u16>().is_ok_and(|port| port > 0);
    let address = |value: &str| crate::typing::ip_type(value.split('/').next().unwrap_or_default()).is_some();
    let both = |first: &dyn Fn(&str) -> bool, second: &dyn Fn(&str) -> bool| {
        value.split_once('|').or_else(|| value.rsplit_once(':')).is_some_and(|(a, b)| first(a) && second(b))
    };
    let good = match misp_type {
        "AS" => value.trim_start_matches("AS").parse::<u32>().is_ok_and(|number| number > 0),
        "domain" | "hostname" => host(value),
        "domain|ip" => both(&host, &address),
        "hostname|port" => both(&host, &port),
        "ip-src" | "ip-dst" => address(value),
        "ip-src|port" | "ip-dst|port" => both(&address, &port),
        "port" => port(value),
        "size-in-bytes" => value.parse::<u64>().is_ok(),
        "http-method" => !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_uppercase()),
        "md5" | "x509-fingerprint-md5" | "imphash" => is_hex(value, 32),
        "sha1" | "x509-fingerprint-sha1" | "pehash" => is_hex(value, 40),
        "sha224" | "sha512/224" | "sha3-224" => is_hex(value, 56),
        "sha256" | "x509-fingerprint-sha256" | "sha512/256" | "sha3-256" | "authentihash" => is_hex(value, 64),
        "sha384" | "sha3-384" => is_hex(value, 96),
        "sha512" | "sha3-512" => is_hex(value, 128),
        _ => true,
    };
    (!good).then_some(Fault::ValueOfOther)
}

fn is_hex(value: &str, length: usize) -> bool {
    value.len() == length && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}
