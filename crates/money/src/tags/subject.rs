//! What a tag is about: an address or a transaction in the spelling that everybody agrees on, and the network it is on.
//!
//! The shape and checksum of an address are `selectors`' to judge. A currency names a network only when it is that network's own
//! coin; a token's address alone says where it is, and for Ethereum's kind not even that: `evm` is one of many.

use selectors::{Found, Hints, Kind, Strength, normalise, parse_query};

/// Longest spelling of a subject.
pub const MAX_SUBJECT: usize = 256;
/// Longest code of a network or currency.
const MAX_CODE: usize = 32;
/// Characters at each end that a person compares, and that a look-alike has alike.
const ENDS: usize = 4;

/// Tokens that move on many networks and are none: an address of theirs whose shape is not known is nowhere known.
const TOKENS: [&str; 10] = ["USDT", "USDC", "DAI", "BUSD", "TUSD", "FDUSD", "PYUSD", "USDP", "WETH", "WBTC"];

/// A tag's subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The agreed spelling: EVM and Bech32 in lower case, others as they are.
    pub text: String,
    /// Its kind, when shape and checksum tell; else it was taken as it is.
    pub kind: Option<Kind>,
    /// The network's code: `btc`, `trx`, `eth`, …; `evm` when it is one of Ethereum's kind, not known which.
    pub network: String,
    /// The pack's currency or network does not fit the address: the address decided.
    pub misnamed: bool,
}

/// Why something cannot be tagged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Nobody holds it: zeros, a burn address, a number in place of an address.
    Placeholder,
    /// A character is wrong or missing; the reason, which repeats nothing of it.
    Checksum(&'static str),
    /// It has no shape of an address of its network.
    Shape,
    /// Longer than [`MAX_SUBJECT`], or empty.
    Length,
}

impl Unfit {
    /// In words.
    pub fn says(self) -> &'static str {
        match self {
            Self::Placeholder => "a placeholder or burn address that nobody holds",
            Self::Checksum(why) => why,
            Self::Shape => "it has not the shape of an address of its network",
            Self::Length => "an address has 1 to 256 characters",
        }
    }
}

impl Subject {
    /// Reads an address with the currency and the network that a source names beside it.
    ///
    /// ```
    /// use money::tags::Subject;
    /// let read = |currency, address| Subject::address(address, Some(currency), None).unwrap().network;
    /// assert_eq!(read("USDT", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"), "trx");
    /// assert_eq!(read("USDT", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"), "evm");
    /// assert_eq!(read("ETH", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"), "eth");
    /// ```
    pub fn address(raw: &str, currency: Option<&str>, network: Option<&str>) -> Result<Subject, Unfit> {
        let raw = raw.trim();
        if raw.is_empty() || raw.len() > MAX_SUBJECT {
            return Err(Unfit::Length);
        }
        if formats::is_placeholder(raw) {
            return Err(Unfit::Placeholder);
        }
        let (currency, network) = (code(currency), code(network));
        let claimed = network.or_else(|| native(currency, raw));
        match found(raw, claimed) {
            Some(found) if found.strength == Strength::Never => Err(match found.why.contains("placeholder") {
                true => Unfit::Placeholder,
                false => Unfit::Checksum(found.why),
            }),
            Some(found) => {
                let fits = claimed.filter(|claimed| family(claimed).is_none_or(|kind| kind == found.kind));
                let network = fits.unwrap_or_else(|| alone(found.kind)).to_owned();
                Ok(Subject {
                    misnamed: claimed.is_some() && fits.is_none(),
                    network,
                    kind: Some(found.kind),
                    text: found.value,
                })
            }
            // All shapes of these are known, so it is none of them.
            None if claimed.and_then(family).is_some_and(|kind| matches!(kind, Kind::Btc | Kind::Evm | Kind::Trx))
                && claimed != Some("avax") =>
            {
                Err(Unfit::Shape)
            }
            None => {
                let currency = currency.filter(|currency| !TOKENS.contains(currency)).unwrap_or("unknown");
                let network = claimed.map_or_else(|| currency.to_ascii_lowercase(), str::to_owned);
                Ok(Subject { text: raw.to_owned(), kind: None, network, misnamed: false })
            }
        }
    }

