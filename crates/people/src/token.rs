//! Tokens: 256 random bits, shown once. `state` holds their SHA-256 alone; a plain hash is right for what nobody can guess.
use crate::authenticate::Door;
use crate::entry::Sort;
use crate::view::{signed, unsigned};
use crate::{Error, People, Result, Right, Role, Viewer};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use subtle::ConstantTimeEq;

pub(crate) const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS tokens(
  hash BLOB PRIMARY KEY, number INTEGER NOT NULL, account INTEGER NOT NULL, created INTEGER NOT NULL,
  expires INTEGER, made_by INTEGER NOT NULL) WITHOUT ROWID;";

/// What every token begins with, so that scanners for leaked secrets find it.
pub(crate) const PREFIX: &str = "ey_";
/// Tokens of a node at most: all stand in memory.
const MOST: usize = 20_000;
/// Microseconds in a day.
const DAY: i64 = 86_400_000_000;

/// A token to be made, with an account of its own.
#[derive(Debug, Clone)]
pub struct NewToken<'a> {
    /// What uses it: the new account's name. Empty = `token-` and a number.
    pub name: &'a str,
    /// What it may do.
    pub role: Role,
    /// Days until it ends; `None` = when it is revoked.
    pub days: Option<u32>,
}

/// A token as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its number, for revoking it.
    pub number: u64,
    /// The account it acts as.
    pub account: u32,
    /// When it was made, µs.
    pub created: i64,
    /// When it ends, µs.
    pub expires: Option<i64>,
    /// The account that made it.
    pub made_by: u32,
}

/// All tokens by hash.
#[derive(Debug, Default)]
pub(crate) struct Tokens(RwLock<HashMap<[u8; 32], TokenRow>>);

/// A new secret and its hash.
pub(crate) fn fresh(prefix: &str) -> Result<(String, [u8; 32])> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| Error::NoRandom)?;
    let secret = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes));
    let hash = hash(&secret);
    Ok((secret, hash))
}

/// SHA-256 of a secret.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

impl Tokens {
    pub(crate) fn load(state: &ledger::State) -> Result<Self> {
        let rows = state.read(|conn| {
            let mut stmt = conn.prepare("SELECT hash, number, account, created, expires, made_by FROM tokens")?;
            let rows = stmt.query_map([], |r| {
                let row = TokenRow {
                    number: unsigned(r.get(1)?),
                    account: r.get(2)?,
                    created: r.get(3)?,
                    expires: r.get(4)?,
                    made_by: r.get(5)?,
                };
                Ok((r.get::<_, [u8; 32]>(0)?, row))
            })?;
            Ok(rows.collect::<rusqlite::Result<HashMap<_, _>>>()?)
        })?;
        Ok(Self(RwLock::new(rows)))
    }

    /// The account of a token that stands. The map is looked up by a hash that an asker cannot steer; what it finds
    /// is compared in constant time all the same.
    pub(crate) fn account(&self, hash: &[u8; 32], now: i64) -> Option<u32> {
        let tokens = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (known, row) = tokens.get_key_value(hash)?;
        let same = bool::from(known.ct_eq(hash));
        (same && row.expires.is_none_or(|end| now < end)).then_some(row.account)
    }

    fn list(&self, keep: impl Fn(&TokenRow) -> bool) -> Vec<TokenRow> {
        let tokens = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut list: Vec<_> = tokens.values().filter(|t| keep(t)).cloned().collect();
        list.sort_by_key(|t| t.number);
        list
    }

    fn find(&self, number: u64) -> Option<([u8; 32], TokenRow)> {
        let tokens = self.0.read().unwrap_or_else(PoisonError::into_inner);
        tokens.iter().find(|(_, t)| t.number == number).map(|(h, t)| (*h, t.clone()))
    }
}

