//! What the door costs each request: nanoseconds a call, best of five rounds on one core.
//!
//! `cargo run --release -p people --example door_cost`
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use people::entry::{AudienceBody, Member};
use people::{Access, AuthHeader, NewToken, People, Role, see};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const ROUND: u32 = 20_000;

fn measure<T>(what: &str, mut call: impl FnMut(u32) -> T) {
    let mut round = || {
        let start = Instant::now();
        for n in 0..ROUND {
            black_box(call(n));
        }
        start.elapsed().as_nanos() / u128::from(ROUND)
    };
    let best = (0..5).map(|_| round()).min().unwrap_or(0);
    println!("{best:>8} ns  {what}");
}

/// CPU time of all threads of this process, µs.
fn cpu() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()) * 10_000
}

fn main() {
    let dir = tempfile::tempdir().unwrap();
    ledger::Ledger::create(dir.path()).unwrap();
    let ledger = ledger::Ledger::open(dir.path(), ledger::Options::default(), vec![people::room()]).unwrap();
    let info = people::NodeInfo { name: "EXERCISE".into(), country: "TH".into(), exercise: true };
    people::init(&ledger, info).unwrap();
    let people = People::open(&ledger).unwrap();
    let local = people.local_viewer().unwrap();
    let secret = people.create_token(&local, &NewToken { name: "", role: Role::Analyst, days: None }).unwrap();
    people.add_user(&local, "officer", Role::Analyst, "four words of nonsense").unwrap();
    let bearer = format!("Bearer {secret}");
    let asks = AuthHeader { authorization: Some(&bearer), cookie: None, peer: [192, 0, 2, 1].into() };
    measure("authenticate, bearer", |_| people.authenticate(&asks).unwrap().unwrap());
    // "officer:four words of nonsense"
    let basic = "Basic b2ZmaWNlcjpmb3VyIHdvcmRzIG9mIG5vbnNlbnNl";
    let asks = AuthHeader { authorization: Some(basic), ..asks };
    let start = Instant::now();
    let viewer = people.authenticate(&asks).unwrap().unwrap();
    println!("{:>8} ns  authenticate, basic, the first time", start.elapsed().as_nanos());
    measure("authenticate, basic, remembered", |_| people.authenticate(&asks).unwrap().unwrap());
    let signed = people::SignIn {
        name: "officer",
        password: "four words of nonsense",
        code: None,
        peer: [192, 0, 2, 1].into(),
        agent: "",
    };
    let cookie = people.sign_in(&signed).unwrap().cookie;
    let asks = AuthHeader { authorization: None, cookie: Some(&cookie), ..asks };
    measure("authenticate, session", |_| people.authenticate(&asks).unwrap().unwrap());
    measure("again", |_| people.again(&viewer).unwrap().unwrap());

    let ids = ["note--00000000-0000-4000-8000-000000000001"];
    let log = people.access_log();
    let (before, start) = (cpu(), Instant::now());
    for _ in 0..200_000 {
        let access = Access {
            viewer: Some(&viewer),
            method: "GET",
            route: "/objects/{id}",
            status: 200,
            ids: &ids,
            ..Access::default()
        };
        log.record(&access).unwrap();
    }
    log.flush().unwrap();
    let (after, wall) = (cpu(), start.elapsed().as_nanos());
    println!("{:>8} ns  access log, a row, CPU of all threads ({} ns elapsed)", (after - before) / 200, wall / 200_000);
    let start = Instant::now();
    println!("{:>8}     rows verified in {} ms", log.verify().unwrap().n, start.elapsed().as_millis());

    let conn = rusqlite::Connection::open_in_memory().unwrap();
    see::register(&conn).unwrap();
    let rows = Arc::new(see::RowCols::default());
    see::register_rows(&conn, Arc::clone(&rows)).unwrap();
    conn.execute_batch("CREATE TABLE t(pos INTEGER PRIMARY KEY, col INTEGER)").unwrap();
    conn.execute_batch("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 1000000) INSERT INTO t SELECT i, i % 6000 FROM n").unwrap();
    rows.fill((1..=1_000_000).map(|n| (n, u32::try_from(n % 6000).unwrap())));
    for sql in [
        "SELECT count(*) FROM t WHERE col >= 0",
        "SELECT count(*) FROM t WHERE see(col)",
        "SELECT count(*) FROM t WHERE see_row(pos)",
    ] {
        let start = Instant::now();
        let n: i64 = see::with(&viewer, || conn.query_row(sql, [], |r| r.get(0)).unwrap());
        println!("{:>8} ns  a row of {sql} ({n})", start.elapsed().as_nanos() / 1_000_000);
    }

    let body = AudienceBody::shared("EXERCISE", stix::Tlp::Amber, vec![Member::role(Role::Reader, false)]);
    for _ in 0..500 {
        people.create_collection(&local, &body).unwrap();
    }
    let start = Instant::now();
    for _ in 0..100 {
        people.create_collection(&local, &body).unwrap();
    }
    println!("{:>8} µs  create_collection among 500, until it is seen", start.elapsed().as_micros() / 100);
    ledger.close();
}
