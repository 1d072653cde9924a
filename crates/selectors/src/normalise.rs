//! Values whose kind somebody named: a typed field, a column, a person at a search box.

use crate::net::{self, host, ip, messaging, web};
use crate::{Flags, Found, Hints, Kind, Refused, bank, device, hash, paper, phone, place, refang, wallet};

/// Most bytes of a value.
const MAX_VALUE: usize = 4096;

/// The normal form of a value that a field already names. What fails a checksum comes back with
/// [`crate::Strength::Never`] and why; what has another shape is refused. A wallet comes back as its family's kind
/// (see [`Kind::Btc`], [`Kind::Evm`]), which may be another than asked.
///
/// ```
/// use selectors::{normalise, Hints, Kind};
/// let found = normalise(Kind::Phone, "081 234 5678", &Hints::country("TH"))?;
/// assert_eq!(found.value, "+66812345678");
/// assert!(normalise(Kind::Iban, "hello", &Hints::default()).is_err());
/// # Ok::<(), selectors::Refused>(())
/// ```
pub fn normalise(kind: Kind, raw: &str, hints: &Hints<'_>) -> Result<Found, Refused> {
    if raw.len() > MAX_VALUE {
        return Err(Refused::TooLong(kind));
    }
    let written = raw.trim();
    if written.is_empty() {
        return Err(Refused::Empty);
    }
    // Signs of a handle, a code or a plate stand for themselves; the rest may be defanged.
    let fanged = refang(written);
    let found = read(kind, &fanged, hints).ok_or(Refused::Shape(kind, expected(kind)))?;
    Ok(found.flag(Flags::TYPED))
}

fn read(kind: Kind, raw: &str, hints: &Hints<'_>) -> Option<Found> {
    let hex = |raw: &str| hash::read(raw).filter(|f| f.kind == kind);
    match kind {
        _ if kind.is_wallet() => wallet::read_as(kind, raw),
        Kind::Transaction => wallet::read_transaction(raw),
        Kind::Phone => phone::typed(raw, hints.country),
        Kind::Email => net::email(raw).or_else(|| unlisted_email(raw)),
        Kind::Url => web::read(raw).map(|w| w.url),
        Kind::Domain => domain(raw),
        Kind::Ipv4 => ip::v4(raw),
        Kind::Ipv6 => ip::v6(raw),
        Kind::Mac => net::mac(raw),
        Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Sha512 => hex(raw),
        Kind::Ssdeep => hash::ssdeep(raw),
        Kind::Whatsapp | Kind::Viber => phone::typed(raw, hints.country).map(|f| Found { kind, ..f }),
        Kind::Signal | Kind::Zalo | Kind::Telegram if raw.starts_with('+') => {
            phone::typed(raw, hints.country).map(|f| Found { kind, ..f })
        }
        Kind::Facebook | Kind::Qq if raw.starts_with("groups/") => {
            messaging::handle(kind, raw.get(7..)?).map(|f| Found { value: format!("groups/{}", f.value), ..f })
        }
        _ if kind.is_handle() => messaging::handle(kind, raw),
        _ if kind.is_invite() => messaging::invite(kind, raw),
        Kind::Iban => bank::iban(&raw.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>()),
        Kind::Bic => bank::bic(raw),
        Kind::Pix => bank::pix(raw),
        Kind::Upi => bank::upi(raw),
        Kind::Promptpay => bank::promptpay(raw),
        Kind::BankAccount => bank::account(raw).or_else(|| lettered_account(raw)),
        Kind::Card => bank::card(&raw.chars().filter(|c| !matches!(c, ' ' | '-')).collect::<String>()),
        Kind::Imei => device::imei(raw),
        Kind::Imsi => device::imsi(raw),
        Kind::Iccid => device::iccid(raw),
        Kind::Passport => paper::zone(raw).map(|(found, _)| found).or_else(|| paper::passport(raw)),
        Kind::CompanyNumber => paper::company(raw),
        Kind::Plate => paper::plate(raw),
        Kind::Coordinates => place::typed(raw),
        _ => None,
    }
}

/// A typed host may have an unlisted suffix (an internal name): stored, never linked.
fn domain(raw: &str) -> Option<Found> {
    let raw = raw.strip_prefix("*.").unwrap_or(raw);
    let host = host::read(raw)?;
    match host.known {
        true => host.domains().next(),
        false => Some(Found::never(Kind::Domain, host.ascii, "its top-level domain does not exist")),
    }
}

fn unlisted_email(raw: &str) -> Option<Found> {
    let (local, name) = raw.rsplit_once('@')?;
    let host = host::read(name)?;
    let shaped = !local.is_empty()
        && local.len() <= 64
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+".contains(&b));
    (shaped && !host.known).then(|| {
        Found::never(Kind::Email, format!("{}@{}", local.to_ascii_lowercase(), host.ascii), "its domain does not exist")
    })
}

/// Account numbers with letters (branch codes): typed fields only, as evidence.
fn lettered_account(raw: &str) -> Option<Found> {
    let value: String =
        raw.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '/')).collect::<String>().to_ascii_uppercase();
    let shaped = (5..=34).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_alphanumeric())
        && value.bytes().filter(u8::is_ascii_digit).count() >= 4;
    (shaped && !crate::bytes::all_same(&value))
        .then(|| Found::weak(Kind::BankAccount, value, "an account number with letters, without its bank"))
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        _ if kind.is_wallet() => "the address has another chain's shape; check the currency column",
        Kind::Transaction | Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Sha512 => {
            "hexadecimal digits of the kind's length are expected"
        }
        Kind::Phone | Kind::Whatsapp | Kind::Viber => "write it with + and country code, or give the report's country",
        Kind::Email => "a name, an @ and a host are expected",
        Kind::Url => "a scheme such as https:// and a host are expected",
        Kind::Domain => "a host name with a dot is expected",
        Kind::Ipv4 | Kind::Ipv6 => "an address, or an address and a prefix length, is expected",
        Kind::Upi => "name@provider with a provider of NPCI's list is expected",
        Kind::Card => "13 to 19 digits of an existing issuer are expected",
        _ => "length or characters do not fit",
    }
}

