//! Histories of accounts: each row and both sums are what the transfers say, however they were built, unwound, cut or killed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use money::columns::*;
use std::collections::BTreeMap;
use std::path::Path;

/// A seeded stream of numbers (SplitMix64).
struct Seed(u64);
impl Seed {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

fn seed() -> u64 {
    std::env::var("EYE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(41)
}

/// A block of up to a dozen transfers between few accounts in few assets: of every width, of nothing, to oneself, from and to
/// somebody unknown, of fakes.
fn block(seed: &mut Seed, head: Option<Head>) -> TransferBlock {
    let height = head.map_or(1, |head| head.height + 1);
    let hash = std::array::from_fn(|_| seed.next() as u8);
    let parent = head.map_or([0; 32], |head| head.hash);
    let mut block = TransferBlock { head: Some(Head { height, hash, parent }), ..TransferBlock::default() };
    for _ in 0..seed.below(13) {
        let mut party = |block: &mut TransferBlock| match seed.below(30) {
            0 => Span::default(),
            1..=12 => block.key(b"EXCHANGE"),
            n => block.key(&[n as u8, seed.below(4) as u8]),
        };
        let (from, to) = (party(&mut block), party(&mut block));
        let asset = block.key(&[b'A' + seed.below(3) as u8]);
        let amount = match seed.below(12) {
            0 => Amount::default(),
            1 => Amount::from(u128::from(u64::MAX)),
            2 => Amount::from(u128::from(seed.next()) << seed.below(64)),
            3 if seed.below(4) == 0 => Amount::from(u128::MAX - u128::from(seed.next())),
            3 if seed.below(4) == 0 => Amount([0xff; 32]),
            _ => Amount::from(u128::from(seed.below(1_000_000))),
        };
        let fake = seed.below(15) == 0;
        block.transfers.push(NewTransfer { from, to, asset, amount, fake, ..NewTransfer::default() });
        block.txs.push(TransferTx { transfers: 1, ..TransferTx::default() });
    }
    block
}

/// What every history must say, by account and asset, taken from the transfers one by one.
fn expected(chain: &Accounts) -> BTreeMap<(u32, u32), Vec<Step>> {
    let mut all: BTreeMap<(u32, u32), Vec<Step>> = BTreeMap::new();
    for number in 0..chain.transfers() {
        let one = chain.transfer(number).unwrap();
        let ways = match (one.from, one.to) {
            (from, to) if from == to => vec![(from, Way::Own)],
            (from, to) => vec![(from, Way::Out), (to, Way::In)],
        };
        for (account, way) in ways.into_iter().filter(|(account, _)| *account != UNKNOWN) {
            let steps = all.entry((account, one.asset)).or_default();
            let mut after = steps.last().map(|step| step.after).unwrap_or_default();
            if one.edge && way != Way::Own {
                let sum = if way == Way::In { &mut after.received } else { &mut after.spent };
                after.overflow |= !sum.add(&one.amount);
            }
            steps.push(Step { transfer: number, way, after });
        }
    }
    all
}

fn check(chain: &Accounts, seed: &mut Seed, note: &str) {
    let all = expected(chain);
    for ((account, asset), steps) in &all {
        let history = chain.history(*account, *asset);
        assert_eq!(history.steps(0).collect::<Vec<_>>(), *steps, "{note}");
        assert_eq!((history.len(), history.is_empty()), (steps.len() as u64, false), "{note}");
        let at = seed.below(chain.transfers() + 1);
        let before = steps.iter().take_while(|step| step.transfer < at).last().map(|step| step.after);
        assert_eq!(history.before(at), before.unwrap_or_default(), "{note}");
        let some = seed.below(1_000_000).into();
        let first = steps.iter().position(|step| step.after.spent.0 > some).unwrap_or(steps.len());
        assert_eq!(history.first(|step| step.after.spent.0 <= some), first as u64, "{note}");
    }
    for account in 0..u32::try_from(chain.accounts()).unwrap() {
        let own = || all.range((account, 0)..=(account, u32::MAX)).map(|((_, asset), steps)| (*asset, steps));
        assert_eq!(chain.assets_of(account), own().map(|(asset, _)| asset).collect(), "{note}");
        let end = seed.below(chain.transfers() + 1);
        let holdings = own().filter_map(|(asset, steps)| {
            let last = steps.iter().take_while(|step| step.transfer < end).last()?.after;
            (last != Holding::default()).then_some((asset, last))
        });
        assert_eq!(chain.holdings(account, end), holdings.collect(), "{note}");
    }
    chain.histories().verify().expect(note);
}

/// Opens with histories that are built for each transfer, as they are after 65,536 otherwise.
fn open(dir: &Path, mode: Mode) -> Result<Accounts> {
    Accounts::over(Store::open(dir, &ACCOUNTS, mode)?.with_fresh(20))
}

fn grow(chain: &mut Accounts, seed: &mut Seed, blocks: u64) {
    for _ in 0..blocks {
        let next = block(seed, chain.head());
        chain.append(&next).unwrap();
    }
}

/// Little memory, so that entries go through the file, ranges are cut again, and one key alone is more than fits.
const SMALL: Limits = Limits { portion: 16, bucket: 4, buckets: 8 };

#[test]
fn histories_are_what_the_transfers_say_through_growing_and_unwinding() {
    for round in 0..12 {
        let dir = tempfile::tempdir().unwrap();
        let mut seed = Seed(seed() + round);
        let mut chain = open(dir.path(), Mode::Write).unwrap();
        for step in 0..25 {
            let note = format!("round {round}, step {step}");
            let blocks = 1 + seed.below(6);
            grow(&mut chain, &mut seed, blocks);
            match seed.below(4) {
                0 => chain.commit(true).unwrap(),
                1 => chain.settle().unwrap(),
                _ => chain.settle_within(SMALL).unwrap(),
            }
            check(&chain, &mut seed, &note);
            if seed.below(3) == 0 {
                let head = chain.head().unwrap().height;
                chain.unwind(head - seed.below(head.min(9))).unwrap();
                check(&chain, &mut seed, &note);
            }
            if seed.below(3) == 0 {
                drop(chain);
                check(&open(dir.path(), Mode::Read).unwrap(), &mut seed, &note);
                chain = open(dir.path(), Mode::Write).unwrap();
            }
        }
        let built = chain.histories().built();
        assert!(built > 0 && built <= chain.transfers());
    }
}

#[test]
fn unwinding_keeps_what_is_built_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut seed = Seed(seed());
    let mut chain = open(dir.path(), Mode::Write).unwrap();
    grow(&mut chain, &mut seed, 40);
    chain.settle().unwrap();
    let files = || {
        let all = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        all.filter(|name| name.starts_with("history.") && name.ends_with(".run"))
            .collect::<std::collections::BTreeSet<_>>()
    };
    let before = files();
    chain.unwind(30).unwrap();
    assert_eq!(chain.histories().built(), chain.transfers());
    drop(chain);
    let mut chain = open(dir.path(), Mode::Write).unwrap();
    assert_eq!((chain.histories().built(), files()), (chain.transfers(), before.clone()));
    grow(&mut chain, &mut seed, 2);
    chain.settle().unwrap();
    assert!(files().is_superset(&before), "a few blocks more do not build all anew");
    check(&chain, &mut seed, "grown again");
}

#[test]
fn files_of_histories_cut_or_changed_anywhere_never_mislead() {
    let dir = tempfile::tempdir().unwrap();
    let mut seed = Seed(seed() ^ 7);
    let whole = dir.path().join("whole");
    let mut chain = open(&whole, Mode::Write).unwrap();
    for _ in 0..3 {
        grow(&mut chain, &mut seed, 12);
        chain.settle_within(SMALL).unwrap();
    }
    drop(chain);
    let mut files: Vec<_> = std::fs::read_dir(&whole).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.file_name().is_some_and(|name| name.to_str().unwrap().starts_with("history.")));
    files.sort();
    assert!(files.len() > 1);
    for round in 0..60 {
        let hurt = dir.path().join("hurt");
        std::fs::create_dir_all(&hurt).unwrap();
        for entry in std::fs::read_dir(&whole).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), hurt.join(entry.file_name())).unwrap();
        }
        let file = &files[seed.below(files.len() as u64) as usize];
        let path = hurt.join(file.file_name().unwrap());
        let at = seed.below(file.metadata().unwrap().len()) as usize;
        let mut bytes = std::fs::read(&path).unwrap();
        let cut = round % 3 != 0;
        if cut {
            bytes.truncate(at)
        } else {
            bytes[at] ^= 1 << seed.below(8)
        }
        std::fs::write(&path, bytes).unwrap();
        let note = format!("round {round}: {} {} at {at}", file.display(), if cut { "cut" } else { "changed" });
        let chain = open(&hurt, Mode::Read).expect(&note);
        // A changed bit among the rows is found when all are read, like one in a column.
        let sound = chain.histories().verify().is_ok();
        assert!(sound || !cut, "{note}");
        if sound {
            check(&chain, &mut seed, &note);
        }
        drop(chain);
        let mut chain = open(&hurt, Mode::Write).expect(&note);
        if sound {
            grow(&mut chain, &mut seed, 3);
            chain.settle_within(SMALL).expect(&note);
            check(&chain, &mut seed, &note);
        }
        drop(chain);
        std::fs::remove_dir_all(&hurt).unwrap();
    }
}

