//! What a transaction records of who may act for an account: contracts that are made, Safes' owners, proxies' administrators,
//! TRON's permissions.
//!
//! A log speaks for the contract that wrote it and for nobody else; that such a contract is what its logs say is not looked at here,
//! and `cluster` believes none of it alone. Safe: `OwnerManager.sol` of 1.1 to 1.4 (owner in the data) and of 1.4.1 on (among the
//! topics). Proxies: EIP-1967. TRON: the owner permission of an `AccountPermissionUpdateContract`.
use super::model::{Address, CallSort, Hash, RawLog, RawTx, bytes};
use super::tokens::{address_of, words};
use crate::columns::{ControlKind, ISSUER, NewControl, Span, TransferBlock};

/// `SafeSetup(address,address[],uint256,address,address)`.
const SAFE_SETUP: Hash = bytes("141df868a6331af528e38c83b7aa03edc19be66e37ae67f9285bf4f8e3c6a1a8");
/// `AddedOwner(address)`.
const ADDED_OWNER: Hash = bytes("9465fa0c962cc76958e6373a993326400c1c94f8be2fe3a952adfa7f60b2ea26");
/// `RemovedOwner(address)`.
const REMOVED_OWNER: Hash = bytes("f8d49fc529812e9a7c5c50e69c20f0dccc0db8fa95c98bc58cc9a4f1c1299eaf");
/// `ChangedThreshold(uint256)`.
const CHANGED_THRESHOLD: Hash = bytes("610f7ff2b304ae8903c3de74c60c6ab1f7d6226b3f52c5161905bb5ad4039c93");
/// `AdminChanged(address,address)`.
const ADMIN_CHANGED: Hash = bytes("7e644d79422f17c01e4894b5f4f588d331ebfa28653d42ae832dc59e38c9798f");

/// `ProxyCreation(address,address)`, of Safe's factories from 1.3 on (the proxy in the data; from 1.4.1 on among the topics).
const PROXY_CREATION: Hash = bytes("4f51faf6c4561ff95f067657e43439f0f856d97c04d9ec9070a6199ad418e235");
/// `ProxyCreation(address)`, of those before.
const PROXY_CREATION_1_1: Hash = bytes("a38789425dbeee0239e16ff2d2567e31720127fbc6430758c1a4efc6aef29f80");

/// No Safe and no account has more owners that count.
const MOST_OWNERS: usize = 256;

/// Adds what a transaction records; `place` is its place among the block's.
pub fn controls(tx: &RawTx, place: u32, block: &mut TransferBlock) {
    let mut writer = Writer { place, block };
    for call in tx.calls.iter().filter(|call| call.ok && call.sort == CallSort::Create) {
        if let Some(made) = &call.to {
            writer.add(ControlKind::Made, made, Some(&call.from), 0);
        }
    }
    for (safe, maker) in safes_made(tx) {
        writer.add(ControlKind::Made, &safe, Some(&maker), 0);
    }
    for permission in &tx.permissions {
        writer.anew(&permission.account, permission.threshold, permission.keys.iter().copied());
    }
    for log in &tx.logs {
        writer.log(log);
    }
}

/// Safes that logs alone say were made, each with its factory: where no call that made it is on record. A factory's word counts of a
/// Safe that sets itself up in the same transaction, for anybody may write that they made another's.
fn safes_made(tx: &RawTx) -> Vec<(Address, Address)> {
    let called =
        |safe: &Address| tx.calls.iter().any(|call| call.sort == CallSort::Create && call.to.as_ref() == Some(safe));
    let is = |log: &RawLog, topics: &[Hash]| log.topics.first().is_some_and(|first| topics.contains(first));
    let set_up = |safe: &Address| {
        let mut own = tx.logs.iter().filter(|log| log.address == *safe && is(log, &[SAFE_SETUP]));
        own.any(|log| safe_setup(&log.data).is_some())
    };
    let mut made: Vec<(Address, Address)> = Vec::new();
    for log in tx.logs.iter().filter(|log| is(log, &[PROXY_CREATION, PROXY_CREATION_1_1])) {
        let Some(safe) = first_word(log).as_ref().and_then(address_of) else { continue };
        if safe != log.address && set_up(&safe) && !called(&safe) && made.iter().all(|(known, _)| *known != safe) {
            made.push((safe, log.address));
        }
    }
    made
}

/// One address or number, among the topics or in the data.
fn first_word(log: &RawLog) -> Option<Hash> {
    log.topics.get(1).copied().or_else(|| log.data.first_chunk().copied())
}

struct Writer<'a> {
    place: u32,
    block: &'a mut TransferBlock,
}