    /// Reads a transaction's id.
    pub fn transaction(raw: &str, currency: Option<&str>, network: Option<&str>) -> Result<Subject, Unfit> {
        let raw = raw.trim();
        if raw.is_empty() || raw.len() > MAX_SUBJECT {
            return Err(Unfit::Length);
        }
        let network = code(network).or_else(|| native(code(currency), "")).unwrap_or("unknown").to_owned();
        match normalise(Kind::Transaction, raw, &Hints::default()) {
            Ok(found) if found.strength == Strength::Never => Err(Unfit::Placeholder),
            Ok(found) => Ok(Subject { text: found.value, kind: Some(Kind::Transaction), network, misnamed: false }),
            Err(_) => Ok(Subject { text: raw.to_owned(), kind: None, network, misnamed: false }),
        }
    }

    /// What stays the same when an address is replaced by one that looks alike at a glance: kind, first and last characters.
    /// `None` when it is too short to have a middle.
    pub fn ends(&self) -> Option<String> {
        ends(self.kind?, &self.text)
    }
}

/// The readings of what somebody typed, likeliest first, and at last as it was typed.
pub fn typed(word: &str) -> Vec<(Option<Kind>, String)> {
    let word = word.trim();
    let wanted = |kind: &Kind| kind.is_wallet() || *kind == Kind::Transaction;
    let mut all: Vec<(Option<Kind>, String)> = parse_query(word)
        .into_iter()
        .filter(|(kind, _)| wanted(kind))
        .map(|(kind, value)| (Some(kind), value))
        .collect();
    if word.len() <= MAX_SUBJECT && !all.iter().any(|(_, value)| value == word) {
        all.push((None, word.to_owned()));
    }
    all
}

/// What is wrong with what somebody typed as an address, if its shape shows it: a checksum that fails.
pub fn wrong(word: &str) -> Option<&'static str> {
    let found = found(word.trim(), None).filter(|found| found.strength == Strength::Never)?;
    Some(found.why)
}

/// See [`Subject::ends`].
pub fn ends(kind: Kind, text: &str) -> Option<String> {
    let body = match kind {
        Kind::Transaction => return None,
        Kind::Evm => text.get(2..)?,
        // Version and hash's length look the same in all.
        _ if text.starts_with("bc1") || text.starts_with("ltc1") => text.split_once('1')?.1.get(1..)?,
        // The first character says the network.
        _ => text.get(1..)?,
    };
    let (head, tail) = (body.get(..ENDS)?, body.get(body.len().checked_sub(ENDS)?..)?);
    (body.len() >= 3 * ENDS).then(|| format!("{}:{head}:{tail}", kind.as_str()))
}

/// The network whose own coin this is; a token's name says none, and then the address alone does.
fn native(currency: Option<&str>, raw: &str) -> Option<&'static str> {
    formats::network_of(Some(currency?), raw)
}

