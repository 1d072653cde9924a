//! The way back: a verified copy becomes a node under the next epoch, and says so in its first entry.
use super::wrap::{self, Unwrap, WRAPPED};
use super::{EXPUNGED, ExpungedLine, Manifest, describe, read_manifest, sync_folder};
use crate::append::{Append, IdSource, NewEntry, SameRule};
use crate::checkpoint::epoch_of;
use crate::keys::Keys;
use crate::sqlite::{self, Cache};
use crate::verify::verify_with;
use crate::{Error, Folder, Kind, Ledger, Options, Report, Result, Urgency, log};
use std::path::Path;
use std::sync::Arc;

/// The kind of a new epoch's first entry; it stands in the collection `house`.
const EPOCH: &str = "epoch";

/// What a restore came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The new `node/epoch`.
    pub origin: String,
    /// What verifying the backup said.
    pub report: Report,
    /// Objects that were expunged since the backup was made, and now here too.
    pub expunged: u64,
}

/// Makes the node in `to` out of the backup in `from`: verifies it whole, opens a new epoch whose first entry names the
/// last common head, and expunges again what was expunged since. The old node must not run on: its log and this one
/// part here. `unwrap` opens the backup's keys. `progress` hears entries verified, of all.
///
/// # Errors
/// [`Error::Folder`] when `to` holds a node or `from` no backup, [`Error::Limit`] when `unwrap` does not open its keys,
/// [`Error::Damaged`] when the backup does not verify.
pub fn restore(
    from: &Path,
    to: &Path,
    unwrap: &Unwrap,
    options: Options,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Restored> {
    let taken = || Error::Folder(format!("{} is not empty: restore to a folder that is new or empty", to.display()));
    if std::fs::read_dir(to).is_ok_and(|mut dir| dir.next().is_some()) {
        return Err(taken());
    }
    let manifest = read_manifest(from)?
        .ok_or_else(|| Error::Folder(format!("{} holds no finished backup (no manifest.json)", from.display())))?;
    check_files(from, &manifest)?;
    let keys = keys_of(from, &manifest, unwrap)?;
    let report = verify_with(from, &keys, progress)?;
    if let Some(problem) = report.problems.first() {
        return Err(Error::Damaged(format!("the backup does not verify: {problem}")));
    }
    let origin = next_epoch(&manifest.origin)?;
    // Made beside and named last: there is a whole node under its new epoch, or none.
    let mut beside = to.as_os_str().to_owned();
    beside.push(".restoring");
    let beside = Path::new(&beside);
    match std::fs::remove_dir_all(beside) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::io(format!("removing {}, left by an earlier restore", beside.display()))(e));
        }
        _ => {}
    }
    lay_down(from, beside, &keys, &origin)?;
    let ledger = Ledger::open(beside, Options { every_minute: false, ..options }, Vec::new())?;
    let finished = first_entry(&ledger, &manifest).and_then(|()| expunge_again(&ledger, from));
    ledger.close();
    let expunged = finished?;
    std::fs::rename(beside, to).map_err(|_| taken())?;
    if let Some(parent) = to.parent().filter(|p| !p.as_os_str().is_empty()) {
        sync_folder(parent)?;
    }
    Ok(Restored { origin, report, expunged })
}

/// `log.db` is proved entry by entry afterwards, and may be younger than its manifest when a later backup was broken off.
fn check_files(from: &Path, manifest: &Manifest) -> Result<()> {
    for file in manifest.files.iter().filter(|f| f.name != "log.db") {
        let plain = Path::new(&file.name).components().all(|c| matches!(c, std::path::Component::Normal(_)));
        if !plain || describe(from, &file.name)? != *file {
            return Err(Error::Damaged(format!("{} in the backup is not what the manifest says", file.name)));
        }
    }
    Ok(())
}

fn keys_of(from: &Path, manifest: &Manifest, unwrap: &Unwrap) -> Result<Keys> {
    let node = manifest.origin.split_once('/').map_or("", |(node, _)| node);
    let keys = if manifest.is_wrapped() {
        Keys::from_packed(&unwrap.unwrap(node, &wrap::read(&from.join(WRAPPED))?)?)
    } else {
        Keys::open(&from.join("keys")).map_err(|e| Error::Damaged(e.to_string()))?
    };
    let name = crate::node::node_name(&keys.signing().verifying_key());
    if node == name {
        return Ok(keys);
    }
    Err(Error::Damaged(format!("the keys in the backup are another node's than {}", manifest.origin)))
}

