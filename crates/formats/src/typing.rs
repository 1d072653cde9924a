//! Light typing: which observable a single value is, by its shape and checksum, and which network a wallet is on.

use sha2::{Digest, Sha256};
use std::net::{Ipv4Addr, Ipv6Addr};

/// A value and the STIX observable it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// The observable's type.
    pub object_type: &'static str,
    /// The value as that observable spells it.
    pub value: String,
}

/// Types one value that stands alone. Wallets need a valid checksum (EVM addresses their 40 hex digits).
///
/// ```
/// assert_eq!(formats::type_of("hxxps://scam[.]example/pay").unwrap().value, "https://scam.example/pay");
/// assert_eq!(formats::type_of("198.51.100.7").unwrap().object_type, "ipv4-addr");
/// assert!(formats::type_of("just some words").is_none());
/// ```
pub fn type_of(value: &str) -> Option<Typed> {
    let value = refang(value.trim());
    if value.is_empty() || value.len() > 8_192 || value.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return None;
    }
    let typed = |object_type, value: String| Some(Typed { object_type, value });
    if let Some((scheme, rest)) = value.split_once("://") {
        let named = (1..=12).contains(&scheme.len())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        return (named && !host.is_empty())
            .then(|| Typed { object_type: "url", value: format!("{}://{rest}", scheme.to_ascii_lowercase()) });
    }
    if let Some(ip) = ip_type(&value) {
        return typed(ip, value);
    }
    if wallet_shape(&value).is_some() {
        return typed("cryptocurrency-wallet", wallet_value(&value));
    }
    if let Some((local, domain)) = value.split_once('@') {
        let domain = domain_name(domain)?;
        return (!local.is_empty()).then(|| Typed { object_type: "email-addr", value: format!("{local}@{domain}") });
    }
    if let Some((host, _path)) = value.split_once('/') {
        if value.rsplit_once('/').is_some_and(|(net, bits)| ip_type(net).is_some() && bits.parse::<u8>().is_ok()) {
            let object_type = if value.contains(':') { "ipv6-addr" } else { "ipv4-addr" };
            return typed(object_type, value);
        }
        domain_name(host)?;
        return typed("url", format!("http://{value}"));
    }
    if let Some((host, port)) = value.rsplit_once(':') {
        let known = ip_type(host).is_some() || domain_name(host).is_some();
        return (known && port.parse::<u16>().is_ok())
            .then(|| Typed { object_type: "url", value: format!("http://{value}") });
    }
    let domain = domain_name(&value)?;
    typed("domain-name", domain)
}

/// `ipv4-addr` or `ipv6-addr` when the value is an address.
pub(crate) fn ip_type(value: &str) -> Option<&'static str> {
    if value.parse::<Ipv4Addr>().is_ok() {
        return Some("ipv4-addr");
    }
    value.parse::<Ipv6Addr>().is_ok().then_some("ipv6-addr")
}

fn refang(value: &str) -> String {
    let mut value = value.replace("[.]", ".").replace("(.)", ".").replace("[:]", ":").replace("[@]", "@");
    for (defanged, plain) in
        [("hxxp://", "http://"), ("hxxps://", "https://"), ("hXXp://", "http://"), ("hXXps://", "https://")]
    {
        if let Some(rest) = value.strip_prefix(defanged) {
            value = format!("{plain}{rest}");
        }
    }
    value
}

/// A domain name in lower case without the last dot (RFC 1035 section 2.3.1 and RFC 5890 letters).
fn domain_name(value: &str) -> Option<String> {
    let name = value.strip_suffix('.').unwrap_or(value).to_lowercase();
    let name = name.strip_prefix("*.").unwrap_or(&name).to_owned();
    let labels: Vec<&str> = name.split('.').collect();
    let good = |label: &&str| {
        !label.is_empty()
            && label.len() <= 63 * 4
            && !label.starts_with('-')
            && label.chars().all(|c| {
                c.is_ascii_alphanumeric()
                    || c == '-'
                    || c == '_'
                    || (!c.is_ascii() && (c.is_alphanumeric() || !c.is_control()))
            })
    };
    let last_is_word =
        labels.last().is_some_and(|label| label.chars().count() >= 2 && label.chars().any(char::is_alphabetic));
    (labels.len() >= 2 && name.len() <= 1_012 && last_is_word && labels.iter().all(good)).then_some(name)
}

