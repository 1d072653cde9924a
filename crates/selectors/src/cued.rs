//! Values that only a cue word makes readable: handles, account and document numbers, device numbers, plates.

use crate::bytes::{at, before, floor, is_alnum, is_digit, is_word, piece};
use crate::cue::{Cue, Spot};
use crate::net::messaging;
use crate::scan::Pass;
use crate::{Found, Kind, bank, device, paper};

/// Words that may stand between a cue and its value. The second is whether it promises a value.
#[rustfmt::skip]
const BETWEEN: &[(&str, bool)] = &[
    ("id", true), ("number", true), ("num", true), ("no", true), ("nr", true), ("nº", true), ("n°", true), ("username", true), ("user", false), ("handle", true), ("account", false), ("acc", false), ("code", true), ("key", true),
    ("is", false), ("name", false), ("aleatória", true), ("aleatoria", true), ("号码", true), ("號碼", true), ("号", true), ("號", true), ("帳號", true), ("账号", true), ("是", true), ("为", true), ("ไอดี", true), ("เลขที่", true), ("เลข", true),
    ("หมายเลข", true), ("คือ", true), ("số", true), ("là", true), ("so", false), ("número", true), ("numero", true), ("nummer", true), ("nomor", true), ("아이디", true), ("번호", true), ("番号", true), ("は", true), ("लिए", false), ("नंबर", true), ("संख्या", true),
    ("រ", false), ("لرقم", true), ("رقم", true), ("me", false), ("at", false), ("de", false), ("aleatorio", true), ("a/n", false), ("bank", false), ("mandiri", false), ("bri", false), ("bca", false), ("bni", false), ("aba", false), ("acleda", false), ("wing", false), ("kbank", false), ("scb", false),
    ("ธนาคาร", false), ("กรุงเทพ", false), ("กรุงไทย", false), ("กสิกรไทย", false), ("กสิกร", false), ("ไทยพาณิชย์", false), ("ออมสิน", false), ("กรุงศรี", false), ("vietcombank", false), ("vcb", false), ("techcombank", false), ("mb", false),
];

/// Words that follow a platform's name in a sentence and are nobody's name.
#[rustfmt::skip]
const NOT_HANDLES: &[&str] = &[
    "group", "groups", "channel", "channels", "api", "bot", "bots", "messenger", "chat", "chats", "and", "for", "the", "app", "apps", "account", "accounts", "user", "users", "number", "cellphone", "mobile", "telephone", "contact", "support", "link", "links", "http", "https", "web",
    "desktop", "only", "now", "here", "add", "message", "messages", "none", "not", "this", "that", "with", "from", "your", "our", "please", "send", "click", "join", "call", "text", "download", "business", "video", "page", "profile", "post", "email", "phone",
    "whatsapp", "telegram", "wechat", "viber", "signal", "zalo", "line", "kakaotalk", "facebook", "instagram", "tiktok", "twitter", "skype", "unknown", "username", "handle", "yes", "are", "was", "has", "have", "will", "can", "who", "you", "they", "she",
];

/// Reads what stands behind a cue, not beyond `limit`: the finding and where it stands.
pub(crate) fn read(pass: &Pass<'_>, spot: Spot, limit: usize) -> Option<(Found, usize, usize)> {
    // Cues that only give context have no value of their own.
    if matches!(
        spot.cue,
        Cue::Phone(_) | Cue::Wallet | Cue::Sol | Cue::Transaction | Cue::Card | Cue::Place | Cue::Site | Cue::Version
    ) {
        return None;
    }
    // `tg://`, `line://`: the scheme of a link, which the URL reader reads.
    if piece(pass.text, spot.end..spot.end + 3) == "://" {
        return None;
    }
    let (start, promised) = value_start(pass, spot.end, limit);
    if start >= pass.bytes.len() {
        return None;
    }
    let digits = |read: fn(&str) -> Option<Found>| {
        let (start, end) = digits_of(pass, start)?;
        read(piece(pass.text, start..end)).map(|found| (found, start, end))
    };
    match spot.cue {
        Cue::Handle(kind) => handle(pass, kind, start, promised, spot.end),
        Cue::Account => digits(card_or_account),
        Cue::Promptpay => digits(bank::promptpay),
        Cue::Imei => digits(device::imei),
        Cue::Imsi => digits(device::imsi),
        Cue::Iccid => digits(device::iccid),
        Cue::Pix | Cue::Cpf => pix(pass, start),
        Cue::Bic => token(pass, start).and_then(|(s, e)| {
            let raw = piece(pass.text, s..e);
            let capitals = raw.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            (capitals || promised).then(|| bank::bic(raw)).flatten().map(|f| (f, s, e))
        }),
        Cue::Passport => grouped(pass, start, 2).and_then(|(s, e)| {
            capitals(pass, s, e)?.then(|| paper::passport(piece(pass.text, s..e))).flatten().map(|f| (f, s, e))
        }),
        Cue::Company => token(pass, start).and_then(|(s, e)| paper::company(piece(pass.text, s..e)).map(|f| (f, s, e))),
        Cue::Plate => plate(pass, start, limit),
        Cue::QqGroup => digits(|raw| {
            messaging::handle(Kind::Qq, &crate::bytes::digits(raw))
                .map(|f| Found { value: format!("groups/{}", f.value), ..f })
        }),
        _ => None,
    }
}

