//! Long runs of letters and digits: wallets, transactions, hashes.

use super::Pass;
use crate::bytes::{at, before, floor, is_alnum, is_word, piece};
use crate::cue::Cue;
use crate::{Kind, Strength, hash, wallet};

impl Pass<'_> {
    pub(super) fn wallet_cue(&self, start: usize) -> bool {
        self.cues.near(start, 64, |cue| matches!(cue, Cue::Wallet | Cue::Sol)).is_some()
    }

    /// Wallets, transactions and hashes.
    pub(super) fn long_run(&mut self, token: &str, start: usize, end: usize) -> Option<usize> {
        // TON's alphabet has - and _.
        if (matches!(token.as_bytes(), [b'E' | b'U', b'Q' | b'f', ..])
            || (start > 0 && matches!(before(self.bytes, start), b'-' | b'_')))
            && let Some(past) = self.ton(start)
        {
            return Some(past);
        }
        let joined = matches!(before(self.bytes, start), b'_') || at(self.bytes, end) == b'_';
        let tx_cue = |pass: &Self| {
            pass.cues.near(start, 64, |cue| cue == Cue::Transaction).is_some() || {
                let path = piece(pass.text, floor(pass.text, start.saturating_sub(14))..start);
                path.ends_with("/tx/") || path.ends_with("/transaction/")
            }
        };
        if token.starts_with("0x") || token.starts_with("0X") {
            let found = wallet::read(token).or_else(|| wallet::read_transaction(token))?;
            self.emit(found, start, end);
            return Some(end);
        }
        if token.bytes().all(|b| b.is_ascii_hexdigit()) {
            let found = match token.len() {
                64 if tx_cue(self) => wallet::read_transaction(token),
                _ if joined || matches!(before(self.bytes, start), b'/' | b'=') => None,
                40 if self.wallet_cue(start) => wallet::read_bare_evm(token),
                32 | 40 | 64 | 128 if hash::looks_random(token) => hash::read(token),
                _ => None,
            };
            if let Some(found) = found {
                self.emit(found, start, end);
                return Some(end);
            }
        }
        if let Some(found) = wallet::read(token) {
            // A failed checksum is worth showing only where somebody says it is a wallet.
            let shaped = matches!(found.kind, Kind::Btc) && token.to_ascii_lowercase().starts_with("bc1");
            if found.strength != Strength::Never || shaped || self.wallet_cue(start) {
                self.emit(found, start, end);
                return Some(end);
            }
        }
        let explorer = || {
            let before = piece(self.text, floor(self.text, start.saturating_sub(40))..start);
            before.contains("solscan.io/") || before.contains("solana.com/") || before.contains("solana.fm/")
        };
        if (32..=44).contains(&token.len())
            && (self.cues.near(start, 48, |cue| cue == Cue::Sol).is_some() || explorer())
            && let Some(found) = wallet::read_sol(token)
        {
            self.emit(found, start, end);
            return Some(end);
        }
        None
    }

    pub(super) fn ton(&mut self, near: usize) -> Option<usize> {
        let mut start = near;
        while start > 0
            && near - start < 48
            && (is_word(before(self.bytes, start)) || before(self.bytes, start) == b'-')
        {
            start -= 1;
        }
        let mut end = near;
        while end < start + 49 && (is_word(at(self.bytes, end)) || at(self.bytes, end) == b'-') {
            end += 1;
        }
        let found = wallet::read(piece(self.text, start..end))
            .filter(|f| f.kind == Kind::Ton && f.strength != Strength::Never)?;
        self.emit(found, start, end);
        Some(end)
    }

    /// Wallets and transactions in a path or query: block explorers, payment links.
    pub(super) fn inside_url(&mut self, start: usize, end: usize) {
        let mut i = start;
        while i < end {
            if is_alnum(at(self.bytes, i)) {
                let from = i;
                i = crate::bytes::alnum_end(self.bytes, i).min(end);
                if i - from >= 25 {
                    self.long_run(piece(self.text, from..i), from, i);
                }
            } else {
                i += 1;
            }
        }
    }
}
