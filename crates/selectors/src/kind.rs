//! The kinds of selector, their stable names and their stable numbers.

/// Declares the kinds once: variant, number on disk, name, and whether the value is about a person.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $personal:literal;)*) => {
        /// What sort of identifier a selector is.
        ///
        /// The number ([`Kind::code`]) is stored on disk and the name ([`Kind::as_str`]) is shown at the doors:
        /// neither ever changes; new kinds take new numbers.
        ///
        /// ```
        /// use selectors::Kind;
        /// assert_eq!(Kind::parse("iban"), Some(Kind::Iban));
        /// assert_eq!(Kind::from_code(Kind::Iban.code()), Some(Kind::Iban));
        /// assert!(Kind::Iban.is_personal() && !Kind::Btc.is_personal());
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Kind { $($(#[$doc])* $variant = $code,)* }

        impl Kind {
            /// Every kind, in order of number.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)*];

            /// The stable lower-case name, such as `btc`, `phone`, `iban`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Kind::$variant => $name,)* }
            }

            /// The stable number that stands on disk.
            pub const fn code(self) -> u16 { self as u16 }

            /// The kind with this number.
            pub const fn from_code(code: u16) -> Option<Kind> {
                match code { $($code => Some(Kind::$variant),)* _ => None }
            }

            /// Whether a value of this kind is personal data. Callers keep such values out of logs, URLs,
            /// metrics and other people's error texts.
            pub const fn is_personal(self) -> bool {
                match self { $(Kind::$variant => $personal,)* }
            }

            fn by_name(name: &str) -> Option<Kind> {
                match name { $($name => Some(Kind::$variant),)* _ => None }
            }
        }
    };
}

kinds! {
    /// Base58 addresses with version byte 0x00 or 0x05 and segwit addresses with prefix `bc`. Bitcoin Cash, Bitcoin SV
    /// and old Litecoin script addresses in the legacy spelling are the same key, and are this kind too.
    Btc = 1, "btc", false;
    /// A 20-byte account of Ethereum or any EVM chain (BSC, Arbitrum, Polygon, Ethereum Classic, ...): `0x` and 40
    /// lower-case digits, whatever the chain, because the same key controls the account on all of them.
    Evm = 2, "evm", false;
    /// TRON, Base58Check with version 0x41.
    Trx = 3, "trx", false;
    /// Litecoin: version 0x30 or 0x32, and bech32 with prefix `ltc`.
    Ltc = 4, "ltc", false;
    /// Bitcoin Cash in CashAddr, written without its prefix.
    Bch = 5, "bch", false;
    /// Dash: version 0x4c or 0x10.
    Dash = 6, "dash", false;
    /// Zcash: transparent (`t1`, `t3`), Sapling (`zs1`) and unified (`u1`).
    Zec = 7, "zec", false;
    /// Monero: standard, integrated and sub-addresses.
    Xmr = 8, "xmr", false;
    /// XRP ledger classic address.
    Xrp = 9, "xrp", false;
    /// Bitcoin Gold: version 0x26 or 0x17.
    Btg = 10, "btg", false;
    /// Dogecoin and Verge, which share version 0x1e (scripts: 0x16, Dogecoin's alone).
    Doge = 11, "doge", false;
    /// Solana: 32 bytes of Base58, no checksum, so read only after a cue.
    Sol = 12, "sol", false;
    /// TON, in the raw form `workchain:hex`, because one account has several friendly spellings.
    Ton = 13, "ton", false;
    /// Cardano, Shelley era (`addr1`) and stake addresses.
    Ada = 14, "ada", false;
    /// BNB Beacon Chain (`bnb1`).
    Bnb = 15, "bnb", false;
    /// A transaction: 64 lower-case hexadecimal digits without `0x`, whatever the chain.
    Transaction = 30, "transaction", false;
    /// A telephone number in E.164.
    Phone = 40, "phone", true;
    /// An e-mail address; domain in ASCII, all lower-case.
    Email = 41, "email", true;
    /// A URL in the WHATWG serialisation, without fragment and user information.
    Url = 50, "url", false;
    /// A host name in ASCII (Punycode), lower-case, without a leading `www.`.
    Domain = 51, "domain", false;
    /// An IPv4 address or network.
    Ipv4 = 52, "ipv4", false;
    /// An IPv6 address or network in the form of RFC 5952.
    Ipv6 = 53, "ipv6", false;
    /// A hardware address, lower-case, with colons.
    Mac = 54, "mac", false;
    /// MD5 of a file.
    Md5 = 60, "md5", false;
    /// SHA-1 of a file.
    Sha1 = 61, "sha1", false;
    /// SHA-256 of a file.
    Sha256 = 62, "sha256", false;
    /// SHA-512 of a file.
    Sha512 = 63, "sha512", false;
    /// Context-triggered piecewise hash (typed fields only).
    Ssdeep = 64, "ssdeep", false;
    /// Telegram user, bot or channel name.
    Telegram = 70, "telegram", true;
    /// WhatsApp account, as its number in E.164.
    Whatsapp = 71, "whatsapp", true;
    /// LINE id; official accounts keep their `@`.
    Line = 72, "line", true;
    /// WeChat id.
    Wechat = 73, "wechat", true;
    /// Zalo account (number in E.164, or name).
    Zalo = 74, "zalo", true;
    /// KakaoTalk id.
    Kakaotalk = 75, "kakaotalk", true;
    /// Signal user name or number.
    Signal = 76, "signal", true;
    /// Viber account, as its number in E.164.
    Viber = 77, "viber", true;
    /// Facebook profile, page or group.
    Facebook = 78, "facebook", true;
    /// Instagram profile.
    Instagram = 79, "instagram", true;
    /// TikTok profile.
    Tiktok = 80, "tiktok", true;
    /// Profile on X (Twitter).
    X = 81, "x", true;
    /// Skype id.
    Skype = 82, "skype", true;
    /// QQ number; groups, which number apart from people, as `groups/number`.
    Qq = 83, "qq", true;
    /// Telegram invite hash (case counts).
    TelegramInvite = 90, "telegram-invite", false;
    /// WhatsApp group invite code (case counts).
    WhatsappInvite = 91, "whatsapp-invite", false;
    /// LINE ticket, group or add-friend code (case counts).
    LineInvite = 92, "line-invite", false;
    /// KakaoTalk open chat.
    KakaotalkInvite = 93, "kakaotalk-invite", false;
    /// Signal group link (case counts).
    SignalInvite = 94, "signal-invite", false;
    /// Zalo group.
    ZaloInvite = 95, "zalo-invite", false;
    /// Viber group or community.
    ViberInvite = 96, "viber-invite", false;
    /// Discord invite (case counts).
    DiscordInvite = 97, "discord-invite", false;
    /// WeChat contact card (case counts).
    WechatInvite = 98, "wechat-invite", false;
    /// International bank account number, without spaces (ISO 13616).
    Iban = 100, "iban", true;
    /// Business identifier code (ISO 9362), always supporting evidence: a bank has many customers.
    Bic = 101, "bic", false;
    /// PIX key of the random sort, or a Brazilian CPF or CNPJ.
    Pix = 102, "pix", true;
    /// UPI virtual payment address.
    Upi = 103, "upi", true;
    /// PromptPay: a Thai mobile in E.164, a Thai national or tax number, or an e-wallet number.
    Promptpay = 104, "promptpay", true;
    /// Bank account number after a cue word, digits only.
    BankAccount = 105, "bank-account", true;
    /// Payment card number.
    Card = 106, "card", true;
    /// Equipment identity of a handset (15 digits).
    Imei = 110, "imei", true;
    /// Subscriber identity.
    Imsi = 111, "imsi", true;
    /// SIM card number.
    Iccid = 112, "iccid", true;
    /// Passport or travel document number.
    Passport = 120, "passport", true;
    /// Company registration number, supporting evidence only: registers re-use each other's numbers.
    CompanyNumber = 121, "company-number", false;
    /// Vehicle plate, supporting evidence only.
    Plate = 122, "plate", true;
    /// A place as `latitude,longitude` in degrees with five decimals, supporting evidence only.
    Coordinates = 130, "coordinates", false;
}

