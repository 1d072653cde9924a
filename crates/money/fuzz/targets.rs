//! Any bytes read as a block, undo data, a script, a table, or as files of our own: an answer or an error, and rules that hold.
use crate::bank::{Fact, Item, Reader, TableMapping, csv_rows, read_camt, read_mt940, workbook_rows};
use crate::chain::{
    ChainCode, Family, Header, Mapping, Rules, coins_told, decode_body, key_of_script, parse_spent, parse_undo,
    read_rows, revealed,
};
use crate::columns::{Amount, Block, Flags, HistoryRun, Mode, Run, Utxo};
use crate::evm::{Profile, RawBlock, answers, entries, gathered, tron_answers};
use crate::fetch::{Flow, etherscan_rows, read_outspends, read_page, read_stats, read_tx, trongrid_rows};
use crate::tags::{Proof, Signer, Subject, read_manifest, read_reserves, read_row, verify};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const FAMILIES: [Family; 3] = [Family::Bitcoin, Family::Litecoin, Family::BitcoinCash];

/// A raw block, the proof of work aside: what is counted is there.
pub fn block(bytes: &[u8]) {
    FAMILIES.into_iter().for_each(|family| block_of(bytes, family));
}

fn block_of(bytes: &[u8], family: Family) {
    let (Some(header), mut block) = (Header::parse(bytes), Block::default()) else { return };
    if decode_body(bytes, &header, family, None, &mut block).is_ok() {
        let (inputs, outputs) =
            block.txs.iter().fold((0, 0), |(i, o), tx| (i + tx.inputs as usize, o + tx.outputs as usize));
        assert!((inputs, outputs) == (block.inputs.len(), block.outputs.len()));
        assert!(block.txs.first().is_some_and(|tx| tx.flags.has(Flags::COINBASE) && tx.inputs == 0));
        assert!(
            block.tokens.iter().all(|(output, token)| (*output as usize) < outputs && token.amount <= i64::MAX as u64)
        );
    }
}

/// Undo data, and spent outputs as a node's REST tells them: no more coins than a block can spend.
pub fn undo(bytes: &[u8]) {
    for family in FAMILIES {
        for undo in [parse_undo(bytes, family), parse_spent(bytes, family.max_inputs())].into_iter().flatten() {
            assert!(undo.iter().map(Vec::len).sum::<usize>() as u64 <= family.max_inputs());
        }
    }
}

/// What a node of Bitcoin's family tells of a block's inputs: no more coins than a block can spend.
pub fn coins(bytes: &[u8]) {
    const MOST: usize = 1_000;
    if let Ok(Some(coins)) =
        std::str::from_utf8(bytes).map_err(drop).and_then(|text| coins_told(text, MOST as u64).map_err(drop))
    {
        assert!(coins.iter().map(Vec::len).sum::<usize>() <= MOST);
    }
}

/// What an endpoint like Esplora's tells: a transaction that is read has the id that it says, and as many coins as inputs.
pub fn esplora(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for family in FAMILIES {
        for tx in read_page(text, family).into_iter().flatten() {
            assert!(tx.coins.is_none_or(|coins| coins.len() == tx.inputs.len()));
            assert!(read_tx(text, &tx.id, family).is_err(), "a page is no transaction");
        }
    }
    let _read = (read_outspends(text, 1).is_ok(), read_stats(text).is_ok());
}

/// The account whose lists the seeds tell.
const ACCOUNT: [u8; 20] = [2; 20];

fn profile(code: &str) -> Option<Profile> {
    ChainCode::parse(code).ok().and_then(|code| Profile::of(&code))
}

/// What is told of an account concerns it: each row names it, and a failed transaction moves nothing but its fee.
fn concerns(flows: &[Flow]) {
    let own = |flow: &Flow| flow.from == Some(ACCOUNT) || flow.to == Some(ACCOUNT);
    assert!(flows.iter().all(|flow| own(flow) || flow.kind == crate::columns::Kind::Fee));
    assert!(flows.is_sorted_by_key(|flow| flow.at));
}

