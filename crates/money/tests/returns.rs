//! Tables of banks and exchanges by a mapping: a trace goes through the exchange; what cannot be read is named by sheet, row and
//! column; a load that is erased and made again is the same.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use money::bank::{Bank, BatchInfo, Class, Compared, Job, Loaded, Recorded, TableMapping, Viewed, zone_named};
use money::chain::{ChainCode, Mapping, Options, Room, Source, load};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

const MULE: &str = "DE89370400440532013000";
const EXCHANGE: &str = "NL91ABNA0417164300";
const CUSTOMER: &str = "EXERCISEEXCHANGE/U1";

const RETURN: &str = r#"
institution = "EXERCISE-EXCHANGE"
zone = "Asia/Bangkok"
accounts = ["NL91ABNA0417164300"]
networks.TEST = "exercise-chain"
assets.USDT = { decimals = 6, contracts = { exercise-chain = "EXERCISE-contract" } }
[[table]]
rows = "deposits"
asset = "EUR"
time_format = "%d/%m/%Y"
columns = { account = "user", amount = "paid in", time = "day", reference = "ref" }
[[table]]
rows = "trades"
columns = { account = "user", time = "at", sold = "sold", sold_asset = "of", bought = "bought", bought_asset = "for", fee = "fee", fee_asset = "fee in" }
[[table]]
rows = "withdrawals"
sheet = "Withdrawals"
signed = true
columns = { account = "user", amount = "qty", asset = "coin", time = "at", tx = "txid", network = "net", address = "to" }
[[table]]
rows = "logins"
columns = { account = "user", time = "at", ip = "ip" }
"#;

const STATEMENT: &str = r#"
institution = "EXERCISE-BANK"
decimal = ","
thousands = "."
delimiter = ";"
[[table]]
rows = "statement"
signed = true
account = "DE89370400440532013000"
columns = { time = "day", amount = "sum", currency = "ccy", balance = "balance", other = "iban" }
"#;

const DEPOSITS: &str = "user,paid in,day,ref\nU1,1200.00,02/03/2026,\n";
const TRADES: &str = "user,at,sold,of,bought,for,fee,fee in\nU1,2026-03-03 09:00:00,1200.00,EUR,1290.5,USDT,0.5,USDT\n";
const WITHDRAWALS: &str =
    "user,qty,coin,at,txid,net,to\nU1,-1290,USDT,2026-03-03 10:00:00,EXERCISE-tx,TEST,EXERCISE-scammer\n";
const BANK: &str =
    "day;sum;ccy;balance;iban\n2026-03-02;1.250,00;EUR;1.260,00;\n2026-03-02;-1.200,00;EUR;60,00;NL91ABNA0417164300\n";

fn all(_: &BatchInfo) -> bool {
    true
}

fn folder() -> (tempfile::TempDir, Bank) {
    let dir = tempfile::tempdir().unwrap();
    let bank = Bank::open_to_write(&dir.path().join("money")).unwrap();
    (dir, bank)
}

fn job(dir: &Path, name: &str, bytes: &[u8], mapping: &str) -> Job {
    let file = dir.join(name);
    std::fs::write(&file, bytes).unwrap();
    let (zone, mapping) = (zone_named("Europe/Berlin").unwrap(), Some(TableMapping::parse(mapping).unwrap()));
    Job { file, zone, mapping, collection: "EXERCISE".into(), now: jiff::Timestamp::UNIX_EPOCH }
}

fn take(bank: &mut Bank, dir: &Path, name: &str, text: &str, mapping: &str) -> Loaded {
    bank.load(&job(dir, name, text.as_bytes(), mapping)).unwrap()
}

fn legs(bank: &Bank, account: &str) -> Vec<Viewed> {
    bank.view().unwrap().unwrap().legs_of(account, (0, 1000), &all).unwrap().0
}