/// A code as packs and currencies have them; anything else names no network.
fn code(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty() && text.len() <= MAX_CODE && text.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// Reads an address by its shape, whatever network is claimed for it.
fn found(raw: &str, claimed: Option<&str>) -> Option<Found> {
    let read = |kind| normalise(kind, raw, &Hints::default()).ok();
    let by_claim = claimed.and_then(family).and_then(read);
    by_claim.or_else(|| match raw.as_bytes() {
        [b'0', b'x' | b'X', ..] => read(Kind::Evm),
        [b'T', ..] => read(Kind::Trx),
        [b'b' | b'B' | b'1' | b'3', ..] => read(Kind::Btc).or_else(|| read(Kind::Bch)).or_else(|| read(Kind::Bnb)),
        [b'r', ..] => read(Kind::Xrp),
        [b'4' | b'8', ..] => read(Kind::Xmr),
        [b'E' | b'U', b'Q', ..] | [b'0', b':', ..] | [b'-', b'1', b':', ..] => read(Kind::Ton),
        // By its checksum alone, whichever chain's it is.
        _ => read(Kind::Ltc),
    })
}

/// The kind of address that a network has.
fn family(network: &str) -> Option<Kind> {
    Some(match network {
        "btc" | "bsv" => Kind::Btc,
        "matic" | "pol" | "ftm" | "avax" | "eth" | "etc" | "bsc" | "arb" | "op" | "base" | "evm" => Kind::Evm,
        "sol" => Kind::Sol,
        // Both its spellings are in use: CashAddr, and Bitcoin's.
        "bch" => return None,
        other => return Kind::parse(other).filter(|kind| kind.is_wallet()),
    })
}

/// The network that a shape says by itself. Forks share Bitcoin's addresses; without a currency they are Bitcoin's.
fn alone(kind: Kind) -> &'static str {
    kind.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BTC: &str = "1BoatSLRHtKNngkdXEeobR76b53LETtpyT";
    const EVM: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    const TRX: &str = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t";

    fn read(currency: &str, address: &str) -> (String, bool) {
        let subject = Subject::address(address, Some(currency), None).unwrap();
        (subject.network, subject.misnamed)
    }

    #[test]
    fn a_token_never_implies_a_chain() {
        for token in ["USDT", "USDC", "WETH", "KCS"] {
            assert_eq!(read(token, BTC), ("btc".into(), false), "{token}");
            assert_eq!(read(token, EVM), ("evm".into(), false), "{token}");
            assert_eq!(read(token, TRX), ("trx".into(), false), "{token}");
        }
    }

    #[test]
    fn a_networks_own_coin_names_it_unless_the_address_says_another() {
        let own = [
            ("BTC", BTC, "btc"),
            ("XBT", BTC, "btc"),
            ("BCH", BTC, "bch"),
            ("BSV", BTC, "bsv"),
            ("BEP20", EVM, "bsc"),
            ("BNB", EVM, "bsc"),
        ];
        for (currency, address, network) in own {
            assert_eq!(read(currency, address), (network.into(), false), "{currency}");
        }
        assert_eq!(read("BTC", TRX), ("trx".into(), true));
        assert_eq!(read("TRX", EVM), ("evm".into(), true));
        assert_eq!(read("ETH", BTC), ("btc".into(), true));
        assert_eq!(read("USDC", "EXERCISE7qbF8RrYQw6nJ"), ("unknown".into(), false));
        assert_eq!(read("ALGO", "EXERCISE7qbF8RrYQw6nJ"), ("algo".into(), false));
        let stated = Subject::address(EVM, Some("USDT"), Some("arb")).unwrap();
        assert_eq!((stated.network.as_str(), stated.misnamed), ("arb", false));
    }

    #[test]
    fn what_nobody_can_hold_or_spelled_wrong_is_not_tagged() {
        let refused = |currency, address| Subject::address(address, Some(currency), None).unwrap_err();
        assert_eq!(refused("ETH", "0x0000000000000000000000000000000000000018"), Unfit::Placeholder);
        assert_eq!(refused("BTC", "1111111111111111111114oLvT2"), Unfit::Placeholder);
        assert!(matches!(refused("BTC", "1BoatSLRHtKNngkdXEeobR76b53LETtpyU"), Unfit::Checksum(_)));
        assert!(matches!(refused("USDT", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u"), Unfit::Checksum(_)));
        assert!(matches!(refused("USDT", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"), Unfit::Checksum(_)));
        assert_eq!(refused("BTC", "somebody"), Unfit::Shape);
        assert_eq!(refused("BTC", ""), Unfit::Length);
        assert_eq!(refused("BTC", &"1".repeat(300)), Unfit::Length);
        assert_eq!(Subject::address("bitfinexcw55", Some("EOS"), None).unwrap().network, "eos");
    }

    #[test]
    fn one_address_has_one_spelling() {
        let one = |raw: &str| Subject::address(raw, None, None).unwrap().text;
        assert_eq!(one(EVM), one(&EVM.to_ascii_lowercase()));
        assert_eq!(one("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"), "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
        let ton = one("EQDtFpEwcFAEcRe5mLVh2N6C0x-_hJEM7W61_JLnSF74p4q2");
        assert_eq!((one(&ton), ton.starts_with("0:")), (ton.clone(), true));
        assert_eq!(typed(EVM).first().map(|(kind, _)| *kind), Some(Some(Kind::Evm)));
    }

    #[test]
    fn look_alikes_have_equal_ends_and_nothing_else_has() {
        let of = |text: &str| ends(Kind::Evm, text);
        assert_eq!(of("0xabcd00000000000000000000000000000000ef01"), of("0xabcd11111111111111111111111111111111ef01"));
        assert_ne!(of("0xabcd00000000000000000000000000000000ef01"), of("0xabce00000000000000000000000000000000ef01"));
        assert_ne!(ends(Kind::Trx, TRX), ends(Kind::Btc, TRX));
        assert_eq!(ends(Kind::Btc, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4").as_deref(), Some("btc:w508:f3t4"));
    }
}
