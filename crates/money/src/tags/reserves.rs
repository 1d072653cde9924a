//! Exchanges' proof-of-reserves files: addresses with a message and its signatures, as CSV. Each signature is verified; a line that
//! proves nothing is refused by its number. A proved address is tagged as owned, the strongest a tag can be.
//!
//! The columns are found by their headings, wherever the table begins: exchanges put their sums above it.
use super::signed::{Proof, verify};
use super::subject::Subject;
use formats::{PackTag, Position, ReadError};
use std::io::{BufRead, Read};
use std::ops::ControlFlow;

/// Longest line, in bytes.
const MAX_LINE: usize = 1 << 18;
/// Most lines before the table's headings.
const MAX_PREAMBLE: u64 = 1_000;
/// Most lines of a file.
const MAX_LINES: u64 = 20_000_000;

/// Who is said to have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The actor's id in an ActorPack.
    pub actor: String,
    /// The name that each message must hold, in any case: a signature under other words proves a key, not whose it is.
    pub name: String,
}

/// A line of the file.
#[derive(Debug)]
pub enum Signed {
    /// An address whose key signed.
    Proved(Box<PackTag>),
    /// A line that proves nothing.
    Refused {
        /// Its number, from 1.
        line: u64,
        /// Why; repeats nothing of it.
        why: String,
    },
}

/// Where each column stands.
#[derive(Debug, Default, PartialEq, Eq)]
struct Columns {
    address: usize,
    message: usize,
    signatures: Vec<usize>,
    network: Option<usize>,
    currency: Option<usize>,
    height: Option<usize>,
    amount: Option<usize>,
    script: Option<usize>,
    owners: Vec<usize>,
}

impl Columns {
    /// The columns under these headings; `None` when they are not a table of signed addresses.
    fn of(headings: &csv::StringRecord) -> Option<Columns> {
        let (mut columns, mut address, mut message) = (Columns::default(), None, None);
        for (at, heading) in headings.iter().enumerate() {
            let word: String =
                heading.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
            match word.as_str() {
                "address" | "wallet" | "walletaddress" => address = address.or(Some(at)),
                "message" | "signedmessage" | "msg" => message = message.or(Some(at)),
                "network" | "chain" => columns.network = Some(at),
                "coin" | "currency" | "asset" | "token" => columns.currency = Some(at),
                "snapshotheight" | "height" | "blockheight" | "block" => columns.height = Some(at),
                "amount" | "balance" => columns.amount = Some(at),
                word if word.starts_with("signature") || word.starts_with("sign") => columns.signatures.push(at),
                word if word.starts_with("redeem") || word.contains("script") => columns.script = Some(at),
                word if word.starts_with("eoa") => columns.owners.push(at),
                _ => {}
            }
        }
        (columns.address, columns.message) = (address?, message?);
        (!columns.signatures.is_empty()).then_some(columns)
    }
}

/// Reads such a file. `take` may stop it.
///
/// # Errors
/// [`ReadError`] when there is no such table in it, or it cannot be read on.
pub(crate) fn read_reserves(
    input: impl BufRead,
    signer: &Signer,
    take: &mut dyn FnMut(Signed) -> ControlFlow<()>,
) -> Result<(), ReadError> {
    let short = ShortLines { inner: input, since: 0 };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(short);
    let mut record = csv::StringRecord::new();
    let mut columns = None;
    let mut line = 0;
    loop {
        let more = reader.read_record(&mut record);
        line = record.position().map_or(line + 1, csv::Position::line);
        match more {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => return Err(broken(line, &error)),
        }
        if line > MAX_LINES {
            return Err(ReadError::Limit {
                at: Position::of("line").line(line),
                why: format!("more than {MAX_LINES} lines; split it"),
            });
        }
        let Some(known) = &columns else {
            columns = Columns::of(&record);
            if columns.is_none() && line > MAX_PREAMBLE {
                break;
            }
            continue;
        };
        if record.iter().all(str::is_empty) {
            continue;
        }
        let read = prove(&record, known, line, signer).unwrap_or_else(|why| Signed::Refused { line, why });
        if take(read).is_break() {
            return Ok(());
        }
    }
    match columns {
        Some(_) => Ok(()),
        None => Err(ReadError::Malformed {
            at: Position::of("file"),
            format: "reserves",
            why: "no line has headings for an address, a message and a signature".into(),
        }),
    }
}