impl Kind {
    /// The kind of this name; the usual currency symbols and other spellings are understood too.
    ///
    /// ```
    /// use selectors::Kind;
    /// assert_eq!(Kind::parse("ETH"), Some(Kind::Evm));
    /// assert_eq!(Kind::parse("XBT"), Some(Kind::Btc));
    /// assert_eq!(Kind::parse("nonsense"), None);
    /// ```
    pub fn parse(name: &str) -> Option<Kind> {
        if name.len() > 24 {
            return None;
        }
        let name = name.to_ascii_lowercase().replace('_', "-");
        Kind::by_name(&name).or(match name.as_str() {
            "xbt" | "bitcoin" | "bsv" => Some(Kind::Btc),
            "eth" | "etc" | "bsc" | "arb" | "matic" | "pol" | "avax" | "op" | "base" | "ethereum" => Some(Kind::Evm),
            "tron" => Some(Kind::Trx),
            "xvg" | "dogecoin" | "verge" => Some(Kind::Doge),
            "litecoin" => Some(Kind::Ltc),
            "monero" => Some(Kind::Xmr),
            "solana" => Some(Kind::Sol),
            "tx" | "txid" => Some(Kind::Transaction),
            "sha-1" => Some(Kind::Sha1),
            "sha-256" => Some(Kind::Sha256),
            "sha-512" => Some(Kind::Sha512),
            "twitter" => Some(Kind::X),
            "kakao" => Some(Kind::Kakaotalk),
            "weixin" => Some(Kind::Wechat),
            "swift" => Some(Kind::Bic),
            _ => None,
        })
    }

    /// Whether it is a wallet of any chain.
    pub const fn is_wallet(self) -> bool {
        self.code() < 30
    }

    /// Whether it is a file hash.
    pub const fn is_hash(self) -> bool {
        matches!(self.code(), 60..=64)
    }

    /// Whether it is an account on a messaging or social platform.
    pub const fn is_handle(self) -> bool {
        matches!(self.code(), 70..=89)
    }

    /// Whether it is a link that lets anybody join a group or add a contact.
    pub const fn is_invite(self) -> bool {
        matches!(self.code(), 90..=99)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_unique_and_lead_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(*kind));
            assert_eq!(Kind::from_code(kind.code()), Some(*kind));
            assert_eq!(Kind::ALL.iter().filter(|k| k.code() == kind.code() || k.as_str() == kind.as_str()).count(), 1);
        }
    }

    #[test]
    fn numbers_on_disk_never_change() {
        let some = [
            (Kind::Btc, 1),
            (Kind::Transaction, 30),
            (Kind::Phone, 40),
            (Kind::Domain, 51),
            (Kind::Sha256, 62),
            (Kind::Telegram, 70),
            (Kind::Iban, 100),
            (Kind::Coordinates, 130),
        ];
        for (kind, code) in some {
            assert_eq!(kind.code(), code);
        }
    }

    #[test]
    fn what_is_about_a_person_is_personal() {
        for kind in
            [Kind::Phone, Kind::Email, Kind::Iban, Kind::Card, Kind::Passport, Kind::Imei, Kind::Whatsapp, Kind::Pix]
        {
            assert!(kind.is_personal(), "{kind}");
        }
        assert!(!Kind::Domain.is_personal() && !Kind::Evm.is_personal());
    }
}