impl Writer<'_> {
    fn add(&mut self, kind: ControlKind, account: &Address, other: Option<&Address>, weight: u32) {
        let account = self.block.key(account);
        let other = other.map_or_else(Span::default, |other| self.block.key(other));
        self.block.controls.push(NewControl { tx: self.place, kind, account, other, weight });
    }

    fn anew(&mut self, account: &Address, threshold: u32, owners: impl Iterator<Item = (Address, u32)>) {
        self.add(ControlKind::Anew, account, None, threshold);
        for (owner, weight) in owners.take(MOST_OWNERS) {
            self.add(ControlKind::Owner, account, Some(&owner), weight);
        }
    }

    fn log(&mut self, log: &RawLog) {
        let Some(first) = log.topics.first() else { return };
        let number =
            || first_word(log).and_then(|word| u32::try_from(crate::columns::Amount::from_be(word).to_u64()?).ok());
        let party = || first_word(log).as_ref().and_then(address_of);
        match *first {
            SAFE_SETUP => {
                if let Some((threshold, owners)) = safe_setup(&log.data) {
                    self.anew(&log.address, threshold, owners.into_iter().map(|owner| (owner, 1)));
                }
            }
            ADDED_OWNER => {
                if let Some(owner) = party() {
                    self.add(ControlKind::Owner, &log.address, Some(&owner), 1);
                }
            }
            REMOVED_OWNER => {
                if let Some(owner) = party() {
                    self.add(ControlKind::NoOwner, &log.address, Some(&owner), 0);
                }
            }
            CHANGED_THRESHOLD => {
                if let Some(threshold) = number() {
                    self.add(ControlKind::Threshold, &log.address, None, threshold);
                }
            }
            ADMIN_CHANGED => {
                let after = log.data.get(32..).and_then(|rest| rest.first_chunk()).and_then(address_of);
                if let Some(admin) = after {
                    self.add(ControlKind::Admin, &log.address, Some(&admin).filter(|admin| **admin != ISSUER), 0);
                }
            }
            _ => {}
        }
    }
}

