//! Who may spend: the key under which an output's script is an address, and what an input shows of the output it spends.
use super::network::{Family, Network};
use crate::columns::{Block, Hashing, Span};
use sha2::{Digest, Sha256};

/// First bytes of address keys. The rest is the hash, the public key or the witness program.
pub mod kind {
    /// Hash of a public key.
    pub const P2PKH: u8 = 1;
    /// Hash of a script.
    pub const P2SH: u8 = 2;
    /// SegWit: hash of a public key.
    pub const P2WPKH: u8 = 3;
    /// SegWit: hash of a script.
    pub const P2WSH: u8 = 4;
    /// Taproot: a public key.
    pub const P2TR: u8 = 5;
    /// A public key in the open, as the script writes it.
    pub const P2PK: u8 = 6;
    /// Another witness version: its number, then the program.
    pub const WITNESS: u8 = 7;
    /// Any other script, bare multisig among them: its SHA-256.
    pub const SCRIPT: u8 = 8;
    /// Bitcoin Cash: hash of a script, 32 bytes.
    pub const P2SH32: u8 = 9;
}

const OP_RETURN: u8 = 0x6a;
const MAX_SCRIPT: usize = 10_000;
/// 15 May 2023: from then on a script's hash on Bitcoin Cash may have 20 or 32 bytes (CHIP-2022-05), and an input shows neither.
const P2SH32_FROM: u32 = 1_684_152_000;

/// The address key of an output's script; empty when nobody can spend it (OP_RETURN, longer than the limit).
pub fn key_of_script(script: &[u8], family: Family, block: &mut Block) -> Span {
    let cash = family == Family::BitcoinCash;
    match *script {
        [0x76, 0xa9, 20, ref hash @ .., 0x88, 0xac] if hash.len() == 20 => block.key(&[&[kind::P2PKH], hash]),
        [0xa9, 20, ref hash @ .., 0x87] if hash.len() == 20 => block.key(&[&[kind::P2SH], hash]),
        [0xaa, 32, ref hash @ .., 0x87] if hash.len() == 32 && cash => block.key(&[&[kind::P2SH32], hash]),
        [0, 20, ref hash @ ..] if hash.len() == 20 && !cash => block.key(&[&[kind::P2WPKH], hash]),
        [0, 32, ref hash @ ..] if hash.len() == 32 && !cash => block.key(&[&[kind::P2WSH], hash]),
        [0x51, 32, ref key @ ..] if key.len() == 32 && !cash => block.key(&[&[kind::P2TR], key]),
        [33, ref key @ .., 0xac] if is_public_key(key) && key.len() == 33 => block.key(&[&[kind::P2PK], key]),
        [65, ref key @ .., 0xac] if is_public_key(key) && key.len() == 65 => block.key(&[&[kind::P2PK], key]),
        [version @ 0x51..=0x60, len @ 2..=40, ref program @ ..] if program.len() == usize::from(len) && !cash => {
            block.key(&[&[kind::WITNESS, version - 0x50], program])
        }
        [OP_RETURN, ..] => Span::default(),
        _ if script.len() > MAX_SCRIPT => Span::default(),
        _ => block.key(&[&[kind::SCRIPT], &Sha256::digest(script)]),
    }
}

/// The address as people write it; `None` for keys that have no such form.
///
/// ```
/// use money::chain::{Network, address_text};
/// let mut key = vec![3];
/// key.extend([0u8; 20]);
/// let text = address_text(&key, Network::Main).unwrap();
/// assert!(text.starts_with("bc1q"));
/// ```
pub fn address_text(key: &[u8], network: Network) -> Option<String> {
    let (pubkey_hash, script_hash, prefix) = network.prefixes();
    let (first, rest) = key.split_first()?;
    if network.family() == Family::BitcoinCash {
        let sort = match *first {
            kind::P2PKH => 0,
            kind::P2SH | kind::P2SH32 => 1,
            _ => return None,
        };
        return selectors::cash_address(prefix, sort, rest);
    }
    let base58 = |version: u8| {
        let bytes: Vec<u8> = std::iter::once(version).chain(rest.iter().copied()).collect();
        bs58::encode(bytes).with_check().into_string()
    };
    let segwit = |version: u8, program: &[u8]| {
        let version = bech32::Fe32::try_from(version).ok()?;
        bech32::segwit::encode(bech32::Hrp::parse(prefix).ok()?, version, program).ok()
    };
    match *first {
        kind::P2PKH => Some(base58(pubkey_hash)),
        kind::P2SH => Some(base58(script_hash)),
        kind::P2WPKH | kind::P2WSH => segwit(0, rest),
        kind::P2TR => segwit(1, rest),
        kind::WITNESS => rest.split_first().and_then(|(version, program)| segwit(*version, program)),
        _ => None,
    }
}

