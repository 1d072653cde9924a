//! Slows down whoever guesses. Every attempt counts when it begins and is taken back when it was right, so that many at
//! once gain nothing. Whoever came in from an address before is counted apart there: guesses from elsewhere do not lock
//! an officer out of their own office. Keys are keyed hashes: neither names nor addresses stand in the tables.
use crate::Result;
use ledger::{Ledger, keyed_id};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

pub(crate) const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS throttles(
  key BLOB PRIMARY KEY, wrong INTEGER NOT NULL, last INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS familiar(key BLOB PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;";

/// Keys remembered; beyond it the ones longest quiet are forgotten.
const MOST: usize = 20_000;
/// An address is familiar for this long after a sign-in, µs: thirty days.
const FAMILIAR: i64 = 30 * 86_400_000_000;

/// µs in a second.
const SECOND: i64 = 1_000_000;

/// What guessing costs.
#[derive(Debug, Clone, Copy)]
pub struct Guessing {
    /// Wrong attempts on one account that cost nothing.
    pub account: u32,
    /// And from one address: offices share one.
    pub address: u32,
    /// The longest pause, seconds.
    pub longest: u32,
    /// Seconds without an attempt until wrong ones are forgotten; never less than the longest pause.
    pub forget: u32,
}

impl Default for Guessing {
    fn default() -> Self {
        Self { account: 5, address: 30, longest: 900, forget: 3_600 }
    }
}

impl Guessing {
    /// Doubles from 1 s with each wrong attempt beyond the free ones, µs.
    fn pause(&self, count: u32, free: u32) -> i64 {
        match count.checked_sub(free) {
            None => 0,
            Some(beyond) => (SECOND << beyond.min(20)).min(i64::from(self.longest) * SECOND),
        }
    }

    /// µs.
    fn forget(&self) -> i64 {
        i64::from(self.forget.max(self.longest)) * SECOND
    }
}

type Key = [u8; 16];

#[derive(Debug, Clone, Copy)]
struct Wrong {
    count: u32,
    last: i64,
}

/// Who guessed wrongly how often.
pub(crate) struct Throttle {
    guessing: Guessing,
    wrong: Mutex<HashMap<Key, Wrong>>,
    /// Names with the addresses they came in from, and when last.
    familiar: Mutex<HashMap<Key, i64>>,
}

/// An attempt that has begun: what it counts against.
pub(crate) struct Attempt {
    account: Option<Counted>,
    address: Option<Counted>,
    pair: Option<Key>,
}

/// A key that an attempt counts against, and what giving it back restores.
#[derive(Clone, Copy)]
struct Counted {
    key: Key,
    /// When the attempt before was, and this one, µs.
    before: i64,
    at: i64,
}

impl Throttle {
    pub(crate) fn load(ledger: &Ledger, guessing: Guessing) -> Result<Self> {
        let now = ledger.now();
        let (after, known) = (now.saturating_sub(guessing.forget()), now.saturating_sub(FAMILIAR));
        ledger.state().write(move |conn| {
            conn.execute("DELETE FROM throttles WHERE last < ?", [after])?;
            conn.execute("DELETE FROM familiar WHERE last < ?", [known])?;
            Ok(())
        })?;
        let (wrong, familiar) = ledger.state().read(|conn| {
            let mut stmt = conn.prepare("SELECT key, wrong, last FROM throttles ORDER BY last DESC LIMIT 20000")?;
            let rows =
                stmt.query_map([], |r| Ok((r.get::<_, Key>(0)?, Wrong { count: r.get(1)?, last: r.get(2)? })))?;
            let wrong = rows.collect::<rusqlite::Result<HashMap<_, _>>>()?;
            let mut stmt = conn.prepare("SELECT key, last FROM familiar ORDER BY last DESC LIMIT 20000")?;
            let rows = stmt.query_map([], |r| Ok((r.get::<_, Key>(0)?, r.get(1)?)))?;
            Ok((wrong, rows.collect::<rusqlite::Result<HashMap<_, _>>>()?))
        })?;
        Ok(Self { guessing, wrong: Mutex::new(wrong), familiar: Mutex::new(familiar) })
    }

    /// Begins an attempt on `name` (none for tokens and links) from `peer` (none from within a session).
    ///
    /// # Errors
    /// Seconds to wait.
    pub(crate) fn begin(&self, ledger: &Ledger, name: Option<&str>, peer: Option<IpAddr>) -> Result<Attempt, u64> {
        let now = ledger.now();
        let name = name.map(str::to_lowercase);
        let address = peer.map(|peer| key(ledger, "address", &network(peer)));
        let of_name = name.as_ref().map(|n| key(ledger, "account", n.as_bytes()));
        let pair = of_name.zip(address).map(|(name, address)| key(ledger, "pair", &[name, address].concat()));
        let account = if pair.is_some_and(|pair| self.is_familiar(&pair, now)) { pair } else { of_name };
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let guessing = self.guessing;
        let pause = |key: &Key, free| wrong.get(key).map_or(0, |w| w.last + guessing.pause(w.count, free) - now);
        let of_account = account.map_or(0, |a| pause(&a, guessing.account));
        let wait = of_account.max(address.map_or(0, |a| pause(&a, guessing.address)));
        if wait > 0 {
            return Err(u64::try_from(wait / 1_000_000 + 1).unwrap_or(1));
        }
        let mut count = |key: Key| {
            make_room(&mut wrong, |w| w.last);
            let entry = wrong.entry(key).or_insert(Wrong { count: 0, last: now });
            let before = entry.last;
            entry.count = if now - before > guessing.forget() { 1 } else { entry.count.saturating_add(1) };
            entry.last = now;
            keep(ledger, key, *entry);
            Counted { key, before, at: now }
        };
        let (account, address) = (account.map(&mut count), address.map(&mut count));
        Ok(Attempt { account, address, pair })
    }

    fn is_familiar(&self, pair: &Key, now: i64) -> bool {
        let familiar = self.familiar.lock().unwrap_or_else(PoisonError::into_inner);
        familiar.get(pair).is_some_and(|last| now - last < FAMILIAR)
    }

    fn make_familiar(&self, ledger: &Ledger, pair: Key) {
        let now = ledger.now();
        let mut familiar = self.familiar.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut familiar, |last| *last);
        familiar.insert(pair, now);
        ledger.state().soon(move |conn| {
            conn.prepare_cached("INSERT OR REPLACE INTO familiar(key, last) VALUES (?,?)")?.execute((pair, now))?;
            Ok(())
        });
    }

    /// It was right: the account starts anew, and the address gets this one back.
    pub(crate) fn right(&self, ledger: &Ledger, attempt: &Attempt) {
        if let Some(pair) = attempt.pair {
            self.make_familiar(ledger, pair);
        }
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = attempt.account {
            wrong.remove(&account.key);
            keep(ledger, account.key, Wrong { count: 0, last: 0 });
        }
        if let Some(address) = attempt.address {
            Self::back(&mut wrong, ledger, address);
        }
    }

    /// It was neither right nor wrong: a second factor is still to come.
    pub(crate) fn undecided(&self, ledger: &Ledger, attempt: &Attempt) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        for counted in attempt.account.into_iter().chain(attempt.address) {
            Self::back(&mut wrong, ledger, counted);
        }
    }

    /// As if it had not been: colleagues at the same address wait for no pause that it would begin.
    fn back(wrong: &mut HashMap<Key, Wrong>, ledger: &Ledger, counted: Counted) {
        if let Some(entry) = wrong.get_mut(&counted.key) {
            entry.count = entry.count.saturating_sub(1);
            if entry.last == counted.at {
                entry.last = counted.before;
            }
            keep(ledger, counted.key, *entry);
        }
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

fn make_room<V>(map: &mut HashMap<Key, V>, last: impl Fn(&V) -> i64) {
    if map.len() < MOST {
        return;
    }
    // An eighth at a time, so that a flood of names does not cost a search each.
    let mut lasts: Vec<i64> = map.values().map(&last).collect();
    lasts.sort_unstable();
    let cut = lasts.get(MOST / 8).copied().unwrap_or(i64::MAX);
    map.retain(|_, v| last(v) > cut);
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
