//! An EXERCISE chain in block files: people who pay each other from a few addresses each, on regtest. Signatures are filler.
use crate::Failure;
use money::chain::{Header, Network, hash160, merkle_root, sha256d};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Transactions of a block.
const TXS: u64 = 3_000;
/// Blocks of a file, about as many bytes as a node puts into one.
const BLOCKS_A_FILE: u64 = 100;
const COIN: u64 = 100_000_000;
/// Most coins are spent while they are among the newest so many.
const RECENT: u64 = 200_000;

/// How large, and drawn from what.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub rows: u64,
    pub seed: u64,
}

/// An output that nobody has spent yet.
#[derive(Clone, Copy)]
struct Coin {
    id: [u8; 32],
    vout: u32,
    value: u64,
    owner: u32,
}

struct World {
    state: u64,
    coins: Vec<Coin>,
    owners: u32,
    rows: u64,
    parent: [u8; 32],
    height: u32,
}

/// Writes the chain if it is not there; says whether it was made now.
pub fn write_world(folder: &Path, plan: &Plan) -> Result<bool, Failure> {
    let mark = folder.join("made");
    let told = format!("{} {}\n", plan.rows, plan.seed);
    if std::fs::read_to_string(&mark).is_ok_and(|text| text == told) {
        return Ok(false);
    }
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    let mut world = World { state: plan.seed | 1, coins: Vec::new(), owners: 0, rows: 0, parent: [0; 32], height: 0 };
    let mut file = None;
    while world.rows < plan.rows {
        if u64::from(world.height).is_multiple_of(BLOCKS_A_FILE) {
            let path = folder.join(format!("blk{:05}.dat", u64::from(world.height) / BLOCKS_A_FILE));
            file = Some(BufWriter::new(File::create(path)?));
        }
        let block = world.block();
        if let Some(file) = &mut file {
            file.write_all(&Network::Regtest.magic())?;
            file.write_all(&u32::try_from(block.len())?.to_le_bytes())?;
            file.write_all(&block)?;
        }
    }
    if let Some(mut file) = file {
        file.flush()?;
    }
    std::fs::write(mark, told)?;
    Ok(true)
}

impl World {
    /// Steele, Lea and Flood's SplitMix64.
    fn any(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.any() % n.max(1)
    }

    /// Half of all payments go to an address that was paid before.
    fn owner(&mut self) -> u32 {
        if self.owners > 0 && self.any() & 1 == 0 {
            return u32::try_from(self.below(u64::from(self.owners))).unwrap_or(0);
        }
        self.owners += 1;
        self.owners - 1
    }

    fn take(&mut self) -> Option<Coin> {
        let all = self.coins.len() as u64;
        let near = if self.below(10) < 8 { all.min(RECENT) } else { all };
        let at = all - 1 - self.below(near);
        (all > 0).then(|| self.coins.swap_remove(usize::try_from(at).unwrap_or(0)))
    }

    fn block(&mut self) -> Vec<u8> {
        let mut txs = Vec::with_capacity(2 << 20);
        let (mut ids, mut witness_ids) = (Vec::new(), vec![[0; 32]]);
        let mut count = 1u64;
        while count < TXS && self.coins.len() as u64 > 3 * TXS {
            let (plain, whole) = self.payment();
            ids.push(sha256d(&[&plain]));
            witness_ids.push(if plain == whole { sha256d(&[&plain]) } else { sha256d(&[&whole]) });
            txs.extend_from_slice(&whole);
            self.made(&ids);
            count += 1;
        }
        let root = merkle_root(witness_ids).unwrap_or_default();
        let (plain, whole) = self.coinbase(&root);
        ids.insert(0, sha256d(&[&plain]));
        self.made(ids.get(..1).unwrap_or_default());
        let header = self.header(merkle_root(ids).unwrap_or_default());
        self.parent = sha256d(&[&header]);
        self.height += 1;
        [&header[..], &compact(count), &whole, &txs].concat()
    }

    /// Gives the newest coins, which do not know it yet, the id of their transaction.
    fn made(&mut self, ids: &[[u8; 32]]) {
        let Some(id) = ids.last() else { return };
        self.coins.iter_mut().rev().take_while(|coin| coin.id == [0; 32]).for_each(|coin| coin.id = *id);
    }

    fn header(&mut self, root: [u8; 32]) -> Vec<u8> {
        let time = 1_600_000_000 + 600 * self.height;
        let mut header =
            [&2u32.to_le_bytes()[..], &self.parent, &root, &time.to_le_bytes(), &0x207f_ffffu32.to_le_bytes()].concat();
        header.extend([0; 4]);
        for nonce in 0u32.. {
            header.truncate(76);
            header.extend(nonce.to_le_bytes());
            if Header::parse(&header).is_some_and(|header| header.worked(Network::Regtest)) {
                break;
            }
        }
        header
    }