fn everything(bank: &mut Bank, dir: &Path) {
    take(bank, dir, "bank.csv", BANK, STATEMENT);
    for (name, text) in [("in.csv", DEPOSITS), ("trades.csv", TRADES), ("out.csv", WITHDRAWALS)] {
        let loaded = take(bank, dir, name, text, RETURN);
        assert_eq!((loaded.refused, loaded.warnings), (vec![], vec![]), "{name}");
    }
}

/// A chain on which the withdrawal stands.
fn chain(dir: &Path) {
    let file = dir.join("chain.csv");
    std::fs::write(&file, "from,to,amount,time,tx\nhot,EXERCISE-scammer,1290000000,2026-03-03 03:00:00,EXERCISE-tx\n")
        .unwrap();
    let mapping = "from='from'\nto='to'\namount='amount'\ntime='time'\ntx='tx'\nasset_is='EXERCISE-contract'";
    let source = Source::Transfers { file, mapping: Box::new(Mapping::parse(mapping).unwrap()) };
    let code = ChainCode::parse("exercise-chain").unwrap();
    load(&Room::open(&dir.join("money")), &code, &source, &Options::default(), &mut |_| ControlFlow::Continue(()))
        .unwrap();
}

#[test]
fn one_record_runs_from_the_bank_through_the_exchange_onto_the_chain() {
    let (dir, mut bank) = folder();
    chain(dir.path());
    everything(&mut bank, dir.path());
    let paid: Vec<Viewed> = legs(&bank, MULE).into_iter().filter(|leg| leg.to.as_deref() == Some(CUSTOMER)).collect();
    assert_eq!(paid.len(), 1, "the bank's debit to the exchange and the exchange's credit to its customer are one leg");
    assert_eq!(
        (paid[0].sources.len(), paid[0].class),
        (2, Class::Inferred),
        "without a shared reference it is inferred"
    );
    let own = legs(&bank, CUSTOMER);
    let out = own.iter().find(|leg| leg.on_chain.is_some()).unwrap();
    let on = out.on_chain.as_ref().unwrap();
    assert_eq!(out.to.as_deref(), Some("exercise-chain:EXERCISE-scammer"));
    assert_eq!((on.recorded, on.says.contract.as_deref()), (Recorded::OnRecord, Some("EXERCISE-contract")));
    assert_eq!((out.amount.as_str(), out.currency.as_str()), ("1290000000", "EXERCISE-EXCHANGE:USDT"));
    let kinds: Vec<&str> = own.iter().map(|leg| leg.kind).collect();
    assert_eq!(kinds, ["transfer", "transfer", "transfer", "fee", "transfer"]);
    let through = bank.view().unwrap().unwrap().legs_of(EXCHANGE, (0, 10), &all);
    assert!(through.is_err(), "nothing ends at the exchange's bank account: it went through");
}

#[test]
fn a_transaction_that_is_not_on_record_is_said_to_be_missing() {
    let (dir, mut bank) = folder();
    take(&mut bank, dir.path(), "out.csv", WITHDRAWALS, RETURN);
    let recorded = |bank: &Bank| legs(bank, CUSTOMER)[0].on_chain.as_ref().unwrap().recorded;
    assert_eq!(recorded(&bank), Recorded::ChainNotLoaded);
    chain(dir.path());
    assert_eq!(recorded(&bank), Recorded::OnRecord);
    take(&mut bank, dir.path(), "other.csv", &WITHDRAWALS.replace("EXERCISE-tx", "EXERCISE-no"), RETURN);
    let states: Vec<_> = legs(&bank, CUSTOMER).into_iter().map(|leg| leg.on_chain.unwrap().recorded).collect();
    assert_eq!(states, [Recorded::OnRecord, Recorded::NotOnRecord]);
}

#[test]
fn what_is_loaded_erased_and_loaded_again_is_the_same_chain() {
    let (dir, mut bank) = folder();
    let head = |dir: &Path| std::fs::read(dir.join("money/bank-legs/legs")).unwrap();
    everything(&mut bank, dir.path());
    let first = (head(dir.path()), legs(&bank, CUSTOMER).len());
    let ids: Vec<u64> = bank.batches().map(|info| info.id).collect();
    ids.into_iter().for_each(|id| drop(bank.erase(id).unwrap()));
    assert!(bank.view().unwrap().is_none());
    everything(&mut bank, dir.path());
    assert_eq!((head(dir.path()), legs(&bank, CUSTOMER).len()), first);
}