/// Where accounts are spoken of by the number of their card, the card is what both agencies have.
fn card_or_account(raw: &str) -> Option<Found> {
    let card = bank::card(&crate::bytes::digits(raw)).filter(|f| f.strength == crate::Strength::Links);
    card.filter(|f| f.value.len() >= 16).or_else(|| bank::account(raw))
}

/// Steps over blanks, marks and words between a cue and its value.
fn value_start(pass: &Pass<'_>, from: usize, limit: usize) -> (usize, bool) {
    let (mut i, mut promised) = (from, false);
    let until = (from + 32).min(pass.bytes.len());
    'steps: while i < until {
        let b = at(pass.bytes, i);
        match b {
            b':' | b'=' | b'#' => promised = true,
            b' ' | b'\t' | b'-' | b'(' | b')' | b'"' | b'\'' | b'*' | b'>' | b'[' | b'.' | b'/' => {}
            b'\n' | b'\r' if promised => {}
            _ => {
                let rest = piece(pass.text, i..pass.text.len());
                for (word, promise) in BETWEEN {
                    let Some(head) = rest.get(..word.len()) else {
                        continue;
                    };
                    let ends = !word.is_ascii() || !is_word(at(pass.bytes, i + word.len()));
                    if head.eq_ignore_ascii_case(word) && ends && i < limit {
                        promised |= promise;
                        i += word.len();
                        continue 'steps;
                    }
                }
                break;
            }
        }
        i += 1;
    }
    (i, promised)
}

fn token(pass: &Pass<'_>, start: usize) -> Option<(usize, usize)> {
    let mut end = start;
    while end < start + 64
        && (is_alnum(at(pass.bytes, end)) || (at(pass.bytes, end) == b'-' && is_alnum(at(pass.bytes, end + 1))))
    {
        end += 1;
    }
    (end > start).then_some((start, end))
}

/// Up to `words` tokens of capitals and digits with one blank between them; later ones must have a digit.
fn grouped(pass: &Pass<'_>, start: usize, words: usize) -> Option<(usize, usize)> {
    let (_, mut end) = token(pass, start)?;
    for _ in 1..words {
        if at(pass.bytes, end) != b' ' || end - start >= 4 {
            break;
        }
        match token(pass, end + 1) {
            Some((s, e)) if piece(pass.text, s..e).bytes().all(|b| b.is_ascii_digit()) => end = e,
            _ => break,
        }
    }
    Some((start, end))
}

fn capitals(pass: &Pass<'_>, start: usize, end: usize) -> Option<bool> {
    Some(!piece(pass.text, start..end).bytes().any(|b| b.is_ascii_lowercase()))
}

/// Digits with single blanks, hyphens or dots between them.
fn digits_of(pass: &Pass<'_>, start: usize) -> Option<(usize, usize)> {
    let start = start + usize::from(at(pass.bytes, start) == b'+');
    let mut end = start;
    while end < start + 48 {
        if is_digit(at(pass.bytes, end)) {
            end += 1;
        } else if end > start
            && matches!(at(pass.bytes, end), b' ' | b'-' | b'.' | b'/')
            && is_digit(at(pass.bytes, end + 1))
        {
            end += 2;
        } else {
            break;
        }
    }
    // A share of something is no account.
    let whole = !is_alnum(at(pass.bytes, end)) && at(pass.bytes, end) != b'%';
    (end > start && whole).then_some((start, end))
}

fn pix(pass: &Pass<'_>, start: usize) -> Option<(Found, usize, usize)> {
    let uuid = piece(pass.text, start..start + 36);
    if bank::is_uuid(uuid) {
        return bank::pix(uuid).map(|f| (f, start, start + 36));
    }
    let (start, end) = digits_of(pass, start)?;
    // A mobile number is a key too: eleven digits that are no CPF are left to the telephone reader.
    let found = bank::pix(piece(pass.text, start..end))?;
    let formatted = piece(pass.text, start..end).contains('.');
    (found.strength != crate::Strength::Never || formatted).then_some((found, start, end))
}

