//! `bench chain transfers`: a log of transfers made into a chain once, then opened and given its histories in both directions.
use crate::Failure;
use crate::chain::{cpu, thousandths, user_seconds};
use crate::machine::{load, memory_mb, size_mb};
use money::columns::{Accounts, Amount, Head, ISSUER, Kind, Limits, Mode, NewTransfer, TransferBlock, TransferTx, Way};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Transfers of a block; one transaction has them all.
const BLOCK: usize = 4096;
const RECORD: &str = "record";

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder with from.u32.bin, to.u32.bin, amount.u64.bin and init.u64.bin; the chain is made in it once.
    folder: PathBuf,
    /// Entries that may be in memory.
    #[arg(long, default_value_t = Limits::default().portion)]
    portion: usize,
    /// Also the floor: balances, sums and a plain index of what is paid, in memory, of one asset, not kept.
    #[arg(long)]
    floor: bool,
    /// Leave the histories where they are.
    #[arg(long)]
    keep: bool,
}

/// Runs, prints one JSON line.
///
/// # Errors
/// Files that cannot be read or written; histories that do not say what the log does.
pub fn run(args: &Args) -> Result<(), Failure> {
    let record = args.folder.join(RECORD);
    let made = if record.join("meta").is_file() { None } else { Some(make(&args.folder, &record)?) };
    remove_histories(&record)?;
    let anonymous = Anonymous::watch()?;
    let (start, user) = (cpu(), user_seconds());
    let mut chain = Accounts::open(&record, Mode::Write)?;
    let opened = (cpu() - start, user_seconds() - user);
    let limits = Limits { portion: args.portion, ..Limits::default() };
    chain.settle_within(limits)?;
    let (spent, user) = (cpu() - start, user_seconds() - user);
    let (peak, anonymous) = (memory_mb("self", "VmHWM")?, anonymous.most()?);
    let (bytes, rows) = chain.histories().size();
    let told = told(&chain);
    let mut line = json!({"bench": "chain", "what": "transfers", "transfers": chain.transfers(), "rows": rows,
        "accounts": chain.accounts(), "cpu_s": thousandths(spent), "user_cpu_s": thousandths(user),
        "open_cpu_s": thousandths(opened.0), "open_user_cpu_s": thousandths(opened.1), "peak_mb": peak,
        "peak_anon_mb": anonymous, "bytes_a_row": thousandths(bytes as f64 / rows as f64),
        "bytes_a_transfer": thousandths(bytes as f64 / chain.transfers() as f64), "checksum": told.checksum,
        "record_mb": size_mb(&record), "load": load()});
    if let Some(line) = line.as_object_mut() {
        line.extend(made.map(|seconds| ("made_cpu_s".to_owned(), json!(thousandths(seconds)))));
        if args.floor {
            let floor = floor(&args.folder)?;
            let same = floor.paid == told.paid;
            line.insert("floor_cpu_s".into(), json!(thousandths(floor.cpu)));
            line.insert("floor_user_cpu_s".into(), json!(thousandths(floor.user)));
            line.insert("same_as_floor".into(), Value::Bool(same));
        }
    }
    drop(chain);
    if !args.keep {
        remove_histories(&record)?;
    }
    println!("{line}");
    Ok(())
}

/// Looks at the anonymous memory of this process again and again, for Linux does not keep its peak.
struct Anonymous {
    done: Arc<AtomicBool>,
    watch: JoinHandle<f64>,
}

impl Anonymous {
    fn watch() -> Result<Anonymous, Failure> {
        let done = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&done);
        let watch = std::thread::Builder::new().spawn(move || {
            let mut most = 0.0f64;
            while !seen.load(Ordering::Relaxed) {
                most = most.max(memory_mb("self", "RssAnon").unwrap_or(0.0));
                std::thread::sleep(Duration::from_millis(20));
            }
            most
        })?;
        Ok(Anonymous { done, watch })
    }

    /// The most that was seen, MB.
    fn most(self) -> Result<f64, Failure> {
        self.done.store(true, Ordering::Relaxed);
        self.watch.join().map_err(|_| "the watch of the memory ended early".into())
    }
}

/// What the histories say, each row of them.
struct Told {
    checksum: u32,
    /// Balances before each payment, added up without regard to overflow: what the floor has too.
    paid: u64,
}

fn told(chain: &Accounts) -> Told {
    let (mut crc, mut paid) = (crc32fast::Hasher::new(), 0u64);
    let mut last = (0, 0);
    chain.histories().each(|account, _, step| {
        let mut row = [0; 44];
        let fields = [u128::from(account), u128::from(step.transfer), step.after.received.0, step.after.spent.0];
        for (at, field) in row.chunks_exact_mut(11).zip(fields) {
            at.iter_mut().zip(field.to_le_bytes()).for_each(|(to, from)| *to = from);
        }
        crc.update(&row);
        if last.0 != account {
            last = (account, 0);
        }
        if step.way == Way::Out && chain.account(account) != Some(&ISSUER) {
            paid = paid.wrapping_add(last.1);
        }
        last.1 = step.after.balance().and_then(|balance| u64::try_from(balance).ok()).unwrap_or(0);
    });
    Told { checksum: crc.finalize(), paid }
}

