use super::*;
use super::{Apart, CoinJoin};

fn inputs(values: &[u64]) -> Vec<Input> {
    let one =
        |(address, &value)| Input { address: Some(address), value: Some(value), sighash: Sighash::All, segwit: true };
    (0_u64..).zip(values).map(one).collect()
}

fn unknown(n: usize) -> Vec<Input> {
    inputs(&vec![0; n]).into_iter().map(|i| Input { value: None, ..i }).collect()
}

fn outputs(values: &[u64]) -> Vec<Output> {
    (1_000_u64..).zip(values).map(|(script, &value)| Output { value, script, kind: Script::Key }).collect()
}

fn judge(inputs: &[Input], outputs: &[Output]) -> Verdict {
    Shape { family: Family::Bitcoin, version: 2, locktime: 0, inputs, outputs }.judge()
}

fn kind(verdict: Verdict) -> Option<CoinJoin> {
    if let Verdict::CoinJoin { kind, .. } = verdict { Some(kind) } else { None }
}

#[test]
fn one_address_alone_needs_no_rule_even_when_it_signs_partially() {
    let mut two = inputs(&[50_000, 60_000]);
    two.iter_mut().for_each(|i| i.address = Some(7));
    two[0].sighash = Sighash::Partial;
    assert_eq!(judge(&two, &outputs(&[100_000])), Verdict::Merge);
}

#[test]
fn an_ordinary_payment_with_change_is_merged() {
    assert_eq!(judge(&inputs(&[50_000, 60_000]), &outputs(&[70_000, 39_000])), Verdict::Merge);
}

#[test]
fn a_sale_signed_single_and_anyonecanpay_is_not_merged() {
    let mut sale = inputs(&[546, 2_000_000]);
    sale[0].sighash = Sighash::of(Family::Bitcoin, Some(0x83));
    assert_eq!(judge(&sale, &outputs(&[546, 1_500_000, 490_000])), Verdict::Apart(Apart::PartialSighash));
}

#[test]
fn sighash_bytes_mean_what_their_network_says() {
    for (network, byte, want) in [
        (Family::Bitcoin, None, Sighash::All),
        (Family::Bitcoin, Some(0x01), Sighash::All),
        (Family::Bitcoin, Some(0x02), Sighash::Partial),
        (Family::Bitcoin, Some(0x03), Sighash::Partial),
        (Family::Bitcoin, Some(0x81), Sighash::Partial),
        (Family::Bitcoin, Some(0x41), Sighash::Partial),
        (Family::BitcoinCash, Some(0x41), Sighash::All),
        (Family::BitcoinCash, Some(0x61), Sighash::All),
        (Family::BitcoinCash, Some(0xc1), Sighash::Partial),
        (Family::BitcoinCash, Some(0x43), Sighash::Partial),
    ] {
        assert_eq!(Sighash::of(network, byte), want, "{network:?} {byte:?}");
    }
}

#[test]
fn whirlpool_is_five_of_one_pool_with_remixers_and_new_entrants() {
    let five = outputs(&[5_000_000; 5]);
    let good = judge(&inputs(&[5_000_000, 5_000_000, 5_010_000, 5_010_000, 5_010_000]), &five);
    let want =
        Verdict::CoinJoin { kind: CoinJoin::Whirlpool, participants: 5, denomination: 5_000_000, values_checked: true };
    assert_eq!(good, want);
    assert!(matches!(judge(&unknown(5), &five), Verdict::CoinJoin { values_checked: false, .. }));
    let surge = inputs(&[1_000_000, 1_000_000, 1_000_500, 1_000_500, 1_000_500, 1_000_500, 1_000_500, 1_000_500]);
    assert_eq!(kind(judge(&surge, &outputs(&[1_000_000; 8]))), Some(CoinJoin::Whirlpool));
}

#[test]
fn five_equal_outputs_that_are_no_pool_or_whose_inputs_do_not_fit_are_not_called_whirlpool() {
    let apart = Verdict::Apart(Apart::EqualOutputs);
    assert_eq!(judge(&unknown(5), &outputs(&[4_000_000; 5])), apart);
    let wide = inputs(&[4_000_000, 6_100_000, 5_000_000, 5_000_000, 5_000_000]);
    assert_eq!(judge(&wide, &outputs(&[5_000_000; 5])), apart);
    let all_new = inputs(&[5_010_000; 5]);
    assert_eq!(judge(&all_new, &outputs(&[5_000_000; 5])), apart);
}