/// The family of a wallet address by its shape and checksum.
fn wallet_shape(address: &str) -> Option<&'static str> {
    if is_evm(address) {
        return Some("evm");
    }
    if !address.is_ascii() || address.len() < 25 || address.len() > 130 {
        return None;
    }
    let lower = address.to_ascii_lowercase();
    if let Some((prefix, _)) = lower.rsplit_once('1') {
        let network = match prefix {
            "bc" => Some("btc"),
            "ltc" => Some("ltc"),
            "bnb" => Some("bnb"),
            "cosmos" => Some("atom"),
            _ => None,
        };
        if let Some(network) = network {
            return bech32::decode(address).is_ok().then_some(network);
        }
    }
    if lower.starts_with("bitcoincash:") {
        return Some("bch");
    }
    base58_network(address)
}

/// Base58Check addresses (four bytes of double SHA-256 at the end) by their version bytes.
fn base58_network(address: &str) -> Option<&'static str> {
    if address.starts_with('r') {
        // XRP Ledger: its own alphabet, version 0, 20 bytes.
        let bytes = bs58::decode(address).with_alphabet(bs58::Alphabet::RIPPLE).into_vec().ok()?;
        return (bytes.len() == 25 && checked(&bytes)).then_some("xrp");
    }
    if address.len() == 95 && (address.starts_with('4') || address.starts_with('8')) {
        let base58 = |byte: u8| byte.is_ascii_alphanumeric() && !b"0OIl".contains(&byte);
        return address.bytes().all(base58).then_some("xmr");
    }
    let bytes = bs58::decode(address).into_vec().ok()?;
    if !checked(&bytes) {
        return None;
    }
    match (bytes.len(), bytes.first()?, bytes.get(1)?) {
        (25, 0x00 | 0x05, _) => Some("btc"),
        (25, 0x41, _) => Some("trx"),
        (25, 0x30 | 0x32, _) => Some("ltc"),
        (25, 0x1e | 0x16, _) => Some("doge"),
        (25, 0x4c | 0x10, _) => Some("dash"),
        (25, 0x26 | 0x17, _) => Some("btg"),
        (26, 0x1c, 0xb8 | 0xbd) => Some("zec"),
        _ => None,
    }
}

fn checked(bytes: &[u8]) -> bool {
    let Some((body, check)) = bytes.len().checked_sub(4).and_then(|at| bytes.split_at_checked(at)) else {
        return false;
    };
    let digest = Sha256::digest(Sha256::digest(body));
    digest.get(..4) == Some(check)
}

fn is_evm(address: &str) -> bool {
    address.len() == 42
        && address.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("0x"))
        && address.bytes().skip(2).all(|byte| byte.is_ascii_hexdigit())
}

/// A wallet's `value` as we write it, so that one wallet is one object: bech32 and EVM addresses in lower
/// case (the EIP-55 mixed case carries only a checksum), others as they are.
pub(crate) fn wallet_value(address: &str) -> String {
    let lower = address.to_ascii_lowercase();
    if is_evm(address) || ["bc1", "ltc1", "bnb1", "bitcoincash:"].iter().any(|prefix| lower.starts_with(prefix)) {
        return lower;
    }
    address.to_owned()
}

/// The network of a wallet, from the currency a source names (a ticker, `XBT` too) and the address's shape.
///
/// Tokens live on several networks: the shape decides, and `evm` says that it is one of Ethereum's kind without saying
/// which. `None` when neither tells.
///
/// ```
/// assert_eq!(formats::network_of(Some("USDT"), "0x52908400098527886e0f7030069857d2e4169ee7"), Some("evm"));
/// assert_eq!(formats::network_of(Some("BSC"), "0x52908400098527886e0f7030069857d2e4169ee7"), Some("bsc"));
/// assert_eq!(formats::network_of(Some("XBT"), "anything"), Some("btc"));
/// ```
pub fn network_of(currency: Option<&str>, address: &str) -> Option<&'static str> {
    let currency = currency.map(|text| text.trim().to_ascii_uppercase());
    let native = match currency.as_deref() {
        Some("BTC" | "XBT") => Some("btc"),
        Some("ETH") => Some("eth"),
        Some("ETC") => Some("etc"),
        Some("BSC" | "BEP20") => Some("bsc"),
        Some("BEP2") => Some("bnb"),
        Some("AVAX") => Some("avax"),
        Some("FTM") => Some("ftm"),
        Some("BNB") => Some(if is_evm(address) { "bsc" } else { "bnb" }),
        Some("ARB") => Some("arb"),
        Some("MATIC" | "POL") => Some("matic"),
        Some("TRX") => Some("trx"),
        Some("LTC") => Some("ltc"),
        Some("BCH") => Some("bch"),
        Some("BSV") => Some("bsv"),
        Some("BTG") => Some("btg"),
        Some("DASH") => Some("dash"),
        Some("DOGE") => Some("doge"),
        Some("ZEC") => Some("zec"),
        Some("XMR") => Some("xmr"),
        Some("XRP" | "RIPPLE") => Some("xrp"),
        Some("XVG") => Some("xvg"),
        Some("SOL") => Some("sol"),
        Some("ADA") => Some("ada"),
        Some("EOS" | "EOSIO") => Some("eos"),
        _ => None,
    };
    if native.is_some() {
        return native;
    }
    // A dollar token with a Bitcoin address is Omni on Bitcoin.
    wallet_shape(address)
}

