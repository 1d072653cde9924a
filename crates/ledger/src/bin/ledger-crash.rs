//! A program for tests to kill: it appends, rebuilds, expunges, backs up, or appends before a view whose disk stops and
//! starts, in a loop, and prints what was acknowledged.
//!
//! `ledger-crash DATA append|rebuild|expunge|backup|partition`; each line it prints is `pos object` of a durable entry, `erased
//! object` of a finished erasure, `copied` of a finished backup; before a view that stands still `saw` or `behind` of each
//! reading, and `wrong` of one that lacked what it must show. `level` ends by itself, once the view is compared: `equal`.
use ledger::{
    Append, Bodies, EXPUNGE, Entry, Expunge, FoldError, INTAKE, IdSource, Kind, Kinds, Ledger, NewEntry, Options,
    RecoveryKey, Room, SameRule, Urgency, Wrap,
};
use rusqlite::Connection;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

type Failure = Box<dyn std::error::Error>;

/// Whether the view's disk stands still.
static STILL: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

/// Keeps the bodies of what stands.
struct Standing;
impl Room for Standing {
    fn name(&self) -> &'static str {
        "standing"
    }
    fn version(&self) -> u32 {
        1
    }
    fn kinds(&self) -> Kinds {
        Kinds::Of(&["stix", EXPUNGE])
    }
    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS standing(id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID"
    }
    fn fold(&mut self, view: &Connection, entry: &Entry, _: &dyn Bodies) -> Result<(), FoldError> {
        let still = STILL.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(STILL.1.wait_while(still, |still| *still));
        let body = entry.body.as_deref().unwrap_or("");
        if entry.kind == EXPUNGE {
            let gone: Expunge = serde_json::from_str(body).map_err(|e| FoldError::shape(&e))?;
            view.execute("DELETE FROM standing WHERE id = ?", [gone.entry])?;
        } else if !body.is_empty() {
            view.execute("INSERT OR REPLACE INTO standing VALUES (?,?)", (hex::encode(entry.id), body))?;
        }
        Ok(())
    }
}

fn object(n: u64) -> NewEntry {
    let id: Arc<str> = format!("note--00000000-0000-4000-8000-{n:012}").into();
    NewEntry {
        collection: INTAKE,
        id: IdSource::Object { object: Arc::clone(&id), version: Some(1) },
        same: SameRule::Refuse,
        subject: id,
        cause: None,
        author: 1,
        time: None,
        kind: Kind::new("stix"),
        version: 1,
        marking: "TLP:AMBER".into(),
        body: format!(r#"{{"type":"note","content":"EXERCISE secret{n}secret {}"}}"#, "x".repeat(200)).into(),
    }
}

fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let (Some(data), Some(work)) = (args.next(), args.next()) else {
        return Err("ledger-crash DATA append|rebuild|expunge|backup|partition|level".into());
    };
    let data = Path::new(&data);
    let options = Options { every_minute: false, ..Options::default() };
    let ledger = Ledger::open(data, options, vec![Arc::new(|| Box::new(Standing))])?;
    println!("open");
    let appending = (!["append", "level"].contains(&work.as_str())).then(|| {
        let ledger = ledger.clone();
        std::thread::spawn(move || forever(&ledger, 3))
    });
    match work.as_str() {
        "append" => forever(&ledger, 40),
        "rebuild" => loop {
            ledger.rebuild("standing", &|_, _| {})?;
            say("rebuilt")?;
        },
        "expunge" => loop {
            expunge_newest(&ledger)?;
        },
        "backup" => loop {
            let wrap = Wrap::to_recipients(&[RecoveryKey::generate()?.public()])?;
            ledger.backup(&data.with_extension("backup"), &wrap, &|_, _| {})?;
            say("copied")?;
        },
        "partition" => partition(&ledger)?,
        "level" => {
            let compared = ledger.compare("standing", &|_, _| {})?;
            say(if compared.serving == compared.fresh { "equal" } else { "wrong: the view differs from the log" })?;
            ledger.close();
        }
        other => drop(appending.map(|_| eprintln!("no work is called {other}"))),
    }
    Ok(())
}

/// Appends, and says what was acknowledged, until killed.
fn forever(ledger: &Ledger, most: u64) {
    let mut n = ledger.head().pos * 100;
    loop {
        let entries: Vec<NewEntry> = (n..n + 1 + n % most).map(object).collect();
        n += entries.len() as u64;
        let names: Vec<Arc<str>> = entries.iter().map(|e| Arc::clone(&e.subject)).collect();
        let Ok(receipt) = ledger.append(Append { entries, expect: Vec::new() }, Urgency::Interactive) else { return };
        let mut lines = String::new();
        for (outcome, name) in receipt.outcomes.iter().zip(names) {
            lines.extend(outcome.pos().map(|pos| format!("{pos} {name}\n")));
        }
        if say(lines.trim_end()).is_err() {
            return;
        }
    }
}

/// Stops the view's disk and lets it go on, by turns of some milliseconds, and reads behind the barrier meanwhile.
fn partition(ledger: &Ledger) -> Result<(), Failure> {
    let view = ledger.view("standing")?;
    for turn in 0u64.. {
        *STILL.0.lock().unwrap_or_else(PoisonError::into_inner) = turn % 2 == 0;
        STILL.1.notify_all();
        for _ in 0..=turn % 5 {
            let head = ledger.head().pos;
            match view.wait(head, Duration::from_millis(3)) {
                Ok(()) => {
                    let rows: u64 = view.read(|r| {
                        Ok(r.conn
                            .query_row("SELECT count(*) FROM standing", [], |r| r.get::<_, i64>(0))?
                            .unsigned_abs())
                    })?;
                    say(if rows >= head { "saw" } else { "wrong: a reading lacks what was there when it began" })?;
                }
                Err(ledger::Error::Behind { .. }) => say("behind")?,
                Err(e) => return Err(e.into()),
            }
        }
    }
    Ok(())
}

fn expunge_newest(ledger: &Ledger) -> Result<(), Failure> {
    let newest = ledger.log().range(ledger.head().pos.saturating_sub(30), 30, 1 << 20)?;
    let Some(entry) = newest.iter().rev().find(|e| e.kind == "stix" && e.body.is_some()) else { return Ok(()) };
    say(&format!("erasing {}", entry.subject))?;
    ledger.expunge(&[entry.pos], &entry.subject, "EXERCISE", 1)?;
    say(&format!("erased {}", entry.subject))?;
    Ok(())
}

/// One write, so that a line is whole or not there.
fn say(lines: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{lines}\n").as_bytes())?;
    out.flush()
}
