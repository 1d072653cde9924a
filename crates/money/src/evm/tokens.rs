//! What a log says of balances: token transfers and the events of contracts that change balances without one.
use super::model::{Address, Hash, RawLog, bytes};
use super::profile::Profile;
use crate::columns::{Amount, ISSUER, Kind};

/// `Transfer(address,address,uint256)`: of ERC-20 with three topics, of NFTs with four.
pub const TRANSFER: Hash = bytes("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// `Approval(address,address,uint256)`.
pub const APPROVAL: Hash = bytes("8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925");
/// `Deposit(address,uint256)` of the wrapped coin.
pub const DEPOSIT: Hash = bytes("e1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c");
/// `Withdrawal(address,uint256)` of the wrapped coin.
pub const WITHDRAWAL: Hash = bytes("7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65");
/// `DestroyedBlackFunds(address,uint256)` of USDT and its like.
pub const DESTROYED: Hash = bytes("61e6e66b0d6339b2980aecc6ccc0039736791f0ccde9ed512e789a7fbdd698c6");
/// `Issue(uint256)` of USDT.
pub const ISSUE: Hash = bytes("cb8241adb0c3fdb35b70c24ce35c5eb0c17af7431c99f827d44a445ca624176a");
/// `Redeem(uint256)` of USDT.
pub const REDEEM: Hash = bytes("702d5967f45f6513a38ffc42d6ba9bf230bd40e8f53b16363c7eb4fd2deb9a44");
/// `TransferShares(address,address,uint256)` of tokens that are kept in shares.
pub const TRANSFER_SHARES: Hash = bytes("9d9c909296d9c674451c0c24f02cb64981eb3b727f99865939192f880a755dcb");
/// `SharesBurnt(address,uint256,uint256,uint256)`.
pub const SHARES_BURNT: Hash = bytes("8b2a1e1ad5e0578c3dd82494156e985dade827a87c573b5c1c7716a32162ad64");

/// What a log means for balances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// So much of the contract's token moved. Whoever issued or redeemed is not named by the log: `None`.
    Moved {
        /// Who pays.
        from: Option<Address>,
        /// Who is paid.
        to: Option<Address>,
        /// Base units (shares, for tokens that are kept so).
        amount: Amount,
        /// What kind of change.
        kind: Kind,
    },
    /// From now on `spender` may move so much of `owner`'s.
    Allowed {
        /// Whose.
        owner: Address,
        /// Who may.
        spender: Address,
        /// Base units.
        amount: Amount,
    },
    /// A thing that has a number, not an amount.
    Nft,
    /// It has a transfer's topic and not its shape.
    Misshapen,
    /// Nothing.
    Nothing,
}

/// Reads a log.
pub fn meaning(log: &RawLog, chain: &Profile) -> Meaning {
    let Some(first) = log.topics.first() else { return Meaning::Nothing };
    let word = |place: usize| words(&log.data, place);
    let party = |place: usize| log.topics.get(place).and_then(address_of);
    let moved = |from, to, amount: Option<Amount>, kind| match amount {
        Some(amount) => Meaning::Moved { from, to, amount, kind },
        None => Meaning::Misshapen,
    };
    let here = |list: &[Address]| list.contains(&log.address);
    match (*first, log.topics.len()) {
        (TRANSFER, 4) if log.data.is_empty() => Meaning::Nft,
        (TRANSFER, 3) if here(chain.in_shares) => Meaning::Nothing,
        (TRANSFER, 3) if log.data.len() == 32 => match (party(1), party(2)) {
            (Some(from), Some(to)) => moved(Some(from), Some(to), word(0), kind_between(&from, &to)),
            _ => Meaning::Misshapen,
        },
        // Early tokens and NFTs without indexed parties cannot be told apart.
        (TRANSFER, _) => Meaning::Misshapen,
        (APPROVAL, 3) if log.data.len() == 32 => match (party(1), party(2), word(0)) {
            (Some(owner), Some(spender), Some(amount)) => Meaning::Allowed { owner, spender, amount },
            _ => Meaning::Misshapen,
        },
        (DEPOSIT, 2) if here(chain.wrapped) => moved(Some(ISSUER), party(1), word(0), Kind::Wrap),
        (WITHDRAWAL, 2) if here(chain.wrapped) => moved(party(1), Some(ISSUER), word(0), Kind::Unwrap),
        (DESTROYED, _) => {
            // One of the two contracts of this name has the address among its topics.
            let (whose, amount) = match party(1) {
                Some(whose) => (Some(whose), word(0)),
                None => (word(0).and_then(|word| address_in(&word)), word(1)),
            };
            if whose.is_some() { moved(whose, Some(ISSUER), amount, Kind::Destroy) } else { Meaning::Misshapen }
        }
        (ISSUE, 1) if here(chain.tether) => moved(Some(ISSUER), None, word(0), Kind::Mint),
        (REDEEM, 1) if here(chain.tether) => moved(None, Some(ISSUER), word(0), Kind::Burn),
        (TRANSFER_SHARES, 3) if here(chain.in_shares) => match (party(1), party(2)) {
            (Some(from), Some(to)) => moved(Some(from), Some(to), word(0), kind_between(&from, &to)),
            _ => Meaning::Misshapen,
        },
        (SHARES_BURNT, 2) if here(chain.in_shares) => moved(party(1), Some(ISSUER), word(2), Kind::Burn),
        _ => Meaning::Nothing,
    }
}

fn kind_between(from: &Address, to: &Address) -> Kind {
    match (*from == ISSUER, *to == ISSUER) {
        (true, false) => Kind::Mint,
        (false, true) => Kind::Burn,
        _ => Kind::Transfer,
    }
}

