//! Bank legs: each counted once, whoever tells it; disagreements shown; a load that is erased leaves no byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use money::bank::{Bank, BatchInfo, CHAIN, Job, Loaded, Viewed, zone_named};
use money::chain::{Chain, ChainCode, Mapping, Options, Room, Source, load, unwind};
use money::cli::balances;
use money::columns::Mode;
use std::ops::ControlFlow;
use std::path::Path;

/// The registry's example accounts: a victim, a mule and an exchange, all EXERCISE.
const VICTIM: &str = "GB29NWBK60161331926819";
const MULE: &str = "DE89370400440532013000";
const EXCHANGE: &str = "NL91ABNA0417164300";

fn all(_: &BatchInfo) -> bool {
    true
}

/// An entry: direction, amount, day, the other side's IBAN, reference.
fn entry(way: &str, amount: &str, day: &str, other: &str, reference: &str) -> String {
    let role = if way == "CRDT" { "Dbtr" } else { "Cdtr" };
    format!(
        "<Ntry><Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>{way}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt>\
         <NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs><RltdPties><{role}><Pty><Nm>EXERCISE other</Nm></Pty></{role}>\
         <{role}Acct><Id><IBAN>{other}</IBAN></Id></{role}Acct></RltdPties><RmtInf><Ustrd>EXERCISE secret {reference}</Ustrd></RmtInf>\
         </TxDtls></NtryDtls></Ntry>"
    )
}

fn balance(code: &str, amount: &str) -> String {
    format!(
        "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>"
    )
}

/// A statement: whose, its number, its balances, its entries.
fn statement(own: &str, number: u32, balances: (&str, &str), entries: &[String]) -> String {
    format!(
        "<Stmt><Id>EX-{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><Acct><Id><IBAN>{own}</IBAN></Id><Ccy>EUR</Ccy></Acct>{}{}{}</Stmt>",
        balance("OPBD", balances.0),
        balance("CLBD", balances.1),
        entries.concat()
    )
}

fn document(statements: &[String]) -> String {
    let open = "<c:Document xmlns:c=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><c:BkToCstmrStmt>";
    let text = statements.concat().replace("</", "</c:").replace('<', "<c:").replace("<c:/c:", "</c:");
    format!("{open}{text}</c:BkToCstmrStmt></c:Document>")
}

fn take(bank: &mut Bank, dir: &Path, name: &str, text: &str) -> Loaded {
    let file = dir.join(name);
    std::fs::write(&file, text).unwrap();
    let (zone, collection) = (zone_named("Europe/Berlin").unwrap(), "EXERCISE collection".to_owned());
    bank.load(&Job { file, zone, mapping: None, collection, now: jiff::Timestamp::UNIX_EPOCH }).unwrap()
}

fn legs(bank: &Bank, account: &str) -> Vec<Viewed> {
    bank.view().unwrap().unwrap().legs_of(account, (0, 1000), &all).unwrap().0
}

fn transfers(bank: &Bank, account: &str) -> Vec<Viewed> {
    legs(bank, account).into_iter().filter(|leg| leg.kind == "transfer").collect()
}

/// What the mule's account has, and whether its bank says the same.
fn sum(money: &Path, account: &str) -> (Option<String>, bool) {
    let chain = ChainCode::parse(CHAIN).unwrap();
    let lines = balances(&Room::open(money), &chain, (account, Some("EUR")), None).unwrap();
    (lines[0].sum.clone(), lines[0].closed)
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> (Folder, Bank) {
        let folder = Folder(tempfile::tempdir().unwrap());
        let bank = Bank::open_to_write(&folder.money()).unwrap();
        (folder, bank)
    }
    fn money(&self) -> std::path::PathBuf {
        self.0.path().join("money")
    }
    fn take(&self, bank: &mut Bank, name: &str, statements: &[String]) -> Loaded {
        take(bank, self.0.path(), name, &document(statements))
    }
    /// Every byte of every file below the money folder.
    fn holds(&self, words: &str) -> bool {
        fn walk(dir: &Path, words: &[u8]) -> bool {
            std::fs::read_dir(dir).unwrap().flatten().any(|entry| match entry.path() {
                path if path.is_dir() => walk(&path, words),
                path => std::fs::read(path).unwrap().windows(words.len()).any(|part| part == words),
            })
        }
        walk(&self.money(), words.as_bytes())
    }
}

fn mule_page() -> String {
    let entries = [
        entry("CRDT", "1250.00", "2026-03-02", VICTIM, "EX-1"),
        entry("DBIT", "1200.00", "2026-03-02", EXCHANGE, "EX-2"),
    ];
    statement(MULE, 1, ("10.00", "60.00"), &entries)
}

