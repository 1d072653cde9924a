//! Chains of accounts: what is kept of a transfer beside its twenty bytes, and what a mint leaves sound.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use money::columns::*;

const ANA: &[u8] = &[0xa; 20];
const BEN: &[u8] = &[0xb; 20];
const CYD: &[u8] = &[0xc; 20];

fn block(height: u64, fill: impl FnOnce(&mut TransferBlock)) -> TransferBlock {
    let hash = |height: u64| [u8::try_from(height).unwrap(); 32];
    let head = Head { height, hash: hash(height), parent: hash(height - 1) };
    let mut block = TransferBlock { head: Some(head), time: 7, ..TransferBlock::default() };
    fill(&mut block);
    block
}

fn transfer(block: &mut TransferBlock, from: &[u8], to: &[u8], amount: u128) -> NewTransfer {
    let (from, to, asset) = (block.key(from), block.key(to), block.key(b"COIN"));
    NewTransfer { from, to, asset, amount: Amount::from(amount), ..NewTransfer::default() }
}

#[test]
fn signer_spender_place_marks_and_allowances_come_back_as_they_were_given() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Accounts::open(dir.path(), Mode::Write).unwrap();
    let first = block(1, |block| {
        block.txs_said = Some(9);
        block.flags = BlockFlags::PARTIAL.with(BlockFlags::NO_LOGS);
        let (id, signer) = (block.key(&[1; 32]), block.key(CYD));
        let plain = transfer(block, ANA, BEN, 5);
        let moved = NewTransfer { spender: block.key(BEN), apart: true, ..transfer(block, ANA, CYD, 6) };
        let fake = NewTransfer { fake: true, unordered: true, ..transfer(block, ANA, CYD, 7) };
        block.transfers = vec![plain, moved, fake];
        let (owner, spender, asset) = (block.key(ANA), block.key(BEN), block.key(b"COIN"));
        block.allowances = vec![NewAllowance { before: 1, owner, spender, asset, amount: Amount([0xff; 32]) }];
        block.txs.push(TransferTx { id, time: 7, transfers: 3, place: Some(4), signer, flags: TxFlags::TRACED });
    });
    chain.append(&first).unwrap();
    chain.append(&block(2, |_| {})).unwrap();
    let last = block(3, |block| {
        let only = transfer(block, BEN, ANA, 1);
        block.transfers = vec![only];
        block.txs = vec![TransferTx::default(), TransferTx { transfers: 1, ..TransferTx::default() }];
    });
    chain.append(&last).unwrap();
    chain.commit(true).unwrap();
    drop(chain);

    let chain = Accounts::open(dir.path(), Mode::Read).unwrap();
    let id = |name| chain.find_account(name).unwrap();
    assert_eq!((chain.place(0), chain.signer(0), chain.tx_flags(0)), (Some(4), id(CYD), TxFlags::TRACED));
    assert_eq!((chain.place(1), chain.signer(1)), (None, UNKNOWN));
    assert_eq!(chain.block_said(0), (BlockFlags::PARTIAL.with(BlockFlags::NO_LOGS), Some(9)));
    assert_eq!(chain.block_said(1), (BlockFlags::default(), None));
    let marks = |n| chain.transfer(n).map(|t| (t.unordered, t.apart, t.edge)).unwrap();
    assert_eq!([0, 1, 2].map(marks), [(false, false, true), (false, true, true), (true, false, false)]);
    assert_eq!([0, 1, 2].map(|n| chain.spender(n)), [None, Some(id(BEN)), None]);
    assert_eq!((0..5).map(|n| chain.tx_of(n)).collect::<Vec<_>>(), [Some(0), Some(0), Some(0), Some(2), None]);
    assert_eq!([0, 1, 2, 3].map(|tx| chain.block_of(tx)), [Some(0), Some(2), Some(2), None]);
    let asset = chain.find_asset(b"COIN").unwrap();
    let allowed = |transfer| chain.allowed(transfer, (id(ANA), id(BEN)), asset, 100).map(|a| a.amount);
    assert_eq!((allowed(0), allowed(1), allowed(3)), (None, Some(Amount([0xff; 32])), Some(Amount([0xff; 32]))));
    assert_eq!(chain.allowed(3, (id(BEN), id(ANA)), asset, 100), None);
}

#[test]
fn whoever_issues_is_never_short_and_a_fake_counts_in_no_sum() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Accounts::open(dir.path(), Mode::Write).unwrap();
    let only = block(1, |block| {
        let mint = NewTransfer { kind: Kind::Mint, ..transfer(block, &ISSUER, ANA, u128::MAX) };
        let again = NewTransfer { kind: Kind::Mint, ..transfer(block, &ISSUER, BEN, u128::MAX) };
        let burn = NewTransfer { kind: Kind::Burn, ..transfer(block, ANA, &ISSUER, 5) };
        let own = transfer(block, ANA, ANA, 9);
        let fake = NewTransfer { fake: true, ..transfer(block, ANA, CYD, 8) };
        block.transfers = vec![mint, again, burn, own, fake];
        block.txs = vec![TransferTx { transfers: 5, ..TransferTx::default() }];
    });
    chain.append(&only).unwrap();
    chain.commit(true).unwrap();
    assert_eq!(chain.standings().unwrap(), [Standing::Sound]);
    let holding = |name: &[u8]| chain.holdings(chain.find_account(name).unwrap(), u64::MAX);
    let ana = holding(ANA)[&0];
    assert_eq!((ana.received.0, ana.spent.0, ana.balance()), (u128::MAX, 5, Some(u128::MAX - 5)));
    assert!(holding(CYD).is_empty());
    assert!(holding(&ISSUER)[&0].overflow && holding(&ISSUER)[&0].balance().is_none());
}

