//! The second factor: time-based codes (RFC 6238: SHA-1, six digits, 30 s, one step either way), each once, and ten
//! recovery codes, each once. The secret is sealed under the node's wrap key; recovery codes stand as hashes.
use crate::authenticate::Door;
use crate::entry::Sort;
use crate::view::signed;
use crate::{Account, Error, People, Result, Right, Viewer};
use rusqlite::OptionalExtension;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::Arc;
use totp_rs::{Builder, Totp};

pub(crate) const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS totp(
  account INTEGER PRIMARY KEY, sealed BLOB NOT NULL, confirmed INTEGER NOT NULL, step INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS recovery(account INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY(account, hash)) WITHOUT ROWID;";

/// Recovery codes of an account.
const CODES: usize = 10;
/// Random bytes of a recovery code: 80 bits, so that a plain hash is right for it.
const CODE_BYTES: usize = 10;
/// Crockford's alphabet without what is misread.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What the authenticator app needs, shown once.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// The secret, Base32, for typing.
    pub secret: String,
    /// `otpauth://…`, for a QR code.
    pub url: String,
}

/// What stands for an account.
struct Stored {
    totp: Totp,
    confirmed: bool,
}

fn aad(account: u32) -> Vec<u8> {
    format!("totp:{account}").into_bytes()
}

fn code_hash(account: u32, code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect();
    Sha256::new().chain_update(account.to_be_bytes()).chain_update(plain.as_bytes()).finalize().into()
}

fn recovery_code() -> Result<String> {
    let mut bytes = [0; CODE_BYTES];
    getrandom::fill(&mut bytes).map_err(|_| Error::NoRandom)?;
    let mut bits = bytes.iter().fold(0u128, |all, byte| all << 8 | u128::from(*byte));
    let mut code = String::new();
    for n in 0..CODE_BYTES * 8 / 5 {
        if n > 0 && n % 4 == 0 {
            code.push('-');
        }
        code.push(char::from(LETTERS.get((bits & 31) as usize).copied().unwrap_or(b'0')));
        bits >>= 5;
    }
    Ok(code)
}

impl Door {
    fn stored(&self, account: u32) -> Result<Option<Stored>> {
        let row: Option<(Vec<u8>, bool)> = self.ledger.state().read(|conn| {
            let mut stmt = conn.prepare_cached("SELECT sealed, confirmed FROM totp WHERE account = ?")?;
            Ok(stmt.query_row([account], |r| Ok((r.get(0)?, r.get(1)?))).optional()?)
        })?;
        let Some((sealed, confirmed)) = row else { return Ok(None) };
        let broken = || Error::invalid("the second factor cannot be opened with this node's keys; have it reset");
        let secret = self.ledger.keys().unseal(&aad(account), &sealed).map_err(|_| broken())?;
        let totp = Builder::new().with_secret(secret.as_slice()).build().map_err(|_| broken())?;
        Ok(Some(Stored { totp, confirmed }))
    }

    /// Whether the account has a second factor.
    pub(crate) fn has_second_factor(&self, account: u32) -> Result<bool> {
        Ok(self.stored(account)?.is_some_and(|s| s.confirmed))
    }

    /// Whether it is a code of now that was not used yet; it is used up by this.
    fn code_is_right(&self, account: u32, stored: &Stored, code: &str) -> Result<bool> {
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(false);
        }
        let seconds = u64::try_from(self.ledger.now() / 1_000_000).unwrap_or(0);
        let Some(step) = stored.totp.check(&digits, seconds) else { return Ok(false) };
        let moved = self.ledger.state().write(move |conn| {
            Ok(conn.execute("UPDATE totp SET step = ?1 WHERE account = ?2 AND step < ?1", (signed(step), account))?)
        })?;
        Ok(moved == 1)
    }

    fn recovery_is_right(&self, account: u32, code: &str) -> Result<bool> {
        let hash = code_hash(account, code);
        let gone = self.ledger.state().write(move |conn| {
            Ok(conn.execute("DELETE FROM recovery WHERE account = ? AND hash = ?", (account, hash))?)
        })?;
        Ok(gone == 1)
    }

    /// Whether `given` is a code or a recovery code of the account.
    pub(crate) fn second_factor_is_right(&self, account: u32, given: &str) -> Result<bool> {
        let Some(stored) = self.stored(account)?.filter(|s| s.confirmed) else { return Ok(false) };
        Ok(self.code_is_right(account, &stored, given)? || self.recovery_is_right(account, given)?)
    }

    fn drop_second_factor(&self, account: u32) -> Result<()> {
        self.ledger.state().write(move |conn| {
            conn.execute("DELETE FROM totp WHERE account = ?", [account])?;
            conn.execute("DELETE FROM recovery WHERE account = ?", [account])?;
            Ok(())
        })?;
        Ok(())
    }
}

