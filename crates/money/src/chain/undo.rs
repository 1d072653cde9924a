//! Undo data (`rev*.dat`): the coins that a block's inputs spent, as Bitcoin Core writes them (`undo.h`, `compressor.h`).
use super::curve::uncompressed;
use super::network::Family;

/// What one input spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coin {
    /// Base units.
    pub value: u64,
    /// The output's script.
    pub script: Vec<u8>,
}

/// The coins of a block: one list a transaction, without the coinbase.
pub type Undo = Vec<Vec<Coin>>;

const MAX_SCRIPT: u64 = 10_000;

/// A cursor that says `None` where the bytes end.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(head)
    }
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
    /// CompactSize, in its shortest form.
    fn compact(&mut self) -> Option<u64> {
        let [first] = self.array()?;
        match first {
            0xfd => self.array().map(u16::from_le_bytes).map(u64::from).filter(|n| *n >= 0xfd),
            0xfe => self.array().map(u32::from_le_bytes).map(u64::from).filter(|n| *n > 0xffff),
            0xff => self.array().map(u64::from_le_bytes).filter(|n| *n > 0xffff_ffff),
            n => Some(u64::from(n)),
        }
    }
    /// VARINT of `serialize.h`: seven bits a byte, highest first, one added at each step.
    fn varint(&mut self) -> Option<u64> {
        let mut n: u64 = 0;
        loop {
            let [byte] = self.array()?;
            n = n.checked_mul(128)?.checked_add(u64::from(byte & 127))?;
            if byte & 128 == 0 {
                return Some(n);
            }
            n = n.checked_add(1)?;
        }
    }
    fn script(&mut self) -> Option<Vec<u8>> {
        let size = self.varint()?;
        Some(match size {
            0 => [&[0x76, 0xa9, 20], self.take(20)?, &[0x88, 0xac]].concat(),
            1 => [&[0xa9, 20], self.take(20)?, &[0x87]].concat(),
            2 | 3 => [&[33, u8::try_from(size).ok()?], self.take(32)?, &[0xac]].concat(),
            4 | 5 => {
                let key = uncompressed(size == 5, &self.array()?)?;
                [&[65], key.as_slice(), &[0xac]].concat()
            }
            // Core keeps no longer script; what it skips is not spendable, so nothing spends it.
            _ if size - 6 > MAX_SCRIPT => return None,
            _ => self.take(usize::try_from(size - 6).ok()?)?.to_vec(),
        })
    }
    fn output(&mut self) -> Option<Coin> {
        let value = u64::from_le_bytes(self.array()?);
        let len = self.compact()?;
        Some(Coin { value, script: self.take(usize::try_from(len).ok()?)?.to_vec() })
    }
    fn coin(&mut self) -> Option<Coin> {
        let code = self.varint()?;
        if code > 1 {
            // Once a version stood here; since then an empty byte (`TxInUndoFormatter`).
            self.varint()?;
        }
        Some(Coin { value: decompress_amount(self.varint()?)?, script: self.script()? })
    }
}

/// `DecompressAmount` of `compressor.cpp`.
fn decompress_amount(x: u64) -> Option<u64> {
    let Some(x) = x.checked_sub(1) else { return Some(0) };
    let (exponent, x) = (x % 10, x / 10);
    let n = if exponent < 9 { (x / 9).checked_mul(10)?.checked_add(x % 9 + 1)? } else { x.checked_add(1)? };
    n.checked_mul(10u64.checked_pow(u32::try_from(exponent).ok()?)?)
}

/// Reads the coins of one block; `None` when the bytes are not that, whole. Behind Litecoin's stands what undoes the extension
/// block, which is passed over (Litecoin Core, `undo.h`).
pub fn parse_undo(bytes: &[u8], family: Family) -> Option<Undo> {
    let mut bytes = Bytes(bytes);
    let most = family.max_inputs();
    let txs = bytes.compact().filter(|n| *n <= most)?;
    let mut undo = Vec::new();
    let mut left = most;
    for _ in 0..txs {
        let coins = bytes.compact()?;
        left = left.checked_sub(coins)?;
        undo.push((0..coins).map(|_| bytes.coin()).collect::<Option<Vec<_>>>()?);
    }
    (bytes.0.is_empty() || family == Family::Litecoin).then_some(undo)
}

/// Reads the spent outputs of a block as Core's REST tells them (`rest.cpp`, `SerializeBlockUndo`): a list a transaction, the coinbase's
/// empty one first, each output its value and script. No more than `most`; `None` when the bytes are not that, whole.
pub fn parse_spent(bytes: &[u8], most: u64) -> Option<Undo> {
    let mut bytes = Bytes(bytes);
    let txs = bytes.compact().filter(|n| *n <= most)?;
    let (mut undo, mut left) = (Vec::new(), most);
    for place in 0..txs {
        let coins = bytes.compact()?;
        left = left.checked_sub(coins)?;
        let coins = (0..coins).map(|_| bytes.output()).collect::<Option<Vec<_>>>()?;
        match place {
            0 if coins.is_empty() => {}
            0 => return None,
            _ => undo.push(coins),
        }
    }
    bytes.0.is_empty().then_some(undo)
}

/// How many transactions undo data speak of, without reading them.
pub fn undo_txs(bytes: &[u8]) -> Option<u64> {
    Bytes(bytes).compact()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_those_of_cores_own_test() {
        // compress_tests.cpp: amount and its compressed form.
        let coin = 100_000_000;
        for (amount, compressed) in
            [(0, 0x0), (1, 0x1), (coin / 100, 0x7), (coin, 0x9), (50 * coin, 0x32), (21_000_000 * coin, 0x0140_6f40)]
        {
            assert_eq!(decompress_amount(compressed), Some(amount));
        }
        assert_eq!(decompress_amount(u64::MAX), None);
    }

    #[test]
    fn what_undoes_an_extension_block_follows_litecoins_coins_alone() {
        let coin = [1, 1, 0x32, 0, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7];
        let whole = [&[1][..], &coin].concat();
        let tail = [&whole[..], b"EXERCISE"].concat();
        assert!(parse_undo(&whole, Family::Bitcoin).is_some_and(|undo| undo[0][0].value == 5_000_000_000));
        assert_eq!(parse_undo(&tail, Family::Litecoin), parse_undo(&whole, Family::Bitcoin));
        assert_eq!(parse_undo(&tail, Family::Bitcoin), None);
        assert_eq!(parse_undo(&tail, Family::BitcoinCash), None);
    }

    #[test]
    fn varints_are_those_of_cores_own_comment() {
        // serialize.h: 0 [00], 127 [7F], 128 [80 00], 255 [80 7F], 256 [81 00], 16511 [FF 7F], 65535 [82 FE 7F].
        let cases: [(u64, &[u8]); 7] = [
            (0, &[0]),
            (127, &[0x7f]),
            (128, &[0x80, 0]),
            (255, &[0x80, 0x7f]),
            (256, &[0x81, 0]),
            (16_511, &[0xff, 0x7f]),
            (65_535, &[0x82, 0xfe, 0x7f]),
        ];
        for (n, bytes) in cases {
            assert_eq!(Bytes(bytes).varint(), Some(n));
        }
        assert_eq!(Bytes(&[0xff; 20]).varint(), None);
    }
}