#[test]
fn a_row_that_cannot_be_taken_is_named_by_row_and_column_and_the_rest_is_kept() {
    let (dir, mut bank) = folder();
    for (text, wanted) in [
        (DEPOSITS.replace("1200.00", "12x"), "row 2 column \"paid in\""),
        (DEPOSITS.replace("1200.00", "-5"), "negative"),
        (DEPOSITS.replace("1200.00", "1.001"), "minor units"),
        (DEPOSITS.replace("02/03/2026", "2026-03-02"), "row 2 column \"day\": the time cannot be read"),
        (WITHDRAWALS.replace("TEST", "ELSE"), "the network is not one of the mapping's"),
        (WITHDRAWALS.replace("-1290", "0.0000001"), "more decimals than the mapping says"),
    ] {
        let good = text.lines().next().unwrap().to_owned() + "\n" + text.lines().nth(1).unwrap() + "\n";
        let good = match text.starts_with("user,paid") {
            true => good + "U2,5.00,02/03/2026,\n",
            false => good + "U2,-5,USDT,2026-03-03 10:00:00,EXERCISE-2,TEST,EXERCISE-other\n",
        };
        let loaded = take(&mut bank, dir.path(), "rows.csv", &good, RETURN);
        let (counts, refused) = (loaded.batch.unwrap().counts, &loaded.refused[0].why);
        assert!(counts.legs == 1 && counts.refused == 1 && refused.contains(wanted), "{refused}");
    }
    let wrong = bank.load(&job(dir.path(), "none.csv", b"a,b\n1,2\n", RETURN)).unwrap_err().to_string();
    assert!(wrong.contains("row 1: there are no columns"), "{wrong}");
}

#[test]
fn a_running_balance_that_does_not_follow_and_a_second_currency_are_named_by_their_row() {
    let (dir, mut bank) = folder();
    let loaded = take(&mut bank, dir.path(), "good.csv", BANK, STATEMENT);
    assert_eq!((loaded.warnings, loaded.batch.unwrap().counts.statements), (vec![], 1));
    let sums = money::cli::balances(
        &Room::open(&dir.path().join("money")),
        &ChainCode::parse("bank-legs").unwrap(),
        (MULE, None),
        None,
    );
    let line = &sums.unwrap()[0];
    assert_eq!((line.sum.as_deref(), line.closed), (Some("6000"), true), "the statement's sum is its last balance");
    let loaded = take(&mut bank, dir.path(), "page.csv", &BANK.replace(";60,00;", ";61,00;"), STATEMENT);
    assert!(loaded.warnings[0].why.contains("row 3 column \"balance\""), "{:?}", loaded.warnings);
    let loaded = take(
        &mut bank,
        dir.path(),
        "two.csv",
        &BANK.replacen("-1.200,00;EUR;60,00", "-1.200,00;USD;60,00", 1),
        STATEMENT,
    );
    assert!(
        loaded.warnings.iter().any(|one| one.why.contains("row 3") && one.why.contains("second currency")),
        "{:?}",
        loaded.warnings
    );
    assert_eq!(loaded.batch.unwrap().counts.statements, 2);
}

#[test]
fn an_account_whose_first_balance_nobody_told_does_not_condemn_the_others() {
    let (dir, mut bank) = folder();
    take(&mut bank, dir.path(), "bank.csv", BANK, STATEMENT);
    take(&mut bank, dir.path(), "trades.csv", TRADES, RETURN);
    let room = Room::open(&dir.path().join("money"));
    let untraceable = |account: &str| {
        let lines = money::cli::balances(&room, &ChainCode::parse("bank-legs").unwrap(), (account, Some("EUR")), None);
        lines.unwrap()[0].untraceable
    };
    assert_eq!((untraceable(CUSTOMER), untraceable(MULE)), (Some("negative"), None));
}

