//! What happens: reports in the order of time, each with what it names and why. Holds the syndicates at work and
//! nothing of what is past, so memory does not grow with the world.

use crate::cast::{Agency, Desk, Kind, Mint, Selector, Syndicate, letters, pick_agency};
use crate::hubs::{self, Hubs};
use crate::prng::Rng;
use crate::truth::{Role, SyndicateTruth, TrapKind, TrapTruth};
use crate::wallets::{self, Coin};
use crate::{phones, rates, words};
use std::collections::{BTreeMap, BTreeSet};

/// How a report tells its story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A person's complaint.
    Complaint,
    /// An advert or message that somebody saw.
    Lure,
    /// What an agency knows of a syndicate: compounds and recruiters.
    Intelligence,
}

/// One value a report names.
#[derive(Clone, Debug)]
pub(crate) struct Mention {
    pub(crate) selector: Selector,
    pub(crate) role: Role,
}

/// One report, before an agency writes it down in its own format.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) number: u64,
    /// The agency's own reference, which stands in the report's text.
    pub(crate) reference: String,
    pub(crate) agency: usize,
    /// Milliseconds since 1970.
    pub(crate) when: i64,
    pub(crate) tongue: usize,
    pub(crate) shape: Shape,
    pub(crate) recruiter: &'static str,
    pub(crate) mentions: Vec<Mention>,
    /// The syndicate's truth code, its name and compounds, when it has one.
    pub(crate) syndicate: Option<Told>,
    pub(crate) traps: Vec<TrapTruth>,
}

/// What a report may tell of its syndicate.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) compounds: Vec<String>,
    pub(crate) recruiters: Vec<&'static str>,
    /// Whether this agency describes it for the first time.
    pub(crate) first: bool,
}

/// The world as it goes on.
pub(crate) struct Story<'a> {
    seed: u64,
    agencies: &'a [Agency],
    pub(crate) hubs: Hubs,
    mint: Mint,
    live: Vec<Syndicate>,
    quota: (u64, u64),
    syndicates: u64,
    reports: u64,
    per_agency: Vec<u64>,
    /// How long a returned number rests, in milliseconds.
    rest: i64,
    /// For each recruiter's name, how many syndicates have somebody of that name.
    names: BTreeMap<&'static str, u64>,
    /// What each exchange has listed: nobody lists a wallet twice. Some 13,000 wallets in a world of a million objects.
    listed: BTreeSet<(usize, String)>,
    /// Syndicates that have ended since the last report.
    pub(crate) ended: Vec<SyndicateTruth>,
}

impl<'a> Story<'a> {
    /// `live` syndicates work side by side, each for `quota` reports; `span` is the world's length in milliseconds.
    pub(crate) fn new(seed: u64, agencies: &'a [Agency], live: u64, quota: (u64, u64), span: i64) -> Self {
        let mut story = Self {
            seed,
            agencies,
            hubs: Hubs::new(seed),
            mint: Mint::new(seed),
            live: Vec::new(),
            quota,
            syndicates: 0,
            reports: 0,
            per_agency: vec![0; agencies.len()],
            rest: span / 1000 * rates::REASSIGN_AFTER as i64,
            names: BTreeMap::new(),
            listed: BTreeSet::new(),
            ended: Vec::new(),
        };
        for _ in 0..live {
            let fresh = story.new_syndicate();
            story.live.push(fresh);
        }
        story
    }

    fn new_syndicate(&mut self) -> Syndicate {
        self.syndicates += 1;
        let reports = Rng::keyed(self.seed, "quota", self.syndicates).between(self.quota.0, self.quota.1);
        let syndicate = self.mint.syndicate(self.syndicates, reports);
        let mut names = syndicate.recruiters.clone();
        names.sort_unstable();
        names.dedup();
        for name in names {
            *self.names.entry(name).or_default() += 1;
        }
        syndicate
    }