impl People {
    /// The people who may come in and have no second factor, by number.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; the storage's.
    pub fn without_second_factor(&self, viewer: &Viewer) -> Result<Vec<Arc<Account>>> {
        viewer.need(Right::ManageAccounts)?;
        let with: HashSet<u32> = self.inner.door.ledger.state().read(|conn| {
            let mut stmt = conn.prepare_cached("SELECT account FROM totp WHERE confirmed")?;
            let rows = stmt.query_map([], |r| r.get(0))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })?;
        let now = self.current()?;
        let people = now.accounts.values().filter(|a| a.body.sort == Sort::Person && !a.body.disabled);
        let mut without: Vec<_> = people.filter(|a| !with.contains(&a.number)).cloned().collect();
        without.sort_by_key(|a| a.number);
        Ok(without)
    }

    /// Begins to set up the viewer's second factor; it counts once [`People::confirm_second_factor`] has seen a code.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there is one already; the storage's.
    pub fn begin_second_factor(&self, viewer: &Viewer) -> Result<Enrolment> {
        let (door, account) = (&self.inner.door, viewer.account());
        viewer.need(Right::SignIn)?;
        viewer.need_session()?;
        if door.has_second_factor(account)? {
            return Err(Error::invalid("a second factor is set up already; remove it first"));
        }
        let mut secret = [0u8; 20];
        getrandom::fill(&mut secret).map_err(|_| Error::NoRandom)?;
        // The label of the app's entry; a colon would end it (Key URI format).
        let label = |text: &str| text.replace(':', " ");
        let issuer = format!("Compound Eye {}", label(&self.node()?.unwrap_or_default().name));
        let totp = Builder::new().with_secret(secret).with_account_name(label(viewer.name()));
        let totp = totp.with_issuer(Some(issuer)).build();
        let totp = totp.map_err(|_| Error::invalid("the second factor could not be made"))?;
        let url = totp.to_url().map_err(|_| Error::invalid("the second factor could not be made"))?;
        let sealed = door.ledger.keys().seal(&aad(account), &secret).map_err(|_| Error::NoRandom)?;
        door.ledger.state().write(move |conn| {
            conn.execute(
                "INSERT INTO totp(account, sealed, confirmed, step) VALUES (?1,?2,0,0)
                 ON CONFLICT(account) DO UPDATE SET sealed = ?2, confirmed = 0, step = 0",
                (account, sealed),
            )?;
            Ok(())
        })?;
        Ok(Enrolment { secret: totp.secret().to_base32(), url })
    }

    /// Ends the set-up with a code; the answer is the recovery codes, shown this once.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the code is wrong; the storage's.
    pub fn confirm_second_factor(&self, viewer: &Viewer, code: &str) -> Result<Vec<String>> {
        let (door, account) = (&self.inner.door, viewer.account());
        viewer.need_session()?;
        let stored = door.stored(account)?.filter(|s| !s.confirmed);
        let stored = stored.ok_or_else(|| Error::invalid("begin to set up the second factor first"))?;
        if !door.code_is_right(account, &stored, code)? {
            return Err(Error::invalid("that is not the code of this moment; look at the app and at the clock"));
        }
        let codes = (0..CODES).map(|_| recovery_code()).collect::<Result<Vec<_>>>()?;
        let hashes: Vec<_> = codes.iter().map(|code| code_hash(account, code)).collect();
        door.ledger.state().write(move |conn| {
            conn.execute("UPDATE totp SET confirmed = 1 WHERE account = ?", [account])?;
            conn.execute("DELETE FROM recovery WHERE account = ?", [account])?;
            for hash in hashes {
                conn.execute("INSERT INTO recovery(account, hash) VALUES (?,?)", (account, hash))?;
            }
            Ok(())
        })?;
        // From now on the password alone opens nothing, whatever is remembered of it.
        door.passwords.touch(&door.ledger, account)?;
        Ok(codes)
    }

    /// Removes the viewer's second factor, with one of its codes.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the code is wrong; the storage's.
    pub fn remove_second_factor(&self, viewer: &Viewer, code: &str) -> Result<()> {
        let (door, account) = (&self.inner.door, viewer.account());
        let name = self.current()?.accounts.get(&account).ok_or(Error::NoAccount)?.body.name.clone();
        if !door.guess(&name, || door.second_factor_is_right(account, code))? {
            return Err(Error::invalid("that code is not right, or was used already"));
        }
        door.drop_second_factor(account)
    }

    /// Removes another's second factor, when they lost it; their sessions end.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; the storage's.
    pub fn reset_second_factor(&self, viewer: &Viewer, account: u32) -> Result<()> {
        viewer.need(Right::ManageAccounts)?;
        self.inner.door.drop_second_factor(account)?;
        self.inner.door.drop_sessions(account, None)
    }

    /// Whether the account has a second factor, and how many recovery codes are left.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for another's; the storage's.
    pub fn second_factor(&self, viewer: &Viewer, account: u32) -> Result<Option<u32>> {
        if account != viewer.account() {
            viewer.need(Right::ManageAccounts)?;
        }
        if !self.inner.door.has_second_factor(account)? {
            return Ok(None);
        }
        let left = self.inner.door.ledger.state().read(|conn| {
            let sql = "SELECT count(*) FROM recovery WHERE account = ?";
            Ok(conn.prepare_cached(sql)?.query_row([account], |r| r.get(0))?)
        })?;
        Ok(Some(left))
    }
}
