//! Transactions and blocks as Bitcoin writes them (BIP 141, 143's witnesses, BIP 34's heights), for its regression test network,
//! where any second hash is work enough. Signatures are made up: they have a signature's frame and prove nothing.
use sha2::{Digest, Sha256};

/// Before each block in the files of the regression test network.
pub(super) const MAGIC: [u8; 4] = [0xfa, 0xbf, 0xb5, 0xda];
/// The easiest target of that network.
const BITS: u32 = 0x207f_ffff;

/// What an input's signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signs {
    /// Everything.
    All,
    /// Its own input and the output beside it: others may add to the rest.
    One,
}

/// Where an output pays to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Script {
    /// A key's hash (P2WPKH).
    Key([u8; 20]),
    /// A script's hash (P2WSH).
    Hash([u8; 32]),
}

/// An output that can be spent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coin {
    pub(super) id: [u8; 32],
    pub(super) place: u32,
    pub(super) value: u64,
    pub(super) key: [u8; 20],
    /// The first block that may spend it.
    pub(super) from: u64,
}

/// A transaction.
#[derive(Clone, Debug)]
pub(super) struct Raw {
    pub(super) id: [u8; 32],
    witness_id: [u8; 32],
    bytes: Vec<u8>,
}

fn twice(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(Sha256::digest(bytes)).into()
}

fn count(n: usize, into: &mut Vec<u8>) {
    match (u8::try_from(n), u16::try_from(n)) {
        (Ok(n), _) if n < 0xfd => into.push(n),
        (_, Ok(n)) => {
            into.push(0xfd);
            into.extend(n.to_le_bytes());
        }
        _ => {
            into.push(0xfe);
            into.extend(u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes());
        }
    }
}

fn script(script: &Script) -> Vec<u8> {
    match script {
        Script::Key(hash) => [&[0, 20][..], hash].concat(),
        Script::Hash(hash) => [&[0, 32][..], hash].concat(),
    }
}

/// A signature's frame (DER) and its sighash byte, then a key's.
fn witness(coin: &Coin, signs: Signs) -> Vec<u8> {
    let r: [u8; 32] = Sha256::digest([&coin.id[..], &coin.place.to_le_bytes()].concat()).into();
    let s: [u8; 32] = Sha256::digest(r).into();
    let part = |n: [u8; 32]| {
        [&[2, 32, n.first().copied().unwrap_or(0) & 0x3f | 1][..], n.get(1..).unwrap_or_default()].concat()
    };
    let body = [part(r), part(s)].concat();
    let mut signature = vec![0x30, body.len() as u8];
    signature.extend(body);
    signature.push(if signs == Signs::All { 0x01 } else { 0x83 });
    let key = [&[2][..], &Sha256::digest(coin.key)].concat();
    let mut out = vec![2];
    for element in [signature, key] {
        count(element.len(), &mut out);
        out.extend(element);
    }
    out
}

/// Writes a transaction.
pub(super) fn transaction(inputs: &[(Coin, Signs)], outputs: &[(Script, u64)]) -> Raw {
    let mut ends = Vec::new();
    count(inputs.len(), &mut ends);
    for (coin, _) in inputs {
        ends.extend(coin.id);
        ends.extend(coin.place.to_le_bytes());
        ends.push(0);
        ends.extend(u32::MAX.to_le_bytes());
    }
    count(outputs.len(), &mut ends);
    for (to, value) in outputs {
        let to = script(to);
        ends.extend(value.to_le_bytes());
        count(to.len(), &mut ends);
        ends.extend(to);
    }
    let witnesses = inputs.iter().flat_map(|(coin, signs)| witness(coin, *signs)).collect();
    whole(ends, witnesses)
}

fn whole(ends: Vec<u8>, witnesses: Vec<u8>) -> Raw {
    let version = 2_i32.to_le_bytes();
    let id = twice(&[&version[..], &ends, &[0; 4]].concat());
    let bytes = [&version[..], &[0, 1], &ends, &witnesses, &[0; 4]].concat();
    Raw { id, witness_id: twice(&bytes), bytes }
}

/// A height as a script pushes it (BIP 34).
fn pushed(height: u64) -> Vec<u8> {
    match height {
        0 => vec![0],
        1..=16 => vec![0x50 + height as u8],
        _ => {
            let mut bytes: Vec<u8> = height.to_le_bytes().into_iter().collect();
            while bytes.last() == Some(&0) {
                bytes.pop();
            }
            if bytes.last().is_some_and(|last| last & 0x80 != 0) {
                bytes.push(0);
            }
            [&[bytes.len() as u8][..], &bytes].concat()
        }
    }
}

fn coinbase(height: u64, to: [u8; 20], value: u64, commitment: [u8; 32]) -> Raw {
    let mut ends = vec![1];
    ends.extend([0; 32]);
    ends.extend(u32::MAX.to_le_bytes());
    let mut signature = pushed(height);
    signature.extend(b"\x08EXERCISE");
    count(signature.len(), &mut ends);
    ends.extend(signature);
    ends.extend(u32::MAX.to_le_bytes());
    let commits = [&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed][..], &commitment].concat();
    ends.push(2);
    for (value, to) in [(value, script(&Script::Key(to))), (0, commits)] {
        ends.extend(value.to_le_bytes());
        count(to.len(), &mut ends);
        ends.extend(to);
    }
    whole(ends, [&[1, 32][..], &[0; 32]].concat())
}

fn merkle(mut level: Vec<[u8; 32]>) -> [u8; 32] {
    while level.len() > 1 {
        if level.len() % 2 == 1 {
            level.extend(level.last().copied());
        }
        let pair = |two: &[[u8; 32]]| twice(&two.concat());
        level = level.chunks(2).map(pair).collect();
    }
    level.first().copied().unwrap_or_default()
}

/// A block with its coinbase: its bytes, its hash, and the coin it makes.
pub(super) fn block(
    (height, parent, time): (u64, [u8; 32], u32),
    to: [u8; 20],
    value: u64,
    txs: &[Raw],
) -> (Vec<u8>, [u8; 32], Coin) {
    let witnesses = std::iter::once([0; 32]).chain(txs.iter().map(|tx| tx.witness_id)).collect();
    let commitment = twice(&[merkle(witnesses), [0; 32]].concat());
    let first = coinbase(height, to, value, commitment);
    let root = merkle(std::iter::once(first.id).chain(txs.iter().map(|tx| tx.id)).collect());
    let head = [&2_i32.to_le_bytes()[..], &parent, &root, &time.to_le_bytes(), &BITS.to_le_bytes()].concat();
    let (mut nonce, mut hash) = (0_u32, [0xff; 32]);
    // The target is 0x7fffff and zeros: its first byte alone decides but for one hash in millions, which is passed over.
    while hash.last().is_some_and(|&first| first >= 0x7f) {
        hash = twice(&[&head[..], &nonce.to_le_bytes()].concat());
        nonce = nonce.wrapping_add(1);
    }
    let mut bytes = [&head[..], &nonce.wrapping_sub(1).to_le_bytes()].concat();
    count(1 + txs.len(), &mut bytes);
    bytes.extend(&first.bytes);
    txs.iter().for_each(|tx| bytes.extend(&tx.bytes));
    (bytes, hash, Coin { id: first.id, place: 0, value, key: to, from: height + 1 })
}
