use super::*;
use crate::chain::ChainCode;
use crate::evm::gathered;
use crate::evm::model::Payment;
use crate::evm::tokens::TRANSFER;

const ANA: Address = [1; 20];
const BEN: Address = [2; 20];
const TOKEN: Address = [3; 20];
const AUTHOR: Address = [9; 20];

fn profile(code: &str) -> Profile {
    Profile::of(&ChainCode::parse(code).unwrap()).unwrap()
}

fn body() -> TxBody {
    let gas_price = Some(Amount::from(5));
    TxBody {
        from: ANA,
        to: Some(BEN),
        value: Amount::from(50),
        ok: Some(true),
        gas_used: Some(100),
        gas_price,
        ..TxBody::default()
    }
}

fn block(txs: Vec<RawTx>) -> RawBlock {
    let base_fee = Some(Amount::from(2));
    RawBlock {
        height: 7,
        author: Some(AUTHOR),
        base_fee,
        txs,
        with_logs: true,
        with_traces: true,
        ..RawBlock::default()
    }
}

fn log(amount: u128, order: Option<u64>) -> RawLog {
    let pad = |address: Address| [&[0; 12][..], &address].concat().try_into().unwrap();
    let data = [[0; 16], amount.to_be_bytes()].concat();
    RawLog { index: Some(0), order, address: TOKEN, topics: vec![TRANSFER, pad(ANA), pad(BEN)], data }
}

fn call(order: u64, from: Address, to: Address, value: u128) -> RawCall {
    let (value, sort) = (Amount::from(value), CallSort::Call);
    RawCall {
        order,
        root: order == 0,
        from,
        to: Some(to),
        value,
        sort,
        ok: true,
        cut: false,
        token: Vec::new(),
        input: Vec::new(),
    }
}

/// Kind, payer's and payee's first byte (0xff: not known), amount.
fn told(raw: &RawBlock, chain: &Profile) -> Vec<(Kind, u8, u8, u64)> {
    let (block, _) = entries(raw, chain, &HashSet::new()).unwrap();
    let first = |span| block.bytes(span).first().copied().unwrap_or(0xff);
    block
        .transfers
        .iter()
        .map(|t| (t.kind, first(t.from), first(t.to), t.amount.to_u64().unwrap_or(u64::MAX)))
        .collect()
}

#[test]
fn gas_leaves_its_payer_part_burnt_and_part_to_the_author_even_when_the_transaction_fails() {
    let fees = [(Kind::Fee, 1, 0, 200), (Kind::Fee, 1, 9, 300)];
    let good = block(vec![RawTx { body: Some(body()), ..RawTx::default() }]);
    assert_eq!(told(&good, &profile("eth")), [&fees[..], &[(Kind::Transfer, 1, 2, 50)]].concat());
    let failed = TxBody { ok: Some(false), ..body() };
    let calls = vec![RawCall { ok: false, ..call(0, ANA, BEN, 50) }, RawCall { ok: false, ..call(1, BEN, ANA, 5) }];
    let bad = block(vec![RawTx { body: Some(failed), logs: vec![log(5, None)], calls, ..RawTx::default() }]);
    assert_eq!(told(&bad, &profile("eth")), fees);
    let before_burning = RawBlock { base_fee: None, ..block(vec![RawTx { body: Some(body()), ..RawTx::default() }]) };
    assert_eq!(told(&before_burning, &profile("eth"))[0], (Kind::Fee, 1, 9, 500));
    assert_eq!(told(&good, &profile("bsc"))[0], (Kind::Fee, 1, 0xff, 200), "where it goes is not known there");
}

#[test]
fn a_chain_above_another_pays_vaults_and_mints_what_was_deposited_below() {
    let tx = TxBody { l1_fee: Amount::from(7), blob_fee: Amount::from(8), mint: Amount::from(9), ..body() };
    let all = told(&block(vec![RawTx { body: Some(tx), ..RawTx::default() }]), &profile("base"));
    let expected = [
        (Kind::Fee, 1, 0x42, 200),
        (Kind::Fee, 1, 9, 300),
        (Kind::Fee, 1, 0, 8),
        (Kind::L1Fee, 1, 0x42, 7),
        (Kind::L2Deposit, 0, 1, 9),
        (Kind::Transfer, 1, 2, 50),
    ];
    assert_eq!(all, expected);
}

