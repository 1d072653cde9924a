//! What people say in the world, in ten languages: short sentences of notes and adverts, and the words before a value.
//! Nothing here names a real person, firm or place.

/// One language of the world.
pub(crate) struct Tongue {
    /// RFC 5646 code.
    pub(crate) code: &'static str,
    /// The script's own zero, where officers write numbers in native digits; the ASCII zero elsewhere.
    pub(crate) zero: char,
    /// First sentences of a complaint or hotline note.
    pub(crate) openers: &'static [&'static str],
    /// Job adverts and messages.
    pub(crate) adverts: &'static [&'static str],
    /// The sentence before the name of a recruiter.
    pub(crate) name: &'static str,
    /// The words before a phone number, a site, a wallet, an e-mail address.
    pub(crate) phone: &'static str,
    pub(crate) site: &'static str,
    pub(crate) wallet: &'static str,
    pub(crate) email: &'static str,
    /// The words before a hotline's own number that the caller quotes.
    pub(crate) hotline: &'static str,
}

/// The languages, English first.
pub(crate) const TONGUES: [Tongue; 10] = [
    Tongue {
        code: "en",
        zero: '0',
        openers: &[
            "The caller answered a job offer abroad and was taken to a guarded compound.",
            "The family has not heard from their son since he left for a customer service job.",
            "The victim sent money to an investment site and cannot withdraw it.",
        ],
        adverts: &[
            "Customer service wanted, free flight and visa, high salary, no experience needed.",
            "Online marketing abroad: good pay, free room and meals, start this week.",
            "Earn every day from home: simple tasks, daily payment.",
        ],
        name: "The recruiter calls herself",
        phone: "Phone",
        site: "Website",
        wallet: "Wallet",
        email: "E-mail",
        hotline: "The caller had also rung the help line",
    },
    Tongue {
        code: "zh",
        zero: '０',
        openers: &[
            "报案人应聘海外工作后被带到一个有人看守的园区。",
            "家人说儿子出国做客服后失去联系。",
            "受害人在投资网站充值后无法提现。",
        ],
        adverts: &[
            "高薪招聘海外客服，包机票包签证，无需经验。",
            "海外推广岗位，包吃包住，本周上岗。",
            "在家兼职，任务简单，每日结算。",
        ],
        name: "招聘人自称",
        phone: "电话",
        site: "网站",
        wallet: "钱包地址",
        email: "邮箱",
        hotline: "报案人也拨打过求助热线",
    },
    Tongue {
        code: "th",
        zero: '๐',
        openers: &[
            "ผู้แจ้งสมัครงานต่างประเทศแล้วถูกพาไปยังสถานที่ที่มียามเฝ้า",
            "ครอบครัวติดต่อลูกชายไม่ได้ตั้งแต่ไปทำงานบริการลูกค้า",
            "ผู้เสียหายโอนเงินไปยังเว็บไซต์ลงทุนและถอนเงินไม่ได้",
        ],
        adverts: &[
            "รับสมัครพนักงานบริการลูกค้าต่างประเทศ เงินเดือนสูง ฟรีตั๋วเครื่องบิน ไม่ต้องมีประสบการณ์",
            "งานการตลาดออนไลน์ต่างประเทศ มีที่พักและอาหารฟรี",
            "งานออนไลน์ที่บ้าน รายได้ทุกวัน",
        ],
        name: "ผู้ชักชวนใช้ชื่อว่า",
        phone: "โทร",
        site: "เว็บไซต์",
        wallet: "กระเป๋าเงิน",
        email: "อีเมล",
        hotline: "ผู้แจ้งเคยโทรสายด่วน",
    },
    Tongue {
        code: "vi",
        zero: '0',
        openers: &[
            "Người gọi nhận lời mời làm việc ở nước ngoài và bị đưa đến một khu nhà có người canh gác.",
            "Gia đình mất liên lạc với con trai từ khi đi làm chăm sóc khách hàng.",
            "Nạn nhân chuyển tiền vào trang đầu tư và không rút được.",
        ],
        adverts: &[
            "Tuyển nhân viên chăm sóc khách hàng ở nước ngoài, lương cao, bao vé máy bay, không cần kinh nghiệm.",
            "Việc marketing trực tuyến ở nước ngoài, bao ăn ở, đi làm ngay trong tuần.",
            "Việc làm thêm tại nhà, nhiệm vụ đơn giản, trả tiền mỗi ngày.",
        ],
        name: "Người tuyển dụng tự xưng là",
        phone: "Điện thoại",
        site: "Trang web",
        wallet: "Ví",
        email: "Email",
        hotline: "Người gọi cũng đã gọi đường dây nóng",
    },
    Tongue {
        code: "hi",
        zero: '०',
        openers: &[
            "शिकायतकर्ता को विदेश में नौकरी का प्रस्ताव मिला और उसे पहरे वाले परिसर में ले जाया गया।",
            "परिवार का बेटे से संपर्क नहीं हो रहा है।",
            "पीड़ित ने निवेश वेबसाइट पर पैसे भेजे और निकाल नहीं पा रहा है।",
        ],
        adverts: &[
            "विदेश में ग्राहक सेवा की नौकरी, ऊँचा वेतन, मुफ़्त टिकट, अनुभव ज़रूरी नहीं।",
            "विदेश में ऑनलाइन मार्केटिंग, रहना और खाना मुफ़्त।",
            "घर बैठे काम, आसान काम, रोज़ भुगतान।",
        ],
        name: "भर्ती करने वाले का नाम",
        phone: "फ़ोन",
        site: "वेबसाइट",
        wallet: "वॉलेट",
        email: "ईमेल",
        hotline: "शिकायतकर्ता ने हेल्पलाइन पर भी फ़ोन किया था",
    },
    Tongue {
        code: "pt",
        zero: '0',
        openers: &[
            "A pessoa aceitou uma oferta de emprego no exterior e foi levada para um complexo vigiado.",
            "A família perdeu o contato com o filho desde que ele viajou para trabalhar.",
            "A vítima enviou dinheiro a um site de investimentos e não consegue sacar.",
        ],
        adverts: &[
            "Vaga de atendimento ao cliente no exterior, salário alto, passagem grátis, sem experiência.",
            "Marketing digital no exterior, moradia e alimentação grátis.",
            "Trabalho em casa, tarefas simples, pagamento diário.",
        ],
        name: "A recrutadora diz chamar-se",
        phone: "Telefone",
        site: "Site",
        wallet: "Carteira",
        email: "E-mail",
        hotline: "A pessoa também ligou para a linha de ajuda",
    },
    Tongue {
        code: "es",
        zero: '0',
        openers: &[
            "La persona aceptó una oferta de trabajo en el extranjero y fue llevada a un recinto vigilado.",
            "La familia no sabe nada de su hijo desde que viajó para trabajar.",
            "La víctima envió dinero a un sitio de inversiones y no puede retirarlo.",
        ],
        adverts: &[
            "Se busca atención al cliente en el extranjero, sueldo alto, vuelo gratis, sin experiencia.",
            "Marketing en línea en el extranjero, alojamiento y comida gratis.",
            "Trabajo desde casa, tareas sencillas, pago diario.",
        ],
        name: "La reclutadora dice llamarse",
        phone: "Teléfono",
        site: "Sitio web",
        wallet: "Monedero",
        email: "Correo",
        hotline: "La persona también llamó a la línea de ayuda",
    },
    Tongue {
        code: "id",
        zero: '0',
        openers: &[
            "Pelapor menerima tawaran kerja di luar negeri dan dibawa ke kompleks yang dijaga.",
            "Keluarga kehilangan kontak dengan anaknya sejak berangkat kerja.",
            "Korban mengirim uang ke situs investasi dan tidak dapat menariknya.",
        ],
        adverts: &[
            "Dicari layanan pelanggan di luar negeri, gaji tinggi, tiket gratis, tanpa pengalaman.",
            "Pemasaran daring di luar negeri, tempat tinggal dan makan gratis.",
            "Kerja dari rumah, tugas mudah, dibayar setiap hari.",
        ],
        name: "Perekrut mengaku bernama",
        phone: "Telepon",
        site: "Situs web",
        wallet: "Dompet",
        email: "Email",
        hotline: "Pelapor juga menelepon saluran bantuan",
    },
    Tongue {
        code: "km",
        zero: '០',
        openers: &[
            "អ្នករាយការណ៍បានទទួលការងារនៅបរទេស ហើយត្រូវបាននាំទៅកន្លែងដែលមានអ្នកយាម។",
            "គ្រួសារបាត់ទំនាក់ទំនងជាមួយកូនប្រុស។",
            "ជនរងគ្រោះបានផ្ញើប្រាក់ទៅគេហទំព័រវិនិយោគ ហើយដកមិនបាន។",
        ],
        adverts: &[
            "ជ្រើសរើសបុគ្គលិកសេវាអតិថិជននៅបរទេស ប្រាក់ខែខ្ពស់ មិនត្រូវការបទពិសោធន៍។",
            "ការងារទីផ្សារអនឡាញនៅបរទេស មានកន្លែងស្នាក់នៅ និងអាហារឥតគិតថ្លៃ។",
            "ការងារនៅផ្ទះ ងាយស្រួល បើកប្រាក់រាល់ថ្ងៃ។",
        ],
        name: "អ្នកជ្រើសរើសឈ្មោះ",
        phone: "ទូរស័ព្ទ",
        site: "គេហទំព័រ",
        wallet: "កាបូប",
        email: "អ៊ីមែល",
        hotline: "អ្នករាយការណ៍ក៏បានទូរស័ព្ទទៅលេខជំនួយ",
    },
    Tongue {
        code: "fr",
        zero: '0',
        openers: &[
            "La personne a accepté une offre d'emploi à l'étranger et a été conduite dans un complexe gardé.",
            "La famille est sans nouvelles de son fils depuis son départ pour un emploi.",
            "La victime a envoyé de l'argent à un site d'investissement et ne peut pas le retirer.",
        ],
        adverts: &[
            "Service client à l'étranger, salaire élevé, vol offert, sans expérience.",
            "Marketing en ligne à l'étranger, logement et repas offerts.",
            "Travail à domicile, tâches simples, paiement quotidien.",
        ],
        name: "La recruteuse dit s'appeler",
        phone: "Téléphone",
        site: "Site web",
        wallet: "Portefeuille",
        email: "Courriel",
        hotline: "La personne a aussi appelé la ligne d'aide",
    },
];

