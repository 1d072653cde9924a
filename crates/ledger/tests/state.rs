//! What is not in the log: one job's panic is its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use ledger::Error;
use ledger::testing::temp_ledger;

#[test]
fn a_job_that_panics_is_undone_alone_and_the_thread_goes_on() {
    let ledger = temp_ledger(vec![]);
    let state = ledger.state();
    state.ensure("CREATE TABLE exercise(n INTEGER PRIMARY KEY)").unwrap();
    state.soon(|c| Ok(c.execute("INSERT INTO exercise VALUES (1)", []).map(drop)?));
    state.soon(|c| {
        c.execute("INSERT INTO exercise VALUES (2)", [])?;
        panic!("EXERCISE")
    });
    let failed = state.write::<()>(|c| {
        c.execute("INSERT INTO exercise VALUES (3)", [])?;
        panic!("EXERCISE")
    });
    assert!(matches!(failed, Err(Error::Failed(_))), "{failed:?}");
    // Even one that takes the transaction with it.
    let ended = state.write::<()>(|c| {
        c.execute_batch("ROLLBACK")?;
        panic!("EXERCISE")
    });
    assert!(ended.is_err());
    assert!(state.is_alive() && ledger.is_alive());
    state.write(|c| Ok(c.execute("INSERT INTO exercise VALUES (4)", [])?)).unwrap();
    let rows = state.read(|c| Ok(c.query_row("SELECT group_concat(n) FROM exercise", [], |r| r.get::<_, String>(0))?));
    assert_eq!(rows.unwrap(), "1,4");
}

#[test]
fn a_ledger_whose_state_has_ended_is_not_alive() {
    let ledger = temp_ledger(vec![]);
    assert!(ledger.state().is_alive());
    let held = ledger.clone();
    held.close();
    assert!(!held.state().is_alive() && !held.is_alive());
}
