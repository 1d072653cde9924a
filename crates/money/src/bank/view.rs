//! Who says each leg of the chain, and when it can have been: beside the chain's columns, made with them.
use super::joined::{Joined, join};
use super::leg::{Fact, Leg};
use super::pages::Finding;
use super::store::{Bank, Sees};
use super::{CHAIN, Error, Result, Span};
use crate::columns::{self, Accounts, Mode, Transfer};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Earliest u32, latest u32, end of its sources u32.
const LEG: usize = 12;
/// Batch u64, byte in the batch's file u64.
const SOURCE: usize = 16;
pub const LEGS: &str = "legs";
const SOURCES: &str = "sources";
pub const FINDINGS: &str = "findings";
/// Most bytes of a fact.
pub const MAX_FACT: u64 = 64 << 10;

/// Writes the files.
pub struct Writer {
    dir: PathBuf,
    legs: BufWriter<File>,
    sources: BufWriter<File>,
    end: u32,
}

impl Writer {
    /// Into the chain's folder.
    pub fn create(dir: &Path) -> Result<Writer> {
        let create =
            |name: &str| File::create(dir.join(name)).map(BufWriter::new).map_err(columns::io(&dir.join(name)));
        Ok(Writer { dir: dir.to_owned(), legs: create(LEGS)?, sources: create(SOURCES)?, end: 0 })
    }

    /// The next leg.
    pub fn leg(&mut self, span: Span, sources: &[(u64, u64)]) -> Result<()> {
        let mut told = || {
            for (batch, byte) in sources {
                self.sources.write_all(&batch.to_le_bytes())?;
                self.sources.write_all(&byte.to_le_bytes())?;
            }
            self.end = self.end.saturating_add(u32::try_from(sources.len()).unwrap_or(u32::MAX));
            [span.earliest, span.latest, self.end].iter().try_for_each(|n| self.legs.write_all(&n.to_le_bytes()))
        };
        told().map_err(columns::io(&self.dir)).map_err(Error::from)
    }

    /// All of it durable.
    pub fn finish(self, findings: &[Finding]) -> Result<()> {
        let Writer { dir, legs, sources, .. } = self;
        for file in [legs, sources] {
            let file = file.into_inner().map_err(|error| columns::io(&dir)(error.into_error()))?;
            file.sync_all().map_err(columns::io(&dir))?;
        }
        let lines = findings.iter().map(|finding| serde_json::to_string(finding).map(|line| line + "\n"));
        let lines =
            lines.collect::<std::result::Result<String, _>>().map_err(|error| Error::Unknown(error.to_string()))?;
        Ok(columns::replace(&dir.join(FINDINGS), lines.as_bytes())?)
    }
}

/// The chain with its sources, as whoever asks may see it.
pub struct View<'b> {
    bank: &'b Bank,
    money: &'b Path,
    accounts: Accounts,
    legs: File,
    sources: File,
}

/// A leg as it is shown.
#[derive(Debug, serde::Serialize)]
pub struct Viewed {
    /// Its number in the chain.
    pub leg: u64,
    /// Who paid; `null` when that is not known.
    pub from: Option<String>,
    /// Who was paid.
    pub to: Option<String>,
    /// ISO 4217.
    pub currency: String,
    /// Minor units.
    pub amount: String,
    /// `transfer`; `unexplained` for what an account had before its first page, or between two pages.
    pub kind: &'static str,
    /// The earliest that it can have been, RFC 3339, as the visible sources say.
    pub earliest: String,
    /// The latest.
    pub latest: String,
    /// What the leg rests on.
    pub class: Class,
    /// Its transaction on a chain, where an exchange names one.
    pub on_chain: Option<Joined>,
    /// Who says so.
    pub sources: Vec<Source>,
}

/// What a leg rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Its sources say it, and where they are of both sides they share a reference.
    Recorded,
    /// That both sides tell one transfer follows from amount, accounts and days alone. Error rate: not measured.
    Inferred,
}

impl Class {
    fn of(sources: &[Source]) -> Class {
        let side = |credit: bool| {
            let of = sources.iter().map(|source| &source.says).filter(move |says| says.credit == credit);
            of.map(|says| says.references.shared().or(says.references.bank.as_deref()))
        };
        let shared = side(false).flatten().any(|paid| side(true).flatten().any(|got| paid == got));
        let both = side(false).next().is_some() && side(true).next().is_some();
        if both && !shared { Class::Inferred } else { Class::Recorded }
    }
}

/// A statement's entry that tells a leg.
#[derive(Debug, serde::Serialize)]
pub struct Source {
    /// The batch.
    pub batch: u64,
    /// The collection whose readers may see it.
    pub collection: String,
    /// What the statement says.
    #[serde(flatten)]
    pub says: Leg,
}