/// The tongue at a place, English when there is none.
pub(crate) fn tongue(at: usize) -> &'static Tongue {
    let [english, ..] = &TONGUES;
    TONGUES.get(at).unwrap_or(english)
}

/// Names that recruiters give: few, so that different people share one.
pub(crate) const NAMES: [&str; 24] = [
    "Amber", "Bao", "Chen", "Dara", "Elena", "Farah", "Gita", "Hana", "Indah", "Joy", "Kim", "Linh", "Mei", "Nok",
    "Oksana", "Ploy", "Quynh", "Rosa", "Somchai", "Thida", "Uma", "Vera", "Wati", "Yuki",
];

/// Countries that do not exist, in the order of [`CODES`].
pub(crate) const COUNTRIES: [&str; 40] = [
    "Norland",
    "Estmark",
    "Suderia",
    "Westhaven",
    "Calvoria",
    "Dunmere",
    "Elbrona",
    "Fenwick Isles",
    "Galdora",
    "Hestovia",
    "Ilmaria",
    "Jorvania",
    "Kestria",
    "Lorvane",
    "Mirandor",
    "Nubelle",
    "Ostrovia",
    "Pelagia",
    "Quillon",
    "Ravenna Isles",
    "Sorvane",
    "Talmoria",
    "Ulvania",
    "Vestaria",
    "Wendland Isles",
    "Xanthia",
    "Ysmere",
    "Zorvania",
    "Aldoria",
    "Brethany",
    "Corvania",
    "Drelland",
    "Eldmark",
    "Farrowmere",
    "Greyhaven",
    "Holmia",
    "Ivoria",
    "Jastria",
    "Kolvane",
    "Lunmark",
];