fn is_public_key(bytes: &[u8]) -> bool {
    matches!((bytes.first(), bytes.len()), (Some(2 | 3), 33) | (Some(4), 65))
}

/// A signature in DER with its sighash byte, as far as its frame shows (BIP 66).
fn is_signature(bytes: &[u8]) -> bool {
    match *bytes {
        [0x30, len, 0x02, ..] => (9..=73).contains(&bytes.len()) && usize::from(len) + 3 == bytes.len(),
        _ => false,
    }
}

/// A Schnorr signature of Bitcoin Cash with its sighash byte. An uncompressed public key has its length too and any last byte: what is
/// a point of the curve is a key.
fn is_cash_schnorr(bytes: &[u8]) -> bool {
    let sighash = bytes.last().is_some_and(|last| last & 0x40 != 0 && matches!(last & !0xe0, 1..=3));
    bytes.len() == 65 && sighash && !(bytes.first() == Some(&4) && super::curve::is_point(bytes))
}

/// What an input's script and witness are read by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Whose blocks they are.
    pub family: Family,
    /// The block's time, Unix seconds.
    pub time: u32,
}

impl Rules {
    /// Bitcoin Cash also has Schnorr signatures, of 64 bytes and the sighash byte, whose FORKID is always set.
    fn is_signature(self, bytes: &[u8]) -> bool {
        is_signature(bytes) || (self.family == Family::BitcoinCash && is_cash_schnorr(bytes))
    }

    /// Whether a push is a signature that does not sign all inputs and outputs.
    pub fn signs_less(self, bytes: &[u8]) -> bool {
        self.is_signature(bytes) && bytes.last().is_some_and(|last| last & !self.family.sighash_beside() != 1)
    }
}

/// Whether a witness of one element (an annex aside) is a Taproot signature that does not sign all.
pub fn taproot_signs_less(witness: &[&[u8]]) -> bool {
    matches!(without_annex(witness), [signature] if signature.len() == 65 && signature.last() != Some(&1))
}

fn without_annex<'a, 'b>(witness: &'b [&'a [u8]]) -> &'b [&'a [u8]] {
    match witness {
        [rest @ .., annex] if !rest.is_empty() && annex.first() == Some(&0x50) => rest,
        all => all,
    }
}

/// What an input shows of the address it spends: a key or a script, whose hash is the address's. Nobody need compute it where
/// the spent output is on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revealed<'a> {
    /// The address's kind.
    pub kind: u8,
    /// The key or the script.
    pub shown: &'a [u8],
    /// How it is hashed.
    pub hashing: Hashing,
}

impl Revealed<'_> {
    /// The address key.
    pub fn key(&self) -> Vec<u8> {
        let mut key = vec![self.kind];
        self.hashing.append(self.shown, &mut key);
        key
    }
}

fn keyed(kind: u8, shown: &[u8]) -> Option<Revealed<'_>> {
    Some(Revealed { kind, shown, hashing: if kind == kind::P2WSH { Hashing::Sha256 } else { Hashing::Hash160 } })
}

