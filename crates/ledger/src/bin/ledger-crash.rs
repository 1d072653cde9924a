//! A program for tests to kill: it appends, rebuilds, expunges or backs up in a loop and prints what was acknowledged.
//!
//! `ledger-crash DATA append|rebuild|expunge|backup`; each line it prints is `pos object` of a durable entry, `erased
//! object` of a finished erasure, `copied` of a finished backup.
use ledger::{
    Append, Bodies, EXPUNGE, Entry, Expunge, FoldError, INTAKE, IdSource, Kind, Kinds, Ledger, NewEntry, Options, Room,
    SameRule, Urgency,
};
use rusqlite::Connection;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

type Failure = Box<dyn std::error::Error>;

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
        let body = entry.body.as_deref().unwrap_or("");
        if entry.kind == EXPUNGE {
            let gone: Expunge = serde_json::from_str(body).map_err(|e| FoldError::Unreadable(e.to_string()))?;
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
        return Err("ledger-crash DATA append|rebuild|expunge|backup".into());
    };
    let data = Path::new(&data);
    let options = Options { every_minute: false, ..Options::default() };
    let ledger = Ledger::open(data, options, vec![Arc::new(|| Box::new(Standing))])?;
    println!("open");
    let appending = (work != "append").then(|| {
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
            ledger.backup(&data.with_extension("backup"), &|_, _| {})?;
            say("copied")?;
        },
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
