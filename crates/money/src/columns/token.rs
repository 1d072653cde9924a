//! Tokens of outputs, on the chain whose outputs can hold any (Bitcoin Cash): a sparse column, 46 bytes an output that does.
use super::bytes::{u40, uint};
use super::utxo::{OUT_TOKEN, Utxo};

/// Bytes of a row: output u40, category, bit field, amount.
pub(super) const TOKEN_ROW: u64 = 46;

/// The tokens of an output (CHIP-2022-02, CashTokens).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// The category: the transaction that made it, in the order it is displayed.
    pub category: [u8; 32],
    /// The bit field as it stands: 0x10 has an amount, 0x20 is a thing (NFT), 0x40 with a commitment; low bits: its holder may change it
    /// (1), make more of it (2).
    pub bits: u8,
    /// How many of the category's tokens, in base units; 0 for a thing alone.
    pub amount: u64,
}

impl Token {
    pub(super) fn row(&self, output: u64) -> [u8; TOKEN_ROW as usize] {
        let mut row = [0; TOKEN_ROW as usize];
        let parts = u40(output).into_iter().chain(self.category).chain([self.bits]).chain(self.amount.to_le_bytes());
        row.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        row
    }

    fn of_row(row: &[u8]) -> Option<Token> {
        let (category, rest) = row.get(5..)?.split_first_chunk()?;
        let (bits, amount) = rest.split_first()?;
        Some(Token { category: *category, bits: *bits, amount: u64::from_le_bytes(amount.try_into().ok()?) })
    }
}

impl Utxo {
    /// The tokens that an output holds, if any.
    pub fn tokens_of(&self, output: u64) -> Option<Token> {
        let number = |row: u64| self.store().row(OUT_TOKEN, row).and_then(|row| row.get(..5)).map_or(0, uint);
        let row = super::reading::halve(self.store().rows(OUT_TOKEN), |row| number(row) < output);
        self.store().row(OUT_TOKEN, row).filter(|_| number(row) == output).and_then(Token::of_row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_tokens_is_read_as_it_was_written() {
        let token = Token { category: [7; 32], bits: 0x71, amount: i64::MAX as u64 };
        let row = token.row(0xff_ffff_fffe);
        assert_eq!(Token::of_row(&row), Some(token));
        assert_eq!(uint(&row[..5]), 0xff_ffff_fffe);
    }
}