/// The address that an input reveals, or `None`: not for P2PK, bare multisig and Taproot, and never by guessing.
pub fn revealed<'a>(script_sig: &'a [u8], witness: &[&'a [u8]], rules: Rules) -> Option<Revealed<'a>> {
    if script_sig.is_empty() {
        return revealed_by_witness(without_annex(witness), witness.len());
    }
    let hashes_scripts = rules.time >= rules.family.script_hashes_from();
    let sure = rules.family != Family::BitcoinCash || rules.time < P2SH32_FROM;
    let ends = ends(script_sig)?;
    match ends {
        // SegWit within P2SH: one push of a witness program.
        Ends { first: program @ ([0, 20, ..] | [0, 32, ..]), pushes: 1, .. }
            if !witness.is_empty() && matches!(program.len(), 22 | 34) =>
        {
            keyed(kind::P2SH, program)
        }
        _ if !witness.is_empty() => None,
        Ends { first, last, pushes: 2 } if rules.is_signature(first) && is_public_key(last) => keyed(kind::P2PKH, last),
        Ends { last, pushes, .. }
            if pushes > 1 && hashes_scripts && sure && !is_signature(last) && checks_signatures(last) =>
        {
            keyed(kind::P2SH, last)
        }
        _ => None,
    }
}

fn revealed_by_witness<'a>(witness: &[&'a [u8]], with_annex: usize) -> Option<Revealed<'a>> {
    match witness {
        // An annex stands in Taproot's inputs alone as far as anybody knows; elsewhere it would be a script.
        _ if witness.len() != with_annex => None,
        [signature, key] if is_signature(signature) && is_public_key(key) && key.len() == 33 => {
            keyed(kind::P2WPKH, key)
        }
        [_, .., last] if !is_control_block(last) => keyed(kind::P2WSH, last),
        _ => None,
    }
}

/// A control block of Taproot's script path. Its first byte is a leaf version that no script can begin with and succeed
/// (BIP 341, on leaf versions), so a SegWit script is never taken for one.
fn is_control_block(bytes: &[u8]) -> bool {
    let leaf = bytes.first().map(|byte| byte & 0xfe);
    let version = matches!(leaf, Some(0x66 | 0x7e | 0x80 | 0x84 | 0x96 | 0x98 | 0xba..=0xfe));
    version && bytes.len() >= 33 && bytes.len() % 32 == 1
}

/// The first and last push of a script that does nothing but push, and how many there are.
struct Ends<'a> {
    first: &'a [u8],
    last: &'a [u8],
    pushes: usize,
}

fn ends(script: &[u8]) -> Option<Ends<'_>> {
    let mut ends = Ends { first: &[], last: &[], pushes: 0 };
    let mut rest = script;
    while !rest.is_empty() {
        let (push, after) = next(rest)?;
        ends.last = push?;
        if ends.pushes == 0 {
            ends.first = ends.last;
        }
        ends.pushes += 1;
        rest = after;
    }
    Some(ends)
}

/// The pushes of a script, up to where it breaks off.
pub fn each_push(script: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = script;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let (push, after) = next(rest)?;
            rest = after;
            if push.is_some() {
                return push;
            }
        }
        None
    })
}

/// The next operation: what it pushes, if it pushes, and what follows it. `None` when the script breaks off.
fn next(script: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (op, rest) = script.split_first()?;
    let (len, rest) = match *op {
        0 | 0x4f | 0x51..=0x60 => return Some((Some(&[]), rest)),
        len @ 1..=75 => (usize::from(len), rest),
        0x4c => rest.split_first().map(|(len, rest)| (usize::from(*len), rest))?,
        0x4d => rest.split_first_chunk().map(|(len, rest)| (usize::from(u16::from_le_bytes(*len)), rest))?,
        0x4e => rest.split_first_chunk().map(|(len, rest)| (u32::from_le_bytes(*len) as usize, rest))?,
        _ => return Some((None, rest)),
    };
    let (push, rest) = rest.split_at_checked(len)?;
    Some((Some(push), rest))
}

/// Whether bytes are a script, whole, that checks a signature somewhere.
fn checks_signatures(script: &[u8]) -> bool {
    let mut rest = script;
    let mut checks = false;
    while let Some((op, _)) = rest.split_first() {
        match next(rest) {
            Some((push, after)) => {
                checks |= push.is_none() && matches!(op, 0xac..=0xaf);
                rest = after;
            }
            None => return false,
        }
    }
    checks
}