#[test]
fn an_overdrawn_balance_that_its_rows_do_not_come_to_is_a_finding() {
    let (dir, mut bank) = folder();
    let text = "day;sum;ccy;balance;iban\n2026-03-02;-5,00;EUR;-5,00;\n2026-03-03;-5,00;EUR;-10,00;\n";
    let good = take(&mut bank, dir.path(), "good.csv", text, STATEMENT);
    assert_eq!(good.findings, []);
    bank.erase(good.batch.unwrap().id).unwrap();
    let bad = take(&mut bank, dir.path(), "bad.csv", &text.replace("-10,00", "-11,00"), STATEMENT);
    assert!(bad.findings[0].why.contains("overdrawn"), "{:?}", bad.findings);
}

/// A workbook of one sheet with texts in its cells.
fn workbook(sheet: &str, rows: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let cell = |at: usize, column: usize, text: &str| {
        let name = char::from(b'A' + u8::try_from(column).unwrap());
        format!("<c r=\"{name}{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
    };
    let row = |(at, line): (usize, &str)| {
        let cells: String = line.split(',').enumerate().map(|(column, text)| cell(at, column, text)).collect();
        format!("<row r=\"{at}\">{cells}</row>")
    };
    let rows: String = (1..).zip(rows.lines()).map(row).collect();
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let rels = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    for (name, text) in [
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{package}\"><Relationship Id=\"r1\" Type=\"{rels}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{main}\" xmlns:r=\"{rels}\"><sheets><sheet name=\"{sheet}\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{package}\"><Relationship Id=\"r1\" Type=\"{rels}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        ("xl/worksheets/sheet1.xml", format!("<worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData></worksheet>")),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_workbook_reads_as_the_same_table_and_errors_name_its_sheet() {
    let (dir, mut bank) = folder();
    let rows = WITHDRAWALS.to_owned() + "U1,x,USDT,2026-03-03 10:00:00,EXERCISE-tx,TEST,EXERCISE-scammer\n";
    let loaded = bank.load(&job(dir.path(), "book.xlsx", &workbook("Withdrawals", &rows), RETURN)).unwrap();
    assert_eq!(legs(&bank, CUSTOMER)[0].amount, "1290000000");
    assert!(loaded.refused[0].why.starts_with("sheet \"Withdrawals\" row 3 column \"qty\""), "{:?}", loaded.refused);
}

#[test]
fn logins_are_kept_paged_and_erased_with_their_load() {
    let (dir, mut bank) = folder();
    let text = "user,at,ip\nU1,2026-03-02 08:00,192.0.2.1\nU1,2026-03-02 09:00,192.0.2.2\n";
    let loaded = take(&mut bank, dir.path(), "logins.csv", text, RETURN);
    assert_eq!(loaded.batch.as_ref().unwrap().counts.logins, 2, "{:?}", loaded.refused);
    let (page, next) = bank.logins(CUSTOMER, (0, 1), &all).unwrap();
    assert_eq!((page[0].1.ip.as_deref(), next), (Some("192.0.2.1"), Some(1)));
    assert_eq!(bank.logins(CUSTOMER, (1, 1), &all).unwrap().0[0].1.ip.as_deref(), Some("192.0.2.2"));
    assert!(bank.logins(CUSTOMER, (0, 9), &|_| false).unwrap().0.is_empty());
    bank.erase(loaded.batch.unwrap().id).unwrap();
    assert!(bank.logins(CUSTOMER, (0, 9), &all).unwrap().0.is_empty());
}

#[test]
fn a_transaction_that_moves_something_else_is_a_contradiction_and_never_averaged() {
    let (dir, mut bank) = folder();
    chain(dir.path());
    let mapping = RETURN.replace("address = \"to\"", "address = \"to\", fee = \"fee\"");
    let mut number = 0;
    let mut said = |out: &str| {
        number += 1;
        let text = format!("user,qty,coin,at,txid,net,to,fee\nU1,{out}\n");
        take(&mut bank, dir.path(), &format!("{number}.csv"), &text, &mapping);
        legs(&bank, CUSTOMER).into_iter().filter_map(|leg| leg.on_chain).next_back().unwrap()
    };
    let right = said("-1290,USDT,2026-03-03 10:00:00,EXERCISE-tx,TEST,EXERCISE-scammer,");
    assert_eq!((right.recorded, right.movement), (Recorded::OnRecord, Some(0)));
    assert_eq!(right.agrees, [Compared::Asset, Compared::Address, Compared::Amount]);
    let with_fee = said("-1291.5,USDT,2026-03-03 10:00:01,EXERCISE-tx,TEST,EXERCISE-scammer,1.5");
    assert_eq!((with_fee.recorded, with_fee.agrees.last()), (Recorded::OnRecord, Some(&Compared::AmountAndFee)));
    let other = said("-1300,USDT,2026-03-03 10:00:02,EXERCISE-tx,TEST,EXERCISE-scammer,");
    assert_eq!((other.recorded, other.movement), (Recorded::Contradicted, None));
    let amount = &other.contradictions[0];
    assert_eq!((amount.what, amount.says.as_deref()), (Compared::Amount, Some("1300000000")));
    assert_eq!(amount.recorded, ["1290000000"]);
    let payer = said("-1290,USDT,2026-03-03 10:00:03,EXERCISE-tx,TEST,hot,");
    assert_eq!((payer.recorded, payer.contradictions[0].what), (Recorded::Contradicted, Compared::Address));
    assert!(payer.contradictions[0].why.contains("the one that paid"), "{payer:?}");
    let nobody = said("-1290,USDT,2026-03-03 10:00:04,EXERCISE-tx,TEST,EXERCISE-nobody,");
    assert_eq!(nobody.recorded, Recorded::Contradicted);
    let token = mapping.replace("EXERCISE-contract", "EXERCISE-other");
    let text =
        "user,qty,coin,at,txid,net,to,fee\nU2,-1290,USDT,2026-03-03 10:00:05,EXERCISE-tx,TEST,EXERCISE-scammer,\n";
    take(&mut bank, dir.path(), "token.csv", text, &token);
    let other = legs(&bank, "EXERCISEEXCHANGE/U2").remove(0).on_chain.unwrap();
    assert_eq!((other.recorded, other.contradictions[0].what), (Recorded::Contradicted, Compared::Asset));
}

#[test]
fn an_asset_of_eighteen_decimals_is_kept_to_the_last_unit() {
    let (dir, mut bank) = folder();
    let mapping = RETURN.replace("decimals = 6", "decimals = 18");
    let text = "user,qty,coin,at,txid,net,to\nU1,-1290000000000.000000000000000001,USDT,2026-03-03 10:00:00,EXERCISE-tx,TEST,EXERCISE-scammer\n";
    let loaded = take(&mut bank, dir.path(), "wide.csv", text, &mapping);
    assert_eq!(loaded.refused, vec![]);
    let leg = legs(&bank, CUSTOMER).remove(0);
    assert_eq!(leg.amount, "1290000000000000000000000000001");
    assert_eq!(leg.sources[0].says.amount.to_string(), leg.amount);
}

#[test]
fn a_packed_table_reads_as_the_same_table_and_an_archive_of_several_files_is_refused() {
    let (dir, mut bank) = folder();
    let pack = |names: &[&str]| {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for name in names {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(WITHDRAWALS.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    let two = bank.load(&job(dir.path(), "two.zip", &pack(&["a.csv", "b.csv"]), RETURN)).unwrap_err().to_string();
    assert!(two.contains("holds 2 files"), "{two}");
    let one = bank.load(&job(dir.path(), "one.zip", &pack(&["a.csv", "__MACOSX/._a.csv"]), RETURN)).unwrap();
    assert_eq!(one.batch.unwrap().counts.legs, 1);
    let cut = &pack(&["a.csv"])[..40];
    assert!(
        bank.load(&job(dir.path(), "cut.zip", cut, RETURN)).unwrap_err().to_string().contains("cannot be unpacked")
    );
}