#[test]
fn histories_of_another_chain_are_not_taken_for_ours() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (dir.path().join("ours"), dir.path().join("theirs"));
    for (place, seed) in [(&ours, 1), (&theirs, 2)] {
        let mut chain = open(place, Mode::Write).unwrap();
        grow(&mut chain, &mut Seed(seed), 20);
        chain.settle().unwrap();
    }
    for entry in std::fs::read_dir(&theirs).unwrap().map(|entry| entry.unwrap()) {
        if entry.file_name().to_str().unwrap().starts_with("history.") {
            std::fs::copy(entry.path(), ours.join(entry.file_name())).unwrap();
        }
    }
    let mut seed = Seed(3);
    check(&open(&ours, Mode::Read).unwrap(), &mut seed, "read");
    let mut chain = open(&ours, Mode::Write).unwrap();
    assert_eq!(chain.histories().built(), 0);
    chain.settle().unwrap();
    check(&chain, &mut seed, "built anew");
}

/// The writer that is killed: this very test, run again with a folder in its environment.
fn write_until_killed(dir: &Path) {
    let mut chain = open(dir, Mode::Write).unwrap();
    let mut seed = Seed(chain.transfers());
    // Nobody is left to kill it when the test fails.
    for _ in 0..400 {
        grow(&mut chain, &mut seed, 5);
        chain.settle_within(SMALL).unwrap();
        println!("\nsettled");
        if seed.below(3) == 0 {
            chain.unwind(chain.head().unwrap().height - seed.below(4)).unwrap();
        }
    }
}

#[test]
fn a_writer_killed_at_any_point_leaves_histories_that_are_right() {
    if let Some(dir) = std::env::var_os("MONEY_HISTORY_WRITER") {
        return write_until_killed(Path::new(&dir));
    }
    let dir = tempfile::tempdir().unwrap();
    let mut seed = Seed(seed() ^ 11);
    for round in 0..12 {
        let mut writer = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_writer_killed_at_any_point_leaves_histories_that_are_right", "--nocapture"])
            .env("MONEY_HISTORY_WRITER", dir.path())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let lines = std::io::BufRead::lines(std::io::BufReader::new(writer.stdout.take().unwrap()));
        let settled = lines.map_while(|line| line.ok()).filter(|line| line == "settled");
        assert!(settled.take(1 + seed.below(6) as usize).count() > 0);
        writer.kill().unwrap();
        writer.wait().unwrap();
        let note = format!("kill {round}");
        let chain = open(dir.path(), Mode::Read).expect(&note);
        assert!(chain.histories().built() > 0, "{note}");
        check(&chain, &mut seed, &note);
    }
    drop(open(dir.path(), Mode::Write).unwrap());
    let mut names = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.all(|name| name != "history.sort"), "what a build leaves behind is removed");
}
