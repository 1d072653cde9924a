//! Passwords: Argon2id (RFC 9106) with OWASP's parameters, rules after NIST SP 800-63B §3.1.1: long, not known to all,
//! no rules of composition.
use crate::{Error, Result};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use unicode_normalization::UnicodeNormalization;

pub(crate) const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS passwords(
  account INTEGER PRIMARY KEY, phc TEXT NOT NULL, revision INTEGER NOT NULL, changed INTEGER NOT NULL);";

/// The fewest characters.
pub const SHORTEST: usize = 12;
/// The most bytes: hashing must not be made to work on megabytes.
const LONGEST: usize = 1_024;
/// Hashes computed at once; each takes [`Cost::kib`].
const AT_ONCE: u32 = 2;
/// Requests that wait for one.
const WAITING: u32 = 64;
/// Longest wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// What one Argon2id costs. The default is OWASP's first choice at 19 MiB (Password Storage Cheat Sheet, 2025).
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Memory, KiB.
    pub kib: u32,
    /// Passes.
    pub passes: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Self { kib: 19_456, passes: 2 }
    }
}

/// Whether a password is one to take, for an account of this name.
///
/// # Errors
/// [`Error::Invalid`], which says what would be one.
pub fn check_rules(password: &str, name: &str) -> Result<()> {
    let normal = normalised(password);
    if normal.len() > LONGEST {
        return Err(Error::invalid(format!("the password is longer than {LONGEST} bytes")));
    }
    if normal.chars().count() < SHORTEST {
        return Err(Error::invalid(format!("a password has at least {SHORTEST} characters; several words are best")));
    }
    let lower = normal.to_lowercase();
    let worst = include_str!("worst_passwords.txt").lines().any(|bad| bad == lower);
    let name = name.to_lowercase();
    let named = name.chars().count() >= 4 && lower.replace(&name, "").chars().count() < 6;
    if worst || named || repeats(&lower) || runs(&lower) {
        return Err(Error::invalid("that password is among the first that are tried; choose other words"));
    }
    Ok(())
}

/// Unicode's NFKC, so that it is the same password on every keyboard (NIST SP 800-63B §3.1.1.2).
fn normalised(password: &str) -> String {
    password.nfkc().collect()
}

/// One piece of at most four characters over and over.
fn repeats(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=4).any(|period| chars.iter().zip(chars.iter().skip(period)).all(|(a, b)| a == b))
}

/// Each character follows the one before: `abcdef…`, `9876…`.
fn runs(text: &str) -> bool {
    let steps: Vec<i64> = text
        .chars()
        .zip(text.chars().skip(1))
        .map(|(a, b)| i64::from(u32::from(b)) - i64::from(u32::from(a)))
        .collect();
    [1, -1].iter().any(|step| steps.iter().filter(|s| *s == step).count() + 2 >= steps.len())
}

/// An account's hash.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    phc: Arc<str>,
    /// Moves with each change, so that nothing remembered of the old one counts.
    pub(crate) revision: u64,
}

/// All password hashes, and the bench where two at a time are computed.
pub(crate) struct Passwords {
    cost: Cost,
    rows: RwLock<HashMap<u32, Row>>,
    /// Compared with when there is no such account, so that it takes as long.
    nobody: Option<String>,
    bench: Mutex<Bench>,
    freed: Condvar,
}

#[derive(Default)]
struct Bench {
    working: u32,
    waiting: u32,
}

/// A place at the bench.
pub(crate) struct Place<'a>(&'a Passwords);
impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.bench.lock().unwrap_or_else(PoisonError::into_inner).working -= 1;
        self.0.freed.notify_one();
    }
}

impl Passwords {
    pub(crate) fn load(state: &ledger::State, cost: Cost) -> Result<Self> {
        let rows = state.read(|conn| {
            let mut stmt = conn.prepare("SELECT account, phc, revision FROM passwords")?;
            let rows = stmt.query_map([], |r| {
                let row = Row { phc: r.get(1)?, revision: crate::view::unsigned(r.get(2)?) };
                Ok((r.get(0)?, row))
            })?;
            Ok(rows.collect::<rusqlite::Result<HashMap<_, _>>>()?)
        })?;
        let nobody = nobody(cost)?;
        let (bench, freed) = (Mutex::default(), Condvar::new());
        Ok(Self { cost, rows: RwLock::new(rows), nobody, bench, freed })
    }