fn plate(pass: &Pass<'_>, start: usize, limit: usize) -> Option<(Found, usize, usize)> {
    // Up to three short groups; a group ends at a blank or hyphen, the plate at anything else.
    let rest = piece(pass.text, start..floor(pass.text, (start + 40).min(limit.max(start))));
    let mut end = 0;
    let mut groups = 0;
    let mut best = None;
    for (i, c) in rest.char_indices().chain([(rest.len(), '\n')]) {
        let between = matches!(c, '.' | '·')
            && is_digit(before(rest.as_bytes(), i))
            && is_digit(at(rest.as_bytes(), i + c.len_utf8()));
        let mark = unicode_normalization::char::is_combining_mark(c);
        if c.is_alphanumeric() || mark || c == '·' || between {
            end = i + c.len_utf8();
            continue;
        }
        groups += 1;
        let written = rest.get(..end)?;
        let last = written.rsplit([' ', '-']).next().unwrap_or("");
        let lower_word = last.len() > 1 && last.bytes().all(|b| b.is_ascii_lowercase());
        if lower_word {
            break;
        }
        if let Some(found) = paper::plate(written).filter(|_| !written.bytes().any(|b| b.is_ascii_lowercase())) {
            best = Some((found, start, start + end));
        }
        if groups == 3 || !matches!(c, ' ' | '-') {
            break;
        }
    }
    best
}

fn handle(pass: &Pass<'_>, kind: Kind, start: usize, promised: bool, cue_end: usize) -> Option<(Found, usize, usize)> {
    let at_sign = at(pass.bytes, start) == b'@';
    let from = start + usize::from(at_sign);
    let mut end = from;
    while end < from + 65
        && (is_word(at(pass.bytes, end))
            || matches!(at(pass.bytes, end), b'.' | b'-')
            || (kind == Kind::Skype && at(pass.bytes, end) == b':' && is_word(at(pass.bytes, end + 1))))
    {
        end += 1;
    }
    while end > from && matches!(before(pass.bytes, end), b'.' | b'-') {
        end -= 1;
    }
    let name = piece(pass.text, from..end);
    let signs = name.bytes().any(|b| b.is_ascii_digit() || b == b'_');
    let next = at(pass.bytes, end);
    // An address, a URL, a path: other readers'.
    if name.len() < 3 || matches!(next, b'@' | b'/' | b'\\' | b'(') || (next == b':' && at(pass.bytes, end + 1) == b'/')
    {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    if NOT_HANDLES.contains(&lower.as_str())
        || (name.contains('.')
            && crate::net::host::read(name).is_some_and(|h| h.known && h.registrable > 0)
            && !at_sign)
    {
        return None;
    }
    let figures = name.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.'));
    if figures && kind != Kind::Qq {
        return None;
    }
    // Right behind a cue of a script without spaces, or one that is no English word, a name with a digit is meant.
    // These two know numbers only, which the telephone reader reads.
    if matches!(kind, Kind::Whatsapp | Kind::Viber) {
        return None;
    }
    // "command line: ..." is English; the messenger is said with an id, an @, or in capitals.
    let cue = piece(pass.text, cue_end.saturating_sub(4)..cue_end);
    if kind == Kind::Line
        && cue.eq_ignore_ascii_case("line")
        && !at_sign
        && !(cue == "LINE" && promised && signs)
        && !says_id(pass, cue_end, start)
    {
        return None;
    }
    let plain_cue = !before(pass.bytes, cue_end).is_ascii()
        || matches!(kind, Kind::Wechat | Kind::Qq | Kind::Zalo | Kind::Kakaotalk);
    let id = piece(pass.text, cue_end.saturating_sub(2)..cue_end).eq_ignore_ascii_case("id");
    let adjoining = (plain_cue || id) && signs && start <= cue_end + 2;
    if !(at_sign || promised || adjoining) {
        return None;
    }
    let raw = piece(pass.text, start..end);
    let found = messaging::handle(kind, if kind == Kind::Line { raw } else { name })?;
    // `Telegram: contact us`: a bare word in a sentence may be a name.
    let in_sentence = next == b' ' && at(pass.bytes, end + 1).is_ascii_lowercase();
    if !at_sign && !signs && in_sentence {
        return Some((
            Found::weak(kind, found.value, "a plain word behind a platform's name: it may not be an account"),
            start,
            end,
        ));
    }
    Some((found, start, end))
}

/// Whether `id` stands between the cue and the value.
fn says_id(pass: &Pass<'_>, from: usize, to: usize) -> bool {
    let between = piece(pass.text, floor(pass.text, from.saturating_sub(8))..to).to_ascii_lowercase();
    between.contains("id") || between.contains("ไอดี")
}
