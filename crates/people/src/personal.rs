//! Ids that tell whom they are about. A UUIDv5 over a telephone number is found again by trying all numbers
//! (STIX 2.1 §2.9 says how it is made), so such an id is treated as the number itself.
use ledger::{Keys, keyed_id};
use std::borrow::Cow;

/// Whether the value behind an id can be found by trying.
///
/// ```
/// assert!(people::is_guessable("phone-number--8b0e3a0d-9f4b-5a3c-8d39-6f1f1c1f5a01"));
/// assert!(!people::is_guessable("phone-number--8b0e3a0d-9f4b-4a3c-8d39-6f1f1c1f5a01"));
/// ```
pub fn is_guessable(id: &str) -> bool {
    stix::StixId::parse(id).is_ok_and(stix::StixId::is_guessable)
}

/// An id as logs hold it: one that can be guessed as its keyed hash, as the entry's subject is.
pub fn told<'a>(keys: &Keys, id: &'a str) -> Cow<'a, str> {
    if is_guessable(id) { Cow::Owned(subject(keys, id)) } else { Cow::Borrowed(id) }
}

/// An id with its type as it is and the rest as a keyed hash, in hexadecimal.
pub fn subject(keys: &Keys, id: &str) -> String {
    let hash = keyed_id(keys.index_hmac(), &[b"subject", id.as_bytes()]);
    let kind = id.split_once("--").map_or("", |(kind, _)| kind);
    format!("{kind}--{}", hash.iter().map(|b| format!("{b:02x}")).collect::<String>())
}

/// What every account's id in the access log begins with.
const ACCOUNT: &str = "account--";

/// An account as the access log names one that a request was about: `account--7`. Names stay out of the log.
pub fn account_id(account: u32) -> String {
    format!("{ACCOUNT}{account}")
}

/// The account that such an id names.
///
/// ```
/// assert_eq!(people::account_of_id(&people::account_id(7)), Some(7));
/// assert_eq!(people::account_of_id("note--7"), None);
/// ```
pub fn account_of_id(id: &str) -> Option<u32> {
    id.strip_prefix(ACCOUNT)?.parse().ok()
}