    pub(crate) fn of(&self, account: u32) -> Option<Row> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner).get(&account).cloned()
    }

    /// A place to compute at; `None` when too many wait.
    pub(crate) fn place(&self) -> Option<Place<'_>> {
        let mut bench = self.bench.lock().unwrap_or_else(PoisonError::into_inner);
        if bench.working >= AT_ONCE {
            if bench.waiting >= WAITING {
                return None;
            }
            bench.waiting += 1;
            let until = Instant::now() + PATIENCE;
            while bench.working >= AT_ONCE {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    bench.waiting -= 1;
                    return None;
                }
                bench = self.freed.wait_timeout(bench, left).unwrap_or_else(PoisonError::into_inner).0;
            }
            bench.waiting -= 1;
        }
        bench.working += 1;
        Some(Place(self))
    }

    /// Whether it is the password; costs the same when there is no account.
    pub(crate) fn is_right(&self, _place: &Place<'_>, row: Option<&Row>, password: &str) -> bool {
        // Normal forms are shorter than what they come from at most by a few times.
        let normal = if password.len() > 4 * LONGEST { String::new() } else { normalised(password) };
        let Some(phc) = row.map(|r| &*r.phc).or(self.nobody.as_deref()) else { return false };
        let same = normal.len() <= LONGEST && Argon2::default().verify_password(normal.as_bytes(), phc).is_ok();
        same && row.is_some()
    }

    /// Computes and keeps a new hash.
    pub(crate) fn set(&self, ledger: &ledger::Ledger, account: u32, password: &str) -> Result<()> {
        let phc = {
            let _place = self.place().ok_or_else(|| Error::invalid("too many sign-ins at this moment; try again"))?;
            hash(password, self.cost)?
        };
        let (changed, kept) = (ledger.now(), phc.clone());
        let revision = ledger.state().write(move |conn| {
            let revision: i64 = conn.query_row(
                "INSERT INTO passwords(account, phc, revision, changed) VALUES (?1,?2,1,?3)
                 ON CONFLICT(account) DO UPDATE SET phc = ?2, revision = revision + 1, changed = ?3 RETURNING revision",
                (account, kept, changed),
                |r| r.get(0),
            )?;
            Ok(crate::view::unsigned(revision))
        })?;
        let row = Row { phc: phc.into(), revision };
        self.rows.write().unwrap_or_else(PoisonError::into_inner).insert(account, row);
        Ok(())
    }

    /// Makes what was remembered of the password void, without changing it.
    pub(crate) fn touch(&self, ledger: &ledger::Ledger, account: u32) -> Result<()> {
        ledger.state().write(move |conn| {
            conn.execute("UPDATE passwords SET revision = revision + 1 WHERE account = ?", [account])?;
            Ok(())
        })?;
        if let Some(row) = self.rows.write().unwrap_or_else(PoisonError::into_inner).get_mut(&account) {
            row.revision += 1;
        }
        Ok(())
    }
}

fn hash(password: &str, cost: Cost) -> Result<String> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|_| Error::NoRandom)?;
    let wrong = |_| Error::invalid("the password cannot be hashed with these parameters");
    let params =
        Params::new(cost.kib, cost.passes, 1, None).map_err(|_| Error::invalid("no such Argon2 parameters"))?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let phc: PasswordHash = argon.hash_password_with_salt(normalised(password).as_bytes(), &salt).map_err(wrong)?;
    Ok(phc.to_string())
}

/// A hash that no password has, of the same cost: its output is random.
fn nobody(cost: Cost) -> Result<Option<String>> {
    let mut random = [0; 48];
    getrandom::fill(&mut random).map_err(|_| Error::NoRandom)?;
    let Some((salt, output)) = random.split_at_checked(16) else { return Ok(None) };
    let (salt, output) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(output));
    Ok(Some(format!("$argon2id$v=19$m={},t={},p=1${salt}${output}", cost.kib, cost.passes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_uncommon_is_all_that_a_password_must_be() {
        for bad in [
            "short",
            "elevenchars",
            "password1234",
            "PassWord1234",
            "aaaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "abcdefghijklmnop",
            "9876543210987",
            "officer-north1",
        ] {
            assert!(check_rules(bad, "officer-north").is_err(), "{bad}");
        }
        for good in ["four words of nonsense", "ၵမၽႃသႃတႆးၵမၽႃသႃတႆး", "nzuwqbvkdjelow"]
        {
            assert!(check_rules(good, "officer-north").is_ok(), "{good}");
        }
        assert!(check_rules(&"ab c".repeat(1_000), "x").is_err());
    }

    #[test]
    fn the_hash_of_nobody_costs_what_everybodys_costs_and_nothing_opens_it() {
        let cost = Cost { kib: 64, passes: 1 };
        let text = nobody(cost).unwrap().unwrap();
        let phc = PasswordHash::new(&text).unwrap();
        let real = hash("four words of nonsense", cost).unwrap();
        assert_eq!(phc.params, PasswordHash::new(&real).unwrap().params);
        assert_eq!(text.len(), real.len());
        assert!(Argon2::default().verify_password(b"", text.as_str()).is_err());
        assert!(Argon2::default().verify_password(b"four words of nonsense", real.as_str()).is_ok());
    }

    #[test]
    fn one_password_is_the_same_on_every_keyboard() {
        let real = hash("caf\u{e9} crème brûlée", Cost { kib: 64, passes: 1 }).unwrap();
        let typed = normalised("cafe\u{301} crème brûlée");
        assert!(Argon2::default().verify_password(typed.as_bytes(), real.as_str()).is_ok());
    }
}
