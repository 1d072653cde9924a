//! A transaction of a chain of accounts, before it has a place in a block.

/// Twenty bytes of an account, without TRON's 0x41.
pub(crate) type Address = [u8; 20];

/// What a transaction of TRON is, as its API calls it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Contract {
    /// Coins.
    #[default]
    Transfer,
    /// A call of a contract.
    Trigger,
    /// New permissions.
    Permission,
}

impl Contract {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Transfer => "TransferContract",
            Self::Trigger => "TriggerSmartContract",
            Self::Permission => "AccountPermissionUpdateContract",
        }
    }
}

/// A call inside a transaction.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) from: Address,
    pub(crate) to: Address,
    pub(crate) value: u128,
    pub(crate) create: bool,
}

/// A log.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) contract: Address,
    pub(crate) topics: Vec<[u8; 32]>,
    pub(crate) data: Vec<u8>,
}

/// Who may act for an account from then on.
#[derive(Clone, Debug)]
pub(crate) struct Permission {
    pub(crate) account: Address,
    pub(crate) threshold: u64,
    pub(crate) keys: Vec<(Address, u64)>,
}

/// A transaction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tx {
    /// Seconds since the world began.
    pub(crate) at: u64,
    pub(crate) signer: Address,
    pub(crate) to: Option<Address>,
    /// Base units of the coin.
    pub(crate) value: u128,
    /// Units of gas (EVM).
    pub(crate) gas: u64,
    /// What it cost (TRON), sun.
    pub(crate) fee: u128,
    /// The first four bytes of its input, when it calls.
    pub(crate) selector: Option<[u8; 4]>,
    pub(crate) contract: Contract,
    pub(crate) calls: Vec<Call>,
    pub(crate) logs: Vec<Log>,
    pub(crate) permission: Option<Permission>,
}

/// `Transfer(address,address,uint256)`.
const TRANSFER: &str = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
/// `SafeSetup(address,address[],uint256,address,address)` of Safe 1.3 and later.
const SAFE_SETUP: &str = "141df868a6331af528e38c83b7aa03edc19be66e37ae67f9285bf4f8e3c6a1a8";
/// `AddedOwner(address)`, `RemovedOwner(address)`, `ChangedThreshold(uint256)` of Safe.
const ADDED_OWNER: &str = "9465fa0c962cc76958e6373a993326400c1c94f8be2fe3a952adfa7f60b2ea26";
const REMOVED_OWNER: &str = "f8d49fc529812e9a7c5c50e69c20f0dccc0db8fa95c98bc58cc9a4f1c1299eaf";
/// `AdminChanged(address,address)` (EIP-1967).
const ADMIN_CHANGED: &str = "7e644d79422f17c01e4894b5f4f588d331ebfa28653d42ae832dc59e38c9798f";

/// The bytes of an even number of hex digits, as far as they go.
fn topic(hex: &str) -> [u8; 32] {
    std::array::from_fn(|i| hex.get(2 * i..2 * i + 2).and_then(|two| u8::from_str_radix(two, 16).ok()).unwrap_or(0))
}

fn word(address: &Address) -> [u8; 32] {
    std::array::from_fn(|i| i.checked_sub(12).and_then(|i| address.get(i)).copied().unwrap_or(0))
}

fn number(n: u128) -> [u8; 32] {
    let bytes = n.to_be_bytes();
    std::array::from_fn(|i| i.checked_sub(16).and_then(|i| bytes.get(i)).copied().unwrap_or(0))
}

impl Log {
    /// A token's transfer.
    pub(crate) fn transfer(token: Address, from: Address, to: Address, amount: u128) -> Self {
        let topics = vec![topic(TRANSFER), word(&from), word(&to)];
        Self { contract: token, topics, data: number(amount).to_vec() }
    }

    /// A Safe tells its owners and threshold when it is set up.
    pub(crate) fn safe_setup(safe: Address, by: Address, owners: &[Address], threshold: u64) -> Self {
        // Head: where the list begins, the threshold, initializer, fallback handler; then the list.
        let mut data: Vec<u8> = [number(128), number(u128::from(threshold)), [0; 32], [0; 32]].concat();
        data.extend(number(owners.len() as u128));
        data.extend(owners.iter().flat_map(word));
        Self { contract: safe, topics: vec![topic(SAFE_SETUP), word(&by)], data }
    }

    /// A Safe gets an owner.
    pub(crate) fn added_owner(safe: Address, owner: Address) -> Self {
        Self { contract: safe, topics: vec![topic(ADDED_OWNER), word(&owner)], data: Vec::new() }
    }

    /// A Safe loses an owner.
    pub(crate) fn removed_owner(safe: Address, owner: Address) -> Self {
        Self { contract: safe, topics: vec![topic(REMOVED_OWNER), word(&owner)], data: Vec::new() }
    }

    /// A proxy's administrator changes.
    pub(crate) fn admin_changed(proxy: Address, before: Address, after: Address) -> Self {
        Self { contract: proxy, topics: vec![topic(ADMIN_CHANGED)], data: [word(&before), word(&after)].concat() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha3::{Digest, Keccak256};

    #[test]
    fn each_topic_is_the_hash_of_its_signature() {
        for (hex, signature) in [
            (TRANSFER, "Transfer(address,address,uint256)"),
            (SAFE_SETUP, "SafeSetup(address,address[],uint256,address,address)"),
            (ADDED_OWNER, "AddedOwner(address)"),
            (REMOVED_OWNER, "RemovedOwner(address)"),
            (ADMIN_CHANGED, "AdminChanged(address,address)"),
        ] {
            assert_eq!(topic(hex), <[u8; 32]>::from(Keccak256::digest(signature)), "{signature}");
        }
    }
}