fn broken(line: u64, error: &csv::Error) -> ReadError {
    // The reader's own words for bytes that are not UTF-8 name no value either.
    ReadError::Broken { at: Position::of("line").line(line), why: error.to_string() }
}

fn prove(record: &csv::StringRecord, columns: &Columns, line: u64, signer: &Signer) -> Result<Signed, String> {
    let cell = |at: Option<usize>| at.and_then(|at| record.get(at)).filter(|cell| !cell.is_empty());
    let address = cell(Some(columns.address)).ok_or("it has no address")?;
    let message = cell(Some(columns.message)).ok_or("it has no message")?;
    let (coin, network) = (cell(columns.currency), cell(columns.network));
    // "USDT-TRC20": the currency, then where it moves, in the exchange's own words.
    let currency = coin.map(|coin| coin.split(['-', '(']).next().unwrap_or(coin).to_ascii_uppercase());
    let subject = Subject::address(address, currency.as_deref(), network.and_then(code))
        .map_err(|unfit| unfit.says().to_owned())?;
    if !message.to_lowercase().contains(&signer.name.to_lowercase()) {
        return Err("the message does not name who is said to have signed it (--signs-as)".into());
    }
    if columns.owners.iter().any(|at| cell(Some(*at)).is_some()) {
        return Err("a contract's owners signed: that they own it stands on its chain, not in this file".into());
    }
    let signatures: Vec<&str> = columns.signatures.iter().filter_map(|at| cell(Some(*at))).collect();
    let proof = Proof {
        network: &subject.network,
        address: &subject.text,
        message,
        signatures: &signatures,
        script: cell(columns.script).filter(|_| subject.network == "btc"),
    };
    let scheme = verify(&proof)?;
    let mut context = format!("signed: {message}; {}", scheme.says());
    for (what, value) in [("height", cell(columns.height)), ("amount", cell(columns.amount))] {
        if let Some(value) = value {
            context.push_str(&format!("; {what}: {value}"));
        }
    }
    Ok(Signed::Proved(Box::new(PackTag {
        number: line,
        label: format!("{} reserve address", signer.name),
        address: Some(subject.text),
        currency,
        network: Some(subject.network),
        confidence: Some("ownership".into()),
        actor: Some(signer.actor.clone()),
        category: Some("exchange".into()),
        is_cluster_definer: Some(true),
        context: Some(context),
        tag_type: Some("actor".into()),
        ..PackTag::default()
    })))
}

/// A network's code for what exchanges call it; others follow from the coin and the address.
fn code(network: &str) -> Option<&'static str> {
    Some(match network.to_ascii_uppercase().as_str() {
        "BTC" | "BITCOIN" => "btc",
        "ETH" | "ETHEREUM" | "ERC20" => "eth",
        "TRX" | "TRON" | "TRC20" => "trx",
        "BSC" | "BEP20" | "BNB" => "bsc",
        "ARBITRUM" | "ARB" => "arb",
        "OPTIMISM" | "OP" => "op",
        "POLY" | "POLYGON" | "MATIC" => "matic",
        "AVAXC" | "AVAX-C" => "avax",
        "BASE" => "base",
        _ => return None,
    })
}

/// Stops at a line that is too long, before it fills the memory.
struct ShortLines<R> {
    inner: R,
    since: usize,
}

impl<R: Read> Read for ShortLines<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(into)?;
        self.since = match into.get(..n).unwrap_or_default().iter().rposition(|byte| *byte == b'\n') {
            Some(at) => n - at,
            None => self.since + n,
        };
        if self.since > MAX_LINE { Err(std::io::Error::other("a line of more than 256 KiB")) } else { Ok(n) }
    }
}
