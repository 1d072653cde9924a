//! Who plays: agencies, syndicates with the contacts and wallets they use, and the values themselves.

use crate::phones;
use crate::prng::Rng;
use crate::rates;
use crate::wallets::{self, Coin};
use crate::words;
use std::collections::VecDeque;

/// What kind of agency it is, and so in which format it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Desk {
    Police,
    Csirt,
    Hotline,
    Consulate,
    Exchange,
    Fiu,
}

impl Desk {
    const ALL: [Self; 6] = [Self::Police, Self::Csirt, Self::Hotline, Self::Consulate, Self::Exchange, Self::Fiu];

    /// How many of a hundred reports come from this kind.
    fn weight(self) -> u64 {
        match self {
            Self::Police => 30,
            Self::Csirt | Self::Consulate => 18,
            Self::Hotline => 24,
            Self::Exchange | Self::Fiu => 5,
        }
    }

    /// Whether its reports speak of wallets only.
    pub(crate) fn wallets_only(self) -> bool {
        matches!(self, Self::Exchange | Self::Fiu)
    }
}

/// One agency of the world.
#[derive(Clone, Debug)]
pub(crate) struct Agency {
    pub(crate) at: usize,
    pub(crate) code: &'static str,
    pub(crate) name: String,
    pub(crate) desk: Desk,
    pub(crate) hotline: String,
    pub(crate) folder: String,
    pub(crate) identity: String,
}

/// The agencies of a plan: kinds in turn, each in a country that does not exist.
pub(crate) fn agencies(seed: u64, count: usize) -> Vec<Agency> {
    let desks = Desk::ALL.iter().cycle();
    let countries = words::CODES.iter().zip(words::COUNTRIES);
    let place = |(at, (desk, (code, country))): (usize, (&Desk, (&&'static str, &str)))| {
        let (title, slug) = match desk {
            Desk::Police => ("Police", "police"),
            Desk::Csirt => ("Computer Emergency Team", "csirt"),
            Desk::Hotline => ("Anti-Trafficking Hotline", "hotline"),
            Desk::Consulate => ("Consular Service", "consulate"),
            Desk::Exchange => ("Coin Exchange", "exchange"),
            Desk::Fiu => ("Financial Intelligence Unit", "fiu"),
        };
        Agency {
            at,
            code,
            name: format!("EXERCISE {title} of {country}"),
            desk: *desk,
            hotline: phones::hotline(at),
            folder: format!("agency-{}-{slug}", code.to_ascii_lowercase()),
            identity: format!("identity--{}", Rng::keyed(seed, "agency", at as u64).uuid()),
        }
    };
    desks.zip(countries).take(count).enumerate().map(place).collect()
}

/// One agency by weight.
pub(crate) fn pick_agency<'a>(agencies: &'a [Agency], rng: &mut Rng) -> Option<&'a Agency> {
    let mut ticket = rng.below(agencies.iter().map(|agency| agency.desk.weight()).sum());
    agencies.iter().find(|agency| {
        let weight = agency.desk.weight();
        let found = ticket < weight;
        ticket = ticket.saturating_sub(weight);
        found
    })
}

/// What kind of value a selector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Phone,
    Email,
    Domain,
    Wallet(Coin),
    Telegram,
    Line,
    Wechat,
    Iban,
}

impl Kind {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Domain => "domain",
            Self::Wallet(_) => "wallet",
            Self::Telegram => "telegram",
            Self::Line => "line",
            Self::Wechat => "wechat",
            Self::Iban => "iban",
        }
    }
}

/// A value in its normalised form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Selector {
    pub(crate) kind: Kind,
    pub(crate) value: String,
}

/// A contact or wallet in use, and how many reports name it already.
#[derive(Clone, Debug)]
struct Held {
    selector: Selector,
    uses: u32,
    life: u32,
}

/// One thing a syndicate always has one of: a recruiter's phone, a site, a cash-out wallet.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    kind: Kind,
    now: Held,
    before: Option<Held>,
}

/// One syndicate while it works.
#[derive(Clone, Debug)]
pub(crate) struct Syndicate {
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) compounds: Vec<String>,
    pub(crate) recruiters: Vec<&'static str>,
    pub(crate) slots: Vec<Slot>,
    /// Reports still to come.
    pub(crate) left: u64,
    pub(crate) reports: u64,
    /// A bit for each agency that has described it.
    pub(crate) known_to: u64,
}

impl Syndicate {
    pub(crate) fn code(&self) -> String {
        format!("S{:05}", self.number)
    }
}

/// Gives out values, each once, and takes numbers back for somebody else.
pub(crate) struct Mint {
    rng: Rng,
    given: u64,
    phones: u64,
    phone_start: u64,
    /// Numbers given up: the number, the syndicate that had it, from when it may be given again (ms since 1970).
    returned: VecDeque<(String, u64, i64)>,
}

/// Everything a syndicate needs one of, in the order of its slots.
const SLOTS: [Kind; 16] = [
    Kind::Phone,
    Kind::Phone,
    Kind::Phone,
    Kind::Phone,
    Kind::Telegram,
    Kind::Telegram,
    Kind::Line,
    Kind::Wechat,
    Kind::Email,
    Kind::Email,
    Kind::Domain,
    Kind::Domain,
    Kind::Wallet(Coin::Trx),
    Kind::Wallet(Coin::Btc),
    Kind::Wallet(Coin::Eth),
    Kind::Iban,
];

