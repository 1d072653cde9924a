//! Messages signed by an address's key, verified: Bitcoin's signed messages (BIP 137 and what wallets made of it), BIP 322 in its
//! simple form, m-of-n scripts, Ethereum's `personal_sign` (EIP-191) and TRON's likeness of it.
//!
//! The curve, the hashes and the encodings are crates' (`k256`, `sha2`, `sha3`, `base64`, `bech32`, `bs58`); what stands here is
//! which bytes are hashed, and which address a key has.
use crate::chain::{Network, address_text, each_push, hash160, script_kind, sha256d};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k256::ecdsa::signature::hazmat::PrehashVerifier;
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use sha2::{Digest, Sha256};
use sha3::Keccak256;

/// Longest message and longest signature or script, in bytes.
const MAX_PART: usize = 1 << 16;
/// Most keys of a script that counts signatures (`OP_CHECKMULTISIG`).
const MAX_KEYS: usize = 20;

/// How a message was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// "Bitcoin Signed Message", 65 bytes in Base64.
    BitcoinMessage,
    /// As many of them as the script asks for.
    BitcoinMultisig,
    /// BIP 322, simple.
    Bip322,
    /// `personal_sign`.
    Ethereum,
    /// `signMessage` of TRON's wallets.
    Tron,
}

impl Scheme {
    /// In words.
    pub fn says(self) -> &'static str {
        match self {
            Self::BitcoinMessage => "Bitcoin signed message",
            Self::BitcoinMultisig => "Bitcoin signed messages of an m-of-n script",
            Self::Bip322 => "BIP 322",
            Self::Ethereum => "Ethereum personal_sign",
            Self::Tron => "TRON signMessage",
        }
    }
}

/// What is claimed to prove that somebody holds an address's key.
#[derive(Debug, Clone, Copy, Default)]
pub struct Proof<'a> {
    /// The network's code.
    pub network: &'a str,
    /// The address, in its agreed spelling.
    pub address: &'a str,
    /// The message that was signed, byte for byte.
    pub message: &'a str,
    /// One signature, or one of each key that signed.
    pub signatures: &'a [&'a str],
    /// The script that the address is the hash of, in hex, when it is one.
    pub script: Option<&'a str>,
}

/// Verifies a proof; how it was signed, or why it proves nothing.
///
/// # Errors
/// What is wrong, in words that repeat neither message nor signature.
pub fn verify(proof: &Proof<'_>) -> Result<Scheme, &'static str> {
    let Proof { network, address, message, signatures, script } = *proof;
    let parts = signatures.iter().copied().chain(script).chain([message]);
    if parts.map(str::len).any(|len| len > MAX_PART) {
        return Err("the message, a signature or the script is longer than 64 KiB");
    }
    let [first, rest @ ..] = signatures else { return Err("there is no signature") };
    match network {
        "btc" | "bch" | "bsv" => match script.filter(|script| !script.is_empty()) {
            Some(script) => multisig(address, message, signatures, script),
            None if !rest.is_empty() => Err("there are several signatures and no script that asks for them"),
            None => bitcoin(address, message, first),
        },
        _ if !rest.is_empty() => Err("an account has one key, and there are several signatures"),
        _ if address.starts_with("0x") => {
            let said = |hash| recovered(&hash, first).is_some_and(|key| evm_address(&key) == address);
            if said(eip191(b"Ethereum", message)) || said(eip191_of_hash(b"Ethereum", message)) {
                return Ok(Scheme::Ethereum);
            }
            Err("the signature is not this address's for this message")
        }
        "trx" => {
            let said = |hash| recovered(&hash, first).is_some_and(|key| tron_address(&key) == address);
            if said(eip191(b"TRON", message)) || said(eip191_of_hash(b"TRON", message)) {
                return Ok(Scheme::Tron);
            }
            Err("the signature is not this address's for this message")
        }
        _ => Err("signatures of this network cannot be verified yet; Bitcoin's, Ethereum's kind's and TRON's can"),
    }
}

/// A signature by one key, of either kind.
fn bitcoin(address: &str, message: &str, signature: &str) -> Result<Scheme, &'static str> {
    let bytes = STANDARD.decode(signature.trim()).map_err(|_| "the signature is not Base64")?;
    if bytes.len() == 65 && matches!(bytes.first(), Some(27..=42)) {
        let key = signed_message(message, &bytes).ok_or("the signature recovers no key")?;
        return match forms(&key).iter().any(|form| form == address) {
            true => Ok(Scheme::BitcoinMessage),
            false => Err("the signature is not this address's for this message"),
        };
    }
    match super::bip322::verify(address, message, &bytes) {
        true => Ok(Scheme::Bip322),
        false => {
            Err("the signature is neither a signed message nor BIP 322's simple form for this address and message")
        }
    }
}

/// The key that signed "Bitcoin Signed Message" (65 bytes: a header that says which of four keys, r, s).
fn signed_message(message: &str, bytes: &[u8]) -> Option<VerifyingKey> {
    let (header, rest) = bytes.split_first()?;
    let which = header.checked_sub(27)? & 3;
    recover(&bitcoin_hash(message), rest, which)
}

fn bitcoin_hash(message: &str) -> [u8; 32] {
    sha256d(&[b"\x18Bitcoin Signed Message:\n", &compact_size(message.len()), message.as_bytes()])
}

/// A length as Bitcoin writes it.
pub(super) fn compact_size(len: usize) -> Vec<u8> {
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len @ 0..=0xfc), _) => vec![len],
        (_, Ok(len)) => [&[0xfd][..], &len.to_le_bytes()].concat(),
        _ => [&[0xfe][..], &u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes()].concat(),
    }
}