/// All readings of one token that a person typed: kind and normal form, likeliest first. Values that fail their
/// checksum are readings too, because they are stored under that value.
///
/// ```
/// use selectors::{parse_query, Kind};
/// assert_eq!(parse_query("hxxp://shop[.]example").first().map(|(k, _)| *k), Some(Kind::Url));
/// assert_eq!(parse_query("+44 20 7946 0958"), [(Kind::Phone, "+442079460958".to_string())]);
/// ```
pub fn parse_query(word: &str) -> Vec<(Kind, String)> {
    parse_query_with(word, &Hints::default())
}

/// As [`parse_query`], with what is known of who asks: a telephone number without its country code is read as one of her
/// country.
///
/// ```
/// use selectors::{parse_query_with, Hints, Kind};
/// let readings = parse_query_with("081 234 5678", &Hints::country("TH"));
/// assert!(readings.contains(&(Kind::Phone, "+66812345678".to_string())));
/// ```
pub fn parse_query_with(word: &str, hints: &Hints<'_>) -> Vec<(Kind, String)> {
    let mut readings: Vec<(Kind, String)> = Vec::new();
    let word = word.trim();
    if word.is_empty() || word.len() > MAX_VALUE {
        return readings;
    }
    let mut push = |found: Found| {
        let reading = (found.kind, found.value);
        if !readings.contains(&reading) {
            readings.push(reading);
        }
    };
    let plain = refang(word);
    let plain = plain.as_ref();
    // `telegram:name`, `iban:...`: the kind by its name.
    if let Some((kind, rest)) = plain.split_once(':').and_then(|(name, rest)| Some((Kind::parse(name)?, rest)))
        && let Ok(found) = normalise(kind, rest, hints)
    {
        push(found);
    }
    if let Some(web) = web::read(plain) {
        push(web.url);
        web.leads.into_iter().for_each(&mut push);
        web.hosts.into_iter().for_each(&mut push);
        return readings;
    }
    crate::scan(plain, hints).into_iter().filter(|f| f.span == (0..plain.len())).for_each(&mut push);
    wallet::read_any(plain).into_iter().for_each(&mut push);
    let kinds: &[Kind] = match plain.as_bytes() {
        [b'@', ..] => HANDLES,
        [b'+', ..] => &[Kind::Phone],
        bytes if bytes.iter().all(|b| b.is_ascii_digit() || b" -.()/".contains(b)) => NUMBERS,
        _ => SHAPED,
    };
    for kind in kinds {
        if let Ok(found) = normalise(*kind, plain, hints) {
            // Guesses that already fail their check digits are no readings.
            if !(kinds == NUMBERS && found.strength == crate::Strength::Never) {
                push(found);
            }
        }
    }
    readings
}

const HANDLES: &[Kind] = &[
    Kind::Telegram,
    Kind::Line,
    Kind::Wechat,
    Kind::Instagram,
    Kind::X,
    Kind::Tiktok,
    Kind::Facebook,
    Kind::Kakaotalk,
    Kind::Zalo,
    Kind::Signal,
];
const NUMBERS: &[Kind] = &[
    Kind::Phone,
    Kind::Card,
    Kind::Imei,
    Kind::Iccid,
    Kind::Pix,
    Kind::Promptpay,
    Kind::BankAccount,
    Kind::Imsi,
    Kind::Passport,
    Kind::Ipv4,
    Kind::Qq,
    Kind::CompanyNumber,
];
const SHAPED: &[Kind] = &[
    Kind::Transaction,
    Kind::Sha256,
    Kind::Md5,
    Kind::Sha1,
    Kind::Sha512,
    Kind::Email,
    Kind::Upi,
    Kind::Domain,
    Kind::Ipv4,
    Kind::Ipv6,
    Kind::Mac,
    Kind::Iban,
    Kind::Pix,
    Kind::Passport,
    Kind::Bic,
    Kind::CompanyNumber,
    Kind::Coordinates,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_all_its_readings() {
        let kinds = |word: &str| parse_query(word).into_iter().map(|(k, _)| k).collect::<Vec<_>>();
        assert_eq!(kinds("shop.example"), [Kind::Domain]);
        assert!(kinds("readme.md").contains(&Kind::Domain));
        assert_eq!(kinds("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), [Kind::Btc]);
        assert!(kinds("@some_body").contains(&Kind::Telegram));
        assert_eq!(kinds("t.me/some_body"), [Kind::Telegram]);
        let hash = "0f".repeat(32);
        assert!(kinds(&hash).contains(&Kind::Transaction) && kinds(&hash).contains(&Kind::Sha256));
        assert_eq!(kinds("telegram:Some_Body").first(), Some(&Kind::Telegram));
        assert!(kinds("4111 1111 1111 1111").contains(&Kind::Card));
        assert!(kinds("").is_empty());
    }

    #[test]
    fn the_value_is_not_repeated_in_the_refusal() {
        let refused = normalise(Kind::Phone, "secret words", &Hints::default()).unwrap_err();
        assert!(!refused.to_string().contains("secret"));
    }
}