/// Threshold and owners of a Safe's setup: ABI words of (offset of the list, threshold, initializer, handler), then the list.
fn safe_setup(data: &[u8]) -> Option<(u32, Vec<Address>)> {
    let word = |at: usize| words(data, at).and_then(|word| word.to_u64());
    let (offset, threshold) = (word(0)?, word(1)?);
    let list = usize::try_from(offset).ok().filter(|offset| offset.is_multiple_of(32))? / 32;
    let count = usize::try_from(word(list)?).ok().filter(|count| (1..=MOST_OWNERS).contains(count))?;
    let owner = |n: usize| {
        let at = 32 * list.checked_add(1 + n)?;
        address_of(data.get(at..)?.first_chunk()?)
    };
    let owners: Option<Vec<Address>> = (0..count).map(owner).collect();
    Some((u32::try_from(threshold).ok()?, owners?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evm::model::{Permission, RawCall};
    use sha3::{Digest, Keccak256};

    const SAFE: Address = [9; 20];

    fn padded(address: &Address) -> Hash {
        let mut hash = [0; 32];
        hash[12..].copy_from_slice(address);
        hash
    }

    fn number(n: u8) -> Hash {
        let mut hash = [0; 32];
        hash[31] = n;
        hash
    }

    fn said(tx: &RawTx) -> Vec<(ControlKind, Vec<u8>, Vec<u8>, u32)> {
        let mut block = TransferBlock::default();
        controls(tx, 3, &mut block);
        assert!(block.controls.iter().all(|control| control.tx == 3));
        let told = block.controls.iter().map(|control| {
            let bytes = |span| block.bytes(span).to_vec();
            (control.kind, bytes(control.account), bytes(control.other), control.weight)
        });
        told.collect()
    }

    fn log(topics: &[Hash], data: Vec<u8>) -> RawTx {
        let log = RawLog { address: SAFE, topics: topics.to_vec(), data, ..RawLog::default() };
        RawTx { logs: vec![log], ..RawTx::default() }
    }

    #[test]
    fn each_topic_is_the_hash_of_its_signature() {
        for (topic, signature) in [
            (SAFE_SETUP, "SafeSetup(address,address[],uint256,address,address)"),
            (ADDED_OWNER, "AddedOwner(address)"),
            (REMOVED_OWNER, "RemovedOwner(address)"),
            (CHANGED_THRESHOLD, "ChangedThreshold(uint256)"),
            (ADMIN_CHANGED, "AdminChanged(address,address)"),
            (PROXY_CREATION, "ProxyCreation(address,address)"),
            (PROXY_CREATION_1_1, "ProxyCreation(address)"),
        ] {
            assert_eq!(topic, <Hash>::from(Keccak256::digest(signature)), "{signature}");
        }
    }

    #[test]
    fn a_safe_tells_its_owners_and_every_change() {
        let head = [number(128), number(2), [0; 32], [0; 32]].concat();
        let data = [head, number(2).to_vec(), padded(&[1; 20]).to_vec(), padded(&[2; 20]).to_vec()].concat();
        let owner = |n: u8| (ControlKind::Owner, SAFE.to_vec(), vec![n; 20], 1);
        let set_up = said(&log(&[SAFE_SETUP, padded(&[7; 20])], data.clone()));
        assert_eq!(set_up, [(ControlKind::Anew, SAFE.to_vec(), vec![], 2), owner(1), owner(2)]);
        let older = said(&log(&[ADDED_OWNER], padded(&[3; 20]).to_vec()));
        assert_eq!((older, said(&log(&[ADDED_OWNER, padded(&[3; 20])], vec![]))), (vec![owner(3)], vec![owner(3)]));
        let gone = said(&log(&[REMOVED_OWNER], padded(&[1; 20]).to_vec()));
        assert_eq!(gone, [(ControlKind::NoOwner, SAFE.to_vec(), vec![1; 20], 0)]);
        let fewer = said(&log(&[CHANGED_THRESHOLD], number(1).to_vec()));
        assert_eq!(fewer, [(ControlKind::Threshold, SAFE.to_vec(), vec![], 1)]);
        for cut in 0..data.len() {
            let part = said(&log(&[SAFE_SETUP], data[..cut].to_vec()));
            assert!(part.is_empty(), "a list that breaks off at byte {cut} says nothing");
        }
    }

    #[test]
    fn a_safe_was_made_by_the_factory_that_says_so_when_it_sets_itself_up_there_and_no_call_says_it_better() {
        let head = [number(128), number(1), [0; 32], [0; 32]].concat();
        let data = [head, number(1).to_vec(), padded(&[1; 20]).to_vec()].concat();
        let setup = RawLog { address: SAFE, topics: vec![SAFE_SETUP, padded(&[7; 20])], data, ..RawLog::default() };
        let factory = |topics: &[Hash], data: Vec<u8>| RawLog {
            address: [6; 20],
            topics: topics.to_vec(),
            data,
            ..RawLog::default()
        };
        let made = |logs: Vec<RawLog>, calls: Vec<RawCall>| {
            let told = said(&RawTx { logs, calls, ..RawTx::default() });
            let made = told.into_iter().filter(|(kind, ..)| *kind == ControlKind::Made);
            made.map(|(_, safe, by, _)| (safe, by)).collect::<Vec<_>>()
        };
        let by = |who: u8| vec![(SAFE.to_vec(), vec![who; 20])];
        let singleton = padded(&[8; 20]);
        let forms = [
            factory(&[PROXY_CREATION], [padded(&SAFE), singleton].concat()),
            factory(&[PROXY_CREATION, padded(&SAFE)], singleton.to_vec()),
            factory(&[PROXY_CREATION_1_1], padded(&SAFE).to_vec()),
        ];
        for log in forms {
            assert_eq!(made(vec![setup.clone(), log.clone()], vec![]), by(6));
            assert_eq!(
                made(vec![log.clone()], vec![]),
                [],
                "of a Safe that did not set itself up here anybody may say so"
            );
            let call = RawCall {
                order: 0,
                root: false,
                from: [4; 20],
                to: Some(SAFE),
                value: Default::default(),
                token: Vec::new(),
                sort: CallSort::Create,
                ok: true,
                cut: false,
                input: Vec::new(),
            };
            assert_eq!(made(vec![setup.clone(), log], vec![call]), by(4), "the call that made it is told once");
        }
        assert_eq!(made(vec![setup], vec![]), [], "a setup alone names no maker");
    }

    #[test]
    fn a_proxy_tells_its_administrator_and_a_call_what_it_made() {
        let data = [padded(&[1; 20]), padded(&[2; 20])].concat();
        let admin = |other: Vec<u8>| vec![(ControlKind::Admin, SAFE.to_vec(), other, 0)];
        assert_eq!(said(&log(&[ADMIN_CHANGED], data)), admin(vec![2; 20]));
        let nobody = [padded(&[1; 20]), [0; 32]].concat();
        assert_eq!(said(&log(&[ADMIN_CHANGED], nobody)), admin(vec![]));
        let call = |ok| RawCall {
            order: 0,
            root: false,
            from: [4; 20],
            to: Some(SAFE),
            value: Default::default(),
            token: Vec::new(),
            sort: CallSort::Create,
            ok,
            cut: false,
            input: Vec::new(),
        };
        let made = RawTx { calls: vec![call(true), call(false)], ..RawTx::default() };
        assert_eq!(said(&made), [(ControlKind::Made, SAFE.to_vec(), vec![4; 20], 0)]);
    }

    #[test]
    fn a_permission_whose_numbers_are_too_large_is_nobodys() {
        let keys = [([1; 20], 1 << 39), ([2; 20], 1 << 39)];
        let permission = Permission::of(SAFE, 1 << 40, &keys);
        assert_eq!((permission.threshold, permission.keys.len()), (u32::MAX, 0));
        assert_eq!(Permission::of(SAFE, 3, &[([1; 20], 3)]).keys, [([1; 20], 3)]);
    }

    #[test]
    fn a_permission_is_set_anew_with_weights() {
        let permission = Permission { account: SAFE, threshold: 3, keys: vec![([1; 20], 2), ([2; 20], 1)] };
        let tx = RawTx { permissions: vec![permission], ..RawTx::default() };
        let owner = |n: u8, weight| (ControlKind::Owner, SAFE.to_vec(), vec![n; 20], weight);
        assert_eq!(said(&tx), [(ControlKind::Anew, SAFE.to_vec(), vec![], 3), owner(1, 2), owner(2, 1)]);
    }
}
