//! One thing that is written in several ways is one selector.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use selectors::{Flags, Hints, Kind, Strength, normalise, parse_query, scan};

fn values(text: &str, country: Option<&str>, kind: Kind) -> Vec<String> {
    scan(text, &Hints { country }).into_iter().filter(|f| f.kind == kind).map(|f| f.value).collect()
}

/// Every spelling, alone in a text, gives this value of this kind, and links.
fn same(kind: Kind, value: &str, country: Option<&str>, spellings: &[&str]) {
    let mut wrong = Vec::new();
    for text in spellings {
        let found = scan(text, &Hints { country });
        let mine: Vec<_> = found.iter().filter(|f| f.kind == kind).collect();
        if !(mine.len() == 1 && mine[0].value == value && mine[0].strength == Strength::Links) {
            wrong.push(format!("{text:?}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_case_of_a_wallet_makes_no_second_selector() {
    let evm = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
    same(
        Kind::Evm,
        evm,
        None,
        &[
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            evm,
            "0X5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED",
            "eth wallet 5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "ethereum:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed@1",
            "https://etherscan.io/address/0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed#code",
        ],
    );
    let btc = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
    same(Kind::Btc, btc, None, &[btc, &btc.to_uppercase(), &format!("bitcoin:{}?amount=1", btc.to_uppercase())]);
    let bch = "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a";
    same(Kind::Bch, bch, None, &[bch, &bch.to_uppercase(), &format!("bitcoincash:{bch}")]);
}

#[test]
fn an_address_in_mixed_case_that_breaks_its_checksum_never_links() {
    let found = scan("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", &Hints::default());
    assert_eq!((found[0].kind, found[0].strength, found[0].why.is_empty()), (Kind::Evm, Strength::Never, false));
    let mixed = scan("bc1qW508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", &Hints::default());
    assert!(mixed.iter().all(|f| f.strength == Strength::Never), "{mixed:?}");
}

#[test]
fn every_link_to_an_account_leads_to_the_account() {
    same(
        Kind::Telegram,
        "some_body",
        None,
        &[
            "t.me/Some_Body",
            "https://T.ME/some_body",
            "https://telegram.me/some_body",
            "https://telegram.dog/some_body?start=x",
            "https://t.me/s/some_body",
            "https://t.me/some_body/123",
            "tg://resolve?domain=Some_Body",
            "some_body.t.me",
            "https://some_body.t.me/",
            "Telegram: @Some_Body",
        ],
    );
    same(
        Kind::TelegramInvite,
        "AbCdEf12345",
        None,
        &["t.me/+AbCdEf12345", "https://telegram.me/joinchat/AbCdEf12345", "tg://join?invite=AbCdEf12345"],
    );
    same(
        Kind::WhatsappInvite,
        "AbCdEfGhIjK",
        None,
        &[
            "chat.whatsapp.com/AbCdEfGhIjK",
            "https://chat.whatsapp.com/invite/AbCdEfGhIjK?mode=x",
            "wa.me/message/AbCdEfGhIjK",
        ],
    );
    same(Kind::WechatInvite, "kAbCdEfGh123", None, &["https://u.wechat.com/kAbCdEfGh123", "u.wechat.com/kAbCdEfGh123"]);
    same(Kind::SignalInvite, "CjQKIabc", None, &["https://signal.group/#CjQKIabc", "sgnl://signal.group/#CjQKIabc"]);
    same(Kind::SignalInvite, "AbCd12", None, &["https://signal.me/#eu/AbCd12"]);
    same(Kind::Line, "@shop88", None, &["LINE: @shop88", "line@ : @shop88", "https://line.me/R/ti/p/%40shop88"]);
    same(Kind::Line, "shop.88", None, &["ID Line: shop.88", "LINE ID shop.88", "line://ti/p/~Shop.88"]);
    same(Kind::Qq, "groups/123456789", None, &["QQ群：123456789", "QQ group 123456789"]);
    same(Kind::Wechat, "abc_12345", None, &["微信号：abc_12345", "加VX abc_12345", "wx: abc_12345", "薇：abc_12345"]);
}

#[test]
fn a_number_in_a_messengers_link_meets_the_telephone() {
    same(
        Kind::Phone,
        "+442079460958",
        None,
        &[
            "wa.me/442079460958",
            "https://wa.me/+442079460958",
            "https://api.whatsapp.com/send/?phone=442079460958",
            "whatsapp://send?phone=442079460958",
            "https://signal.me/#p/+442079460958",
            "viber://chat?number=%2B442079460958",
            "https://t.me/+442079460958",
            "+44 (0)20 7946 0958",
            "tel:+44-20-7946-0958",
        ],
    );
}

#[test]
fn a_host_has_one_name_whatever_its_dots_ports_and_letters() {
    same(
        Kind::Domain,
        "xn--mnchen-3ya.example",
        None,
        &[
            "münchen.example",
            "MÜNCHEN.example",
            "http://münchen.example:8080/a",
            "xn--mnchen-3ya.example",
            "XN--MNCHEN-3YA.example.",
        ],
    );
    same(
        Kind::Url,
        "https://shop.example/a",
        None,
        &[
            "https://shop.example/a",
            "https://shop.example:443/a",
            "https://SHOP.example./a#top",
            "hxxps[:]//shop[.]example/a",
            "hxxps://shop(dot)example/a",
            "ｈｔｔｐｓ：／／ｓｈｏｐ．ｅｘａｍｐｌｅ／ａ",
            "https://shop\\.example\\/a",
        ],
    );
    same(
        Kind::Domain,
        "shop.example",
        None,
        &[
            "shop.example",
            "shop dot example",
            "shop[ . ]example",
            "shop点example",
            "shop。example",
            "24ชม.shop.example",
        ],
    );
    same(
        Kind::Email,
        "jo@mail.example",
        None,
        &["Jo@Mail.example", "jo[at]mail[dot]example", "jo AT mail DOT example", "mailto:jo@mail.example"],
    );
}

#[test]
fn a_letter_of_another_alphabet_is_part_of_the_name_and_said() {
    let found = scan("log in at p\u{430}ypal.example now", &Hints::default());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].value.starts_with("xn--") && found[0].flags.has(Flags::CONFUSABLE), "{found:?}");
    assert_eq!(values("josé@mail.example", None, Kind::Email), values("jose\u{301}@mail.example", None, Kind::Email));
    assert_eq!(values("joséx@mail.example", None, Kind::Email), ["joséx@mail.example"]);
}

#[test]
fn a_route_of_a_page_is_part_of_its_url_and_a_platforms_front_page_links_nobody() {
    let urls = |text: &str| values(text, None, Kind::Url);
    assert_ne!(urls("https://explorer.example/#/address/1"), urls("https://explorer.example/#/address/2"));
    assert_eq!(urls("https://shop.example/a#top"), urls("https://shop.example/a"));
    for page in ["https://t.me/", "https://www.facebook.com/"] {
        let found = scan(page, &Hints::default());
        assert!(found.iter().all(|f| f.strength == Strength::Weak), "{found:?}");
    }
}

#[test]
fn digits_of_every_script_are_the_same_number() {
    same(
        Kind::Phone,
        "+66812345678",
        Some("TH"),
        &["โทร ๐๘๑-๒๓๔-๕๖๗๘", "โทร0812345678", "0*8*1*2*3*4*5*6*7*8", "0_8_1_2_3_4_5_6_7_8"],
    );
    same(Kind::Phone, "+85512345678", Some("KH"), &["លេខទូរស័ព្ទ ០១២ ៣៤៥ ៦៧៨"]);
    same(Kind::Phone, "+959421234567", Some("MM"), &["ဖုန်း ၀၉ ၄၂၁ ၂၃၄ ၅၆၇"]);
    same(Kind::Phone, "+8562055501234", Some("LA"), &["ໂທ ໐໒໐ ໕໕໕໐ ໑໒໓໔"]);
    same(Kind::Phone, "+201001234567", Some("EG"), &["هاتف ٠١٠٠١٢٣٤٥٦٧"]);
    same(Kind::Phone, "+989123456789", None, &["تلفن ۰۹۱۲۳۴۵۶۷۸۹"]);
    same(Kind::Phone, "+919812345678", None, &["फोन ०९८१२३४५६७८"]);
    same(Kind::Phone, "+8801712345678", None, &["ফোন ০১৭১২৩৪৫৬৭৮"]);
    same(
        Kind::Phone,
        "+8613800138000",
        None,
        &["手机一三八零零一三八零零零", "手机：壹叁捌零零壹叁捌零零零", "手机１３８００１３８０００"],
    );
    same(Kind::Phone, "+442079460958", Some("GB"), &["call02079460958over18s", "call 02079460958"]);
}

#[test]
fn dates_tables_and_remarks_are_no_telephone_numbers() {
    for (country, text) in [
        ("TH", "ถึง 29/03/2565"),
        ("TH", "25/05/64 20:24"),
        ("TH", "27-10-2565 12"),
        ("US", "800 130 515 6730 145 923"),
        ("US", "2002-15-23 10:16"),
    ] {
        assert_eq!(values(text, Some(country), Kind::Phone), [""; 0], "{text}");
    }
    assert_eq!(values("gọi 18001091 (0đ)", Some("VN"), Kind::Phone), ["+8418001091"]);
    assert_eq!(values("LH 18001091 (0d)", Some("VN"), Kind::Phone), ["+8418001091"]);
}

#[test]
fn cues_of_many_languages_announce_an_account() {
    for text in [
        "account no 1234567890",
        "บัญชี กสิกร 123-4-56789-0",
        "số TK 1234567890",
        "rek BCA 1234567890",
        "rekeningnya mandiri : 1234567890",
        "卡号 1234567890",
        "계좌 123-456-7890",
        "口座番号 1234567890",
        "खाता संख्या 1234567890",
        "គណនី ABA 1234567890",
        "အကောင့် 1234567890",
        "ບັນຊີ 1234567890",
        "رقم الحساب ١٢٣٤٥٦٧٨٩٠",
        "номер счета 1234567890",
        "número de cuenta 1234567890",
        "número da conta 1234567890",
        "Kontonummer 1234567890",
    ] {
        same(Kind::BankAccount, "1234567890", None, &[text]);
    }
    assert_eq!(values("STK 0.14 55.56%", None, Kind::BankAccount), [""; 0]);
}

#[test]
fn a_plate_ends_before_the_next_cue() {
    assert_eq!(values("license plate ABC-1234 车牌 粤B12345", None, Kind::Plate), ["ABC1234", "粤B12345"]);
    assert_eq!(values("biển số 51F-123.45", None, Kind::Plate), ["51F12345"]);
}

#[test]
fn a_name_alone_never_links() {
    for text in [
        "John Smith met Jane Doe of Acme Ltd at the Grand Hotel",
        "นายสมชาย ใจดี บริษัท ตัวอย่าง จำกัด",
        "张三 和 李四 在 某某有限公司",
        "Nguyễn Văn A, Công ty TNHH Ví Dụ",
        "Kim Min-su (김민수), Director",
    ] {
        assert_eq!(scan(text, &Hints::country("GB")), [], "{text}");
        assert!(Kind::ALL.iter().all(|kind| !matches!(kind.as_str(), "name" | "person" | "company")));
    }
    let identity = serde_json::json!({"type": "identity", "name": "Jane Doe", "identity_class": "individual", "description": "a recruiter"});
    assert_eq!(selectors::of_object(&identity, &Hints::default()), []);
}

#[test]
fn what_fails_its_checksum_is_kept_with_a_reason_and_never_links() {
    for (kind, wrong) in [
        (Kind::Iban, "GB83WEST12345698765432"),
        (Kind::Card, "4111111111111112"),
        (Kind::Pix, "529.982.247-26"),
        (Kind::Promptpay, "1-1017-00230-70-9"),
        (Kind::Imei, "490154203237519"),
        (Kind::Iccid, "8944500102198304827"),
        (Kind::Btc, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"),
        (Kind::Trx, "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u"),
        (Kind::Ltc, "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n8"),
        (Kind::Passport, "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C46UTO7408122F1204159ZE184226B<<<<<10"),
    ] {
        let found = normalise(kind, wrong, &Hints::default()).unwrap_or_else(|e| panic!("{kind}: {e}"));
        assert_eq!((found.strength, found.why.is_empty()), (Strength::Never, false), "{kind}");
        assert_eq!(found.kind, kind);
    }
}

#[test]
fn what_is_typed_at_the_search_box_meets_what_was_scanned() {
    for (typed, kind, value) in [
        ("0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED", Kind::Evm, "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"),
        ("https://telegram.me/Some_Body", Kind::Telegram, "some_body"),
        ("münchen.example.", Kind::Domain, "xn--mnchen-3ya.example"),
        ("qq:groups/123456789", Kind::Qq, "groups/123456789"),
        ("wa.me/442079460958", Kind::Phone, "+442079460958"),
    ] {
        assert!(parse_query(typed).contains(&(kind, value.to_string())), "{typed}: {:?}", parse_query(typed));
    }
}
