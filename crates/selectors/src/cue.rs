//! Cue words: what stands before a value and says what it is, in the languages reports are written in.
//!
//! One automaton over all of them; a cue is a hint for the readers, never a finding by itself.

use crate::Kind;
use crate::bytes::{at, before, is_word};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::sync::LazyLock;

/// What a cue word announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cue {
    /// A telephone number. With the country of the cue's language, where it is spoken in one country only.
    Phone(&'static str),
    /// An account on a platform.
    Handle(Kind),
    /// The number of a QQ group.
    QqGroup,
    /// A wallet; `Sol` lets bare Base58 be read.
    Wallet,
    Sol,
    Transaction,
    Account,
    Bic,
    Pix,
    Cpf,
    Promptpay,
    Imei,
    Imsi,
    Iccid,
    Card,
    Passport,
    Company,
    Plate,
    Place,
    Site,
    Version,
}

/// A cue in a text: where it stands and what it says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) cue: Cue,
}

#[rustfmt::skip]
const WORDS: &[(Cue, &[&str])] = &[
    (Cue::Phone(""), &[
        "phone", "telephone", "tel", "mobile", "cell", "cellphone", "call", "hotline", "sms", "text", "dial", "contact no", "contact number", "fax", "ph no",
        "teléfono", "telefono", "móvil", "celular", "llamar", "llame", "telefone", "telemóvel", "ligue", "fone", "téléphone", "portable", "appelez", "appeler", "telefon", "handy", "rufnummer",
        "mobil", "anrufen", "telepon", "telp", "hubungi", "nomor hp", "no hp", "hp", "no. hp", "電話", "电话", "電話號碼", "هاتف", "جوال", "موبايل", "رقم الهاتف", "اتصل", "simu", "piga", "nambari",
        "телефон", "тел", "звоните", "whats",
    ]),
    (Cue::Phone("CN"), &["手机", "手机号", "联系电话", "咨询电话", "热线", "致电", "拨打", "联系方式"]),
    (Cue::Phone("TH"), &["โทร", "โทรศัพท์", "เบอร์", "เบอร์โทร", "มือถือ", "ติดต่อ"]),
    (Cue::Phone("VN"), &["sđt", "SĐT", "số điện thoại", "Số điện thoại", "điện thoại", "Điện thoại", "đt", "ĐT", "hotline vn", "gọi", "Gọi", "liên hệ", "Liên hệ", "lh", "sdt"]),
    (Cue::Phone("KH"), &["ទូរស័ព្ទ", "លេខទូរស័ព្ទ", "ទូរសព្ទ", "ទំនាក់ទំនង"]),
    (Cue::Phone("LA"), &["ໂທ", "ເບີໂທ"]),
    (Cue::Phone("MM"), &["ဖုန်း", "ဖုန်းနံပါတ်"]),
    (Cue::Phone("KR"), &["전화", "전화번호", "휴대폰", "핸드폰", "연락처"]),
    (Cue::Phone("BD"), &["ফোন", "মোবাইল", "ফোন নম্বর"]),
    (Cue::Phone("IR"), &["تلفن", "شماره تلفن", "شماره موبایل"]),
    (Cue::Phone("JP"), &["電話番号", "携帯", "お問い合わせ"]),
    (Cue::Phone("IN"), &["फोन", "फ़ोन", "मोबाइल", "कॉल", "संपर्क"]),
    (Cue::Handle(Kind::Telegram), &["telegram", "tg", "телеграм", "telegrama", "电报", "電報", "飞机号", "飞机", "纸飞机", "เทเลแกรม", "텔레그램", "텔레", "テレグラム", "تيليجرام", "تلغرام", "تلگرام"]),
    (Cue::Handle(Kind::Whatsapp), &["whatsapp", "whats app", "watsapp", "wa", "واتساب", "واتس", "व्हाट्सएप", "วอทส์แอป", "왓츠앱"]),
    (Cue::Handle(Kind::Line), &["line", "line id", "lineid", "id line", "line@", "add line", "ไลน์", "แอดไลน์", "ไอดีไลน์", "ไลน์ไอดี", "라인", "ライン", "賴", "加賴", "加line"]),
    (Cue::Handle(Kind::Wechat), &["wechat", "we chat", "weixin", "微信", "微信号", "微信號", "加微信", "加微", "加v", "加vx", "加wx", "wx", "➕v", "➕V", "薇", "加薇", "V信", "v信", "vx", "薇信", "威信", "위챗", "วีแชท"]),
    (Cue::Handle(Kind::Zalo), &["zalo"]),
    (Cue::Handle(Kind::Kakaotalk), &["kakaotalk", "kakao talk", "kakao", "카카오톡", "카톡", "카카오"]),
    (Cue::Handle(Kind::Signal), &["signal", "سيجنال"]),
    (Cue::Handle(Kind::Viber), &["viber", "вайбер"]),
    (Cue::Handle(Kind::Skype), &["skype"]),
    (Cue::QqGroup, &["qq群", "QQ群", "qq群号", "QQ群号", "qq group", "Q群", "q群"]),
    (Cue::Handle(Kind::Qq), &["qq", "扣扣", "企鹅", "QQ号"]),
    (Cue::Handle(Kind::Facebook), &["facebook", "fb"]),
    (Cue::Handle(Kind::Instagram), &["instagram", "insta", "ig"]),
    (Cue::Handle(Kind::Tiktok), &["tiktok", "tik tok", "抖音号"]),
    (Cue::Handle(Kind::X), &["twitter"]),
    (Cue::Wallet, &[
        "wallet", "wallet address", "btc", "bitcoin", "xbt", "usdt", "usdc", "trc20", "trc-20", "erc20", "erc-20", "bep20", "eth", "ethereum", "tron", "trx", "ltc", "xmr", "monero", "xrp", "tether",
        "doge", "crypto", "deposit address", "钱包", "地址", "錢包", "กระเป๋า", "ví", "지갑", "ウォレット", "cartera", "carteira", "portefeuille", "محفظة", "кошелек", "кошелёк", "dompet",
    ]),
    (Cue::Sol, &["sol", "solana", "phantom", "spl"]),
    (Cue::Transaction, &["tx", "txid", "txn", "txhash", "tx hash", "transaction", "transaction hash", "transaction id", "transfer hash", "hash of transfer", "交易", "交易哈希", "transacción", "transação", "ธุรกรรม", "giao dịch", "거래", "транзакция"]),
    (Cue::Account, &[
        "account number", "account no", "account no.", "acct no", "acct", "a/c", "a/c no", "acc no", "bank account", "account #", "beneficiary account", "cuenta", "número de cuenta", "cuenta bancaria", "cuenta nº", "clabe",
        "conta", "número da conta", "conta corrente", "conta bancária", "numéro de compte", "compte bancaire", "kontonummer", "konto-nr", "konto", "账号", "帐号", "账户", "银行账号", "银行卡号", "银行账户", "卡号", "收款账号", "帳號", "銀行帳號",
        "เลขบัญชี", "เลขที่บัญชี", "บัญชี", "บช", "số tài khoản", "Số tài khoản", "stk", "tài khoản", "Tài khoản", "គណនី", "លេខគណនី", "खाता", "खाता संख्या", "खाता नंबर",
        "số TK", "Số TK", "so tk", "rekening", "rekeningnya", "nomor rekeningnya", "no.rek", "rek", "no rek", "no. rek", "norek", "nomor rekening", "계좌", "계좌번호", "口座", "口座番号", "رقم الحساب", "الحساب", "حساب", "bank acc", "to account", "bank card number", "অ্যাকাউন্ট নম্বর", "حساب بنكي", "شماره حساب", "شماره کارت", "အကောင့်", "ဘဏ်အကောင့်", "ບັນຊີ", "ເລກບັນຊີ", "номер счета", "счет",
    ]),
    (Cue::Bic, &["bic", "swift", "swift code", "bic code", "swift/bic", "bic/swift", "swift-code", "código swift", "代码swift"]),
    (Cue::Pix, &["pix", "chave pix", "chave", "chave aleatória"]),
    (Cue::Cpf, &["cpf", "cnpj"]),
    (Cue::Promptpay, &["promptpay", "prompt pay", "พร้อมเพย์"]),
    (Cue::Imei, &["imei", "imei1", "imei2"]),
    (Cue::Imsi, &["imsi"]),
    (Cue::Iccid, &["iccid", "sim serial", "sim card number", "sim no"]),
    (Cue::Card, &["card", "card number", "card no", "credit card", "debit card", "visa", "mastercard", "tarjeta", "cartão", "carte", "karte", "银行卡", "信用卡", "บัตร", "thẻ", "kartu", "카드", "カード", "بطاقة"]),
    (Cue::Passport, &[
        "passport", "passport no", "passport number", "passport no.", "travel document", "pasaporte", "passaporte", "passeport", "reisepass", "护照", "护照号", "護照", "หนังสือเดินทาง", "พาสปอร์ต", "hộ chiếu", "Hộ chiếu", "លិខិតឆ្លងដែន",
        "पासपोर्ट", "paspor", "여권", "여권번호", "パスポート", "旅券番号", "旅券", "جواز", "جواز السفر", "паспорт", "পাসপোর্ট", "گذرنامه", "နိုင်ငံကူးလက်မှတ်", "ໜັງສືຜ່ານແດນ",
    ]),
    (Cue::Company, &[
        "company number", "company no", "company no.", "registration number", "registration no", "company registration", "reg. no", "reg no", "crn", "uen", "cik", "siren", "siret", "handelsregister", "hrb", "nit", "ruc", "vat number", "vat no", "kvk-nummer", "lei", "legal entity identifier", "инн", "огрн", "統一編號", "公司编号", "公司編號", "সিআইএন",
        "统一社会信用代码", "注册号", "เลขทะเบียนนิติบุคคล", "mã số doanh nghiệp", "mã số thuế", "사업자등록번호", "法人番号",
    ]),
    (Cue::Plate, &[
        "plate", "plate number", "licence plate", "license plate", "number plate", "plate no", "registration plate", "vehicle reg", "matrícula", "placa", "plaque", "kennzeichen", "车牌", "车牌号", "車牌", "ป้ายทะเบียน", "ทะเบียนรถ", "ស្លាកលេខ", "biển số", "Biển số", "biển số xe",
        "plat nomor", "nopol", "번호판", "차량번호", "ナンバー", "لوحة",
    ]),
    (Cue::Place, &["coordinates", "coords", "gps", "location", "lat", "latitude", "coordenadas", "coordonnées", "koordinaten", "坐标", "座標", "พิกัด", "tọa độ", "Tọa độ", "koordinat", "좌표", "إحداثيات", "координаты"]),
    (Cue::Site, &["website", "site", "web", "domain", "url", "link", "visit", "www", "网站", "网址", "網址", "เว็บ", "เว็บไซต์", "trang web", "sitio", "situs", "사이트", "サイト", "موقع", "сайт", "log in at", "register at"]),
    (Cue::Version, &["version", "ver", "ver.", "v.", "versión", "versão", "release", "build", "revision", "rev", "版本", "firmware"]),
];