/// The next number, and a part that tells this restore from every other of the same backup: a witness that has seen
/// either log must not take the other for its continuation.
fn next_epoch(origin: &str) -> Result<String> {
    let parts = epoch_of(origin).zip(origin.split_once('/'));
    let (epoch, (node, _)) = parts.ok_or_else(|| Error::Damaged("the backup's origin is not node/epoch".into()))?;
    let mut drawn = [0; 8];
    getrandom::fill(&mut drawn).map_err(|e| Error::Failed(e.to_string()))?;
    Ok(format!("{node}/{}.{}", epoch.saturating_add(1), hex::encode(drawn)))
}

fn lay_down(from: &Path, to: &Path, keys: &Keys, origin: &str) -> Result<()> {
    let folder = Folder::take(to)?;
    let copy = |name: &str| {
        let to = to.join(name);
        std::fs::copy(from.join(name), &to)
            .and_then(|_| std::fs::File::open(&to)?.sync_all())
            .map_err(Error::io(format!("copying {name} to {}", to.display())))
    };
    Keys::create_from(&folder.keys(), &keys.packed()).map_err(|e| Error::Folder(e.to_string()))?;
    copy("state.db")?;
    copy("log.db")?;
    let conn = sqlite::open_writer(&folder.log(), true, Cache::Log)?;
    log::set_meta(&conn, "origin", origin)?;
    let head = log::signed(log::last_pos(&conn)?);
    sqlite::checkpoint_truncate(&conn)?;
    drop(conn);
    let state = sqlite::open_writer(&folder.state(), true, Cache::Small)?;
    state.execute("UPDATE cursors SET pos = min(pos, ?)", [head])?;
    state.execute_batch("DELETE FROM backup_targets; DELETE FROM generations;")?;
    drop(state);
    sync_folder(to)
}

fn first_entry(ledger: &Ledger, manifest: &Manifest) -> Result<()> {
    let body = serde_json::json!({
        "previous": manifest.origin,
        "commit": manifest.commit,
        "checkpoint": manifest.checkpoint,
        "backup_made": manifest.made,
    });
    let entry = NewEntry {
        collection: ledger.derived_collection("house"),
        id: IdSource::Once([EPOCH.as_bytes(), ledger.origin().as_bytes()].concat()),
        same: SameRule::Refuse,
        subject: Arc::from(EPOCH),
        cause: None,
        author: 0,
        time: None,
        kind: Kind::new(EPOCH),
        version: 1,
        marking: Arc::from("TLP:AMBER+STRICT"),
        body: body.to_string().into(),
    };
    ledger.append(Append { entries: vec![entry], expect: Vec::new() }, Urgency::Interactive).map(drop)
}

fn expunge_again(ledger: &Ledger, from: &Path) -> Result<u64> {
    let path = from.join(EXPUNGED);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(Error::io(format!("reading {}", path.display()))(e)),
    };
    let mut done = 0;
    for (n, line) in text.lines().enumerate() {
        let damaged = |e: String| Error::Damaged(format!("{}, line {}: {e}", path.display(), n + 1));
        let line: ExpungedLine = serde_json::from_str(line).map_err(|e| damaged(e.to_string()))?;
        let mut targets = Vec::new();
        for (collection, id) in &line.entries {
            let id = hex::decode(id).ok().and_then(|id| <[u8; 32]>::try_from(id).ok());
            let id = id.ok_or_else(|| damaged("no entry's id".into()))?;
            targets.extend(ledger.find(*collection, &id)?);
        }
        if !targets.is_empty() {
            ledger.expunge(&targets, &line.object, &line.reason, 0)?;
            done += 1;
        }
    }
    Ok(done)
}

impl Ledger {
    /// The entry of this `id` in this collection, through the index behind its barrier.
    ///
    /// # Errors
    /// The storage's, [`Error::Behind`].
    pub fn find(&self, collection: crate::CollectionId, id: &[u8; 32]) -> Result<Option<u64>> {
        let index = self.view(crate::index::Index::NAME)?;
        index.wait(self.head().pos, std::time::Duration::from_secs(2))?;
        let mut positions = Vec::new();
        index.read(|r| Ok(crate::index::positions(r.conn, crate::index::id_row(id), &mut positions)?))?;
        for pos in positions {
            if self.log().entry(pos)?.is_some_and(|e| e.id == *id && e.collection == collection) {
                return Ok(Some(pos));
            }
        }
        Ok(None)
    }
}
