//! What stands in addresses in place of a guessable id, of a place in the log or of words. The first two are sealed under the node's key: the
//! same each time, so that a bookmark holds, and of no meaning to browsers' histories, proxies' logs or other people.
//!
//! A seal is a Feistel network of six rounds with HMAC-SHA-256 (Luby and Rackoff 1988: four make a strong
//! pseudo-random permutation): 128 bits in, 128 bits out, nothing stored. Words that were searched for are sealed records,
//! for the account that asked alone.
use crate::Intel;
use crate::view::row;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use people::{Viewer, is_guessable};
use selectors::Kind;
use uuid::Uuid;

const ROUNDS: u8 = 6;
/// What a selector's address begins with before it is sealed, so that no other seal opens as one.
const SELECTOR: u64 = u64::from_be_bytes(*b"\0\0select");

fn round(key: &[u8; 32], n: u8, half: u64) -> u64 {
    let mac = ledger::keyed_id(key, &[b"address", &[n], &half.to_be_bytes()]);
    mac.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

fn halves(n: u128) -> (u64, u64) {
    ((n >> 64) as u64, n as u64)
}

fn seal(key: &[u8; 32], n: u128) -> u128 {
    let (left, right) = (0..ROUNDS).fold(halves(n), |(l, r), n| (r, l ^ round(key, n, r)));
    u128::from(left) << 64 | u128::from(right)
}

fn unseal(key: &[u8; 32], n: u128) -> u128 {
    let (left, right) = (0..ROUNDS).rev().fold(halves(n), |(l, r), n| (r ^ round(key, n, l), l));
    u128::from(left) << 64 | u128::from(right)
}

/// 32 hexadecimal digits, in the one spelling that we write.
fn digits(text: &str) -> Option<u128> {
    let own = text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    u128::from_str_radix(text, 16).ok().filter(|_| own)
}

/// What a sealed search says of itself.
fn purpose(viewer: &Viewer) -> Vec<u8> {
    [b"search ".as_slice(), &viewer.account().to_be_bytes()].concat()
}

impl Intel {
    fn address_key(&self) -> &[u8; 32] {
        self.inner.keys.index_hmac()
    }

    /// The part of an address that names an object: its id, sealed when it can be guessed.
    pub fn address_of(&self, id: &str) -> String {
        let parts = id.rsplit_once("--").filter(|_| is_guessable(id));
        match parts.and_then(|(kind, uuid)| Some((kind, Uuid::try_parse(uuid).ok()?))) {
            Some((kind, uuid)) => format!("{kind}~{:032x}", seal(self.address_key(), uuid.as_u128())),
            None => id.to_owned(),
        }
    }

    /// The id that an address names; `None` when it cannot have been made here.
    pub fn id_at(&self, address: &str) -> Option<String> {
        let Some((kind, sealed)) = address.split_once('~') else { return Some(address.to_owned()) };
        let uuid = Uuid::from_u128(unseal(self.address_key(), digits(sealed)?));
        Some(format!("{kind}--{uuid}")).filter(|id| is_guessable(id))
    }

    /// The part of an address that names a personal selector, telling neither its kind nor its value: its keyed hash,
    /// sealed. It is the same after the view is folded anew, and nobody without the node's key makes or reads one.
    pub fn address_of_selector(&self, kind: Kind, value: &str) -> String {
        let hash = row(self.inner.keys.row(), "selector", kind.code(), value).cast_unsigned();
        let named = u128::from(SELECTOR << 16 | u64::from(kind.code())) << 64 | u128::from(hash);
        format!("{:032x}", seal(self.address_key(), named))
    }

    /// The personal selector of an address; `None` when it was not made here or when nothing holds it any longer. Whether
    /// the viewer sees a holder is another question, which whoever asks must ask.
    pub(crate) fn selector_at(&self, viewer: &Viewer, address: &str) -> crate::Result<Option<(Kind, String)>> {
        let Some((named, hash)) = digits(address).map(|n| halves(unseal(self.address_key(), n))) else {
            return Ok(None);
        };
        let kind = u16::try_from(named & 0xffff).ok().and_then(Kind::from_code).filter(|k| k.is_personal());
        let Some(kind) = kind.filter(|_| named >> 16 == SELECTOR) else { return Ok(None) };
        let hash = hash.cast_signed();
        let values: Vec<String> = self.read(viewer, |conn| {
            conn.prepare_cached(
                "SELECT value FROM selectors WHERE sel IN (SELECT n FROM selector_rows WHERE h = ?1 UNION ALL SELECT n FROM selector_rows_new WHERE h = ?1) \
                 AND kind = ?2 /* for all: a dictionary */",
            )?
            .query_map((hash, kind.code()), |r| r.get(0))?
            .collect()
        })?;
        let meant = |value: &String| row(self.inner.keys.row(), "selector", kind.code(), value) == hash;
        Ok(values.into_iter().find(meant).map(|value| (kind, value)))
    }

    /// What somebody searches for, as her addresses have it: names and numbers stand in no browser's history and no
    /// proxy's log, and it opens for nobody else.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn address_of_search(&self, viewer: &Viewer, asked: &str) -> crate::Result<String> {
        let sealed = self.inner.keys.seal(&purpose(viewer), asked.as_bytes());
        Ok(URL_SAFE_NO_PAD.encode(sealed.map_err(|_| people::Error::NoRandom)?))
    }

    /// What an address searches for; `None` when it was not made here for this account.
    pub(crate) fn search_at(&self, viewer: &Viewer, address: &str) -> Option<String> {
        let sealed = URL_SAFE_NO_PAD.decode(address).ok()?;
        let asked = self.inner.keys.unseal(&purpose(viewer), &sealed).ok()?;
        String::from_utf8(asked.to_vec()).ok()
    }

    /// A place in the log as addresses have it: the number itself would tell how much stands where nothing is seen.
    pub fn mark_of(&self, pos: u64) -> String {
        format!("{:032x}", seal(self.address_key(), pos.into()))
    }

    /// The place of a mark; `None` when it was not made here.
    pub fn pos_at(&self, mark: &str) -> Option<u64> {
        u64::try_from(unseal(self.address_key(), digits(mark)?)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_seal_opens_with_its_own_key_alone(n: u128, key: [u8; 32], other: [u8; 32]) {
            prop_assume!(key != other);
            prop_assert_eq!(unseal(&key, seal(&key, n)), n);
            prop_assert_ne!(unseal(&other, seal(&key, n)), n);
        }
    }

    #[test]
    fn neighbours_in_the_log_have_nothing_in_common() {
        let (one, two) = (seal(&[7; 32], 1), seal(&[7; 32], 2));
        assert!((one ^ two).count_ones() > 30);
    }

    #[test]
    fn one_mark_has_one_spelling() {
        assert_eq!(digits("0000000000000000000000000000000a"), Some(10));
        for bad in ["a", "0000000000000000000000000000000A", "+000000000000000000000000000000a", ""] {
            assert_eq!(digits(bad), None, "{bad}");
        }
    }
}