fn wasabi(levels: &[(u64, usize)], changes: usize) -> Vec<Output> {
    let mixed = levels.iter().flat_map(|&(value, n)| vec![value; n]);
    outputs(&mixed.chain((0..changes as u64).map(|i| 1_234_567 + 7_919 * i)).collect::<Vec<_>>())
}

#[test]
fn wasabi_1_is_many_equal_outputs_near_a_tenth_and_1_1_doubles_them() {
    let base = 10_123_456;
    assert_eq!(kind(judge(&unknown(60), &wasabi(&[(base, 40)], 35))), Some(CoinJoin::Wasabi1));
    assert_eq!(
        kind(judge(&unknown(60), &wasabi(&[(base, 30), (2 * base, 4), (4 * base, 2)], 33))),
        Some(CoinJoin::Wasabi11)
    );
}

#[test]
fn wasabi_1_needs_ten_an_input_each_and_distinct_scripts() {
    let base = 10_123_456;
    assert_eq!(kind(judge(&unknown(9), &wasabi(&[(base, 9)], 3))), None);
    assert_eq!(kind(judge(&unknown(11), &wasabi(&[(base, 12)], 5))), None);
    assert_eq!(kind(judge(&unknown(90), &wasabi(&[(base, 12)], 5))), None);
    let mut reused = wasabi(&[(base, 40)], 35);
    reused[1].script = reused[0].script;
    assert_eq!(judge(&unknown(60), &reused), Verdict::Merge);
}

#[test]
fn wasabi_2_is_a_large_round_of_its_denominations() {
    let denominations = [8_192, 16_384, 59_049, 4_782_969, 100_000, 200_000, 1_594_323, 3_188_646, 131_072, 5_000_000];
    let round: Vec<u64> = denominations.iter().flat_map(|&d| [d, d, d]).chain((0..15).map(|i| 777_777 + i)).collect();
    assert_eq!(kind(judge(&unknown(50), &outputs(&round))), Some(CoinJoin::Wasabi2));
    assert_eq!(kind(judge(&unknown(14), &outputs(&round))), None, "a round has fifteen inputs");
    let small: Vec<u64> = round.iter().copied().chain([4_999]).collect();
    assert_eq!(kind(judge(&unknown(50), &outputs(&small))), None, "no output is below the least");
}

#[test]
fn wabisabi_denominations_are_powers_of_two_and_three_and_round_ones() {
    assert!(
        [5_000, 6_561, 8_192, 13_122, 20_000, 43_046_721, 86_093_442, 137_438_953_472]
            .into_iter()
            .all(wabisabi_denomination)
    );
    assert!([0, 1, 4_096, 4_374, 30_000, 12_345, 43_046_722].into_iter().all(|v| !wabisabi_denomination(v)));
}

#[test]
fn join_market_is_equal_outputs_with_a_change_for_each_maker() {
    let amount = 7_654_321;
    let mut out = vec![amount; 4];
    out.extend([100_003, 5_000_017, 912_345]);
    let coins = inputs(&[7_754_400, 12_654_000, 8_566_000, 7_660_000]);
    assert_eq!(kind(judge(&coins, &outputs(&out))), Some(CoinJoin::JoinMarket), "the taker swept");
    out.push(31_337);
    assert_eq!(kind(judge(&unknown(6), &outputs(&out))), Some(CoinJoin::JoinMarket));
    out.push(31_338);
    assert_eq!(judge(&unknown(6), &outputs(&out)), Verdict::Merge, "more changes than participants");
}

#[test]
fn join_market_needs_coins_that_can_fill_the_amounts() {
    let mut out = vec![1_000_000; 5];
    out.extend([10_001, 20_002, 30_003, 40_004]);
    let coins = inputs(&[5_099_900, 500, 600, 700, 800, 900]);
    assert_eq!(judge(&coins, &outputs(&out)), Verdict::Merge, "one coin paid all");
}

