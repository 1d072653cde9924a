//! Messaging and social platforms: what a link to one leads to, and the normal form of account names.

use crate::phone::{self, Form};
use crate::{Found, Kind};
use url::Url;

/// Whether a registrable domain belongs to a platform that everybody shares, so that it is nobody's selector.
#[rustfmt::skip]
pub(crate) fn is_platform(domain: &str) -> bool {
    matches!(domain,
        "t.me" | "telegram.me" | "telegram.dog" | "telegram.org" | "wa.me" | "whatsapp.com" | "line.me" | "lin.ee" | "zalo.me" | "kakao.com" | "signal.me" | "signal.group" | "signal.org" | "viber.com" | "facebook.com"
        | "fb.com" | "fb.me" | "m.me" | "messenger.com" | "instagram.com" | "tiktok.com" | "twitter.com" | "x.com" | "discord.gg" | "discord.com" | "wechat.com" | "skype.com")
}

/// The account, group or number a web link leads to: nothing, one, or a telephone number with its account.
pub(crate) fn from_url(url: &Url) -> Vec<Found> {
    let Some(host) = url.host_str() else {
        return Vec::new();
    };
    let host = ["www.", "m.", "web.", "mobile."]
        .iter()
        .find_map(|p| host.strip_prefix(p).filter(|h| h.contains('.')))
        .unwrap_or(host);
    let mut segments = url.path_segments().into_iter().flatten().filter(|s| !s.is_empty());
    let first = segments.next().unwrap_or("");
    let second = segments.next().unwrap_or("");
    let third = segments.next().unwrap_or("");
    let fourth = segments.next().unwrap_or("");
    let one = |found: Option<Found>| found.into_iter().collect::<Vec<_>>();
    match host {
        "t.me" | "telegram.me" | "telegram.dog" => telegram(first, second),
        "wa.me" => match first {
            // Codes of accounts that hide their number.
            "message" | "qr" => one(invite(Kind::WhatsappInvite, second)),
            "c" => Vec::new(),
            number => numbered(Kind::Whatsapp, number),
        },
        "api.whatsapp.com" | "whatsapp.com" if first == "send" => {
            query(url, "phone").map_or(Vec::new(), |n| numbered(Kind::Whatsapp, &n))
        }
        "chat.whatsapp.com" => one(invite(Kind::WhatsappInvite, if first == "invite" { second } else { first })),
        "whatsapp.com" if first == "channel" => one(invite(Kind::WhatsappInvite, second)),
        "line.me" if first == "R" => line(second, third, fourth),
        "line.me" => line(first, second, third),
        "page.line.me" => one(handle(Kind::Line, first)),
        "lin.ee" => one(invite(Kind::LineInvite, first)),
        "zalo.me" if first == "g" => one(invite(Kind::ZaloInvite, second)),
        "zalo.me" if matches!(first, "app" | "pc" | "s" | "social" | "oauth" | "qr" | "login") => Vec::new(),
        "zalo.me" => zalo(first),
        "open.kakao.com" => one(invite(Kind::KakaotalkInvite, if matches!(first, "o" | "me") { second } else { "" })),
        "pf.kakao.com" => one(invite(Kind::KakaotalkInvite, first)),
        "signal.me" => match fragment(url, "eu/") {
            Some(code) => one(invite(Kind::SignalInvite, &code)),
            None => fragment(url, "p/").map_or(Vec::new(), |n| numbered(Kind::Signal, &n)),
        },
        "signal.group" => one(url.fragment().and_then(|f| invite(Kind::SignalInvite, f))),
        "invite.viber.com" | "chats.viber.com" => one(query(url, "g2")
            .and_then(|g| invite(Kind::ViberInvite, &g))
            .or_else(|| invite(Kind::ViberInvite, first))),
        "u.wechat.com" => one(invite(Kind::WechatInvite, first)),
        "discord.gg" => one(invite(Kind::DiscordInvite, first)),
        "discord.com" if first == "invite" => one(invite(Kind::DiscordInvite, second)),
        "facebook.com" | "fb.com" | "fb.me" | "m.me" | "messenger.com" => facebook(url, first, second),
        "instagram.com" => match first {
            "p" | "reel" | "reels" | "explore" | "accounts" | "stories" | "about" | "tv" => Vec::new(),
            name => one(handle(Kind::Instagram, name)),
        },
        "tiktok.com" => one(first.strip_prefix('@').and_then(|name| handle(Kind::Tiktok, name))),
        "twitter.com" | "x.com" => match first {
            "i" | "intent" | "share" | "search" | "hashtag" | "home" | "login" | "explore" | "privacy" | "tos" => {
                Vec::new()
            }
            name => one(handle(Kind::X, name)),
        },
        _ => match host.strip_suffix(".t.me") {
            Some(name) => one(handle(Kind::Telegram, name)),
            None => Vec::new(),
        },
    }
}