impl Door {
    fn keep_token(&self, account: u32, days: Option<u32>, made_by: u32) -> Result<String> {
        if self.tokens.0.read().unwrap_or_else(PoisonError::into_inner).len() >= MOST {
            return Err(Error::invalid(format!("a node has at most {MOST} tokens; revoke some first")));
        }
        let (secret, hash) = fresh(PREFIX)?;
        let created = self.ledger.now();
        let expires = days.map(|d| created.saturating_add(i64::from(d).saturating_mul(DAY)));
        let number = self.ledger.state().write(move |conn| {
            let last: i64 = conn.query_row("SELECT coalesce(max(number), 0) FROM tokens", [], |r| r.get(0))?;
            conn.execute(
                "INSERT INTO tokens(hash, number, account, created, expires, made_by) VALUES (?,?,?,?,?,?)",
                (hash, last + 1, account, created, expires, made_by),
            )?;
            Ok(unsigned(last + 1))
        })?;
        let row = TokenRow { number, account, created, expires, made_by };
        self.tokens.0.write().unwrap_or_else(PoisonError::into_inner).insert(hash, row);
        Ok(secret)
    }

    fn drop_token(&self, number: u64, hash: [u8; 32]) -> Result<()> {
        self.tokens.0.write().unwrap_or_else(PoisonError::into_inner).remove(&hash);
        self.ledger.state().write(move |conn| {
            conn.execute("DELETE FROM tokens WHERE number = ?", [signed(number)])?;
            Ok(())
        })?;
        Ok(())
    }
}

impl People {
    /// Makes an account and a token for it; the answer is the secret, shown this once. A program that has an account
    /// of this name and role already gets another token for it.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`], the ledger's.
    pub fn create_token(&self, viewer: &Viewer, new: &NewToken<'_>) -> Result<String> {
        viewer.need(Right::ManageAccounts)?;
        let given = new.name.trim();
        let name = if given.is_empty() { self.free_name("token")? } else { given.to_owned() };
        let sort = if new.role == Role::Peer { Sort::Peer } else { Sort::Token };
        let there = self.current()?.named(&name).filter(|a| a.body.sort == sort && a.body.role == new.role).cloned();
        let account = match there {
            Some(account) if account.body.disabled => {
                return Err(Error::invalid("the account of that name is disabled; enable it or choose another name"));
            }
            Some(account) => account.number,
            None => self.create_account(viewer, &name, new.role, sort)?,
        };
        self.inner.door.keep_token(account, new.days, viewer.account())
    }

    /// Makes another token for an account: administrators for anybody, everybody for themselves.
    ///
    /// # Errors
    /// As [`People::create_token`].
    pub fn add_token(&self, viewer: &Viewer, account: u32, days: Option<u32>) -> Result<String> {
        if account == viewer.account() {
            viewer.need_session()?;
        } else {
            viewer.need(Right::ManageAccounts)?;
        }
        let now = self.current()?;
        let found = now.accounts.get(&account).filter(|a| !a.body.disabled && a.body.sort != Sort::Machine);
        found.ok_or(Error::NoAccount)?;
        self.inner.door.keep_token(account, days, viewer.account())
    }

    /// The tokens the viewer may know of: administrators all, everybody their own.
    pub fn tokens(&self, viewer: &Viewer) -> Vec<TokenRow> {
        let all = viewer.may(Right::ManageAccounts);
        self.inner.door.tokens.list(|t| all || t.account == viewer.account())
    }

    /// Ends a token at once. The account of a program ends with its last token.
    ///
    /// # Errors
    /// [`Error::NoAccount`] when there is no such token or it is not theirs; the ledger's.
    pub fn revoke_token(&self, viewer: &Viewer, number: u64) -> Result<()> {
        let (hash, row) = self.inner.door.tokens.find(number).ok_or(Error::NoAccount)?;
        if row.account != viewer.account() && !viewer.may(Right::ManageAccounts) {
            return Err(Error::NoAccount);
        }
        self.inner.door.drop_token(number, hash)?;
        let now = self.current()?;
        let program = now.accounts.get(&row.account).is_some_and(|a| matches!(a.body.sort, Sort::Token | Sort::Peer));
        let others = !self.inner.door.tokens.list(|t| t.account == row.account).is_empty();
        if program && !others && viewer.may(Right::ManageAccounts) && row.account != viewer.account() {
            self.set_disabled(viewer, row.account, true)?;
        }
        Ok(())
    }

    /// `STEM-N` that nobody has.
    pub(crate) fn free_name(&self, stem: &str) -> Result<String> {
        let now = self.current()?;
        let free = (1..=u32::MAX).map(|n| format!("{stem}-{n}")).find(|name| now.named(name).is_none());
        Ok(free.unwrap_or_else(|| stem.into()))
    }
}
