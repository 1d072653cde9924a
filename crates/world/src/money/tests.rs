use super::truth::{AddressTruth, Line, Trap};
use super::*;
use std::collections::{BTreeMap, BTreeSet};

fn plan(seed: u64) -> MoneyPlan {
    MoneyPlan { seed, stories: 400, days: 6, ..MoneyPlan::default() }
}

fn told(seed: u64) -> (tempfile::TempDir, MoneySummary, Vec<Line>) {
    let dir = tempfile::tempdir().unwrap();
    let summary = write_money(&plan(seed), &dir.path().join("money"), &mut |_, _| ()).unwrap();
    let text = std::fs::read_to_string(dir.path().join("money/truth.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (dir, summary, lines)
}

fn addresses(lines: &[Line]) -> impl Iterator<Item = &AddressTruth> {
    lines.iter().filter_map(|line| if let Line::Address(truth) = line { Some(truth) } else { None })
}

#[test]
fn a_plan_gives_the_same_bytes_every_time_and_another_seed_others() {
    let read = |seed| {
        let (dir, ..) = told(seed);
        let mut all = BTreeMap::new();
        let mut folders = vec![dir.path().join("money")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(dir.path()).unwrap().to_owned();
                    all.insert(name, std::fs::read(&path).unwrap());
                }
            }
        }
        all
    };
    let (one, again, other) = (read(3), read(3), read(4));
    assert!(one == again && one.len() == 14);
    assert!(one.keys().eq(other.keys()) && one != other);
}

#[test]
fn every_address_has_one_owner() {
    let (_dir, summary, lines) = told(5);
    let mut owners: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for truth in addresses(&lines) {
        let before = owners.insert((&truth.chain, &truth.address), &truth.owner);
        assert!(before.is_none_or(|before| before == truth.owner), "{truth:?}");
    }
    assert!(summary.txs > 5_000 && owners.len() > 4_000, "{summary:?} {}", owners.len());
}

#[test]
fn every_trap_is_set_somewhere() {
    let mut found: BTreeSet<Trap> = BTreeSet::new();
    for seed in 1..=6 {
        found.extend(addresses(&told(seed).2).filter_map(|truth| truth.trap));
    }
    use Trap::*;
    let all = [
        SharedTarget,
        Drainer,
        GasForVictims,
        Activation,
        DirectPayer,
        RetiredCold,
        Withdrawal,
        Relayer,
        Bundler,
        Disperse,
        EnergyRental,
        GasFree,
        SharedDelegate,
        EqualBytecode,
        Processor,
        SharedSafe,
        SharedSigner,
        Handover,
        CoSigner,
        VendorAdmin,
        Bridge,
        Spam,
        Sale,
        Whirlpool,
        Wasabi,
        JoinMarket,
        Stonewall,
        DualFunding,
        PayJoin,
    ];
    assert_eq!(found, all.into_iter().collect());
}

#[test]
fn tuning_and_judging_seeds_are_apart() {
    assert!(TUNING.clone().all(|seed| !JUDGING.contains(&seed)));
}

#[test]
fn a_plan_out_of_bounds_and_a_folder_in_use_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let write = |plan: MoneyPlan| write_money(&plan, dir.path(), &mut |_, _| ()).unwrap_err();
    assert!(matches!(write(MoneyPlan { stories: 0, ..plan(1) }), WorldError::Plan(_)));
    assert!(matches!(write(MoneyPlan { days: 0, ..plan(1) }), WorldError::Plan(_)));
    let late = Timestamp::constant(4_294_967_000, 0);
    assert!(matches!(write(MoneyPlan { start: late, ..plan(1) }), WorldError::Plan(_)));
    std::fs::write(dir.path().join("mine"), "").unwrap();
    assert!(matches!(write(plan(1)), WorldError::NotEmpty(_)));
}