impl Mint {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::keyed(seed, "mint", 0);
        let phone_start = rng.below(phones::capacity());
        Self { rng, given: 0, phones: 0, phone_start, returned: VecDeque::new() }
    }

    /// A value nobody has had. When the reserved numbers are used up, a phone becomes a Telegram handle.
    pub(crate) fn fresh(&mut self, kind: Kind) -> Selector {
        let rng = &mut self.rng;
        // Chance first and the running number last: short, never twice, and neighbours do not look alike.
        let tag = format!("{}{}", letters(rng, 3), base36(self.given));
        self.given += 1;
        let name = rng.word(&words::NAMES).to_ascii_lowercase();
        let value = match kind {
            Kind::Phone => {
                self.phones += 1;
                // A step that shares no factor with the number of phones visits each exactly once.
                let at = (self.phone_start + self.phones * PHONE_STEP) % phones::capacity();
                match phones::number(at).filter(|_| self.phones <= phones::capacity()) {
                    Some(number) => number,
                    None => return Selector { kind: Kind::Telegram, value: format!("exercise_{tag}") },
                }
            }
            Kind::Email => {
                let host = rng.word(&crate::hubs::MAIL_HOSTS);
                format!("exercise-{name}-{tag}@{host}")
            }
            Kind::Domain => {
                let (first, second) = (rng.word(&words::ADJECTIVES), rng.word(&words::NOUNS));
                let top = rng.word(&["example", "test"]);
                format!("{first}-{second}-{tag}.{top}")
            }
            Kind::Wallet(coin) => wallets::wallet(coin, rng),
            Kind::Telegram => format!("exercise_{name}_{tag}"),
            // Dashes, not dots: `exercise.mei.link` would read as a domain.
            Kind::Line => format!("exercise-{name}-{tag}"),
            Kind::Wechat => format!("exercise_{tag}"),
            Kind::Iban => wallets::iban(rng),
        };
        Selector { kind, value }
    }

    /// A number that is free again by `now` and was not this syndicate's; with it, whose it was.
    pub(crate) fn again(&mut self, now: i64, not: Option<u64>) -> Option<(Selector, u64)> {
        let (_, was, from) = self.returned.front()?;
        if *from > now || Some(*was) == not {
            return None;
        }
        let (value, was, _) = self.returned.pop_front()?;
        Some((Selector { kind: Kind::Phone, value }, was))
    }

    fn held(&mut self, kind: Kind) -> Held {
        let selector = self.fresh(kind);
        let life = self.rng.between(6, u64::from(rates::GENUINE_HOLDERS)) as u32;
        Held { selector, uses: 0, life }
    }

    /// A new syndicate.
    pub(crate) fn syndicate(&mut self, number: u64, reports: u64) -> Syndicate {
        let slots = SLOTS.map(|kind| Slot { kind, now: self.held(kind), before: None }).into();
        let title = |rng: &mut Rng| {
            let capital = |word: &str| {
                let mut chars = word.chars();
                chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars).collect::<String>()
            };
            format!("{} {}", capital(rng.word(&words::ADJECTIVES)), capital(rng.word(&words::NOUNS)))
        };
        let name = format!("EXERCISE {} Group", title(&mut self.rng));
        let compounds =
            (0..self.rng.between(1, 3)).map(|_| format!("EXERCISE {} Park", title(&mut self.rng))).collect();
        let recruiters = (0..3).map(|_| self.rng.word(&words::NAMES)).collect();
        Syndicate { number, name, compounds, recruiters, slots, left: reports, reports: 0, known_to: 0 }
    }

    /// The value a report names for one slot of a syndicate; counts the use and gives up what is worn out.
    /// With it, the syndicate that had a re-assigned number before, when this use takes one over.
    pub(crate) fn cite(&mut self, number: u64, slot: &mut Slot, now: i64, free_at: i64) -> (Selector, Option<u64>) {
        if slot.now.uses >= slot.now.life {
            let reuse = if slot.kind == Kind::Phone { self.again(now, Some(number)) } else { None };
            let (next, was) = match reuse {
                Some((selector, was)) => {
                    let life = self.rng.between(6, 12) as u32;
                    (Held { selector, uses: 0, life }, Some(was))
                }
                None => (self.held(slot.kind), None),
            };
            let worn = std::mem::replace(&mut slot.now, next);
            if worn.selector.kind == Kind::Phone && self.rng.chance(rates::REASSIGNED_PHONES) {
                self.returned.push_back((worn.selector.value.clone(), number, free_at));
            }
            slot.before = Some(worn);
            slot.now.uses = 1;
            return (slot.now.selector.clone(), was);
        }
        let late = self.rng.chance(rates::LATE_VALUES);
        if let Some(before) = slot.before.as_mut().filter(|held| late && held.uses < rates::GENUINE_HOLDERS) {
            before.uses += 1;
            return (before.selector.clone(), None);
        }
        slot.now.uses += 1;
        (slot.now.selector.clone(), None)
    }

    /// The innocent person's share of re-assigned numbers.
    pub(crate) fn innocent(&mut self, now: i64) -> Option<(Selector, u64)> {
        if self.rng.chance(rates::REASSIGNED_TO_INNOCENT) { self.again(now, None) } else { None }
    }
}

/// A prime larger than any range here, so that it shares no factor with their sum.
const PHONE_STEP: u64 = 1_000_003;

/// Small letters by chance.
pub(crate) fn letters(rng: &mut Rng, count: usize) -> String {
    (0..count).map(|_| char::from(b'a' + rng.below(26) as u8)).collect()
}

/// A number in the digits 0-9 and a-z.
fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit((number % 36) as u32, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}