/// A word of 32 bytes of some data.
pub fn words(data: &[u8], place: usize) -> Option<Amount> {
    let word = data.get(place.checked_mul(32)?..)?.first_chunk::<32>()?;
    Some(Amount::from_be(*word))
}

/// The address in a topic; `None` when its first twelve bytes say that it is something else.
pub fn address_of(topic: &Hash) -> Option<Address> {
    let (zeros, address) = topic.split_first_chunk::<12>()?;
    if *zeros == [0; 12] { address.try_into().ok() } else { None }
}

fn address_in(word: &Amount) -> Option<Address> {
    let mut bytes = word.0;
    bytes.reverse();
    address_of(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::ChainCode;
    use sha3::{Digest, Keccak256};

    fn eth() -> Profile {
        Profile::of(&ChainCode::parse("eth").unwrap()).unwrap()
    }

    fn padded(address: &Address) -> Hash {
        let mut hash = [0; 32];
        hash[12..].copy_from_slice(address);
        hash
    }

    fn log(address: Address, topics: &[Hash], amounts: &[u128]) -> RawLog {
        let data = amounts.iter().flat_map(|n| [[0; 16], n.to_be_bytes()].concat()).collect();
        RawLog { address, topics: topics.to_vec(), data, ..RawLog::default() }
    }

    const ANA: Address = [0xa; 20];
    const BEN: Address = [0xb; 20];

    #[test]
    fn each_topic_is_the_hash_of_its_signature() {
        let signed: [(&str, Hash); 9] = [
            ("Transfer(address,address,uint256)", TRANSFER),
            ("Approval(address,address,uint256)", APPROVAL),
            ("Deposit(address,uint256)", DEPOSIT),
            ("Withdrawal(address,uint256)", WITHDRAWAL),
            ("DestroyedBlackFunds(address,uint256)", DESTROYED),
            ("Issue(uint256)", ISSUE),
            ("Redeem(uint256)", REDEEM),
            ("TransferShares(address,address,uint256)", TRANSFER_SHARES),
            ("SharesBurnt(address,uint256,uint256,uint256)", SHARES_BURNT),
        ];
        for (signature, topic) in signed {
            assert_eq!(<Hash>::from(Keccak256::digest(signature)), topic, "{signature}");
        }
    }

    #[test]
    fn four_topics_are_a_thing_and_three_an_amount() {
        let parties = [TRANSFER, padded(&ANA), padded(&BEN)];
        let amount = log([1; 20], &parties, &[5]);
        let expected = Meaning::Moved { from: Some(ANA), to: Some(BEN), amount: Amount::from(5), kind: Kind::Transfer };
        assert_eq!(meaning(&amount, &eth()), expected);
        assert_eq!(meaning(&log([1; 20], &[&parties[..], &[[0; 32]]].concat(), &[]), &eth()), Meaning::Nft);
        for wrong in
            [log([1; 20], &parties, &[]), log([1; 20], &parties, &[1, 2]), log([1; 20], &[TRANSFER], &[1, 2, 3])]
        {
            assert_eq!(meaning(&wrong, &eth()), Meaning::Misshapen);
        }
        let dirty = log([1; 20], &[TRANSFER, [1; 32], padded(&BEN)], &[5]);
        assert_eq!(meaning(&dirty, &eth()), Meaning::Misshapen, "a party of more than twenty bytes");
    }

    #[test]
    fn the_zero_address_mints_and_burns() {
        let kind = |from: &Address, to: &Address| match meaning(
            &log([1; 20], &[TRANSFER, padded(from), padded(to)], &[5]),
            &eth(),
        ) {
            Meaning::Moved { kind, .. } => kind,
            other => panic!("{other:?}"),
        };
        assert_eq!((kind(&ISSUER, &ANA), kind(&ANA, &ISSUER)), (Kind::Mint, Kind::Burn));
    }

    #[test]
    fn the_wrapped_coin_and_usdt_change_balances_without_a_transfer() {
        let (weth, usdt) = (eth().wrapped[0], eth().tether[0]);
        let read = |log| match meaning(&log, &eth()) {
            Meaning::Moved { from, to, kind, .. } => Some((from, to, kind)),
            _ => None,
        };
        let pads = |topic| [topic, padded(&ANA)];
        assert_eq!(read(log(weth, &pads(DEPOSIT), &[5])), Some((Some(ISSUER), Some(ANA), Kind::Wrap)));
        assert_eq!(read(log(weth, &pads(WITHDRAWAL), &[5])), Some((Some(ANA), Some(ISSUER), Kind::Unwrap)));
        assert_eq!(read(log(BEN, &pads(DEPOSIT), &[5])), None, "any contract may emit a Deposit");
        let destroyed = RawLog {
            data: [padded(&ANA).to_vec(), padded(&[0; 20]).to_vec()].concat(),
            ..log(usdt, &[DESTROYED], &[])
        };
        assert_eq!(read(destroyed), Some((Some(ANA), Some(ISSUER), Kind::Destroy)));
        assert_eq!(read(log(usdt, &pads(DESTROYED), &[5])), Some((Some(ANA), Some(ISSUER), Kind::Destroy)));
        assert_eq!(read(log(usdt, &[ISSUE], &[5])), Some((Some(ISSUER), None, Kind::Mint)));
        assert_eq!(read(log(usdt, &[REDEEM], &[5])), Some((None, Some(ISSUER), Kind::Burn)));
        assert_eq!(read(log(BEN, &[ISSUE], &[5])), None);
    }
}
