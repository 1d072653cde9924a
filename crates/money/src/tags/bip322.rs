//! BIP 322, the simple form: the signature is the witness of a transaction that would spend an output to the address, made of the
//! message. One key (P2WPKH), Taproot's key path, and scripts that count signatures are verified.
use super::signed::{compact_size, counted};
use crate::chain::{hash160, sha256d};
use k256::ecdsa::signature::hazmat::PrehashVerifier;
use sha2::{Digest, Sha256};

/// `SIGHASH_ALL`, the only one that proves.
const ALL: u8 = 1;
/// Most elements of a witness, and the longest of them.
const MAX_ELEMENTS: u64 = 32;
const MAX_ELEMENT: u64 = 10_000;

/// Whether `witness` signs `message` for `address`.
pub(super) fn verify(address: &str, message: &str, witness: &[u8]) -> bool {
    let Ok((prefix, version, program)) = bech32::segwit::decode(address) else { return false };
    let Some(stack) = stack(witness).filter(|_| prefix.as_str() == "bc") else { return false };
    let stack: Vec<&[u8]> = stack.iter().map(|element| &**element).collect();
    let spent = Spent::new(version.to_u8(), &program, message);
    match (version.to_u8(), program.len(), &stack[..]) {
        (0, 20, [signature, key]) => {
            key.len() == 33
                && hash160(key) == program[..]
                && ecdsa(signature, key, &spent.segwit(&[&[0x76, 0xa9, 20][..], &program, &[0x88, 0xac]].concat()))
        }
        (0, 32, [dummy, signatures @ .., script]) => {
            let Some((needed, keys)) = counted(script) else { return false };
            let known = dummy.is_empty() && Sha256::digest(script)[..] == program[..] && signatures.len() == needed;
            let hash = spent.segwit(script);
            // In the order of the keys, as OP_CHECKMULTISIG reads them.
            let mut keys = keys.iter();
            known && signatures.iter().all(|signature| keys.any(|key| ecdsa(signature, key, &hash)))
        }
        (1, 32, [signature]) => schnorr(signature, &program, &spent),
        _ => false,
    }
}

/// The witness's elements.
fn stack(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let count = take_size(&mut bytes).filter(|count| *count <= MAX_ELEMENTS)?;
    let mut all = Vec::new();
    for _ in 0..count {
        let len = take_size(&mut bytes).filter(|len| *len <= MAX_ELEMENT)?;
        let (element, rest) = bytes.split_at_checked(usize::try_from(len).ok()?)?;
        all.push(element.to_vec());
        bytes = rest;
    }
    bytes.is_empty().then_some(all)
}

fn take_size(bytes: &mut &[u8]) -> Option<u64> {
    let (first, rest) = bytes.split_first()?;
    let (size, rest) = match first {
        0..=0xfc => (u64::from(*first), rest),
        0xfd => rest.split_first_chunk().map(|(size, rest)| (u64::from(u16::from_le_bytes(*size)), rest))?,
        _ => return None,
    };
    *bytes = rest;
    Some(size)
}

/// The output that the message makes and the transaction that spends it (BIP 322, "Full").
struct Spent {
    script: Vec<u8>,
    /// Id of the transaction with the output, in the order in which it is computed.
    txid: [u8; 32],
}

/// What both transactions end with: version, lock time and sequence are 0, the output is `OP_RETURN` with no value.
const ZERO: [u8; 4] = [0; 4];
const OUTPUT: [u8; 10] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 0x6a];

impl Spent {
    fn new(version: u8, program: &[u8], message: &str) -> Spent {
        let opcode = if version == 0 { 0 } else { 0x50 + version };
        let script = [&[opcode, u8::try_from(program.len()).unwrap_or(0)][..], program].concat();
        let hash = tagged("BIP0322-signed-message", &[message.as_bytes()]);
        let txid = sha256d(&[
            &ZERO,
            &[1],
            &[0; 32],
            &[0xff; 4],
            &[34, 0, 32],
            &hash,
            &ZERO,
            &[1],
            &[0; 8],
            &compact_size(script.len()),
            &script,
            &ZERO,
        ]);
        Spent { script, txid }
    }

    /// BIP 143's hash under `SIGHASH_ALL`.
    fn segwit(&self, code: &[u8]) -> [u8; 32] {
        let outpoint = [&self.txid[..], &ZERO].concat();
        sha256d(&[
            &ZERO,
            &sha256d(&[&outpoint]),
            &sha256d(&[&ZERO]),
            &outpoint,
            &compact_size(code.len()),
            code,
            &[0; 8],
            &ZERO,
            &sha256d(&[&OUTPUT]),
            &ZERO,
            &u32::from(ALL).to_le_bytes(),
        ])
    }

    /// BIP 341's hash for the key path, without annex.
    fn taproot(&self, kind: u8) -> [u8; 32] {
        let sha = |parts: &[&[u8]]| -> [u8; 32] {
            let mut hasher = Sha256::new();
            parts.iter().for_each(|part| hasher.update(part));
            hasher.finalize().into()
        };
        let parts: [&[u8]; 11] = [
            &[0, kind],
            &ZERO,
            &ZERO,
            &sha(&[&self.txid, &ZERO]),
            &sha(&[&[0; 8]]),
            &sha(&[&compact_size(self.script.len()), &self.script]),
            &sha(&[&ZERO]),
            &sha(&[&OUTPUT]),
            &[0],
            &ZERO,
            &[],
        ];
        tagged("TapSighash", &parts)
    }
}

/// BIP 340's tagged hash.
fn tagged(tag: &str, parts: &[&[u8]]) -> [u8; 32] {
    let tag = Sha256::digest(tag.as_bytes());
    let mut hasher = Sha256::new();
    [&tag[..], &tag[..]].iter().chain(parts).for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

fn ecdsa(signature: &[u8], key: &[u8], hash: &[u8; 32]) -> bool {
    let Some((kind, der)) = signature.split_last() else { return false };
    let (Ok(signature), Ok(key)) =
        (k256::ecdsa::Signature::from_der(der), k256::ecdsa::VerifyingKey::from_sec1_bytes(key))
    else {
        return false;
    };
    *kind == ALL && key.verify_prehash(hash, &signature).is_ok()
}

fn schnorr(signature: &[u8], program: &[u8], spent: &Spent) -> bool {
    let (bytes, kind) = match signature.split_at_checked(64) {
        Some((bytes, [])) => (bytes, 0),
        Some((bytes, [ALL])) => (bytes, ALL),
        _ => return false,
    };
    let (Ok(signature), Ok(key)) =
        (k256::schnorr::Signature::try_from(bytes), k256::schnorr::VerifyingKey::try_from(program))
    else {
        return false;
    };
    key.verify_raw(&spent.taproot(kind), &signature).is_ok()
}
