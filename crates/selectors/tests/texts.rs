//! What must be found in running text, and what must not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use selectors::{Flags, Found, Hints, Kind, Strength, scan};

fn found(text: &str, country: Option<&str>) -> Vec<Found> {
    scan(text, &Hints { country })
}

/// Every case: a text, and all that must be found in it, in order.
fn check(country: Option<&str>, cases: &[(&str, &[(Kind, &str)])]) {
    let mut wrong = Vec::new();
    for (text, expected) in cases {
        let found: Vec<_> = found(text, country).into_iter().map(|f| (f.kind, f.value)).collect();
        let expected: Vec<_> = expected.iter().map(|(k, v)| (*k, v.to_string())).collect();
        if found != expected {
            wrong.push(format!("{text:?}\n   found    {found:?}\n   expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const BTC: &str = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
const EVM: &str = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
const TRX: &str = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t";
const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

#[test]
fn wallets_and_transactions_are_found_among_words() {
    check(
        None,
        &[
            (&format!("send to {BTC}."), &[(Kind::Btc, BTC)]),
            ("(0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed)", &[(Kind::Evm, EVM)]),
            ("USDT地址：TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t谢谢", &[(Kind::Trx, TRX)]),
            (&format!("bitcoin:{BTC}?amount=1"), &[(Kind::Btc, BTC)]),
            (&format!("txid {HASH}"), &[(Kind::Transaction, HASH)]),
            (&format!("file {HASH}"), &[(Kind::Sha256, HASH)]),
            (&format!("seen 0x{HASH}"), &[(Kind::Transaction, HASH)]),
            (
                "Solana wallet 42RLPACwZPx3vYYmxSueqsogfynBDqXK298EDsNoyoHi",
                &[(Kind::Sol, "42RLPACwZPx3vYYmxSueqsogfynBDqXK298EDsNoyoHi")],
            ),
            ("token 42RLPACwZPx3vYYmxSueqsogfynBDqXK298EDsNoyoHi", &[]),
            (
                &format!("https://tronscan.org/#/transaction/{HASH}"),
                &[
                    (Kind::Url, &format!("https://tronscan.org/#/transaction/{HASH}")),
                    (Kind::Domain, "tronscan.org"),
                    (Kind::Transaction, HASH),
                ],
            ),
            (
                &format!("https://etherscan.io/address/{EVM}"),
                &[
                    (Kind::Url, &format!("https://etherscan.io/address/{EVM}")),
                    (Kind::Domain, "etherscan.io"),
                    (Kind::Evm, EVM),
                ],
            ),
            (
                "UQDtFpEwcFAEcRe5mLVh2N6C0x-_hJEM7W61_JLnSF74p9dz",
                &[(Kind::Ton, "0:ed1691307050047117b998b561d8de82d31fbf84910ced6eb5fc92e7485ef8a7")],
            ),
        ],
    );
}

#[test]
fn a_mistyped_wallet_is_shown_with_its_reason_where_somebody_calls_it_one() {
    let found = found("my wallet TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u", None);
    assert_eq!((found[0].kind, found[0].strength), (Kind::Trx, Strength::Never));
    assert!(!found[0].why.is_empty());
    assert!(self::found("build TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u", None).is_empty());
}

#[test]
fn telephone_numbers_are_read_in_every_spelling() {
    let uk: &[(Kind, &str)] = &[(Kind::Phone, "+442079460958")];
    let thai: &[(Kind, &str)] = &[(Kind::Phone, "+66812345678")];
    check(
        Some("TH"),
        &[
            ("+44 20 7946 0958", uk),
            ("ring +44 (0)20 7946 0958 now", uk),
            ("0044 20 7946 0958", uk),
            ("＋４４ ２０ ７９４６ ０９５８", uk),
            ("081-234-5678", thai),
            ("โทร ๐๘๑-๒๓๔-๕๖๗๘", thai),
            ("0 8 1 2 3 4 5 6 7 8", thai),
            ("0.8.1.2.3.4.5.6.7.8", thai),
            ("0️⃣8️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣", thai),
            ("call 0812345678 0812345679", &[(Kind::Phone, "+66812345678"), (Kind::Phone, "+66812345679")]),
            ("WhatsApp: +44 20 7946 0958", uk),
            ("on 2024-01-15 at 10:30, room 12345", &[]),
            ("case 20240115 103000", &[]),
        ],
    );
    check(
        Some("US"),
        &[("(202) 555-0143", &[(Kind::Phone, "+12025550143")]), ("202.555.0143", &[(Kind::Phone, "+12025550143")])],
    );
    check(
        None,
        &[
            ("081-234-5678", &[]),
            ("โทร 081-234-5678", thai),
            ("手机：13800138000", &[(Kind::Phone, "+8613800138000")]),
            ("Zalo 0912 345 678", &[(Kind::Phone, "+84912345678")]),
            ("1234567890 1+2=3 10+20 price 12,345,678", &[]),
            (
                "https://wa.me/442079460958",
                &[
                    (Kind::Url, "https://wa.me/442079460958"),
                    (Kind::Phone, "+442079460958"),
                    (Kind::Whatsapp, "+442079460958"),
                ],
            ),
            ("wa.me/442079460958", &[(Kind::Phone, "+442079460958"), (Kind::Whatsapp, "+442079460958")]),
        ],
    );
}

#[test]
fn hosts_addresses_and_hashes_are_found_and_look_alikes_are_not() {
    check(
        None,
        &[
            (
                "see hxxps://www[.]shop[.]example/a?b=1#c.",
                &[(Kind::Url, "https://www.shop.example/a?b=1"), (Kind::Domain, "shop.example")],
            ),
            (
                "[link](https://shop.example/a(b)), next",
                &[(Kind::Url, "https://shop.example/a(b)"), (Kind::Domain, "shop.example")],
            ),
            ("https://shop.example/入口点击", &[(Kind::Url, "https://shop.example/"), (Kind::Domain, "shop.example")]),
            ("访问shop.example领取", &[(Kind::Domain, "shop.example")]),
            ("login.bank.example", &[(Kind::Domain, "login.bank.example"), (Kind::Domain, "bank.example")]),
            ("go to пример.рф today", &[(Kind::Domain, "xn--e1afmkfd.xn--p1ai")]),
            ("shop.example/login", &[(Kind::Url, "http://shop.example/login"), (Kind::Domain, "shop.example")]),
            ("write Jo.Doe+x@Mail.Example, now", &[(Kind::Email, "jo.doe+x@mail.example")]),
            ("jo[at]mail[.]example", &[(Kind::Email, "jo@mail.example")]),
            ("someone@oksbi", &[(Kind::Upi, "someone@oksbi")]),
            (
                "readme.md main.rs index.html cmd.exe System.Net ASP.NET e.g. i.e. foo.bar() v1.2.3.4 version 1.2.3.4 3.14",
                &[],
            ),
            (
                "from 198.51.100.7:443, 10.0.0.1 and 198.51.100.0/24",
                &[(Kind::Ipv4, "198.51.100.7"), (Kind::Ipv4, "10.0.0.1"), (Kind::Ipv4, "198.51.100.0/24")],
            ),
            ("1.2.3.4.5 and 1.2.3.456", &[]),
            ("at 2001:DB8::1, std::string a::b 12:30:45", &[(Kind::Ipv6, "2001:db8::1")]),
            ("nic 00:1A:2b:3c:4d:5e", &[(Kind::Mac, "00:1a:2b:3c:4d:5e")]),
            ("md5 D41D8CD98F00B204E9800998ECF8427F", &[(Kind::Md5, "d41d8cd98f00b204e9800998ecf8427f")]),
            ("id 123e4567-e89b-12d3-a456-426655440000", &[]),
        ],
    );
}

#[test]
fn accounts_on_platforms_need_a_link_or_a_cue() {
    check(
        None,
        &[
            (
                "https://t.me/+AbCdEf12345",
                &[(Kind::Url, "https://t.me/+AbCdEf12345"), (Kind::TelegramInvite, "AbCdEf12345")],
            ),
            ("t.me/some_body", &[(Kind::Telegram, "some_body")]),
            ("Telegram: @Some_Body", &[(Kind::Telegram, "some_body")]),
            ("telegram @somebody and LINE ID: shop.88", &[(Kind::Telegram, "somebody"), (Kind::Line, "shop.88")]),
            ("แอดไลน์ @shop88", &[(Kind::Line, "@shop88")]),
            ("加微信abc12345详聊", &[(Kind::Wechat, "abc12345")]),
            ("vx：abc_12345", &[(Kind::Wechat, "abc_12345")]),
            ("카톡 아이디: abc1234", &[(Kind::Kakaotalk, "abc1234")]),
            ("uses the Telegram API and a signal to line up; Viber for Business", &[]),
            ("QQ: 12345678", &[(Kind::Qq, "12345678")]),
            ("skype: live.some_one", &[(Kind::Skype, "live.some_one")]),
        ],
    );
}

#[test]
fn money_and_papers_are_read_with_their_digits() {
    check(
        None,
        &[
            (
                "IBAN GB82 WEST 1234 5698 7654 32, BIC DEUTDEFF",
                &[(Kind::Iban, "GB82WEST12345698765432"), (Kind::Bic, "DEUTDEFF")],
            ),
            ("4111 1111 1111 1111", &[(Kind::Card, "4111111111111111")]),
            ("card no. 4111111111111111", &[(Kind::Card, "4111111111111111")]),
            ("4111111111111111", &[]),
            ("chave pix: 529.982.247-25", &[(Kind::Pix, "52998224725")]),
            ("PIX 123e4567-e12b-12d1-a456-426655440000", &[(Kind::Pix, "123e4567-e12b-12d1-a456-426655440000")]),
            ("พร้อมเพย์ 1-1017-00230-70-8", &[(Kind::Promptpay, "1101700230708")]),
            ("Account number: 123-4-56789-0", &[(Kind::BankAccount, "1234567890")]),
            ("เลขบัญชี 123-4-56789-0", &[(Kind::BankAccount, "1234567890")]),
            ("STK 0123456789012", &[(Kind::BankAccount, "0123456789012")]),
            ("IMEI 490154203237518", &[(Kind::Imei, "490154203237518")]),
            ("ICCID: 8944500102198304826", &[(Kind::Iccid, "8944500102198304826")]),
            ("passport no. AB1234567 of", &[(Kind::Passport, "AB1234567")]),
            ("护照号：E12345678", &[(Kind::Passport, "E12345678")]),
            ("passport holder", &[]),
            ("plate number: AB12 CDE", &[(Kind::Plate, "AB12CDE")]),
            ("company number 12345678", &[(Kind::CompanyNumber, "12345678")]),
            ("13.75631, 100.50180", &[(Kind::Coordinates, "13.75631,100.50180")]),
            ("13°45'22.68\"N 100°30'6.48\"E", &[(Kind::Coordinates, "13.75630,100.50180")]),
            (
                "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
                &[(Kind::Passport, "L898902C3")],
            ),
        ],
    );
}

#[test]
fn how_it_was_written_is_flagged() {
    let one = |text: &str| found(text, None).remove(0);
    assert!(one("shop[.]example").flags.has(Flags::OBFUSCATED));
    assert!(!one("shop.example").flags.has(Flags::OBFUSCATED));
    assert!(one("shop.example/x").flags.has(Flags::ASSUMED_SCHEME));
    assert!(one("аррӏе.com").flags.has(Flags::CONFUSABLE));
    assert!(one("โทร 081-234-5678").flags.has(Flags::ASSUMED_COUNTRY));
}

#[test]
fn spans_are_the_bytes_that_were_written() {
    let text = "โทร ๐๘๑-๒๓๔-๕๖๗๘ หรือ hxxp://shop[.]example/ ครับ";
    let written: Vec<_> = found(text, Some("TH")).into_iter().map(|f| &text[f.span]).collect();
    assert_eq!(written, ["๐๘๑-๒๓๔-๕๖๗๘", "hxxp://shop[.]example/", "hxxp://shop[.]example/"]);
}

#[test]
fn a_text_without_identifiers_gives_nothing() {
    let prose = "The adversary used PowerShell, Net.exe and T1059.001 (Citation: Vendor 2019). In 2019-2021 it cost $1,234,567.89.";
    assert_eq!(found(prose, None), []);
}

#[test]
fn a_call_never_gives_more_than_its_limit() {
    let many: String = (0..5000).map(|i| format!("a{i}.example ")).collect();
    assert_eq!(found(&many, None).len(), selectors::MAX_FOUND);
}

#[test]
fn hostile_texts_cost_linear_time() {
    let start = std::time::Instant::now();
    for piece in [
        "1 2 3 4 5 6 7 8 ",
        "://",
        "a.",
        "@",
        "P<",
        "[.]",
        "telegram: ",
        "0x",
        "+1",
        "::",
        "(",
        "a@a.",
        "account no: 1 ",
        "9999999999 ",
    ] {
        let text = piece.repeat((256 << 10) / piece.len());
        scan(&text, &Hints::country("US"));
    }
    // Quadratic behaviour takes hours on 256 KiB; this bound only tells the two apart, on any machine.
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn names_of_packages_are_no_domains_unless_a_scheme_a_path_or_a_cue_says_so() {
    let manifest = "asks for android.permission.CAMERA and com.foo.Bar.camera; uses java.net, androidx.camera.camera2";
    assert_eq!(found(manifest, None), []);
    for meant in ["https://android.camera/", "android.camera/x", "website: android.camera"] {
        let found = found(meant, None);
        assert!(found.iter().any(|f| f.kind == Kind::Domain && f.value == "android.camera"), "{meant}: {found:?}");
    }
    for host in ["io.example.com", "net.example.org"] {
        let found = found(&format!("they moved to {host} later"), None);
        assert!(found.iter().any(|f| f.value == host), "{host}: {found:?}");
    }
}
