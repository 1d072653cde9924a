use crate::{Append, Error, INTAKE, IdSource, Kind, Ledger, NewEntry, Options, SameRule, Urgency, verify_folder};

fn entry() -> NewEntry {
    NewEntry {
        collection: INTAKE,
        id: IdSource::Fresh,
        same: SameRule::Refuse,
        subject: "".into(),
        cause: None,
        author: 1,
        time: None,
        kind: Kind::new("stix"),
        version: 1,
        marking: "TLP:AMBER".into(),
        body: format!(r#"{{"content":"EXERCISE {}"}}"#, "y".repeat(3_000)).into(),
    }
}

fn append(ledger: &Ledger) -> Result<u64, Error> {
    let receipt = ledger.append(Append { entries: vec![entry()], expect: vec![] }, Urgency::Interactive)?;
    Ok(receipt.outcomes[0].pos().unwrap())
}

fn with_node(test: impl FnOnce(&Ledger)) {
    let folder = tempfile::tempdir().unwrap();
    Ledger::create(folder.path()).unwrap();
    let ledger = Ledger::open(folder.path(), Options::default(), Vec::new()).unwrap();
    test(&ledger);
    ledger.close();
    let report = verify_folder(folder.path(), &mut |_, _| {}).unwrap();
    assert!(report.ok(), "{:#?}", report.problems);
}

fn most_pages(ledger: &Ledger, pages: u32) {
    ledger.in_writer(move |w| Ok(w.conn.pragma_update(None, "max_page_count", pages)?)).unwrap();
}

#[test]
fn after_a_full_disk_the_writer_goes_on_where_it_was() {
    with_node(|ledger| {
        most_pages(ledger, 60);
        let mut last = 0;
        let full = loop {
            match append(ledger) {
                Ok(pos) => last = pos,
                Err(e) => break e,
            }
        };
        assert!(matches!(full, Error::Full), "{full}");
        assert!(matches!(append(ledger), Err(Error::Full)));
        most_pages(ledger, 100_000);
        assert_eq!(append(ledger).unwrap(), last + 1);
        ledger.tick().unwrap();
    });
}

#[test]
fn a_commit_that_fails_writes_nothing_and_the_next_takes_its_place() {
    with_node(|ledger| {
        assert_eq!(append(ledger).unwrap(), 1);
        ledger.in_writer(|w| Ok(w.conn.commit_hook(Some(|| true))?)).unwrap();
        assert!(matches!(append(ledger), Err(Error::Failed(_))));
        assert!(ledger.tick().is_err());
        ledger.in_writer(|w| Ok(w.conn.commit_hook(None::<fn() -> bool>)?)).unwrap();
        assert_eq!(ledger.head().pos, 1);
        assert_eq!(append(ledger).unwrap(), 2);
    });
}

#[test]
fn what_reached_the_disk_though_the_commit_seemed_to_fail_is_told_to_everybody() {
    with_node(|ledger| {
        append(ledger).unwrap();
        // As after a COMMIT whose answer was lost: the disk holds an entry more than memory knows.
        ledger
            .in_writer(|w| {
                w.tail = std::sync::Arc::new(crate::tail::Tail::new(crate::LogHead { pos: 0, arrived: 0 }, 1 << 20));
                w.unsure = true;
                w.recover()?;
                assert_eq!(w.tail.head().pos, 1);
                Ok(())
            })
            .unwrap();
    });
}

/// As after a COMMIT whose answer was lost: the disk holds entries that memory does not know of, and `harm` came to them.
fn untold(ledger: &Ledger, count: usize, harm: &'static str) {
    let entries = (0..count).map(|_| entry()).collect();
    ledger
        .in_writer(move |w| {
            let mut group = super::Group::default();
            w.conn.execute_batch("BEGIN IMMEDIATE")?;
            w.take(&Append { entries, expect: vec![] }, &mut group)?;
            w.finish(&group.written)?;
            w.conn.execute_batch(harm)?;
            w.unsure = true;
            w.recover()
        })
        .unwrap();
}

#[test]
fn damage_of_a_commit_that_seemed_to_fail_is_found_and_named_at_its_place() {
    const ROW: &str = "entries, pos";
    const BODY: &str = "bodies, pos";
    let table = [
        ("UPDATE entries SET subject = CAST(x'ff' AS TEXT) WHERE pos = 2", 2, ROW),
        ("UPDATE entries SET subject = CAST(x'ff' AS TEXT) WHERE pos = 4", 4, ROW),
        ("UPDATE bodies SET body = 'EXERCISE' WHERE pos = 3", 3, BODY),
    ];
    for (harm, pos, place) in table {
        let folder = tempfile::tempdir().unwrap();
        Ledger::create(folder.path()).unwrap();
        let ledger = Ledger::open(folder.path(), Options::default(), Vec::new()).unwrap();
        assert_eq!(append(&ledger).unwrap(), 1);
        untold(&ledger, 3, harm);
        assert_eq!(ledger.head().pos, 4, "{harm}");
        assert_eq!(append(&ledger).unwrap(), 5, "the writer goes on after it");
        ledger.level(std::time::Duration::from_secs(30)).unwrap();
        let view = ledger.view("index").unwrap();
        view.wait(5, std::time::Duration::from_secs(30)).unwrap();
        let named = view.unfolded_entries(10).unwrap();
        assert_eq!(named.iter().map(|(pos, _)| *pos).collect::<Vec<_>>(), [pos], "{harm}: {named:?}");
        assert!(named[0].1.starts_with(&format!("log.db, {place} {pos}: ")), "{named:?}");
        assert!(!named[0].1.contains("EXERCISE"), "{named:?}");
        ledger.close();
        let report = verify_folder(folder.path(), &mut |_, _| {}).unwrap();
        let places: Vec<_> = report.problems.iter().map(|p| p.place.as_str()).collect();
        assert!(places.iter().any(|at| at.contains(&format!("pos {pos}"))), "{harm}: {:#?}", report.problems);
    }
}

/// Panics where it is told to.
#[derive(Default)]
struct Trap(std::sync::atomic::AtomicBool);
impl crate::Clock for Trap {
    fn now(&self) -> i64 {
        assert!(!self.0.load(std::sync::atomic::Ordering::Acquire), "EXERCISE");
        1_790_000_000_000_000
    }
}

#[test]
fn a_panic_in_the_writers_thread_undoes_its_transaction_tells_who_asked_and_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    Ledger::create(folder.path()).unwrap();
    let trap = std::sync::Arc::new(Trap::default());
    let clock = std::sync::Arc::clone(&trap);
    let ledger =
        Ledger::open(folder.path(), Options { clock, every_minute: false, ..Options::default() }, vec![]).unwrap();
    assert_eq!(append(&ledger).unwrap(), 1);
    trap.0.store(true, std::sync::atomic::Ordering::Release);
    assert!(matches!(append(&ledger), Err(Error::Failed(_))));
    assert!(matches!(ledger.tick(), Err(Error::Failed(_))));
    trap.0.store(false, std::sync::atomic::Ordering::Release);
    let begun = ledger.in_writer::<()>(|w| {
        w.conn.execute_batch("BEGIN IMMEDIATE; DELETE FROM entries")?;
        panic!("EXERCISE")
    });
    assert!(matches!(begun, Err(Error::Failed(_))));
    assert!(ledger.is_alive());
    assert_eq!(append(&ledger).unwrap(), 2);
    let (told, hears) = std::sync::mpsc::sync_channel(1);
    let next = || Append { entries: vec![], expect: vec![] };
    ledger.append_then(next(), Urgency::Interactive, |_| panic!("EXERCISE")).unwrap();
    ledger.append_then(next(), Urgency::Interactive, move |r| told.send(r.is_ok()).unwrap()).unwrap();
    hears.recv().unwrap();
    assert_eq!(append(&ledger).unwrap(), 3);
    ledger.close();
    let report = verify_folder(folder.path(), &mut |_, _| {}).unwrap();
    assert!(report.ok(), "{:#?}", report.problems);
}
