//! A room and entries that the ledger's tests share.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use ledger::*;
use rusqlite::Connection;
use std::sync::Arc;

/// Keeps words (with `secure_delete`, as every view) until their entry is withdrawn or expunged.
pub struct Words;
impl Room for Words {
    fn name(&self) -> &'static str {
        "words"
    }
    fn version(&self) -> u32 {
        1
    }
    fn kinds(&self) -> Kinds {
        Kinds::Of(&["stix", WITHDRAW, EXPUNGE])
    }
    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS words(pos INTEGER PRIMARY KEY, id BLOB NOT NULL, body TEXT NOT NULL);
         CREATE INDEX IF NOT EXISTS by_id ON words(id);"
    }
    fn fold(&mut self, view: &Connection, entry: &Entry, _: &dyn Bodies) -> Result<(), FoldError> {
        let body = entry.body.as_deref().unwrap_or("");
        let gone = match entry.kind.as_str() {
            WITHDRAW => serde_json::from_str::<Withdrawal>(body).ok().map(|b| b.entry),
            EXPUNGE => serde_json::from_str::<Expunge>(body).ok().map(|b| b.entry),
            _ => None,
        };
        if let Some(id) = gone {
            view.execute("DELETE FROM words WHERE id = ?", [hex::decode(id).unwrap()])?;
        } else if !body.is_empty() {
            view.prepare_cached("INSERT INTO words VALUES (?,?,?)")?.execute((
                entry.pos as i64,
                &entry.id[..],
                body,
            ))?;
        }
        Ok(())
    }
}

pub fn rooms() -> Vec<RoomFactory> {
    vec![Arc::new(|| Box::new(Words))]
}

/// Whom a test's backups are sealed for: [`wrap`] and [`unwrap`] of one process belong together.
static RECOVERY: std::sync::LazyLock<RecoveryKey> = std::sync::LazyLock::new(|| RecoveryKey::generate().unwrap());

pub fn wrap() -> Wrap {
    Wrap::to_recipients(&[RECOVERY.public()]).unwrap()
}

pub fn unwrap() -> Unwrap {
    Unwrap::with_recovery_keys(&RECOVERY.file()).unwrap()
}

pub fn name(n: u32) -> Arc<str> {
    format!("note--00000000-0000-4000-8000-{n:012}").into()
}

pub fn object(n: u32, body: &str, version: Option<i64>) -> NewEntry {
    NewEntry {
        collection: INTAKE,
        id: IdSource::Object { object: name(n), version },
        same: SameRule::Refuse,
        subject: name(n),
        cause: None,
        author: 1,
        time: None,
        kind: Kind::new("stix"),
        version: 1,
        marking: "TLP:AMBER".into(),
        body: body.into(),
    }
}

pub fn one(entry: NewEntry) -> Append {
    Append { entries: vec![entry], expect: vec![] }
}

/// Appends one entry and returns its `pos`.
pub fn add(ledger: &Ledger, entry: NewEntry) -> u64 {
    ledger.append(one(entry), Urgency::Interactive).unwrap().outcomes[0].pos().unwrap()
}

/// `count` notes in appends of 200, numbered from `first`.
pub fn many(ledger: &Ledger, first: u32, count: u32) {
    for start in (first..first + count).step_by(200) {
        let entries = (start..(start + 200).min(first + count))
            .map(|n| object(n, &format!(r#"{{"type":"note","n":{n},"content":"EXERCISE note number {n}"}}"#), Some(1)))
            .collect();
        ledger.append(Append { entries, expect: vec![] }, Urgency::Bulk).unwrap();
    }
}

pub fn rows(ledger: &Ledger) -> i64 {
    let view = ledger.view("words").unwrap();
    view.wait(ledger.head().pos, std::time::Duration::from_secs(10)).unwrap();
    view.read(|r| Ok(r.conn.query_row("SELECT count(*) FROM words", [], |r| r.get(0))?)).unwrap()
}

/// Copies a folder with all it holds.
pub fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(to).unwrap();
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o700)).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_dir() {
            copy_folder(&file.path(), &to.join(file.file_name()));
        } else {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

/// A small sequence of numbers that a seed decides (SplitMix64).
pub struct Seeded(pub u64);
impl Seeded {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}