#[test]
fn what_a_block_pays_stands_at_its_end_and_names_no_transaction() {
    let pay = |why| Payment { from: None, to: BEN, amount: Amount::from(5), why };
    let taken = Payment { from: Some(ANA), ..pay(PaymentKind::Irregular) };
    let payments = vec![pay(PaymentKind::Reward), pay(PaymentKind::Withdrawal), pay(PaymentKind::Genesis), taken];
    let raw = RawBlock { payments, ..block(Vec::new()) };
    let mut expected = [Kind::Reward, Kind::Withdrawal, Kind::Mint].map(|kind| (kind, 0, 2, 5)).to_vec();
    expected.push((Kind::Unexplained, 1, 2, 5));
    assert_eq!(told(&raw, &profile("eth")), expected);
    let (written, _) = entries(&raw, &profile("eth"), &HashSet::new()).unwrap();
    assert_eq!((written.txs.len(), written.txs[0].flags), (1, TxFlags::BLOCK));
}

#[test]
fn coins_and_tokens_share_no_order_unless_the_tracer_gives_it() {
    let calls = vec![call(0, ANA, BEN, 50), call(1, BEN, AUTHOR, 5), call(4, BEN, AUTHOR, 6)];
    let marks = |logs: Vec<RawLog>| {
        let raw = block(vec![RawTx { body: Some(body()), logs, calls: calls.clone(), ..RawTx::default() }]);
        let (written, _) = entries(&raw, &profile("eth"), &HashSet::new()).unwrap();
        let rest = written.transfers.into_iter().skip(3);
        rest.map(|t| (t.amount.to_u64().unwrap(), t.apart, t.unordered)).collect::<Vec<_>>()
    };
    assert_eq!(marks(vec![log(70, None)]), [(5, true, false), (6, true, false), (70, true, false)]);
    assert_eq!(marks(vec![log(70, Some(3))]), [(5, false, false), (70, false, false), (6, false, false)]);
    assert_eq!(marks(Vec::new()), [(5, false, false), (6, false, false)]);
    let unplaced = RawLog { index: None, ..log(70, None) };
    assert_eq!(marks(vec![unplaced])[2], (70, false, true));
}

#[test]
fn calls_that_move_no_coins_are_no_entries() {
    let quiet = [CallSort::Delegate, CallSort::Static].map(|sort| RawCall { sort, ..call(1, BEN, AUTHOR, 5) });
    let mut calls = vec![call(0, ANA, BEN, 50)];
    calls.extend(quiet);
    calls.push(RawCall { ok: false, ..call(2, BEN, AUTHOR, 6) });
    calls.push(RawCall { sort: CallSort::Destruct, ..call(3, BEN, AUTHOR, 7) });
    let all = told(&block(vec![RawTx { body: Some(body()), calls, ..RawTx::default() }]), &profile("eth"));
    assert_eq!(all.get(2..), Some(&[(Kind::Transfer, 1, 2, 50), (Kind::Transfer, 2, 9, 7)][..]));
}

#[test]
fn a_value_that_nobody_says_moved_is_unexplained() {
    let unsure = TxBody { ok: None, ..body() };
    let raw = block(vec![RawTx { body: Some(unsure.clone()), ..RawTx::default() }]);
    assert_eq!(told(&raw, &profile("eth")).last(), Some(&(Kind::Unexplained, 1, 2, 50)));
    let (written, _) = entries(&raw, &profile("eth"), &HashSet::new()).unwrap();
    assert!(written.txs[0].flags.has(TxFlags::UNSAID));
    let traced = block(vec![RawTx { body: Some(unsure), calls: vec![call(0, ANA, BEN, 50)], ..RawTx::default() }]);
    assert_eq!(told(&traced, &profile("eth")).last(), Some(&(Kind::Transfer, 1, 2, 50)));
}

#[test]
fn trons_amounts_are_coins_for_sure_only_when_a_contract_is_called() {
    let tx = |to, selector| {
        let body = TxBody { to, selector, fee: Some(Amount::from(3)), ..body() };
        told(&block(vec![RawTx { body: Some(body), ..RawTx::default() }]), &profile("trx"))
    };
    let fee = (Kind::Fee, 1, 0, 3);
    assert_eq!(tx(Some(BEN), Some([1; 4])), [fee, (Kind::Transfer, 1, 2, 50)]);
    assert_eq!(tx(Some(BEN), None), [fee, (Kind::Unexplained, 1, 2, 50)]);
    assert_eq!(tx(None, None), [fee], "frozen, or paid for something: which way it went is not known");
}