/// What an API like Etherscan's tells.
pub fn etherscan(bytes: &[u8]) {
    let (Ok(text), Some(profile)) = (std::str::from_utf8(bytes), profile("eth")) else { return };
    etherscan_rows(text, ACCOUNT, &profile).iter().for_each(|list| concerns(&list.flows(&profile)));
}

/// What an API like TronGrid's tells.
pub fn trongrid(bytes: &[u8]) {
    let (Ok(text), Some(profile)) = (std::str::from_utf8(bytes), profile("trx")) else { return };
    trongrid_rows(text, ACCOUNT, &profile).iter().for_each(|list| assert!(list.txs.len() <= 200));
}

/// The first byte cuts the rest into a script, read as an output's and as an input's, and a witness of two elements.
pub fn script(bytes: &[u8]) {
    let Some((cut, rest)) = bytes.split_first() else { return };
    let (script, witness) = rest.split_at(usize::from(*cut).min(rest.len()));
    let mut block = Block::default();
    let (first, last) = witness.split_at(witness.len() / 2);
    for family in FAMILIES {
        let key = key_of_script(script, family, &mut block);
        assert!(block.bytes(key).len() <= 66);
        for witness in [&[][..], &[first][..], &[first, last][..]] {
            for time in [0, 1_600_000_000, u32::MAX] {
                let shown = revealed(script, witness, Rules { family, time });
                assert!(shown.is_none_or(|shown| matches!(shown.key().len(), 21 | 33)));
            }
        }
    }
}

/// A table of transfers.
pub fn table(bytes: &[u8]) {
    let mapping =
        r#"{"from":"from","to":"to","amount":"amount","time":"time","height":"height","tx":"tx","asset_is":"C"}"#;
    if let Ok(mapping) = serde_json::from_str::<Mapping>(mapping) {
        let _counts = read_rows(bytes, &mapping);
    }
}

/// Rows of a dump, and a node's answers: what is read becomes entries that are counted right.
pub fn dump(bytes: &[u8]) {
    std::str::from_utf8(bytes).ok().and_then(gathered).iter().for_each(counted);
}

/// A node's answers about a block, a line each.
pub fn answer(bytes: &[u8]) {
    std::str::from_utf8(bytes).ok().and_then(answers).iter().for_each(counted);
}

/// A TRON node's answers about its first block, a line each.
pub fn tron(bytes: &[u8]) {
    std::str::from_utf8(bytes).ok().and_then(tron_answers).iter().for_each(counted);
}

fn counted(block: &RawBlock) {
    for code in ["eth", "trx", "base"] {
        if let Some((written, _)) = profile(code).and_then(|chain| entries(block, &chain, &Default::default()).ok()) {
            assert!(written.txs.iter().map(|tx| tx.transfers as usize).sum::<usize>() == written.transfers.len());
            assert!(written.allowances.iter().all(|allowance| allowance.before as usize <= written.transfers.len()));
            assert!(written.transfers.iter().all(|transfer| !written.bytes(transfer.asset).is_empty()));
        }
    }
}

/// An amount: what was read is written and read again the same.
pub fn amount(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for decimals in [0, 6, 18, 255] {
        if let Some(amount) = Amount::parse(text, decimals) {
            assert!(Amount::parse(&amount.to_string(), 0) == Some(amount));
        }
    }
}

/// A run of a dictionary that is not what it should be.
pub fn run(bytes: &[u8]) {
    in_a_folder(|dir| {
        let path = dir.join("address.0.run");
        if std::fs::write(&path, bytes).is_ok()
            && let Ok(run) = Run::open(&path)
        {
            assert!(run.entries().count() as u64 == run.rows());
            for hash in [0, 1, u64::MAX / 2, u64::MAX] {
                let _any = run.find(hash, |_| true);
            }
        }
    });
}

/// A file of histories that is not what it should be.
pub fn history(bytes: &[u8]) {
    in_a_folder(|dir| {
        let path = dir.join("history.0.run");
        if std::fs::write(&path, bytes).is_ok()
            && let Ok(run) = HistoryRun::open(&path)
        {
            let _whole = run.verify();
            for key in [0, 1 << 24, run.first(), u64::MAX] {
                for (_, piece) in run.from(key).take(1_000) {
                    let cut = piece.before(5);
                    assert!(cut.len() <= piece.len());
                    assert!((0..piece.len().min(1_000)).all(|row| piece.step(row).is_some()));
                }
            }
        }
    });
}