/// Removes what is derived of a chain's histories.
fn remove_histories(record: &Path) -> Result<(), Failure> {
    for entry in std::fs::read_dir(record)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with("history.") {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Whole numbers of a file, one after the other.
struct Numbers<const WIDTH: usize>(BufReader<File>);

impl<const WIDTH: usize> Numbers<WIDTH> {
    fn open(folder: &Path, name: &str) -> Result<Self, Failure> {
        let path = folder.join(name);
        let file = File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Numbers(BufReader::with_capacity(1 << 20, file)))
    }
}

impl<const WIDTH: usize> Iterator for Numbers<WIDTH> {
    type Item = [u8; WIDTH];
    fn next(&mut self) -> Option<[u8; WIDTH]> {
        let mut bytes = [0; WIDTH];
        self.0.read_exact(&mut bytes).ok().map(|()| bytes)
    }
}

/// Makes the chain: what an account opens with is minted to it in the first block.
fn make(folder: &Path, record: &Path) -> Result<f64, Failure> {
    let start = cpu();
    let mut chain = Accounts::open(record, Mode::Write)?;
    let mut block = TransferBlock::default();
    for (account, opening) in (0u32..).zip(Numbers::<8>::open(folder, "init.u64.bin")?.map(u64::from_le_bytes)) {
        if opening > 0 {
            let (from, to) = (block.key(&ISSUER), block.key(&account.to_be_bytes()));
            push(&mut block, NewTransfer { from, to, kind: Kind::Mint, ..NewTransfer::default() }, opening);
        }
    }
    close(&mut chain, &mut block)?;
    let (from, to) = (Numbers::<4>::open(folder, "from.u32.bin")?, Numbers::<4>::open(folder, "to.u32.bin")?);
    for ((from, to), amount) in from.zip(to).zip(Numbers::<8>::open(folder, "amount.u64.bin")?) {
        let name = |bytes| u32::from_le_bytes(bytes).to_be_bytes();
        let (from, to) = (block.key(&name(from)), block.key(&name(to)));
        push(&mut block, NewTransfer { from, to, ..NewTransfer::default() }, u64::from_le_bytes(amount));
        if block.transfers.len() == BLOCK {
            close(&mut chain, &mut block)?;
        }
    }
    close(&mut chain, &mut block)?;
    chain.commit(true)?;
    Ok(cpu() - start)
}

fn push(block: &mut TransferBlock, transfer: NewTransfer, amount: u64) {
    let asset = block.key(b"EXERCISE");
    block.transfers.push(NewTransfer { asset, amount: Amount::from(u128::from(amount)), ..transfer });
}

/// Appends what was gathered as the next block.
fn close(chain: &mut Accounts, block: &mut TransferBlock) -> Result<(), Failure> {
    let head = chain.head();
    let height = head.map_or(0, |head| head.height + 1);
    let mut hash = [0; 32];
    hash.iter_mut().zip(height.to_be_bytes()).for_each(|(to, from)| *to = from);
    hash.iter_mut().rev().take(1).for_each(|last| *last = 1);
    block.head = Some(Head { height, hash, parent: head.map_or([0; 32], |head| head.hash) });
    let transfers = u32::try_from(block.transfers.len())?;
    block.txs.push(TransferTx { transfers, ..TransferTx::default() });
    chain.append(block)?;
    chain.commit(false)?;
    *block = TransferBlock::default();
    Ok(())
}

/// What the least that answers could cost.
struct Floor {
    cpu: f64,
    user: f64,
    paid: u64,
}

/// A row of what an account pays.
#[derive(Clone, Copy, Default)]
struct Paid {
    transfer: u32,
    to: u32,
    amount: u64,
    out: u64,
    balance: u64,
    place: u64,
}

/// Balances, sums of both sides and an index of payments by counting, over arrays in memory.
fn floor(folder: &Path) -> Result<Floor, Failure> {
    let from: Vec<u32> = Numbers::<4>::open(folder, "from.u32.bin")?.map(u32::from_le_bytes).collect();
    let to: Vec<u32> = Numbers::<4>::open(folder, "to.u32.bin")?.map(u32::from_le_bytes).collect();
    let amounts: Vec<u64> = Numbers::<8>::open(folder, "amount.u64.bin")?.map(u64::from_le_bytes).collect();
    let mut incoming: Vec<u64> = Numbers::<8>::open(folder, "init.u64.bin")?.map(u64::from_le_bytes).collect();
    let (start, user) = (cpu(), user_seconds());
    let mut outgoing = vec![0u64; incoming.len()];
    let mut places = vec![0u32; incoming.len()];
    for account in &from {
        if let Some(n) = places.get_mut(*account as usize) {
            *n += 1;
        }
    }
    let mut sum = 0;
    for n in &mut places {
        (*n, sum) = (sum, sum + *n);
    }
    let mut rows = vec![Paid::default(); from.len()];
    for (((payer, payee), amount), transfer) in from.iter().zip(&to).zip(&amounts).zip(0u32..) {
        let (payer, payee_at) = (*payer as usize, *payee as usize);
        let (Some(come), Some(gone)) = (incoming.get(payer), outgoing.get_mut(payer)) else { continue };
        let (balance, out) = (come.wrapping_sub(*gone), *gone);
        *gone = gone.wrapping_add(*amount);
        let Some(place) = incoming.get_mut(payee_at) else { continue };
        let row = Paid { transfer, to: *payee, amount: *amount, out, balance, place: *place };
        *place = place.wrapping_add(*amount);
        if let Some(at) = places.get_mut(payer)
            && let Some(slot) = rows.get_mut(*at as usize)
        {
            *slot = row;
            *at += 1;
        }
    }
    let (cpu, user) = (cpu() - start, user_seconds() - user);
    let paid = std::hint::black_box(&rows).iter().fold(0, |sum: u64, row| sum.wrapping_add(row.balance));
    let used =
        rows.iter().fold(0, |sum: u64, row| sum ^ row.amount ^ row.out ^ row.place ^ u64::from(row.transfer ^ row.to));
    std::hint::black_box(used);
    Ok(Floor { cpu, user, paid })
}