/// A block with an amount of every width, a spender and an allowance; branches differ in everything.
fn busy(height: u64, branch: u8, parent: [u8; 32]) -> TransferBlock {
    let mark = |n: u8| [branch ^ n, u8::try_from(height).unwrap(), n];
    let mut hash = [branch; 32];
    hash[..8].copy_from_slice(&height.to_be_bytes());
    block(height, |block| {
        block.head = Some(Head { height, hash, parent });
        for n in 0..3u8 {
            let (id, signer) = (block.key(&mark(n)), block.key(&mark(10 + n)));
            let moved = transfer(block, &mark(20 + n % 2), BEN, 1 + u128::from(n) * u128::from(u64::MAX));
            let moved = NewTransfer { spender: if n == 1 { block.key(&mark(30)) } else { Span::default() }, ..moved };
            block.transfers.push(moved);
            block.txs.push(TransferTx { id, signer, transfers: 1, place: Some(u32::from(n)), ..TransferTx::default() });
        }
        let (owner, spender, asset) = (block.key(&mark(20)), block.key(&mark(30)), block.key(&mark(40)));
        block.allowances.push(NewAllowance {
            before: 2,
            owner,
            spender,
            asset,
            amount: Amount::from(u128::from(height)),
        });
    })
}

fn grown(chain: &mut Accounts, upto: u64, branch: u8) {
    while chain.head().map_or(0, |head| head.height) < upto {
        let head = chain.head();
        let next = busy(head.map_or(1, |head| head.height + 1), branch, head.map_or([0; 32], |head| head.hash));
        chain.append(&next).unwrap();
    }
    chain.commit(true).unwrap();
}

/// All that a chain says, by names.
fn told(chain: &Accounts) -> Vec<String> {
    let name = |id: u32| hex::encode(chain.account(id).unwrap_or_default());
    let asset = |id: u32| hex::encode(chain.asset(id).unwrap_or_default());
    let mut all: Vec<String> = (0..chain.transfers())
        .map(|n| {
            let (t, tx) = (chain.transfer(n).unwrap(), chain.tx_of(n).unwrap());
            let spender = chain.spender(n).map(name);
            let parties = (name(t.from), name(t.to), name(chain.signer(tx)), spender);
            format!(
                "{} {:?} {} {} {:?}",
                hex::encode(chain.id(tx).unwrap()),
                parties,
                asset(t.asset),
                t.amount,
                chain.block_of(tx)
            )
        })
        .collect();
    all.extend((0..chain.allowances()).map(|n| {
        let a = chain.allowance(n).unwrap();
        format!("{} {} {} {} {}", a.from_transfer, name(a.owner), name(a.spender), asset(a.asset), a.amount)
    }));
    all
}

#[test]
fn unwound_to_any_height_it_is_the_chain_that_never_went_further() {
    for height in 1..8 {
        let (dir, fresh) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut chain = Accounts::open(dir.path(), Mode::Write).unwrap();
        grown(&mut chain, 8, 1);
        let gone = chain.transfers();
        chain.unwind(height).unwrap();
        let mut other = Accounts::open(fresh.path(), Mode::Write).unwrap();
        grown(&mut other, height, 1);
        assert_eq!((told(&chain), chain.head()), (told(&other), other.head()));
        assert!(chain.transfers() < gone && chain.find_account(&[1 ^ 20, 8, 20]).is_none());
        grown(&mut chain, 9, 2);
        grown(&mut other, 9, 2);
        assert_eq!(told(&chain), told(&other));
        drop((chain, other));
        let chain = Accounts::open(dir.path(), Mode::Read).unwrap();
        assert_eq!(told(&chain), told(&Accounts::open(fresh.path(), Mode::Read).unwrap()));
        chain.store().verify().unwrap();
    }
}

#[test]
fn an_account_is_closed_only_by_what_the_chain_said_of_a_block_that_is_still_there() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Accounts::open(dir.path(), Mode::Write).unwrap();
    for height in 1..=4 {
        let paid = block(height, |block| {
            let mint = NewTransfer { kind: Kind::Mint, ..transfer(block, &ISSUER, ANA, 10) };
            block.transfers = vec![mint];
            block.txs = vec![TransferTx { transfers: 1, ..TransferTx::default() }];
        });
        chain.append(&paid).unwrap();
    }
    chain.commit(true).unwrap();
    let (ana, coin) = (chain.find_account(ANA).unwrap(), chain.find_asset(b"COIN").unwrap());
    assert_eq!(chain.closing(ana, coin).unwrap(), Closing::Unproven);
    assert_eq!(chain.close(ana, coin, 3, &Amount::from(30)).unwrap(), Closing::Closed { height: 3 });
    assert!(chain.close(ana, coin, 9, &Amount::from(30)).is_err(), "no such block");
    let differs = Closing::Differs { height: 4, told: Amount::from(41) };
    assert_eq!(chain.close(ana, coin, 4, &Amount::from(41)).unwrap(), differs);
    assert_eq!(chain.closing(ana, coin).unwrap(), differs, "the newest answer counts");
    let path = dir.path().join("closed");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(chain.closing(ana, coin).unwrap(), Closing::Closed { height: 3 }, "a torn row is not there");
    assert_eq!(chain.close(ana, coin, 4, &Amount::from(40)).unwrap(), Closing::Closed { height: 4 });
    chain.unwind(3).unwrap();
    assert_eq!(chain.closing(ana, coin).unwrap(), Closing::Closed { height: 3 }, "block 4 is gone");
    chain.unwind(2).unwrap();
    assert_eq!(chain.closing(ana, coin).unwrap(), Closing::Unproven);
}
