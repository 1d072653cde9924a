//! A slice of histories out of the columns: each transfer as its parties see it, by account and asset, with absolute sums.
use super::run::{Run, Writer, key};
use super::sort::{Entry, Limits, Source, WIDE, by_key};
use super::step::{Way, Widths, head, split_head};
use super::{Histories, Slice};
use crate::columns::accounts::{AMOUNT, ASSET, FROM, NO_EDGE, TO, WIDE as WIDE_COLUMN, WIDE_MARK};
use crate::columns::bytes::uint;
use crate::columns::reading::halve;
use crate::columns::{Amount, Column, Holding, Result, Store, format};
use std::ops::Range;

/// A file is full with so many rows; none has more than twice as many.
const RUN_ROWS: usize = 1 << 21;

/// The transfers of some blocks, as the columns have them.
struct Transfers<'a> {
    store: &'a Store,
    from: &'a [[u8; 4]],
    to: &'a [[u8; 4]],
    asset: &'a [[u8; 4]],
    amount: &'a [[u8; 8]],
    /// The number of the first.
    first: u64,
    /// Numbers from here on are no account's: one that is not known is the last of all.
    accounts: u64,
    /// Transfers of a portion: each makes two entries at most.
    portion: usize,
}

impl<'a> Transfers<'a> {
    /// All columns must be mapped up to the last of these.
    fn read(store: &'a Store, numbers: &Range<u64>, accounts: u64, limits: Limits) -> Result<Transfers<'a>> {
        fn rows<'a, const WIDTH: usize>(store: &'a Store, i: usize, of: &Range<u64>) -> Result<&'a [[u8; WIDTH]]> {
            let range = usize::try_from(of.start).unwrap_or(usize::MAX)..usize::try_from(of.end).unwrap_or(usize::MAX);
            let rows = store.column(i).map(|column| column.mapped().as_chunks().0);
            rows.and_then(|rows| rows.get(range))
                .ok_or_else(|| format(store.dir(), "has transfers that are not mapped"))
        }
        Ok(Transfers {
            store,
            from: rows(store, FROM, numbers)?,
            to: rows(store, TO, numbers)?,
            asset: rows(store, ASSET, numbers)?,
            amount: rows(store, AMOUNT, numbers)?,
            first: numbers.start,
            accounts,
            portion: (limits.portion / 2).max(1),
        })
    }
}

impl Source for Transfers<'_> {
    fn portions(&self) -> usize {
        self.from.len().div_ceil(self.portion)
    }

    fn each(&self, portion: usize, mut with: impl FnMut(Entry)) -> Result<()> {
        fn part<T>(all: &[T], from: usize, most: usize) -> &[T] {
            all.get(from..all.len().min(from + most)).unwrap_or_default()
        }
        let at = portion * self.portion;
        let (from, to) = (part(self.from, at, self.portion), part(self.to, at, self.portion));
        let (asset, amount) = (part(self.asset, at, self.portion), part(self.amount, at, self.portion));
        let first = self.first + at as u64;
        let mut wide = self.store.column(WIDE_COLUMN).map_or(0, |column| first_wide(column, first));
        for ((((from, to), asset), amount), number) in from.iter().zip(to).zip(asset).zip(amount).zip(first..) {
            let (from, to) = (u32::from_le_bytes(*from), u32::from_le_bytes(*to));
            let (asset, mut amount) = (u32::from_le_bytes(*asset), u64::from_le_bytes(*amount));
            let mut mark = 0;
            if amount == WIDE_MARK {
                (amount, mark, wide) = (wide, WIDE, wide + 1);
            }
            if (asset >> 24) & u32::from(NO_EDGE) != 0 {
                (amount, mark) = (0, 0);
            }
            let mut entry = |account, way| {
                if u64::from(account) < self.accounts {
                    with([key(account, asset), amount, head(number, way) | mark]);
                }
            };
            if from == to {
                entry(from, Way::Own);
            } else {
                entry(from, Way::Out);
                entry(to, Way::In);
            }
        }
        Ok(())
    }
}

/// The first row of `transfer.wide` that is of this transfer or a later one.
fn first_wide(column: &Column, transfer: u64) -> u64 {
    halve(column.rows(), |row| column.row(row).and_then(|row| row.get(..5)).is_some_and(|at| uint(at) < transfer))
}

/// Writes a slice of the transfers `numbers`, which goes on from the sums of `older` slices.
pub(super) fn build(
    store: &Store,
    older: &Histories,
    numbers: Range<u64>,
    accounts: u64,
    limits: Limits,
) -> Result<(Slice, u64)> {
    let source = Transfers::read(store, &numbers, accounts, limits)?;
    let mut build = Build { store, older, writer: None, runs: Vec::new(), next: older.next, last: None };
    by_key(store.dir(), &source, 0..accounts << 24, limits, &mut |entries| {
        entries.chunk_by(|[one, ..], [next, ..]| one == next).try_for_each(|group| build.group(group))
    })?;
    build.close()?;
    Ok((Slice { from: numbers.start, to: numbers.end, runs: build.runs }, build.next))
}

struct Build<'a> {
    store: &'a Store,
    older: &'a Histories,
    writer: Option<Writer>,
    runs: Vec<(u64, Run)>,
    next: u64,
    /// The last key, and its sums.
    last: Option<(u64, Holding)>,
}

impl Build<'_> {
    /// Writes the entries of one key.
    fn group(&mut self, group: &[Entry]) -> Result<()> {
        let Some([key, ..]) = group.first() else { return Ok(()) };
        let mut sums = match self.last {
            Some((last, sums)) if last == *key => sums,
            _ => self.older.sums(*key),
        };
        for piece in group.chunks(RUN_ROWS) {
            sums = self.piece(*key, piece, sums)?;
        }
        self.last = Some((*key, sums));
        Ok(())
    }

    fn piece(&mut self, key: u64, entries: &[Entry], before: Holding) -> Result<Holding> {
        if self.writer.as_ref().is_some_and(|writer| writer.rows() >= RUN_ROWS as u64) {
            self.close()?;
        }
        let store = self.store;
        if self.writer.is_none() {
            self.writer = Some(Writer::new(&self.older.path(self.next))?);
        }
        let Some(writer) = &mut self.writer else { return Ok(before) };
        let mut end = before;
        entries.iter().for_each(|entry| count(store, entry, &mut end));
        let (widths, mut after) = (Widths::of(&end), before);
        writer.begin(key, widths)?;
        for entry in entries {
            count(store, entry, &mut after);
            let [.., head] = *entry;
            writer.row(head & !WIDE, &after, widths)?;
        }
        Ok(end)
    }

    fn close(&mut self) -> Result<()> {
        if let Some(writer) = self.writer.take() {
            self.runs.push((self.next, writer.finish()?));
            self.next += 1;
        }
        Ok(())
    }
}

/// Counts an entry in the sums of its account.
#[inline]
fn count(store: &Store, [_, amount, head]: &Entry, sums: &mut Holding) {
    let (_, way) = split_head(*head);
    let amount = match head & WIDE {
        0 => Some(u128::from(*amount)),
        _ => wide_amount(store, *amount),
    };
    sums.count(way, amount);
}

/// An amount that stands in `transfer.wide`, if it fits a sum.
fn wide_amount(store: &Store, row: u64) -> Option<u128> {
    let amount = store.row(WIDE_COLUMN, row)?.get(5..)?;
    Amount(amount.try_into().ok()?).to_u128()
}