struct Table {
    automaton: Option<AhoCorasick>,
    cues: Vec<Cue>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let pairs = || WORDS.iter().flat_map(|(cue, words)| words.iter().map(move |word| (*cue, *word)));
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        .build(pairs().map(|(_, word)| word))
        .ok();
    Table { automaton, cues: pairs().map(|(cue, _)| cue).collect() }
});

/// Most cues that are looked at in one text.
const MAX_CUES: usize = 4096;

/// All cues of a text that stand as words, in order.
pub(crate) fn find(text: &str, out: &mut Vec<Spot>) {
    out.clear();
    let Some(automaton) = &TABLE.automaton else {
        return;
    };
    let bytes = text.as_bytes();
    for hit in automaton.find_iter(bytes) {
        let (start, end) = (hit.start(), hit.end());
        // Letters run on: "online", "pixel". Digits may follow at once: "tel0123". Scripts without spaces run on too.
        let begins = !is_word(at(bytes, start)) || !is_word(before(bytes, start));
        let last = before(bytes, end);
        let ends = !last.is_ascii_alphabetic() || !(at(bytes, end).is_ascii_alphabetic() || at(bytes, end) == b'_');
        if begins
            && ends
            && let Some(cue) = TABLE.cues.get(hit.pattern().as_usize())
        {
            out.push(Spot { start, end, cue: *cue });
            if out.len() >= MAX_CUES {
                return;
            }
        }
    }
}

