//! What a header and a coinbase commit to: the Merkle root of the transactions, the witness commitment (BIP 141).
use super::decode::{Fault, Header, fault};
use super::network::Family;
use super::transaction::Parts;
use crate::hash::{merkle_root, sha256d};

/// The hashes of a block's transactions.
#[derive(Default)]
pub(super) struct Hashes {
    ids: Vec<[u8; 32]>,
    witness_ids: Vec<[u8; 32]>,
    any_witness: bool,
    /// What the coinbase says the witnesses hash to.
    pub commitment: Option<[u8; 32]>,
    /// The 32 bytes of the coinbase's own witness.
    pub reserved: Option<[u8; 32]>,
    weight: u64,
}

impl Hashes {
    /// Room for so many transactions.
    pub fn with_room(txs: usize) -> Hashes {
        Hashes { ids: Vec::with_capacity(txs), witness_ids: Vec::with_capacity(txs), ..Hashes::default() }
    }

    /// Adds the transaction at `place`, and says its id.
    pub fn add(&mut self, place: u64, parts: &Parts<'_>) -> [u8; 32] {
        let [a, b, c] = parts.named;
        let id = sha256d(&[a, b, c]);
        self.ids.push(id);
        self.any_witness |= parts.segwit;
        self.weight = self.weight.saturating_add(parts.weight);
        self.witness_ids.push(match (place, parts.segwit) {
            (0, _) => [0; 32],
            (_, true) => sha256d(&[parts.whole]),
            (_, false) => id,
        });
        id
    }

    /// Compares them with what header and coinbase commit to.
    pub fn check(self, header: &Header, family: Family) -> Result<(), Fault> {
        if self.weight > family.max_weight() {
            return Err(fault(None, format!("weighs {}, more than a block may", self.weight)));
        }
        match merkle_root(self.ids) {
            Some(root) if root == header.merkle => {}
            Some(_) => {
                return Err(fault(None, "the transactions are not those of the header: the Merkle root differs"));
            }
            None => return Err(fault(None, "transactions stand twice, which leaves the Merkle root as it is")),
        }
        let Some(segwit_from) = family.segwit_from() else { return Ok(()) };
        match (self.commitment, self.any_witness) {
            (None, false) => Ok(()),
            (None, true) => Err(fault(0, "the coinbase does not commit to the witnesses that the block carries")),
            (Some(_), false) if header.time >= segwit_from => {
                Err(fault(None, "the coinbase commits to witnesses, but the block carries none: they were stripped"))
            }
            (Some(_), false) => Ok(()),
            (Some(commitment), true) => {
                let reserved = self.reserved.ok_or_else(|| fault(0, "the coinbase has no witness of 32 bytes"))?;
                let root = merkle_root(self.witness_ids).unwrap_or_default();
                match sha256d(&[&root, &reserved]) == commitment {
                    true => Ok(()),
                    false => {
                        Err(fault(None, "the witnesses are not those of the coinbase: the witness commitment differs"))
                    }
                }
            }
        }
    }
}