#[test]
fn a_statement_becomes_legs_whose_sum_is_what_the_bank_says() {
    let (folder, mut bank) = Folder::new();
    let loaded = folder.take(&mut bank, "mule.xml", &[mule_page()]);
    let counts = loaded.batch.unwrap().counts;
    assert_eq!(
        (counts.statements, counts.legs, counts.refused, counts.warnings),
        (1, 2, 0, 0),
        "{:?}",
        loaded.warnings
    );
    let legs = legs(&bank, MULE);
    let told: Vec<_> =
        legs.iter().map(|leg| (leg.from.as_deref(), leg.to.as_deref(), leg.amount.as_str(), leg.kind)).collect();
    let opening = (None, Some(MULE), "1000", "unexplained");
    let paid = [(Some(VICTIM), Some(MULE), "125000", "transfer"), (Some(MULE), Some(EXCHANGE), "120000", "transfer")];
    assert_eq!(told, [&[opening], &paid[..]].concat());
    // A day in Berlin, in UTC.
    assert_eq!((legs[1].earliest.as_str(), legs[1].latest.as_str()), ("2026-03-01T23:00:00Z", "2026-03-02T22:59:59Z"));
    assert_eq!(sum(&folder.money(), MULE), (Some("6000".into()), true));
}

#[test]
fn a_leg_that_two_files_tell_is_counted_once_and_two_equal_legs_of_one_file_twice() {
    let (folder, mut bank) = Folder::new();
    let coffee = || entry("DBIT", "3.00", "2026-03-02", EXCHANGE, "NOTPROVIDED");
    folder.take(&mut bank, "a.xml", &[statement(MULE, 1, ("10.00", "4.00"), &[coffee(), coffee()])]);
    // The same page with another page behind it, which has one more of the same on the same day.
    let pages = [
        statement(MULE, 1, ("10.00", "4.00"), &[coffee(), coffee()]),
        statement(MULE, 2, ("4.00", "1.00"), &[coffee()]),
    ];
    let loaded = folder.take(&mut bank, "b.xml", &pages);
    assert!(loaded.findings.is_empty(), "{:?}", loaded.findings);
    let legs = transfers(&bank, MULE);
    assert_eq!(legs.iter().map(|leg| leg.sources.len()).collect::<Vec<_>>(), [2, 2, 1]);
    assert_eq!(sum(&folder.money(), MULE), (Some("100".into()), true));
    let again = take(&mut bank, folder.0.path(), "c.xml", &document(&pages));
    assert_eq!((again.known, again.batch), (Some(2), None));
}

#[test]
fn a_leg_that_both_banks_tell_is_one_transfer_with_two_sources() {
    let (folder, mut bank) = Folder::new();
    folder.take(&mut bank, "mule.xml", &[mule_page()]);
    let paid = [entry("DBIT", "1250.00", "2026-03-01", MULE, "EX-1")];
    folder.take(&mut bank, "victim.xml", &[statement(VICTIM, 7, ("1250.00", "0.00"), &paid)]);
    let got = [entry("CRDT", "1200.00", "2026-03-03", MULE, "NOTPROVIDED")];
    folder.take(&mut bank, "exchange.xml", &[statement(EXCHANGE, 1, ("0.00", "1200.00"), &got)]);
    let legs = transfers(&bank, MULE);
    assert_eq!(legs.iter().map(|leg| leg.sources.len()).collect::<Vec<_>>(), [2, 2]);
    // The interval holds what either bank says.
    assert_eq!((legs[0].earliest.as_str(), legs[0].latest.as_str()), ("2026-02-28T23:00:00Z", "2026-03-02T22:59:59Z"));
    for account in [VICTIM, MULE, EXCHANGE] {
        assert!(sum(&folder.money(), account).1, "{account} is closed");
    }
    // Whoever sees the victim's statement alone sees its leg as that says it.
    let sees = |info: &BatchInfo| info.id == 2;
    let alone = bank.view().unwrap().unwrap().legs_of(MULE, (0, 10), &sees).unwrap().0;
    assert_eq!((alone.len(), alone[0].sources.len(), alone[0].latest.as_str()), (1, 1, "2026-03-01T22:59:59Z"));
}