#[test]
fn an_exchange_pays_a_batch_and_is_merged() {
    let mut batch: Vec<u64> = (0..120_u64).map(|i| 150_000 + 104_729 * i).collect();
    batch.extend([10_000_000; 9]);
    batch.extend([5_000_000; 6]);
    assert_eq!(judge(&unknown(40), &outputs(&batch)), Verdict::Merge);
    let round: Vec<u64> = (0..40).flat_map(|_| [10_000_000, 5_000_000]).chain((0..30).map(|i| 900_001 + i)).collect();
    assert_eq!(judge(&unknown(70), &outputs(&round)), Verdict::Merge, "round amounts alone are no WabiSabi round");
}

#[test]
fn a_payroll_from_few_coins_is_merged_and_from_many_never_called_a_coinjoin() {
    let mut salaries = vec![3_141_592; 20];
    salaries.push(271_828);
    assert_eq!(judge(&unknown(3), &outputs(&salaries)), Verdict::Merge);
    assert_eq!(judge(&unknown(25), &outputs(&salaries)), Verdict::Apart(Apart::EqualOutputs));
}

#[test]
fn stonewall_is_not_merged_and_not_called_a_coinjoin() {
    let out = outputs(&[2_000_000, 2_000_000, 310_000, 95_000]);
    assert_eq!(judge(&unknown(3), &out), Verdict::Apart(Apart::Stonewall));
    assert_eq!(judge(&inputs(&[2_311_000, 1_500_000, 600_000]), &out), Verdict::Apart(Apart::Stonewall));
    assert_eq!(judge(&inputs(&[4_300_000, 60_000, 50_000]), &out), Verdict::Merge, "the coins make no two sets");
    assert_eq!(
        judge(&unknown(3), &outputs(&[2_000_000, 2_000_000, 310_000])),
        Verdict::Merge,
        "two equal payments and one change"
    );
}

#[test]
fn a_cash_fusion_is_not_merged_on_bitcoin_cash_alone() {
    let mut out = outputs(&[0, 10_000, 20_000, 30_000]);
    out[0].kind = Script::Data(Some(*b"FUZ\0"));
    let coins = unknown(6);
    let mut shape = Shape { family: Family::BitcoinCash, version: 1, locktime: 0, inputs: &coins, outputs: &out };
    assert_eq!(shape.judge(), Verdict::Apart(Apart::CashFusion));
    shape.family = Family::Bitcoin;
    assert_eq!(shape.judge(), Verdict::Merge);
}

#[test]
fn a_hog_ex_is_not_merged_and_a_peg_out_beside_it_neither() {
    let mut out = outputs(&[9_000_000, 1_000]);
    out[0].kind = Script::Hog;
    let coins = unknown(3);
    let shape = Shape { family: Family::Litecoin, version: 2, locktime: 0, inputs: &coins, outputs: &out };
    assert_eq!(shape.judge(), Verdict::Apart(Apart::HogEx));
}

#[test]
fn a_channel_funded_by_both_ends_is_not_merged() {
    let mut out = outputs(&[5_000_000, 120_000, 77_000]);
    let coins = unknown(2);
    let with = |out: &[Output], coins: &[Input]| judge(coins, out);
    out[0].kind = Script::WitnessScript { two_of_two: None };
    assert_eq!(with(&out, &coins), Verdict::Apart(Apart::DualFunding));
    out[0].kind = Script::WitnessScript { two_of_two: Some(true) };
    assert_eq!(with(&out, &coins), Verdict::Apart(Apart::DualFunding));
    out[0].kind = Script::WitnessScript { two_of_two: Some(false) };
    assert_eq!(with(&out, &coins), Verdict::Merge, "its spender showed another script");
    out[0].kind = Script::WitnessScript { two_of_two: None };
    assert_eq!(with(&out[..2], &coins), Verdict::Merge, "one change: one end funded it");
    let legacy: Vec<Input> = coins.iter().map(|i| Input { segwit: false, ..*i }).collect();
    assert_eq!(with(&out, &legacy), Verdict::Merge, "both ends must bring witness inputs");
}