    /// The next report, written at `when`; `None` only without agencies.
    pub(crate) fn next(&mut self, when: i64) -> Option<Report> {
        let number = self.reports;
        let mut rng = Rng::keyed(self.seed, "report", number);
        let agency = pick_agency(self.agencies, &mut rng)?;
        let serial = self.per_agency.get_mut(agency.at)?;
        *serial += 1;
        let reference = format!("{}-{:06}", agency.code, serial);
        self.reports += 1;
        let mut report = Report {
            number,
            reference,
            agency: agency.at,
            when,
            tongue: rng.below(words::TONGUES.len() as u64) as usize,
            shape: if rng.chance(300) { Shape::Lure } else { Shape::Complaint },
            recruiter: rng.word(&words::NAMES),
            mentions: Vec::new(),
            syndicate: None,
            traps: Vec::new(),
        };
        // An exchange or a financial intelligence unit states one wallet at a time, and some are its customers' pool.
        let hot = if agency.desk.wallets_only() && rng.chance(rates::LISTED_HOT_WALLETS) {
            rng.pick(&self.hubs.hot).cloned().filter(|selector| new_to(&mut self.listed, agency, selector))
        } else {
            None
        };
        if let Some(selector) = hot {
            report.mentions.push(Mention { selector, role: Role::Hub });
        } else if rng.chance(rates::LONE_REPORTS) {
            self.lone(&mut report, agency, &mut rng);
        } else {
            self.of_a_syndicate(&mut report, agency, &mut rng);
        }
        if !agency.desk.wallets_only() {
            self.mistype(&mut report, &mut rng);
            self.add_hubs(&mut report, agency, &mut rng);
        }
        for trap in &mut report.traps {
            trap.report = Some(report.reference.clone());
        }
        Some(report)
    }

    /// A report that belongs to no syndicate: its selectors are met once, or a re-assigned number's new owner.
    fn lone(&mut self, report: &mut Report, agency: &Agency, rng: &mut Rng) {
        if agency.desk.wallets_only() {
            let coin = *rng.pick(&COINS).unwrap_or(&Coin::Trx);
            report.mentions.push(Mention { selector: self.mint.fresh(Kind::Wallet(coin)), role: Role::Lone });
            return;
        }
        if let Some((selector, was)) = self.mint.innocent(report.when) {
            report.traps.push(TrapTruth::new(TrapKind::Reassigned, &selector, Some(format!("S{was:05}")), None));
            report.mentions.push(Mention { selector, role: Role::Reassigned });
            return;
        }
        for kind in [Kind::Phone, Kind::Email, Kind::Domain, Kind::Wallet(Coin::Trx)] {
            if rng.chance(450) {
                report.mentions.push(Mention { selector: self.mint.fresh(kind), role: Role::Lone });
            }
        }
        if report.mentions.is_empty() {
            report.mentions.push(Mention { selector: self.mint.fresh(Kind::Email), role: Role::Lone });
        }
    }

    fn of_a_syndicate(&mut self, report: &mut Report, agency: &Agency, rng: &mut Rng) {
        let at = rng.below(self.live.len() as u64) as usize;
        let free_at = report.when + self.rest;
        let Some(syndicate) = self.live.get_mut(at) else { return };
        let wanted = if agency.desk.wallets_only() { 1 } else { rng.between(2, 4) };
        let mut slots: Vec<usize> = (0..syndicate.slots.len())
            .filter(|&slot| !agency.desk.wallets_only() || (12..15).contains(&slot))
            .collect();
        for _ in 0..wanted {
            let slot = slots.swap_remove(rng.below(slots.len() as u64) as usize);
            let Some(slot) = syndicate.slots.get_mut(slot) else { continue };
            let (selector, was) = self.mint.cite(syndicate.number, slot, report.when, free_at);
            if let Some(was) = was {
                let to = Some(syndicate.code());
                report.traps.push(TrapTruth::new(TrapKind::Reassigned, &selector, Some(format!("S{was:05}")), to));
            }
            if !new_to(&mut self.listed, agency, &selector) {
                return self.lone(report, agency, rng);
            }
            report.mentions.push(Mention { selector, role: Role::Genuine });
        }
        report.recruiter = rng.word(&syndicate.recruiters);
        if agency.desk == Desk::Police && rng.chance(rates::INTELLIGENCE_REPORTS) {
            report.shape = Shape::Intelligence;
        }
        let bit = 1_u64 << (agency.at % 64);
        let first = report.shape == Shape::Intelligence && syndicate.known_to & bit == 0;
        if first {
            syndicate.known_to |= bit;
        }
        report.syndicate = Some(Told {
            code: syndicate.code(),
            name: syndicate.name.clone(),
            compounds: syndicate.compounds.clone(),
            recruiters: syndicate.recruiters.clone(),
            first,
        });
        syndicate.reports += 1;
        syndicate.left = syndicate.left.saturating_sub(1);
        if syndicate.left == 0 {
            let fresh = self.new_syndicate();
            if let Some(place) = self.live.get_mut(at) {
                let old = std::mem::replace(place, fresh);
                self.ended.push(SyndicateTruth::of(&old));
            }
        }
    }