#[test]
fn a_statement_without_entries_neither_hides_the_others_nor_breaks_their_row() {
    let (folder, mut bank) = Folder::new();
    let dated = statement(MULE, 2, ("60.00", "60.00"), &[]);
    let dated =
        dated.replace("<Cd>CLBD</Cd></CdOrPrtry></Tp>", "<Cd>CLBD</Cd></CdOrPrtry></Tp><Dt><Dt>2026-03-05</Dt></Dt>");
    let later = statement(MULE, 3, ("60.00", "0.00"), &[entry("DBIT", "60.00", "2026-03-09", EXCHANGE, "EX-6")]);
    let undated = statement(MULE, 9, ("0.00", "0.00"), &[]);
    let loaded = folder.take(&mut bank, "all.xml", &[undated, mule_page(), dated, later]);
    assert!(loaded.findings.is_empty(), "{:?}", loaded.findings);
    assert_eq!(sum(&folder.money(), MULE), (Some("0".into()), true));
}

#[test]
fn two_banks_that_disagree_are_both_kept_and_said_and_no_balance_is_moved() {
    let (folder, mut bank) = Folder::new();
    folder.take(&mut bank, "mule.xml", &[mule_page()]);
    let paid = [entry("DBIT", "1300.00", "2026-03-02", MULE, "EX-1")];
    let loaded = folder.take(&mut bank, "victim.xml", &[statement(VICTIM, 7, ("1300.00", "0.00"), &paid)]);
    assert!(loaded.findings.iter().any(|one| one.about.len() == 2 && one.why.contains("same reference")));
    assert!(sum(&folder.money(), MULE).1 && sum(&folder.money(), VICTIM).1);
    assert_eq!(transfers(&bank, VICTIM)[0].to, None);
}

#[test]
fn a_missing_page_a_wrong_balance_and_an_amount_that_does_not_fit_are_named_and_the_rest_is_kept() {
    let (folder, mut bank) = Folder::new();
    let big = entry("CRDT", "9999999999999999999999999999999999999999.00", "2026-03-02", VICTIM, "EX-3");
    let yen = entry("CRDT", "5", "2026-03-02", VICTIM, "EX-4").replace("EUR", "JPY");
    let good = entry("CRDT", "5.00", "2026-03-02", VICTIM, "EX-5");
    let pages = [
        statement(MULE, 1, ("0.00", "5.00"), &[good.clone(), big]),
        statement(MULE, 2, ("5.00", "11.00"), &[good.replace("-02", "-03")]),
        statement(MULE, 4, ("20.00", "25.00"), &[good.replace("-02", "-09"), yen.replace("-02", "-09")]),
    ];
    let loaded = folder.take(&mut bank, "pages.xml", &pages);
    let counts = loaded.batch.unwrap().counts;
    assert_eq!((counts.statements, counts.legs, counts.refused), (3, 4, 1));
    assert_eq!((loaded.refused[0].statement, loaded.refused[0].entry), (1, 2));
    assert!(loaded.refused[0].why.contains("127 bits") && !loaded.refused[0].why.contains("9999"));
    let warned = |statement, words: &str| {
        loaded.warnings.iter().any(|one| one.statement == statement && one.why.contains(words))
    };
    assert!(warned(2, "do not come to its closing balance") && warned(3, "not in the account's currency"));
    assert_eq!(loaded.findings.len(), 1, "{:?}", loaded.findings);
    assert!(loaded.findings[0].why.contains("a page is missing"));
    assert_eq!(loaded.findings[0].about.iter().map(|at| at.statement).collect::<Vec<_>>(), [2, 4 - 1]);
}

#[test]
fn a_file_that_is_no_statement_or_breaks_off_leaves_nothing() {
    let (folder, mut bank) = Folder::new();
    let whole = document(&[mule_page()]);
    let half = whole.get(..whole.len() - 40).unwrap();
    let doctype = whole.replace("<c:Document", "<!DOCTYPE x [<!ENTITY e \"e\">]><c:Document");
    for (name, text, why) in [
        ("half.xml", half, "inside an element"),
        ("other.xml", "<a/>", "no statement"),
        ("type.xml", doctype.as_str(), "DOCTYPE"),
    ] {
        let file = folder.0.path().join(name);
        std::fs::write(&file, text).unwrap();
        let (zone, collection) = (zone_named("UTC").unwrap(), String::new());
        let error = bank
            .load(&Job { file, zone, mapping: None, collection, now: jiff::Timestamp::UNIX_EPOCH })
            .unwrap_err()
            .to_string();
        assert!(error.contains(name) && error.contains(why) && !error.contains("EXERCISE other"), "{error}");
    }
    assert!(!folder.holds("EXERCISE"));
    assert_eq!(bank.batches().count(), 0);
}