/// The cues of a text with a way to ask what stood before a place.
pub(crate) struct Cues<'a> {
    pub(crate) spots: &'a [Spot],
}

impl Cues<'_> {
    /// Where a telephone cue that begins at `start` ends, when that is before `end`.
    pub(crate) fn ending_in(&self, start: usize, end: usize) -> Option<usize> {
        let first = self.spots.partition_point(|spot| spot.start < start);
        self.spots
            .get(first)
            .filter(|spot| spot.start == start && spot.end < end && matches!(spot.cue, Cue::Phone(_)))
            .map(|spot| spot.end)
    }

    /// The nearest cue that ends within `reach` bytes before `position` and satisfies `wanted`.
    pub(crate) fn near(&self, position: usize, reach: usize, wanted: impl Fn(Cue) -> bool) -> Option<Spot> {
        let until = self.spots.partition_point(|spot| spot.end <= position);
        let before = self.spots.get(..until).unwrap_or(&[]);
        before
            .iter()
            .rev()
            .take(12)
            .take_while(|spot| position - spot.end <= reach)
            .find(|spot| wanted(spot.cue))
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cues(text: &str) -> Vec<Cue> {
        let mut out = Vec::new();
        find(text, &mut out);
        out.into_iter().map(|spot| spot.cue).collect()
    }

    #[test]
    fn a_cue_inside_a_word_is_none() {
        assert!(cues("online pixels avxy hotelier telling consolidated").is_empty());
    }

    #[test]
    fn cues_are_read_in_many_scripts_and_cases() {
        assert_eq!(cues("TELEGRAM"), [Cue::Handle(Kind::Telegram)]);
        assert_eq!(cues("加微信abc123"), [Cue::Handle(Kind::Wechat)]);
        assert_eq!(cues("โทร0812345678"), [Cue::Phone("TH")]);
        assert_eq!(cues("Số tài khoản: 1"), [Cue::Account]);
        assert_eq!(cues("tel0123"), [Cue::Phone("")]);
    }
}
