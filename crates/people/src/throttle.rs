//! Slows down whoever guesses. Every attempt counts when it begins and is taken back when it was right, so that many at
//! once gain nothing. Keys are keyed hashes: neither names nor addresses stand in the table.
use crate::Result;
use ledger::{Ledger, keyed_id};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

pub(crate) const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS throttles(
  key BLOB PRIMARY KEY, wrong INTEGER NOT NULL, last INTEGER NOT NULL) WITHOUT ROWID;";

/// Keys remembered; beyond it the ones longest quiet are forgotten.
const MOST: usize = 20_000;
/// Wrong attempts that cost nothing, on one account.
const FREE_ACCOUNT: u32 = 5;
/// And from one address: offices share one.
const FREE_ADDRESS: u32 = 30;
/// The longest pause, µs.
const LONGEST: i64 = 900_000_000;
/// Forgotten after this long without an attempt, µs.
const FORGET: i64 = 3_600_000_000;

type Key = [u8; 16];

#[derive(Debug, Clone, Copy)]
struct Wrong {
    count: u32,
    last: i64,
}

/// Who guessed wrongly how often.
pub(crate) struct Throttle {
    wrong: Mutex<HashMap<Key, Wrong>>,
}

/// An attempt that has begun: the keys it counts against.
pub(crate) struct Attempt {
    account: Option<Key>,
    address: Option<Key>,
}

impl Throttle {
    pub(crate) fn load(ledger: &Ledger) -> Result<Self> {
        let after = ledger.now().saturating_sub(FORGET);
        ledger.state().write(move |c| Ok(c.execute("DELETE FROM throttles WHERE last < ?", [after])?))?;
        let wrong = ledger.state().read(|conn| {
            let mut stmt = conn.prepare("SELECT key, wrong, last FROM throttles ORDER BY last DESC LIMIT 20000")?;
            let rows =
                stmt.query_map([], |r| Ok((r.get::<_, Key>(0)?, Wrong { count: r.get(1)?, last: r.get(2)? })))?;
            Ok(rows.collect::<rusqlite::Result<HashMap<_, _>>>()?)
        })?;
        Ok(Self { wrong: Mutex::new(wrong) })
    }

    /// Begins an attempt on `name` (none for tokens and links) from `peer` (none from within a session).
    ///
    /// # Errors
    /// Seconds to wait.
    pub(crate) fn begin(&self, ledger: &Ledger, name: Option<&str>, peer: Option<IpAddr>) -> Result<Attempt, u64> {
        let account = name.map(|n| key(ledger, "account", n.to_lowercase().as_bytes()));
        let address = peer.map(|peer| key(ledger, "address", &network(peer)));
        let now = ledger.now();
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = |key: &Key, free| wrong.get(key).map_or(0, |w| w.last + pause(w.count, free) - now);
        let wait = account.map_or(0, |a| pause(&a, FREE_ACCOUNT)).max(address.map_or(0, |a| pause(&a, FREE_ADDRESS)));
        if wait > 0 {
            return Err(u64::try_from(wait / 1_000_000 + 1).unwrap_or(1));
        }
        for key in account.into_iter().chain(address) {
            make_room(&mut wrong);
            let entry = wrong.entry(key).or_insert(Wrong { count: 0, last: now });
            entry.count = if now - entry.last > FORGET { 1 } else { entry.count.saturating_add(1) };
            entry.last = now;
            keep(ledger, key, *entry);
        }
        Ok(Attempt { account, address })
    }

    /// It was right: the account starts anew, and the address gets this one back.
    pub(crate) fn right(&self, ledger: &Ledger, attempt: &Attempt) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = attempt.account {
            wrong.remove(&account);
            keep(ledger, account, Wrong { count: 0, last: 0 });
        }
        if let Some(address) = attempt.address {
            Self::back(&mut wrong, ledger, address);
        }
    }

    /// It was neither right nor wrong: a second factor is still to come.
    pub(crate) fn undecided(&self, ledger: &Ledger, attempt: &Attempt) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        for key in attempt.account.into_iter().chain(attempt.address) {
            Self::back(&mut wrong, ledger, key);
        }
    }

    fn back(wrong: &mut HashMap<Key, Wrong>, ledger: &Ledger, key: Key) {
        if let Some(entry) = wrong.get_mut(&key) {
            entry.count = entry.count.saturating_sub(1);
            keep(ledger, key, *entry);
        }
    }
}

/// Doubles from 1 s with each wrong attempt beyond the free ones, µs.
fn pause(count: u32, free: u32) -> i64 {
    match count.checked_sub(free) {
        None => 0,
        Some(beyond) => (1_000_000i64 << beyond.min(20)).min(LONGEST),
    }
}

fn key(ledger: &Ledger, what: &str, value: &[u8]) -> Key {
    let id = keyed_id(ledger.keys().cookie(), &[b"throttle", what.as_bytes(), value]);
    id.split_first_chunk::<16>().map_or([0; 16], |(key, _)| *key)
}

/// An IPv6 customer has a /64 to choose addresses from.
fn network(peer: IpAddr) -> Vec<u8> {
    match peer.to_canonical() {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().iter().take(8).copied().collect(),
    }
}

fn make_room(wrong: &mut HashMap<Key, Wrong>) {
    if wrong.len() < MOST {
        return;
    }
    // An eighth at a time, so that a flood of names does not cost a search each.
    let mut lasts: Vec<i64> = wrong.values().map(|w| w.last).collect();
    lasts.sort_unstable();
    let cut = lasts.get(MOST / 8).copied().unwrap_or(i64::MAX);
    wrong.retain(|_, w| w.last > cut);
}

/// Written soon: what a crash loses of it is a tenth of a second of guesses.
fn keep(ledger: &Ledger, key: Key, wrong: Wrong) {
    ledger.state().soon(move |conn| {
        if wrong.count == 0 {
            conn.prepare_cached("DELETE FROM throttles WHERE key = ?")?.execute([key])?;
        } else {
            conn.prepare_cached("INSERT OR REPLACE INTO throttles(key, wrong, last) VALUES (?,?,?)")?.execute((
                key,
                wrong.count,
                wrong.last,
            ))?;
        }
        Ok(())
    });
}