/// All addresses that a key alone can spend from, but for Taproot's. Wallets disagree on the header for SegWit, so the key counts.
fn forms(key: &VerifyingKey) -> Vec<String> {
    let short = hash160(key.to_sec1_point(true).as_bytes());
    let long = hash160(key.to_sec1_point(false).as_bytes());
    let nested = hash160(&[&[0, 20][..], &short].concat());
    let all = [
        (script_kind::P2PKH, short),
        (script_kind::P2PKH, long),
        (script_kind::P2WPKH, short),
        (script_kind::P2SH, nested),
    ];
    all.iter().filter_map(|(kind, hash)| address_text(&[&[*kind][..], hash].concat(), Network::Main)).collect()
}

/// Signatures by as many of a script's keys as it asks for.
fn multisig(address: &str, message: &str, signatures: &[&str], script: &str) -> Result<Scheme, &'static str> {
    let script = hex::decode(script.trim().trim_start_matches("0x")).map_err(|_| "the script is not hexadecimal")?;
    let sha = Sha256::digest(&script);
    let nested = hash160(&[&[0, 32][..], &sha].concat());
    let keys = [
        [&[script_kind::P2SH][..], &hash160(&script)].concat(),
        [&[script_kind::P2WSH][..], &sha].concat(),
        [&[script_kind::P2SH][..], &nested].concat(),
    ];
    if !keys.iter().any(|key| address_text(key, Network::Main).as_deref() == Some(address)) {
        return Err("the script is not this address's");
    }
    let (needed, keys) = counted(&script).ok_or("the script is not one that counts signatures (m of n keys)")?;
    let mut signed = vec![false; keys.len()];
    for signature in signatures {
        let bytes = STANDARD.decode(signature.trim()).map_err(|_| "a signature is not Base64")?;
        let key = signed_message(message, &bytes).ok_or("a signature recovers no key")?;
        let spelled = [key.to_sec1_point(true), key.to_sec1_point(false)];
        let place = keys.iter().position(|known| spelled.iter().any(|key| key.as_bytes() == *known));
        match place.and_then(|place| signed.get_mut(place)) {
            Some(signed) => *signed = true,
            None => return Err("a signature is by none of the script's keys, or for another message"),
        }
    }
    match signed.iter().filter(|signed| **signed).count() >= needed {
        true => Ok(Scheme::BitcoinMultisig),
        false => Err("fewer keys signed than the script asks for"),
    }
}

/// m and the keys of `OP_m KEY... OP_n OP_CHECKMULTISIG`, and nothing else.
pub(super) fn counted(script: &[u8]) -> Option<(usize, Vec<&[u8]>)> {
    let [first @ 0x51..=0x60, middle @ .., last @ 0x51..=0x60, 0xae] = script else { return None };
    let keys: Vec<&[u8]> = each_push(middle).take(MAX_KEYS + 1).collect();
    let spelled: usize = keys.iter().map(|key| key.len() + 1).sum();
    let (needed, all) = (usize::from(first - 0x50), usize::from(last - 0x50));
    let shaped = keys.iter().all(|key| matches!((key.first(), key.len()), (Some(2 | 3), 33) | (Some(4), 65)));
    let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
    let sound = spelled == middle.len() && keys.len() == all && needed <= all && distinct.len() == all && shaped;
    sound.then_some((needed, keys))
}

/// EIP-191, version E: the message with its length in front.
fn eip191(who: &[u8], message: &str) -> [u8; 32] {
    let mut hasher = Keccak256::new();
    for part in [b"\x19", who, b" Signed Message:\n", message.len().to_string().as_bytes(), message.as_bytes()] {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The same of the message's hash, as exchanges' tools sign.
fn eip191_of_hash(who: &[u8], message: &str) -> [u8; 32] {
    let inner = Keccak256::digest(message.as_bytes());
    let mut hasher = Keccak256::new();
    [b"\x19", who, b" Signed Message:\n32", &inner[..]].iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// The key that made a signature of 65 bytes in hex: r, s, and which key (0 or 1, or 27 or 28).
fn recovered(hash: &[u8; 32], signature: &str) -> Option<VerifyingKey> {
    let bytes = hex::decode(signature.trim().trim_start_matches("0x")).ok().filter(|bytes| bytes.len() == 65)?;
    let (which, rest) = bytes.split_last()?;
    recover(hash, rest, if *which >= 27 { which - 27 } else { *which })
}

/// Recovers a key from r and s (64 bytes), whichever of the two equal signatures (s, -s) it is.
fn recover(hash: &[u8; 32], rs: &[u8], which: u8) -> Option<VerifyingKey> {
    let signature = Signature::from_slice(rs).ok()?;
    let low = signature.normalize_s();
    let id = RecoveryId::from_byte(if low == signature { which } else { which ^ 1 })?;
    let key = VerifyingKey::recover_from_prehash(hash, &low, id).ok()?;
    key.verify_prehash(hash, &low).ok()?;
    Some(key)
}

fn account(key: &VerifyingKey) -> Vec<u8> {
    let point = key.to_sec1_point(false);
    let hash = Keccak256::digest(point.as_bytes().get(1..).unwrap_or_default());
    hash.get(12..).unwrap_or_default().to_vec()
}

fn evm_address(key: &VerifyingKey) -> String {
    format!("0x{}", hex::encode(account(key)))
}

fn tron_address(key: &VerifyingKey) -> String {
    bs58::encode([&[0x41][..], &account(key)].concat()).with_check().into_string()
}