#[test]
fn an_erased_load_is_in_no_file_and_what_others_tell_stays() {
    let (folder, mut bank) = Folder::new();
    folder.take(&mut bank, "mule.xml", &[mule_page()]);
    let paid = [entry("DBIT", "1250.00", "2026-03-01", MULE, "EX-1")];
    folder.take(&mut bank, "victim.xml", &[statement(VICTIM, 7, ("1250.00", "0.00"), &paid)]);
    assert!(folder.holds("EX-2") && folder.holds(EXCHANGE));
    bank.erase(1).unwrap();
    for gone in ["EX-2", EXCHANGE, "mule.xml"] {
        assert!(!folder.holds(gone), "{gone}");
    }
    assert_eq!(transfers(&bank, VICTIM).len(), 1);
    bank.erase(2).unwrap();
    assert!(!folder.holds(VICTIM) && !folder.holds("EXERCISE") && bank.view().unwrap().is_none());
    let rest: Vec<_> = std::fs::read_dir(folder.money()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(rest, ["_bank"]);
    assert!(bank.erase(2).unwrap_err().to_string().contains("eye money bank list"));
}

#[test]
fn a_crash_between_erasing_and_making_the_chain_anew_is_ended_by_the_next_writer() {
    let (folder, mut bank) = Folder::new();
    folder.take(&mut bank, "mule.xml", &[mule_page()]);
    drop(bank);
    // The manifest says that the load is gone, its facts and the chain are there still.
    let path = folder.money().join("_bank/manifest");
    let mut manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    manifest["batches"] = serde_json::json!([]);
    manifest["generation"] = 2.into();
    std::fs::write(&path, manifest.to_string()).unwrap();
    assert!(folder.holds(VICTIM));
    Bank::open_to_write(&folder.money()).unwrap();
    assert!(!folder.holds(VICTIM));
}

#[test]
fn the_chain_of_bank_legs_takes_no_table_and_is_not_unwound() {
    let (folder, mut bank) = Folder::new();
    folder.take(&mut bank, "mule.xml", &[mule_page()]);
    let (room, chain) = (Room::open(&folder.money()), ChainCode::parse(CHAIN).unwrap());
    let file = folder.0.path().join("t.csv");
    std::fs::write(&file, "from,to,amount,time\nana,ben,1,86400\n").unwrap();
    let mapping =
        Mapping::parse("from = 'from'\nto = 'to'\namount = 'amount'\ntime = 'time'\nasset_is = 'EUR'").unwrap();
    let source = Source::Transfers { file, mapping: Box::new(mapping) };
    let refused = load(&room, &chain, &source, &Options::default(), &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(refused.to_string().contains("eye money bank load"));
    assert!(unwind(&room, &chain, 1).unwrap_err().to_string().contains("erase"));
    assert!(matches!(room.chain(&chain, Mode::Read).unwrap(), Chain::Accounts(accounts) if accounts.transfers() == 3));
}

#[test]
fn details_are_legs_of_their_own_when_they_add_up_and_pending_and_reversed_entries_are_told_apart() {
    let (folder, mut bank) = Folder::new();
    let detail = |amount: &str, name: &str| {
        format!("<TxDtls><Amt Ccy=\"EUR\">{amount}</Amt><RltdPties><Cdtr><Nm>{name}</Nm></Cdtr></RltdPties></TxDtls>")
    };
    let batch = |details: &str| {
        format!(
            "<Ntry><Amt Ccy=\"EUR\">30.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-03-02</Dt></BookgDt>\
             <NtryDtls>{details}</NtryDtls></Ntry>"
        )
    };
    let two = batch(&(detail("10.00", "EXERCISE one") + &detail("20.00", "EXERCISE two")));
    let wrong = batch(&(detail("10.00", "EXERCISE one") + &detail("19.00", "EXERCISE two")));
    let pending = entry("CRDT", "7.00", "2026-03-02", VICTIM, "EX-7").replace("BOOK", "PDNG");
    let back = entry("CRDT", "1.00", "2026-03-02", VICTIM, "EX-8").replace("<Sts>", "<RvslInd>true</RvslInd><Sts>");
    let page = statement(MULE, 1, ("100.00", "41.00"), &[two, wrong, pending, back]);
    let loaded = folder.take(&mut bank, "batch.xml", &[page]);
    let counts = loaded.batch.unwrap().counts;
    assert_eq!((counts.legs, counts.pending, counts.warnings), (4, 1, 1), "{:?}", loaded.warnings);
    let legs = transfers(&bank, MULE);
    assert_eq!(legs[0].to.as_deref(), Some(format!("{MULE}#EXERCISE ONE").as_str()), "a name is nobody's elsewhere");
    assert_eq!((legs[2].to.as_deref(), legs[2].amount.as_str()), (None, "3000"));
    assert!(legs[3].sources[0].says.reversal);
    assert_eq!(sum(&folder.money(), MULE), (Some("4100".into()), true));
}

#[test]
fn the_order_in_which_statements_come_changes_no_leg() {
    let paid = [entry("DBIT", "1250.00", "2026-03-01", MULE, "EX-1")];
    let later = [entry("DBIT", "60.00", "2026-03-09", EXCHANGE, "EX-6")];
    let got = [entry("CRDT", "1200.00", "2026-03-03", MULE, "NOTPROVIDED")];
    let files = [
        statement(VICTIM, 7, ("1250.00", "0.00"), &paid),
        mule_page(),
        statement(MULE, 2, ("60.00", "0.00"), &later),
        statement(EXCHANGE, 1, ("0.00", "1200.00"), &got),
    ];
    let told = |order: [usize; 4]| {
        let (folder, mut bank) = Folder::new();
        for file in order {
            folder.take(&mut bank, &format!("{file}.xml"), &[files[file].clone()]);
        }
        let legs = legs(&bank, MULE).into_iter();
        let legs: Vec<_> =
            legs.map(|leg| (leg.from, leg.to, leg.amount, leg.earliest, leg.latest, leg.sources.len())).collect();
        (legs, [VICTIM, MULE, EXCHANGE].map(|account| sum(&folder.money(), account)))
    };
    let first = told([0, 1, 2, 3]);
    // The exchange's account is closed where its statement ends; afterwards the mule's bank tells of 60.00 more.
    assert_eq!(first.1, [(Some("0".into()), true), (Some("0".into()), true), (Some("126000".into()), true)]);
    for order in [[3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
        assert_eq!(told(order), first, "{order:?}");
    }
}

#[test]
fn an_mt940_statement_and_a_camt_statement_of_two_banks_tell_one_transfer() {
    let (folder, mut bank) = Folder::new();
    folder.take(&mut bank, "mule.xml", &[mule_page()]);
    let mt940 = format!(
        ":20:EX\r\n:25:{VICTIM}EUR\r\n:28C:1/1\r\n:60F:C260301EUR2000,\r\n:61:2603020302D1250,NTRFNONREF//EX-BANK\r\n\
         :86:166?00TRANSFER?20EREF+EX-1?21SVWZ+EXERCISE secret mt940?31{MULE}?32EXERCISE MULE\r\n:62F:C260302EUR750,\r\n-\r\n"
    );
    let loaded = take(&mut bank, folder.0.path(), "victim.sta", &mt940);
    assert_eq!((loaded.refused, loaded.warnings, loaded.findings), (vec![], vec![], vec![]));
    let info = loaded.batch.unwrap();
    assert_eq!((info.format.as_str(), info.counts.legs), ("mt940", 1));
    let paid = transfers(&bank, VICTIM);
    assert_eq!((paid.len(), paid[0].sources.len(), paid[0].amount.as_str()), (1, 2, "125000"));
    assert_eq!(sum(&folder.money(), VICTIM), (Some("75000".into()), true));
    assert!(folder.holds("EXERCISE secret mt940"));
    bank.erase(info.id).unwrap();
    assert!(!folder.holds("EXERCISE secret mt940") && !folder.holds("EXERCISE MULE"));
}

#[test]
fn facts_of_the_first_version_are_read() {
    let (folder, mut bank) = Folder::new();
    folder.take(&mut bank, "mule.xml", &[mule_page()]);
    drop(bank);
    let (manifest, facts) = (folder.money().join("_bank/manifest"), folder.money().join("_bank/1.facts"));
    let old = std::fs::read_to_string(&facts).unwrap();
    let old =
        old.replace("\"amount\":\"125000\"", "\"amount\":125000").replace("\"opening\":\"1000\"", "\"opening\":1000");
    assert!(old.contains("\"amount\":125000,") && old.contains("\"opening\":1000,"), "{old}");
    std::fs::write(&facts, old).unwrap();
    let text = std::fs::read_to_string(&manifest).unwrap().replace("\"version\": 2", "\"version\": 1");
    std::fs::write(&manifest, text.replace("\"made\": 1", "\"made\": 0")).unwrap();
    let bank = Bank::open_to_write(&folder.money()).unwrap();
    assert_eq!(transfers(&bank, MULE)[0].amount, "125000");
    assert_eq!(sum(&folder.money(), MULE), (Some("6000".into()), true));
}