/// A commit log that is not what it should be: the chain opens somewhere or says why not.
pub fn commits(bytes: &[u8]) {
    in_a_folder(|dir| {
        if Utxo::open(dir, Mode::Write).is_ok() && std::fs::write(dir.join("commits"), bytes).is_ok() {
            let _reader = Utxo::open(dir, Mode::Read).map(|chain| chain.store().verify());
            let _writer = Utxo::open(dir, Mode::Write).map(|chain| chain.inspect());
        }
    });
}

fn in_a_folder(then: impl FnOnce(&Path)) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!("money-fuzz-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let dir: PathBuf = std::env::temp_dir().join(name);
    if std::fs::create_dir_all(&dir).is_ok() {
        then(&dir);
    }
    let _left_over = std::fs::remove_dir_all(&dir);
}

/// A row of tags: the first byte cuts the rest into rows and texts.
pub fn tag_row(bytes: &[u8]) {
    let Some((cut, rest)) = bytes.split_first() else { return };
    let (rows, text) = rest.split_at(usize::from(*cut).min(rest.len()));
    for n in [0, 1, u32::MAX] {
        if let Some(row) = read_row(rows, text, n) {
            assert!(row.subject.len() <= text.len() && row.said.all_concepts().count() <= text.len() + 2);
        }
    }
}

/// A manifest of tags: no batch stands in it twice.
pub fn tag_manifest(bytes: &[u8]) {
    if let Ok((_, next, batches)) = read_manifest(bytes) {
        let ids: std::collections::BTreeSet<u64> = batches.iter().map(|batch| batch.id).collect();
        assert!(ids.len() == batches.len() && ids.iter().all(|id| *id < next));
    }
}

