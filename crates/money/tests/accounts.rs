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