/// Codes that ISO 3166-1 leaves to users for ever: XA to XZ and QM to QZ (section 8.1.3).
pub(crate) const CODES: [&str; 40] = [
    "XA", "XB", "XC", "XD", "XE", "XF", "XG", "XH", "XI", "XJ", "XK", "XL", "XM", "XN", "XO", "XP", "XQ", "XR", "XS",
    "XT", "XU", "XV", "XW", "XX", "XY", "XZ", "QM", "QN", "QO", "QP", "QQ", "QR", "QS", "QT", "QU", "QV", "QW", "QX",
    "QY", "QZ",
];

/// First words of fictional syndicates, compounds and sites.
pub(crate) const ADJECTIVES: [&str; 16] = [
    "amber", "blue", "coral", "dusk", "ember", "frost", "golden", "hollow", "ivory", "jade", "lunar", "misty", "north",
    "opal", "silent", "velvet",
];

/// Second words of fictional syndicates, compounds and sites.
pub(crate) const NOUNS: [&str; 16] = [
    "anchor", "bridge", "crane", "delta", "falcon", "garden", "harbour", "island", "lantern", "lotus", "meadow",
    "orchid", "pagoda", "river", "summit", "tower",
];

/// Channels of an advert.
pub(crate) const CHANNELS: [&str; 5] = ["telegram", "whatsapp", "line", "social-media", "job-board"];