/// Links that open an app: `tg://resolve?domain=`, `whatsapp://send?phone=`, `viber://chat?number=`, `line://ti/p/`.
pub(crate) fn from_app_link(url: &Url) -> Vec<Found> {
    let action = url.host_str().unwrap_or("");
    match (url.scheme(), action) {
        ("tg", "resolve") => match query(url, "phone") {
            Some(number) => numbered(Kind::Telegram, &number),
            None => query(url, "domain").and_then(|name| handle(Kind::Telegram, &name)).into_iter().collect(),
        },
        ("tg", "join") => query(url, "invite").and_then(|i| invite(Kind::TelegramInvite, &i)).into_iter().collect(),
        ("whatsapp", "send") => query(url, "phone").map_or(Vec::new(), |n| numbered(Kind::Whatsapp, &n)),
        ("viber", _) => query(url, "number").map_or(Vec::new(), |n| numbered(Kind::Viber, &n)),
        ("line", "ti") => {
            let mut segments = url.path_segments().into_iter().flatten();
            line("ti", segments.next().unwrap_or(""), segments.next().unwrap_or(""))
        }
        ("sgnl", "signal.group") => url.fragment().and_then(|f| invite(Kind::SignalInvite, f)).into_iter().collect(),
        ("sgnl", _) => fragment(url, "p/").map_or(Vec::new(), |n| numbered(Kind::Signal, &n)),
        _ => Vec::new(),
    }
}

fn telegram(first: &str, second: &str) -> Vec<Found> {
    let found = match first {
        "joinchat" => invite(Kind::TelegramInvite, second),
        "s" | "c" if first == "s" => handle(Kind::Telegram, second),
        "c" | "addstickers" | "addemoji" | "share" | "proxy" | "socks" | "iv" | "setlanguage" | "addtheme"
        | "login" | "confirmphone" => None,
        _ => match first.strip_prefix('+').or_else(|| first.strip_prefix("%2B")) {
            Some(number) if number.len() >= 7 && number.bytes().all(|b| b.is_ascii_digit()) => {
                return numbered(Kind::Telegram, number);
            }
            Some(hash) => invite(Kind::TelegramInvite, hash),
            None => handle(Kind::Telegram, first),
        },
    };
    found.into_iter().collect()
}

fn line(first: &str, second: &str, third: &str) -> Vec<Found> {
    let found = match (first, second) {
        // A name follows the tilde, an official account the at sign, a ticket anything else.
        ("ti", "p" | "g" | "g2") => {
            let third = third.strip_prefix("%40").map_or_else(|| third.to_string(), |rest| format!("@{rest}"));
            match third.strip_prefix('~') {
                Some(name) => handle(Kind::Line, name),
                None if third.starts_with('@') => handle(Kind::Line, &third),
                None => invite(Kind::LineInvite, &third),
            }
        }
        _ => None,
    };
    found.into_iter().collect()
}

fn zalo(first: &str) -> Vec<Found> {
    if first.len() >= 9 && first.bytes().all(|b| b.is_ascii_digit()) {
        let national = phone::country("VN").and_then(|vn| phone::read(first, Form::National(vn)));
        return match national.or_else(|| phone::read(first, Form::International)) {
            Some(number) => pair(Kind::Zalo, number),
            None => handle(Kind::Zalo, first).into_iter().collect(),
        };
    }
    handle(Kind::Zalo, first).into_iter().collect()
}

fn facebook(url: &Url, first: &str, second: &str) -> Vec<Found> {
    let found = match first {
        "profile.php" => query(url, "id").and_then(|id| handle(Kind::Facebook, &id)),
        "groups" => handle(Kind::Facebook, second).map(|f| Found { value: format!("groups/{}", f.value), ..f }),
        "people" | "pages" | "sharer" | "sharer.php" | "share" | "share.php" | "events" | "watch" | "photo"
        | "photo.php" | "login" | "login.php" | "help" | "policies" | "story.php" | "permalink.php" | "hashtag"
        | "plugins" | "tr" | "dialog" | "legal" | "business" | "marketplace" | "reel" | "stories" | "t" | "notes"
        | "privacy" | "settings" | "ads" => None,
        name => handle(Kind::Facebook, name),
    };
    found.into_iter().collect()
}

/// A number in a link is international without its plus. It gives the telephone number and the account.
pub(crate) fn numbered(kind: Kind, raw: &str) -> Vec<Found> {
    let number = crate::bytes::digits(raw);
    let shaped = raw.bytes().all(|b| b.is_ascii_digit() || b"+- ".contains(&b));
    match shaped.then(|| phone::read(number.trim_start_matches("00"), Form::International)).flatten() {
        Some(number) => pair(kind, number),
        None => Vec::new(),
    }
}

fn pair(kind: Kind, number: String) -> Vec<Found> {
    vec![Found::links(Kind::Phone, number.clone()), Found::links(kind, number)]
}

fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).filter(|v| v.len() <= 128)
}

fn fragment(url: &Url, prefix: &str) -> Option<String> {
    url.fragment().and_then(|f| f.strip_prefix(prefix)).map(str::to_string)
}

