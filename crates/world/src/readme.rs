//! The README that stands in a world's folder: what is in it, what is true, at which rates it is hard.

use crate::{Plan, Summary, rates, words};

pub(crate) fn text(plan: &Plan, summary: &Summary) -> String {
    let share = |per_mille: u64| format!("{}.{} %", per_mille / 10, per_mille % 10);
    format!(
        "# EXERCISE world

EXERCISE: nothing here is real. Agencies, countries, syndicates, compounds and people are invented. Phone numbers lie in
ranges that regulators set aside for fiction (Ofcom, ACMA, ARCEP, Bundesnetzagentur, PTS, NANPA 555-01xx), domains end in
.example or .test or are example.com (RFC 2606), wallets have right checksums over chance (nobody holds a key), IBANs use
bank codes that no bank has (EXER, TEST), compounds lie in the open sea, country codes are ISO 3166 user-assigned.

Plan: seed {seed}, {agencies} agencies, {months} months from {start}, {objects} objects wanted. Equal plans give equal bytes.
Written: {reports} reports, about {written} STIX objects, {syndicates} syndicates.

## Files
- `agency-CC-police/`: STIX 2.1 bundles, one or more a month. `agency-CC-csirt/`: MISP events, one a file.
  `agency-CC-hotline/`: CSV with `mapping.toml`. `agency-CC-consulate/`: notes, one a file, in {languages}.
  `agency-CC-exchange/`: plain lists of wallets, each wallet once. `agency-CC-fiu/`: GraphSense TagPacks.
- `reference/`: lists in MISP's warninglist format (exchanges' hot wallets, popular domains, hotlines, placeholders).
  A node may load them as reference data; they are no reports.
- `truth.jsonl`: the truth, one JSON object a line, `kind` tells which: `world`, `agency`, `syndicate`, `report`, `trap`.
  Each report has its reference (`id`, which stands in its text too), file, place in the file, STIX ids, its syndicate
  (or none), and every value it names with a role: `genuine`, `lone`, `hub`, `unlisted-hub`, `hotline`, `reassigned`,
  `typo`, `placeholder`.

## What counts as true
A true pair is two reports, of one agency or of two, of one syndicate that name at least one value in common whose role is
`genuine` in both, compared in normalised form (E.164, lower-case domain, address as issued, handle without @). Precision:
share of found pairs that are of one syndicate. Recall: share of true pairs found. A found pair is two reports in one found
group; each pair counts once. Beside it stands the score over connected reports (`joined`), where one hub that joins two
syndicates makes all pairs across them wrong.
A finder may name a report by its reference, by the id of its STIX `report`, by any id that belongs to it alone, or by
`file#n`; `score::Truth` knows them all. An observable whose id follows from its value (a wallet, a domain) stands in
many reports and names none: its reports are those that refer to it or name its value in their text.
What cannot be told apart from the files alone is rare enough to leave room: a re-assigned number costs precision unless a
linker minds the time between.

## Rates
| what | rate |
|---|---|
| reports of no syndicate | {lone} |
| a syndicate's previous value is cited | {late} |
| phone number with one digit wrong | {phones} |
| other value with one character wrong | {others} |
| report also names a listed exchange's hot wallet; a listed popular site | {hot}; {sites} |
| report also names the one unlisted hot wallet; the one unlisted link shortener | {unlisted}; {shortener} |
| report quotes its own agency's hotline | {hotline} |
| report has a placeholder value | {placeholder} |
| number given up by a syndicate goes to somebody else (half of them innocent) | {reassigned} |
| value in text is defanged, spaced or in native digits | {disguised} |
| most reports that name one genuine value | {holders} |

Recruiters' first names come from a short list, so different people share one: a name alone links nothing. Every mailbox is
at one of three hosts that everybody uses.
",
        seed = plan.seed,
        agencies = plan.agencies,
        months = plan.months,
        start = plan.start,
        objects = plan.objects,
        reports = summary.reports,
        written = summary.objects,
        syndicates = summary.syndicates,
        languages = words::TONGUES.each_ref().map(|tongue| tongue.code).join(", "),
        lone = share(rates::LONE_REPORTS),
        late = share(rates::LATE_VALUES),
        phones = share(rates::MISTYPED_PHONES),
        others = share(rates::MISTYPED_OTHERS),
        hot = share(rates::LISTED_HOT_WALLETS),
        sites = share(rates::LISTED_DOMAINS),
        unlisted = share(rates::UNLISTED_HOT_WALLET),
        shortener = share(rates::UNLISTED_SHORTENER),
        hotline = share(rates::QUOTED_HOTLINES),
        placeholder = share(rates::PLACEHOLDERS),
        reassigned = share(rates::REASSIGNED_PHONES),
        disguised = share(rates::DISGUISED_VALUES),
        holders = rates::GENUINE_HOLDERS,
    )
}