/// A file of signed addresses: whatever it says, nothing in it is proved unless somebody signed.
pub fn reserves(bytes: &[u8]) {
    let signer = Signer { actor: "exercise".into(), name: "EXERCISE".into() };
    let mut lines = 0;
    let _read = read_reserves(bytes, &signer, &mut |_| {
        lines += 1;
        if lines < 1_000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
}

/// A proof, one part a line: network, address, message, script, signatures.
pub fn proof(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.lines();
    let mut next = || lines.next().unwrap_or_default();
    let (network, address, message, script) = (next(), next(), next(), next());
    let signatures: Vec<&str> = lines.take(4).collect();
    let script = Some(script).filter(|script| !script.is_empty());
    let proved = verify(&Proof { network, address, message, signatures: &signatures, script });
    assert!(proved.is_err() || !signatures.is_empty());
}

/// An address: its agreed spelling reads as itself.
pub fn subject(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for currency in [None, Some("BTC"), Some("USDT"), Some("SOL")] {
        if let Ok(subject) = Subject::address(text, currency, None) {
            let again = Subject::address(&subject.text, currency, None);
            assert!(again.is_ok_and(|again| again.text == subject.text && again.network == subject.network));
        }
    }
}

/// A bank statement: a leg that is handed over is one that can be kept, and reads back as itself.
pub fn camt(bytes: &[u8]) {
    let mut keep = kept();
    let _read = read_camt(Box::new(bytes), &jiff::tz::TimeZone::UTC, &mut keep);
}

/// The same of SWIFT's.
pub fn mt940(bytes: &[u8]) {
    let mut keep = kept();
    let _read = read_mt940(Box::new(bytes), &jiff::tz::TimeZone::UTC, &mut keep);
}

fn kept() -> impl FnMut(Item) -> ControlFlow<()> {
    let mut items = 0;
    move |item| {
        items += 1;
        let fact = match item {
            Item::Leg(leg) => Fact::Leg(leg),
            Item::Statement(statement) => Fact::Statement(statement),
            Item::Login(login) => Fact::Login(login),
            Item::Refused { why, .. } | Item::Warning { why, .. } => {
                assert!(!why.is_empty());
                return ControlFlow::Continue(());
            }
        };
        let line = serde_json::to_string(&fact).unwrap_or_default();
        assert!(!line.contains('\n') && line.len() < 64 << 10);
        assert!(serde_json::from_str::<Fact>(&line).is_ok_and(|again| again == fact));
        if items < 1_000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// A table of a bank or an exchange, as CSV and as a workbook: what is handed over can be kept, and reads back as itself.
pub fn returns(bytes: &[u8]) {
    let Ok(mapping) = TableMapping::parse(RETURNS) else { return };
    for workbook in [false, true] {
        let Ok(mut reader) = Reader::new(&mapping, &jiff::tz::TimeZone::UTC) else { return };
        let mut sink = |item: Item| {
            let fact = match item {
                Item::Leg(leg) => Fact::Leg(leg),
                Item::Statement(statement) => Fact::Statement(statement),
                Item::Login(login) => Fact::Login(login),
                Item::Refused { .. } | Item::Warning { .. } => return ControlFlow::Continue(()),
            };
            let line = serde_json::to_string(&fact).unwrap_or_default();
            assert!(!line.contains('\n') && line.len() < 64 << 10);
            assert!(serde_json::from_str::<Fact>(&line).is_ok_and(|again| again == fact));
            ControlFlow::Continue(())
        };
        let read = match workbook {
            false => csv_rows(bytes, b',', &mut |row| reader.row(&row, &mut sink)),
            true => workbook_rows(bytes, &mut |row| reader.row(&row, &mut sink)),
        };
        let _end = read.and_then(|()| reader.finish(&mut sink));
    }
}

/// A Parquet file: any bytes end in rows or in an error.
pub fn parquet(bytes: &[u8]) {
    let Ok(mut file) = tempfile() else { return };
    if std::io::Write::write_all(&mut file.0, bytes).is_ok() {
        let _read = crate::chain::Table::open(&file.1, b',', 1 << 16).map(|mut table| {
            let mut record = csv::ByteRecord::new();
            (0..10_000).take_while(|_| table.next(&mut record).unwrap_or(false)).count()
        });
    }
    let _gone = std::fs::remove_file(&file.1);
}

fn tempfile() -> std::io::Result<(std::fs::File, std::path::PathBuf)> {
    let path = std::env::temp_dir().join(format!("money-fuzz-{}", std::process::id()));
    Ok((std::fs::File::create(&path)?, path))
}

/// A mapping of a table: what is taken reads any table without falling over.
pub fn bank_mapping(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(mapping) = TableMapping::parse(text) {
        assert!(!mapping.table.is_empty());
        let reader = Reader::new(&mapping, &jiff::tz::TimeZone::UTC);
        let table: &[u8] = b"a,b,c\n1,2026-03-02,3\n";
        if let Ok(mut reader) = reader {
            let _read = csv_rows(table, b',', &mut |row| reader.row(&row, &mut |_| ControlFlow::Continue(())));
        }
    }
}

const RETURNS: &str = include_str!("seeds/bank_mapping/exchange.toml");

/// The manifest of bank legs.
pub fn bank_manifest(bytes: &[u8]) {
    let _read = crate::bank::read_manifest(bytes);
}

#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    #[test]
    fn no_seed_and_nothing_a_fuzzer_found_breaks_a_rule() {
        super::replay::replay(
            env!("CARGO_MANIFEST_DIR"),
            &[
                ("block", super::block),
                ("undo", super::undo),
                ("coins", super::coins),
                ("esplora", super::esplora),
                ("etherscan", super::etherscan),
                ("trongrid", super::trongrid),
                ("script", super::script),
                ("table", super::table),
                ("dump", super::dump),
                ("answer", super::answer),
                ("tron", super::tron),
                ("amount", super::amount),
                ("run", super::run),
                ("history", super::history),
                ("commits", super::commits),
                ("tag_row", super::tag_row),
                ("tag_manifest", super::tag_manifest),
                ("reserves", super::reserves),
                ("proof", super::proof),
                ("subject", super::subject),
                ("camt", super::camt),
                ("mt940", super::mt940),
                ("parquet", super::parquet),
                ("bank_manifest", super::bank_manifest),
                ("bank_mapping", super::bank_mapping),
                ("returns", super::returns),
            ],
        );
    }
}