/// An invite code: letters, digits, `-`, `_`; case counts.
pub(crate) fn invite(kind: Kind, code: &str) -> Option<Found> {
    let shaped =
        (4..=256).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=+/".contains(&b));
    (shaped && !crate::bytes::all_same(&code.to_ascii_lowercase())).then(|| Found::links(kind, code))
}

/// An account name in normal form: lower-case, without `@` (LINE's official accounts keep theirs).
pub(crate) fn handle(kind: Kind, raw: &str) -> Option<Found> {
    let raw = raw.trim();
    let official = kind == Kind::Line && raw.starts_with('@');
    let name = raw.strip_prefix('@').unwrap_or(raw).to_ascii_lowercase();
    let (least, most, signs): (usize, usize, &[u8]) = match kind {
        Kind::Telegram => (4, 32, b"_"),
        Kind::Line => (3, 24, b"._-"),
        Kind::Wechat => (5, 24, b"_-"),
        Kind::Qq => (5, 11, b""),
        Kind::X => (2, 15, b"_"),
        Kind::Instagram | Kind::Tiktok => (2, 30, b"._"),
        Kind::Facebook => (4, 64, b".-"),
        Kind::Kakaotalk => (4, 20, b"._-"),
        Kind::Skype => (6, 48, b".,:_-"),
        _ => (3, 40, b"._-"),
    };
    let shaped = (least..=most).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || signs.contains(&b))
        && name.bytes().any(|b| b.is_ascii_alphanumeric());
    let begins = match kind {
        Kind::Telegram => name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic()),
        Kind::Qq => name.bytes().all(|b| b.is_ascii_digit()),
        _ => true,
    };
    (shaped && begins).then(|| Found::links(kind, if official { format!("@{name}") } else { name }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(raw: &str) -> Vec<(Kind, String)> {
        let url = Url::parse(raw).unwrap();
        let found = if url.scheme().starts_with("http") { from_url(&url) } else { from_app_link(&url) };
        found.into_iter().map(|f| (f.kind, f.value)).collect()
    }

    #[test]
    fn links_lead_to_accounts_groups_and_numbers() {
        for (url, kind, value) in [
            ("https://t.me/Some_Body", Kind::Telegram, "some_body"),
            ("https://t.me/s/channel_one", Kind::Telegram, "channel_one"),
            ("https://t.me/+AbCdEf123456", Kind::TelegramInvite, "AbCdEf123456"),
            ("https://telegram.me/joinchat/AbCdEf", Kind::TelegramInvite, "AbCdEf"),
            ("tg://resolve?domain=some_body", Kind::Telegram, "some_body"),
            ("https://chat.whatsapp.com/AbCdEfGhIjK", Kind::WhatsappInvite, "AbCdEfGhIjK"),
            ("https://line.me/ti/p/~Some.One", Kind::Line, "some.one"),
            ("https://line.me/R/ti/p/%40shop", Kind::Line, "@shop"),
            ("https://line.me/ti/p/aBcD1234", Kind::LineInvite, "aBcD1234"),
            ("https://line.me/ti/g2/aBcD1234", Kind::LineInvite, "aBcD1234"),
            ("https://open.kakao.com/o/sAbCd12", Kind::KakaotalkInvite, "sAbCd12"),
            ("https://signal.group/#CjQKIabc", Kind::SignalInvite, "CjQKIabc"),
            ("https://zalo.me/g/abcdef123", Kind::ZaloInvite, "abcdef123"),
            ("https://m.facebook.com/Some.Page?ref=1", Kind::Facebook, "some.page"),
            ("https://www.facebook.com/profile.php?id=1000123", Kind::Facebook, "1000123"),
            ("https://www.facebook.com/groups/998877", Kind::Facebook, "groups/998877"),
            ("https://www.instagram.com/some.one/", Kind::Instagram, "some.one"),
            ("https://www.tiktok.com/@some.one", Kind::Tiktok, "some.one"),
            ("https://x.com/SomeOne", Kind::X, "someone"),
            ("https://discord.gg/AbC123", Kind::DiscordInvite, "AbC123"),
        ] {
            assert_eq!(leads(url), [(kind, value.to_string())], "{url}");
        }
    }

    #[test]
    fn a_number_in_a_link_is_a_telephone_and_an_account() {
        for (url, kind) in [
            ("https://wa.me/442079460958", Kind::Whatsapp),
            ("https://api.whatsapp.com/send?phone=442079460958&text=hi", Kind::Whatsapp),
            ("https://signal.me/#p/+442079460958", Kind::Signal),
            ("viber://chat?number=%2B442079460958", Kind::Viber),
        ] {
            assert_eq!(leads(url), [(Kind::Phone, "+442079460958".into()), (kind, "+442079460958".into())], "{url}");
        }
    }

    #[test]
    fn pages_of_the_platform_itself_are_nobodys() {
        for url in [
            "https://www.facebook.com/sharer.php?u=x",
            "https://x.com/intent/tweet",
            "https://www.instagram.com/p/abc",
            "https://t.me/share/url?url=x",
        ] {
            assert!(leads(url).is_empty(), "{url}");
        }
    }
}