#[test]
fn a_transfer_names_its_spender_when_the_trace_shows_who_called() {
    let pad = |address: Address| [&[0; 12][..], &address].concat();
    let input = [&TRANSFER_FROM[..], &pad(ANA), &pad(BEN), &[0; 31], &[5]].concat();
    let caller = |by: Address, input: &[u8]| {
        let calls = vec![call(0, [5; 20], [6; 20], 0), RawCall { input: input.to_vec(), ..call(1, by, TOKEN, 0) }];
        let body = TxBody { from: [5; 20], value: Amount::default(), gas_used: None, ..body() };
        let raw = block(vec![RawTx { body: Some(body), calls, logs: vec![log(5, None)], ..RawTx::default() }]);
        let (written, _) = entries(&raw, &profile("eth"), &HashSet::new()).unwrap();
        let spender = written.transfers.last().unwrap().spender;
        written.bytes(spender).first().copied()
    };
    assert_eq!(caller([6; 20], &input), Some(6));
    assert_eq!(caller([5; 20], &input), None, "the signer is named already");
    assert_eq!(caller([6; 20], &input[..68]), None);
    assert_eq!(caller([6; 20], &[&input[..99], &[6]].concat()), None, "another amount");
}

#[test]
fn fakes_and_zeros_are_kept_and_the_owner_of_usdt_is_found_by_the_call() {
    let raw = block(vec![RawTx { logs: vec![log(0, None), log(5, None)], ..RawTx::default() }]);
    let (written, _) = entries(&raw, &profile("eth"), &HashSet::from([TOKEN])).unwrap();
    assert_eq!(written.transfers.iter().map(|t| t.fake).collect::<Vec<_>>(), [true, true]);
    assert!(written.txs[0].flags.has(TxFlags::PARTIAL));
    let usdt = profile("eth").tether[0];
    let issue = RawLog { address: usdt, topics: vec![crate::evm::tokens::ISSUE], ..log(5, None) };
    let issued =
        |calls| told(&block(vec![RawTx { logs: vec![issue.clone()], calls, ..RawTx::default() }]), &profile("eth"));
    assert_eq!(issued(vec![call(0, ANA, BEN, 0), call(1, BEN, usdt, 0)]), [(Kind::Mint, 0, 2, 5)]);
    assert_eq!(issued(Vec::new()), [(Kind::Mint, 0, 0xff, 5)]);
    assert_eq!(issued(vec![call(1, BEN, usdt, 0), call(2, ANA, usdt, 0)]), [(Kind::Mint, 0, 0xff, 5)]);
}

#[test]
fn rows_of_each_dump_make_one_block() {
    let ethereum = gathered(include_str!("../../../fuzz/seeds/dump/ethereum")).unwrap();
    let expected = [
        (Kind::Fee, 1, 0, 200),
        (Kind::Fee, 1, 9, 300),
        (Kind::Fee, 1, 0, 1),
        (Kind::L1Fee, 1, 0xff, 3),
        (Kind::Transfer, 1, 2, 5_000),
        (Kind::Transfer, 1, 2, u64::MAX),
        (Kind::Withdrawal, 0, 4, 5_000_000_000),
        (Kind::Reward, 0, 9, 2_000_000_000_000_000_000),
    ];
    assert_eq!(told(&ethereum, &profile("eth")), expected);
    let tron = gathered(include_str!("../../../fuzz/seeds/dump/tron")).unwrap();
    let expected = [
        (Kind::Fee, 1, 0, 100_000),
        (Kind::Unexplained, 1, 2, 5),
        (Kind::Transfer, 1, 3, 7),
        (Kind::Transfer, 1, 2, u64::MAX),
    ];
    assert_eq!(told(&tron, &profile("trx")), expected);
    let answers = crate::evm::answers(include_str!("../../../fuzz/seeds/answer/block")).unwrap();
    assert!(answers.with_traces && answers.txs[0].calls.len() == 1, "the flat form came last");
    let told_by_tron = crate::evm::tron_answers(include_str!("../../../fuzz/seeds/tron/block")).unwrap();
    let kinds: Vec<_> =
        told(&told_by_tron, &profile("trx")).into_iter().map(|(kind, ..)| kind).filter(|k| *k != Kind::Fee).collect();
    use Kind::{Mint, Stake, Transfer};
    assert_eq!(kinds, [Transfer, Transfer, Transfer, Transfer, Transfer, Mint, Stake, Transfer]);
}
