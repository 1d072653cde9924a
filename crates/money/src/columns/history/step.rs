//! One row of a history: a transfer as one of its parties sees it, and what that party had received and spent after it.
use crate::columns::Holding;
use crate::columns::bytes::uint;

/// Bits of a row's head that number the transfer; two for the way and one for void sums stand above them.
const NUMBER_BITS: u32 = 37;
/// So many transfers can be numbered.
pub const MAX_TRANSFERS: u64 = 1 << NUMBER_BITS;
const NUMBER: u64 = MAX_TRANSFERS - 1;
const VOID: u64 = 1 << 39;

/// Which way a transfer goes, as seen from one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It is paid.
    In,
    /// It pays.
    Out,
    /// It pays itself, which moves nothing.
    Own,
}

/// One transfer in the history of an account and an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The number of the transfer.
    pub transfer: u64,
    /// Which way it goes.
    pub way: Way,
    /// What the account had received and spent after it. Transfers that move nothing, fakes and those to oneself leave it as it was.
    pub after: Holding,
}

/// The head of a row without sums: number and way.
pub fn head(transfer: u64, way: Way) -> u64 {
    let way: u64 = match way {
        Way::In => 0,
        Way::Out => 1,
        Way::Own => 2,
    };
    (transfer & NUMBER) | (way << NUMBER_BITS)
}

/// Number and way of a head.
pub fn split_head(head: u64) -> (u64, Way) {
    let way = match (head >> NUMBER_BITS) & 3 {
        0 => Way::In,
        1 => Way::Out,
        _ => Way::Own,
    };
    (head & NUMBER, way)
}

impl Holding {
    /// Counts a transfer; an amount of `None` fits no sum.
    #[inline]
    pub(super) fn count(&mut self, way: Way, amount: Option<u128>) {
        let sum = match way {
            Way::In => &mut self.received.0,
            Way::Out => &mut self.spent.0,
            Way::Own => return,
        };
        match amount.and_then(|amount| sum.checked_add(amount)) {
            Some(more) => *sum = more,
            None => self.overflow = true,
        }
    }
}

/// How many bytes the two sums have in the rows of one piece: as many as its last, which are its largest, need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Widths {
    received: u8,
    spent: u8,
}

impl Widths {
    /// The least that hold these sums.
    pub fn of(holding: &Holding) -> Widths {
        // Four bits hold sixteen widths: 0 to 14 bytes, and all 16.
        let nibble = |sum: u128| match (128 - sum.leading_zeros()).div_ceil(8) {
            bytes @ 0..=14 => u8::try_from(bytes).unwrap_or(15),
            _ => 15,
        };
        Widths { received: nibble(holding.received.0), spent: nibble(holding.spent.0) }
    }

    /// As one byte.
    pub fn byte(self) -> u8 {
        self.received | (self.spent << 4)
    }

    /// From that byte.
    pub fn of_byte(byte: u8) -> Widths {
        Widths { received: byte & 15, spent: byte >> 4 }
    }

    fn bytes(nibble: u8) -> usize {
        if nibble == 15 { 16 } else { usize::from(nibble) }
    }

    /// Bytes of a row.
    pub fn row(self) -> usize {
        5 + Widths::bytes(self.received) + Widths::bytes(self.spent)
    }

    /// Writes a row. Each field is written at its full width and cut to its own: both lengths are then known to the compiler.
    #[inline]
    pub fn put(self, head: u64, after: &Holding, into: &mut Vec<u8>) {
        let head = if after.overflow { head | VOID } else { head };
        for (field, width) in [
            (u128::from(head), 5),
            (after.received.0, Widths::bytes(self.received)),
            (after.spent.0, Widths::bytes(self.spent)),
        ] {
            let end = into.len() + width;
            into.extend_from_slice(&field.to_le_bytes());
            into.truncate(end);
        }
    }

    /// Reads a row.
    #[inline]
    pub fn read(self, row: &[u8]) -> Option<Step> {
        let (head, sums) = row.split_at_checked(5)?;
        let (received, spent) = sums.split_at_checked(Widths::bytes(self.received))?;
        let head = uint(head);
        let (transfer, way) = split_head(head);
        let mut after = Holding { overflow: head & VOID != 0, ..Holding::default() };
        (after.received.0, after.spent.0) = (wide(received), wide(spent));
        Some(Step { transfer, way, after })
    }
}

/// Up to 16 bytes as a little-endian number.
#[inline]
fn wide(bytes: &[u8]) -> u128 {
    let mut all = [0; 16];
    if let Some(low) = all.get_mut(..bytes.len()) {
        low.copy_from_slice(bytes);
    }
    u128::from_le_bytes(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::Sum;

    #[test]
    fn a_row_of_every_width_reads_as_it_was_written() {
        for bits in 0..=128u32 {
            let sum = u128::MAX.checked_shr(128 - bits).unwrap_or(0);
            for (received, spent) in [(sum, 0), (sum, sum), (0, sum), (u128::MAX, sum)] {
                for (way, overflow) in [(Way::In, false), (Way::Out, true), (Way::Own, false)] {
                    let after = Holding { received: Sum(received), spent: Sum(spent), overflow };
                    let (widths, mut row) = (Widths::of(&after), Vec::new());
                    widths.put(head(NUMBER, way), &after, &mut row);
                    assert_eq!(row.len(), widths.row());
                    assert_eq!(Widths::of_byte(widths.byte()), widths);
                    assert_eq!(widths.read(&row), Some(Step { transfer: NUMBER, way, after }));
                }
            }
        }
    }
}
