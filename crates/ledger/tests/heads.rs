//! What the node signs: a leaf a minute whether or not anything was written, heads of what grew, proofs over all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod common;

use common::*;
use ledger::testing::temp_ledger;
use ledger::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};

fn size(ledger: &Ledger) -> u64 {
    let note = ledger.checkpoint().unwrap().unwrap();
    let key = ledger.keys().signing().verifying_key();
    verify_checkpoint(&note, ledger.origin(), &key).unwrap().size
}

#[test]
fn each_minute_takes_one_leaf_changed_or_not_and_closing_takes_one_when_something_was_written() {
    let mut ledger = temp_ledger(rooms());
    assert_eq!(size(&ledger), 1, "a node begins with a leaf");
    ledger.tick().unwrap();
    let note = ledger.tick().unwrap();
    assert_eq!((size(&ledger), ledger.checkpoint().unwrap()), (3, Some(note)));
    ledger.reopen();
    assert_eq!(size(&ledger), 3, "nothing was written");
    add(&ledger, object(1, "{}", Some(1)));
    ledger.reopen();
    assert_eq!(size(&ledger), 4);
}

#[test]
fn every_collections_newest_head_is_signed_and_only_what_grew_is_signed_again() {
    let mut ledger = temp_ledger(rooms());
    let key = ledger.keys().signing().verifying_key();
    let house = ledger.derived_collection("house");
    assert_ne!(house, ledger.derived_collection("restricted"));
    many(&ledger, 1, 300);
    add(&ledger, NewEntry { collection: house, ..object(1, "{}", Some(1)) });
    ledger.tick().unwrap();
    let before = ledger.heads().unwrap();
    many(&ledger, 1_000, 5);
    ledger.tick().unwrap();
    for _ in 0..2 {
        let heads = ledger.heads().unwrap();
        let of = |heads: &[SignedHead], id: CollectionId| {
            heads.iter().find(|h| h.head.collection == *id.as_bytes()).unwrap().clone()
        };
        assert_eq!(heads.len(), 2);
        assert_eq!((of(&heads, INTAKE).head.size, of(&heads, house).head.size), (305, 1));
        assert_eq!(of(&heads, house), of(&before, house));
        for signed in heads {
            assert_eq!(verify_head(&signed.note, &key), Ok(signed.head));
        }
        ledger.reopen();
    }
}

#[test]
fn appends_of_many_threads_and_conflicts_leave_one_dense_proved_log() {
    let ledger = temp_ledger(rooms());
    let (start, won, lost) = (Barrier::new(4), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for thread in 0..4u32 {
            let (ledger, start, won, lost) = (&ledger, &start, &won, &lost);
            scope.spawn(move || {
                start.wait();
                for n in 0..25 {
                    let subject: Arc<str> = "audience".into();
                    let expect = ledger.expect(INTAKE, &subject).unwrap();
                    let entry = NewEntry {
                        kind: Kind::new("audience"),
                        id: IdSource::Fresh,
                        subject,
                        ..object(thread * 100 + n, "{}", None)
                    };
                    match ledger.append(Append { entries: vec![entry], expect: vec![expect] }, Urgency::Interactive) {
                        Ok(_) => won.fetch_add(1, Ordering::AcqRel),
                        Err(Error::Conflict) => lost.fetch_add(1, Ordering::AcqRel),
                        Err(e) => panic!("{e}"),
                    };
                    add(ledger, object(thread * 100 + n, "{}", Some(1)));
                }
            });
        }
    });
    let (won, lost) = (won.into_inner(), lost.into_inner());
    assert_eq!(won + lost, 100);
    assert_eq!(ledger.head().pos, 100 + won);
}

#[test]
fn an_unknown_cause_refuses_the_whole_append_and_nothing_of_it() {
    let ledger = temp_ledger(rooms());
    let entries = vec![object(1, "{}", Some(1)), NewEntry { cause: Some(77), ..object(2, "{}", Some(1)) }];
    let refused = ledger.append(Append { entries, expect: vec![] }, Urgency::Interactive);
    assert!(matches!(refused, Err(Error::Limit(_))));
    assert_eq!(ledger.head().pos, 0);
    assert_eq!(add(&ledger, object(1, "{}", Some(1))), 1);
}