    /// One wrong character, at the stated rates.
    fn mistype(&self, report: &mut Report, rng: &mut Rng) {
        for mention in &mut report.mentions {
            let phone = mention.selector.kind == Kind::Phone;
            let rate = if phone { rates::MISTYPED_PHONES } else { rates::MISTYPED_OTHERS };
            if mention.role == Role::Reassigned || !rng.chance(rate) {
                continue;
            }
            let right = mention.selector.value.clone();
            let wrong = match mention.selector.kind {
                Kind::Phone => Some(phones::mistyped(&right, rng.below(9))),
                Kind::Wallet(_) => wallets::mistyped(&right, rng),
                Kind::Email => right.split_once('@').map(|(name, host)| format!("{name}{}@{host}", letters(rng, 1))),
                Kind::Domain => right.split_once('.').map(|(name, top)| format!("{name}{}.{top}", letters(rng, 1))),
                Kind::Telegram | Kind::Line | Kind::Wechat => Some(format!("{right}{}", letters(rng, 1))),
                // A wrong check digit.
                Kind::Iban => {
                    let wrong = if right.ends_with('7') { "4" } else { "7" };
                    right.get(..right.len().saturating_sub(1)).map(|head| format!("{head}{wrong}"))
                }
            };
            if let Some(wrong) = wrong {
                mention.selector.value = wrong;
                mention.role = Role::Typo;
                report.traps.push(TrapTruth::new(TrapKind::Typo, &mention.selector, Some(right), None));
            }
        }
    }

    /// Values that many unrelated reports name.
    fn add_hubs(&self, report: &mut Report, agency: &Agency, rng: &mut Rng) {
        let mut add = |kind, value: String, role| {
            report.mentions.push(Mention { selector: Selector { kind, value }, role });
        };
        if rng.chance(rates::LISTED_HOT_WALLETS)
            && let Some(hot) = rng.pick(&self.hubs.hot)
        {
            add(hot.kind, hot.value.clone(), Role::Hub);
        }
        if rng.chance(rates::LISTED_DOMAINS) {
            add(Kind::Domain, rng.word(&hubs::POPULAR).to_owned(), Role::Hub);
        }
        if rng.chance(rates::UNLISTED_HOT_WALLET) {
            add(self.hubs.hot_unlisted.kind, self.hubs.hot_unlisted.value.clone(), Role::UnlistedHub);
        }
        if rng.chance(rates::UNLISTED_SHORTENER) {
            add(Kind::Domain, hubs::SHORTENER.to_owned(), Role::UnlistedHub);
        }
        if rng.chance(rates::QUOTED_HOTLINES) {
            add(Kind::Phone, agency.hotline.clone(), Role::Hotline);
        }
        if rng.chance(rates::PLACEHOLDERS) {
            if rng.chance(500) {
                add(Kind::Wallet(Coin::Eth), hubs::ZERO.to_owned(), Role::Placeholder);
            } else {
                add(Kind::Email, hubs::NOBODY.to_owned(), Role::Placeholder);
            }
        }
    }

    /// What is left to say at the end: the syndicates still at work, and the names that different people share.
    pub(crate) fn finish(mut self) -> (Vec<SyndicateTruth>, Vec<TrapTruth>) {
        let mut ended = std::mem::take(&mut self.ended);
        ended.extend(self.live.iter().filter(|syndicate| syndicate.reports > 0).map(SyndicateTruth::of));
        let shared = self.names.iter().filter(|(_, count)| **count > 1);
        let names = shared.map(|(name, count)| TrapTruth::same_name(name, *count)).collect();
        (ended, names)
    }
}

/// Whether an exchange may list this wallet: nobody lists one twice. Other agencies may state anything again.
fn new_to(listed: &mut BTreeSet<(usize, String)>, agency: &Agency, selector: &Selector) -> bool {
    agency.desk != Desk::Exchange || listed.insert((agency.at, selector.value.clone()))
}

const COINS: [Coin; 3] = [Coin::Trx, Coin::Btc, Coin::Eth];