/// Whether an address is plainly made up to fill a field: nothing but one digit after its prefix, zeros for most of it, or a
/// number so small that nobody can have searched a key for it.
///
/// ```
/// assert!(formats::is_placeholder("0x0000000000000000000000000000018148086009"));
/// assert!(!formats::is_placeholder("0x000000000000ad05ccc4f10045630fb830b95127"));
/// ```
pub fn is_placeholder(address: &str) -> bool {
    let body = address.strip_prefix("0x").or_else(|| address.strip_prefix("0X")).unwrap_or(address);
    if body.len() < 8 {
        return address.trim().is_empty();
    }
    let zeros = body.bytes().filter(|byte| *byte == b'0').count();
    let leading = body.bytes().take_while(|byte| *byte == b'0').count();
    let first = body.bytes().next();
    let same = body.bytes().filter(|byte| Some(*byte) == first).count();
    same == body.len() || (is_evm(address) && (zeros >= 34 || leading >= LEADING_ZEROS))
}

/// So many leading zeros are 112 bits: vanity addresses have had some 40 searched for them.
const LEADING_ZEROS: usize = 28;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wallet_with_a_wrong_checksum_is_no_wallet() {
        assert_eq!(type_of("1BoatSLRHtKNngkdXEeobR76b53LETtpyT").unwrap().object_type, "cryptocurrency-wallet");
        assert_eq!(type_of("1BoatSLRHtKNngkdXEeobR76b53LETtpyU"), None);
    }

    #[test]
    fn mixed_values_get_their_types() {
        let cases = [
            ("Bad.Example", "domain-name", "bad.example"),
            ("http://bad.example/x?y=1", "url", "http://bad.example/x?y=1"),
            ("bad.example/login", "url", "http://bad.example/login"),
            ("bad.example:8443", "url", "http://bad.example:8443"),
            ("2001:db8::1", "ipv6-addr", "2001:db8::1"),
            ("198.51.100.0/24", "ipv4-addr", "198.51.100.0/24"),
            ("someone@bad.example", "email-addr", "someone@bad.example"),
            (
                "0x52908400098527886E0F7030069857D2E4169EE7",
                "cryptocurrency-wallet",
                "0x52908400098527886e0f7030069857d2e4169ee7",
            ),
            ("münchen.example", "domain-name", "münchen.example"),
        ];
        for (text, object_type, value) in cases {
            assert_eq!(type_of(text), Some(Typed { object_type, value: value.to_owned() }), "{text}");
        }
        for text in ["", "word", "1.2", "-x.example", "a b.example", "127", "://x", "x://"] {
            assert_eq!(type_of(text), None, "{text}");
        }
    }

    #[test]
    fn placeholders_are_seen_and_real_burn_candidates_are_not() {
        assert!(is_placeholder("0x0000000000000000000000000000000000000000"));
        assert!(is_placeholder("0x0000000000000000000000000000000000000001"));
        // Of a public list: seconds since 1970 in a field of an address.
        assert!(is_placeholder("0x0000000000000000000000000000018148086009"));
        assert!(!is_placeholder("0x000000000000ad05ccc4f10045630fb830b95127"));
        assert!(!is_placeholder("1BoatSLRHtKNngkdXEeobR76b53LETtpyT"));
    }
}