impl<'b> View<'b> {
    /// Opens what is loaded. `None` when nothing is.
    pub(super) fn open(bank: &'b Bank, money: &'b Path) -> Result<Option<View<'b>>> {
        let dir = money.join(CHAIN);
        if !dir.join(LEGS).is_file() {
            return Ok(None);
        }
        let file = |name: &str| File::open(dir.join(name)).map_err(columns::io(&dir.join(name)));
        Ok(Some(View {
            bank,
            money,
            accounts: Accounts::open(&dir, Mode::Read)?,
            legs: file(LEGS)?,
            sources: file(SOURCES)?,
        }))
    }

    /// The legs of an account from the one numbered `from` on, at most `most`; only those that a visible load tells.
    /// The second value is where to go on.
    ///
    /// # Errors
    /// The account is not on record; the files.
    pub fn legs_of(
        &self,
        asked: &str,
        (from, most): (u64, usize),
        sees: Sees<'_>,
    ) -> Result<(Vec<Viewed>, Option<u64>)> {
        let unknown = || {
            Error::Unknown(
                "the account is not on record: name it as `eye money bank legs` does, an IBAN without spaces".into(),
            )
        };
        let account = self.accounts.find_account(asked.as_bytes()).ok_or_else(unknown)?;
        let mut found = Vec::new();
        for number in from..self.accounts.transfers() {
            let Some(transfer) = self.accounts.transfer(number).filter(|one| one.from == account || one.to == account)
            else {
                continue;
            };
            let viewed = self.viewed(number, transfer, sees)?;
            // What a hidden load alone says of an account leads nobody to it.
            let names = |one: &Viewed| [&one.from, &one.to].into_iter().flatten().any(|name| name == asked);
            let Some(viewed) = viewed.filter(names) else { continue };
            if found.len() == most {
                join(self.money, &mut found);
                return Ok((found, Some(number)));
            }
            found.push(viewed);
        }
        join(self.money, &mut found);
        match found.is_empty() && from == 0 {
            true => Err(unknown()),
            false => Ok((found, None)),
        }
    }

    fn viewed(&self, number: u64, transfer: Transfer, sees: Sees<'_>) -> Result<Option<Viewed>> {
        let (span, places) = self.row(number)?;
        let mut sources = Vec::new();
        for (batch, byte) in &places {
            let Some(info) = self.bank.batches().find(|info| info.id == *batch).filter(|info| sees(info)) else {
                continue;
            };
            let says = self.bank.fact(info, *byte)?;
            sources.push(Source { batch: *batch, collection: info.collection.clone(), says });
        }
        // What opens an account has no entry of its own: whoever sees a load of that account sees it.
        let hidden = sources.is_empty() && !(places.is_empty() && self.bank.batches().all(sees));
        if hidden {
            return Ok(None);
        }
        let span = sources.iter().map(|source| source.says.span).reduce(Span::hull).unwrap_or(span);
        let time = |at: u32| jiff::Timestamp::from_second(i64::from(at)).map(|at| at.to_string()).unwrap_or_default();
        let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let (from, to) = match sources.len() == places.len() {
            true => (text(self.accounts.account(transfer.from)), text(self.accounts.account(transfer.to))),
            false => parties(&sources),
        };
        Ok(Some(Viewed {
            leg: number,
            from,
            to,
            currency: text(self.accounts.asset(transfer.asset)).unwrap_or_default(),
            amount: transfer.amount.to_string(),
            kind: transfer.kind.name(),
            earliest: time(span.earliest),
            latest: time(span.latest),
            class: Class::of(&sources),
            on_chain: None,
            sources,
        }))
    }

    fn row(&self, number: u64) -> Result<(Span, Vec<(u64, u64)>)> {
        let read = |file: &File, bytes: &mut [u8], at: u64| {
            file.read_exact_at(bytes, at).map_err(columns::io(Path::new(LEGS)))
        };
        let leg = |number: u64| -> Result<[u32; 3]> {
            let mut row = [0; LEG];
            read(&self.legs, &mut row, number * LEG as u64)?;
            let mut fields = columns::Fields(&row);
            Ok([0; 3].map(|_: u32| fields.u32().unwrap_or(0)))
        };
        let [earliest, latest, end] = leg(number)?;
        let start = number.checked_sub(1).map(leg).transpose()?.map_or(0, |[_, _, end]| end);
        let mut places = Vec::new();
        for place in start..end {
            let mut row = [0; SOURCE];
            read(&self.sources, &mut row, u64::from(place) * SOURCE as u64)?;
            let mut fields = columns::Fields(&row);
            places.push((fields.u64().unwrap_or(0), fields.u64().unwrap_or(0)));
        }
        Ok((Span { earliest, latest }, places))
    }
}

/// Who paid and who was paid, as some sources of a leg say.
fn parties(sources: &[Source]) -> (Option<String>, Option<String>) {
    let (mut from, mut to) = (None, None);
    for says in sources.iter().map(|source| &source.says) {
        let (own, other) = if says.credit { (&mut to, &mut from) } else { (&mut from, &mut to) };
        *own = Some(says.account.name.clone());
        if other.is_none() {
            *other = says.other.as_ref().map(|other| other.name.clone());
        }
    }
    (from, to)
}

/// What does not fit together, of the loads that are visible.
pub fn findings(money: &Path, visible: &dyn Fn(u64) -> bool) -> Result<Vec<Finding>> {
    let path = money.join(CHAIN).join(FINDINGS);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(columns::io(&path)(error).into()),
    };
    let read = text.lines().filter_map(|line| serde_json::from_str::<Finding>(line).ok());
    Ok(read.filter(|finding| finding.about.iter().all(|one| visible(one.batch))).collect())
}

/// The fact that begins at a byte of a batch's file.
pub fn fact_at(path: &Path, byte: u64) -> Result<Leg> {
    use std::io::Read;
    let damaged =
        || columns::format(path, "does not hold the leg that the chain names: erase the load and load its file again");
    let mut file = File::open(path).map_err(columns::io(path))?;
    file.seek(SeekFrom::Start(byte)).map_err(columns::io(path))?;
    let mut line = String::new();
    BufReader::new(file.take(MAX_FACT)).read_line(&mut line).map_err(columns::io(path))?;
    match serde_json::from_str(&line) {
        Ok(Fact::Leg(leg)) => Ok(*leg),
        _ => Err(damaged().into()),
    }
}
