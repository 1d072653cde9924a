//! A clock that goes backwards: what arrived later has the later `arrived`, so "added after" skips nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod common;

use common::{Seeded, add, object, one, rooms};
use ledger::testing::{START, temp_ledger};
use ledger::*;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;

#[test]
fn whatever_the_clock_does_what_comes_later_arrives_later_and_a_follower_skips_nothing() {
    let mut ledger = temp_ledger(rooms());
    let mut chance = Seeded(31);
    let (mut last, mut followed, mut back) = (0, Vec::new(), 0);
    for n in 0..400 {
        // Back by up to a quarter of an hour, forward by as much; now and then a restart with the clock behind.
        let step = chance.below(1_800 * SECOND as u64) as i64 - 900 * SECOND;
        let ahead = ledger.head().arrived - ledger.clock().now();
        let step = if ahead - step > HOUR { ahead } else { step };
        back += u32::from(step < 0);
        ledger.clock().forward(step);
        if chance.below(40) == 0 {
            ledger.reopen();
        }
        let pos = add(&ledger, object(n, "{}", Some(1)));
        // A follower asks for what was added after the last that it has, as over TAXII.
        if chance.below(3) == 0 {
            let from = ledger.log().first_after(last).unwrap();
            for entry in ledger.log().range(from - 1, 1_000, 1 << 20).unwrap() {
                assert!(entry.arrived > last, "entry {} arrived with or before the one before it", entry.pos);
                last = entry.arrived;
                followed.extend((entry.kind == "stix").then_some(entry.pos));
            }
            assert_eq!(followed.last(), Some(&pos));
        }
    }
    assert!(back > 100, "the clock hardly went back: {back}");
    let from = ledger.log().first_after(last).unwrap();
    let rest = ledger.log().range(from - 1, 1_000, 1 << 20).unwrap();
    followed.extend(rest.iter().filter(|e| e.kind == "stix").map(|e| e.pos));
    let all = ledger.log().range(0, 10_000, 1 << 26).unwrap();
    let stored: Vec<u64> = all.iter().filter(|e| e.kind == "stix").map(|e| e.pos).collect();
    assert_eq!(followed, stored, "each once, in the log's order");
    assert!(all.windows(2).all(|w| w[0].arrived < w[1].arrived && w[0].pos < w[1].pos));
}

#[test]
fn a_clock_that_jumps_ahead_moves_arrived_with_it_and_one_that_returns_does_not_move_it_back() {
    let ledger = temp_ledger(rooms());
    ledger.clock().forward(1_800 * SECOND);
    let first = add(&ledger, object(1, "{}", Some(1)));
    ledger.clock().forward(-1_800 * SECOND);
    let second = add(&ledger, object(2, "{}", Some(1)));
    let arrived = |pos| ledger.log().entry(pos).unwrap().unwrap().arrived;
    assert_eq!((arrived(first), arrived(second)), (START + 1_800 * SECOND, START + 1_800 * SECOND + 1));
}

#[test]
fn an_accepted_clock_goes_on_over_a_restart_until_it_jumps_anew() {
    let mut ledger = temp_ledger(rooms());
    let refused = |ledger: &Ledger, n| {
        let answer = ledger.append(one(object(n, "{}", Some(1))), Urgency::Interactive);
        matches!(answer, Err(Error::Clock(_)))
    };
    ledger.clock().forward(1_000 * HOUR);
    add(&ledger, object(1, "{}", Some(1)));
    assert_eq!(ledger.clock_stops_appends().unwrap(), None);
    ledger.clock().forward(-1_000 * HOUR);
    assert!(refused(&ledger, 2));
    assert_eq!(ledger.clock_stops_appends().unwrap(), Some(3_600_000));
    ledger.accept_clock().unwrap();
    let (second, arrived) = (add(&ledger, object(2, "{}", Some(1))), START + 1_000 * HOUR + 1);
    assert_eq!(ledger.log().entry(second).unwrap().unwrap().arrived, arrived);
    ledger.reopen();
    add(&ledger, object(3, "{}", Some(1)));
    ledger.clock().forward(2_000 * HOUR);
    add(&ledger, object(4, "{}", Some(1)));
    ledger.clock().forward(-2_000 * HOUR);
    assert!(refused(&ledger, 5), "another jump is another question");
}

#[test]
fn an_hour_behind_the_last_entry_nothing_is_taken_until_the_clock_is_right() {
    let mut ledger = temp_ledger(rooms());
    ledger.clock().forward(2 * HOUR);
    add(&ledger, object(1, "{}", Some(1)));
    ledger.clock().forward(-HOUR - SECOND);
    let refused = ledger.append(one(object(2, "{}", Some(1))), Urgency::Interactive);
    assert!(matches!(refused, Err(Error::Clock(3_601))), "{refused:?}");
    assert_eq!(ledger.head().pos, 1, "nothing of it stands");
    ledger.reopen();
    assert!(matches!(ledger.append(one(object(2, "{}", Some(1))), Urgency::Interactive), Err(Error::Clock(_))));
    ledger.clock().forward(2 * SECOND);
    add(&ledger, object(2, "{}", Some(1)));
}