    /// One to three coins to one to three owners; half by witness, half by script.
    fn payment(&mut self) -> (Vec<u8>, Vec<u8>) {
        let many = 1 + self.below(3);
        let coins: Vec<Coin> = (0..many).filter_map(|_| self.take()).collect();
        let total: u64 = coins.iter().map(|coin| coin.value).sum::<u64>().saturating_sub(200);
        let segwit = coins.iter().any(|coin| coin.owner & 1 == 0);
        let (mut ins, mut witness) = (compact(coins.len() as u64), Vec::new());
        for coin in &coins {
            ins.extend(coin.id);
            ins.extend(coin.vout.to_le_bytes());
            let (key, signature) = (public_key(coin.owner), self.signature());
            let pushed = [&[71][..], &signature, &[33], &key].concat();
            match coin.owner & 1 {
                0 => {
                    ins.push(0);
                    witness.push(2);
                    witness.extend(pushed);
                }
                _ => {
                    ins.extend(compact(pushed.len() as u64));
                    ins.extend(pushed);
                    witness.push(0);
                }
            }
            ins.extend([0xff; 4]);
        }
        let outputs = 1 + self.below(3);
        let mut outs = compact(outputs);
        for vout in 0..outputs {
            let (owner, value) = (self.owner(), total / outputs);
            outs.extend(value.to_le_bytes());
            outs.extend(script(owner));
            self.coins.push(Coin { id: [0; 32], vout: vout as u32, value, owner });
        }
        self.rows += coins.len() as u64 + outputs;
        written(&ins, &outs, segwit.then_some(&witness))
    }

    fn signature(&mut self) -> Vec<u8> {
        let mut signature = vec![0x30, 68, 0x02, 32];
        signature.extend((0..8).flat_map(|_| self.any().to_le_bytes()));
        signature.extend([7, 7, 1]);
        signature
    }

    /// New coins in many outputs, so that there is something to spend from the start.
    fn coinbase(&mut self, witness_root: &[u8; 32]) -> (Vec<u8>, Vec<u8>) {
        let script_sig = [&[3][..], self.height.to_le_bytes().get(..3).unwrap_or_default(), &[7, 7]].concat();
        let mut ins = vec![1];
        ins.extend([0; 32]);
        ins.extend([0xff; 4]);
        ins.extend(compact(script_sig.len() as u64));
        ins.extend(script_sig);
        ins.extend([0xff; 4]);
        let outputs = if self.coins.len() < 100_000 { 2_000 } else { 1 };
        let mut outs = compact(outputs + 1);
        for vout in 0..outputs {
            let owner = self.owner();
            let value = 50 * COIN / outputs;
            outs.extend(value.to_le_bytes());
            outs.extend(script(owner));
            self.coins.push(Coin { id: [0; 32], vout: vout as u32, value, owner });
        }
        let commitment = sha256d(&[witness_root, &[0; 32]]);
        outs.extend([0; 8]);
        outs.extend([38, 0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed]);
        outs.extend(commitment);
        self.rows += outputs + 1;
        let mut witness = vec![1, 32];
        witness.extend([0; 32]);
        written(&ins, &outs, Some(&witness))
    }
}

/// The form that is hashed to an id, and the whole.
fn written(ins: &[u8], outs: &[u8], witness: Option<&Vec<u8>>) -> (Vec<u8>, Vec<u8>) {
    let (version, locktime) = (2u32.to_le_bytes(), [0; 4]);
    let plain = [&version[..], ins, outs, &locktime].concat();
    let whole = witness.map(|witness| [&version[..], &[0, 1], ins, outs, witness, &locktime].concat());
    (plain.clone(), whole.unwrap_or(plain))
}

fn public_key(owner: u32) -> Vec<u8> {
    [&[2][..], &sha256d(&[&owner.to_le_bytes()])].concat()
}

fn script(owner: u32) -> Vec<u8> {
    let hash = hash160(&public_key(owner));
    match owner & 1 {
        0 => [&[22, 0, 20][..], &hash].concat(),
        _ => [&[25, 0x76, 0xa9, 20][..], &hash, &[0x88, 0xac]].concat(),
    }
}

fn compact(n: u64) -> Vec<u8> {
    match u16::try_from(n) {
        Ok(n) if n < 0xfd => vec![n as u8],
        Ok(n) => [&[0xfd][..], &n.to_le_bytes()].concat(),
        Err(_) => [&[0xfe][..], &(n as u32).to_le_bytes()].concat(),
    }
}
