use crate::frame;
use crate::places::Place;
use futures_util::Stream;
use intel::Intel;
use ledger::Entry;
use people::{Access, Viewer};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Something is sent at least this often.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Entries worked on at a time.
const BATCH: usize = 500;
/// Until the log is asked again when the view is behind.
const PATIENCE: Duration = Duration::from_millis(50);
/// The view of the intelligence room.
const ROOM: &str = "intel";
/// Entries that the view may lack while the stream goes on, and how long it is waited for when it lacks more.
const UNFOLDED: u64 = 5_000;
const LAG: Duration = Duration::from_secs(2);
/// Ids that the access log names for one batch.
const NAMED: usize = 5;

/// One listener: a position and who it is. It holds no queue; what it has not read stands in the log.
pub(crate) struct Listener {
    intel: Intel,
    viewer: Viewer,
    only: Option<u32>,
    after: u64,
    /// `arrived` of the last entry passed.
    passed: i64,
    deletes: bool,
    greeted: bool,
    _place: Place,
}

enum Step {
    Frames(String),
    /// A batch with nothing for this listener.
    Passed,
    /// The log's end.
    Nothing,
    /// The view is behind or busy: nothing is lost, the position did not move.
    Later,
    End,
}

/// Frames, and what the access log is told of them.
#[derive(Default)]
struct Told {
    text: String,
    objects: u32,
    ids: Vec<String>,
}

impl Told {
    fn push(&mut self, id: &str, frame: &str) {
        self.objects += 1;
        if self.ids.len() < NAMED {
            self.ids.push(id.to_owned());
        }
        self.text.push_str(frame);
    }
}

impl Listener {
    pub(crate) fn new(
        intel: Intel,
        viewer: Viewer,
        only: Option<u32>,
        after: u64,
        deletes: bool,
        place: Place,
    ) -> Self {
        let passed = intel.ledger().log().entry(after).ok().flatten().map_or(0, |e| e.arrived);
        Self { intel, viewer, only, after, passed, deletes, greeted: false, _place: place }
    }

    /// The frames, for as long as the listener reads them and may see them.
    pub(crate) fn frames(self) -> impl Stream<Item = Result<String, std::io::Error>> + Send {
        futures_util::stream::unfold(self, |mut listener| async move {
            if !listener.greeted {
                listener.greeted = true;
                return Some((Ok(frame::connected()), listener));
            }
            let deadline = tokio::time::Instant::now() + HEARTBEAT;
            loop {
                // Heard from before the log is looked at, so that nothing falls between.
                let news = listener.intel.ledger().listen();
                let (back, step) = tokio::task::spawn_blocking(move || {
                    let step = listener.step();
                    (listener, step)
                })
                .await
                .ok()?;
                listener = back;
                match step {
                    Step::End => return None,
                    Step::Frames(text) => return Some((Ok(text), listener)),
                    Step::Passed => {}
                    Step::Later => tokio::time::sleep(PATIENCE).await,
                    Step::Nothing => drop(tokio::time::timeout_at(deadline, news).await),
                }
                if tokio::time::Instant::now() >= deadline {
                    let beat = frame::heartbeat(listener.passed, listener.intel.ledger().now());
                    return Some((Ok(beat), listener));
                }
            }
        })
    }

    /// One batch.
    fn step(&mut self) -> Step {
        // Rights may have changed since the last one. Who lost sight of a collection begins again with what is left.
        match self.intel.people().again(&self.viewer) {
            Ok(Some(fresh)) if self.viewer.set().iter().all(|col| fresh.sees(col)) => self.viewer = fresh,
            Ok(_) => return Step::End,
            Err(e) => return later(&e.to_string()),
        }
        if self.only.is_some_and(|col| !self.viewer.sees(col)) {
            return Step::End;
        }
        let mut entries = match self.intel.ledger().entries_after(self.after) {
            Ok(entries) => entries,
            Err(ledger::Error::Closed) => return Step::End,
            Err(e) => return later(&e.to_string()),
        };
        entries.truncate(BATCH);
        let Some(last) = entries.last().map(|e| (e.pos, e.arrived)) else { return Step::Nothing };
        let told = match self.tell(&entries) {
            Ok(told) => told,
            Err(intel::Error::Ledger(ledger::Error::Closed)) => return Step::End,
            Err(e) => return later(&e.to_string()),
        };
        (self.after, self.passed) = last;
        if told.text.is_empty() {
            return Step::Passed;
        }
        let ids: Vec<&str> = told.ids.iter().map(String::as_str).collect();
        self.intel.people().access_log().record(&Access {
            viewer: Some(&self.viewer),
            method: "GET",
            route: crate::ROUTE,
            status: 200,
            ids: &ids,
            objects: told.objects,
            query: None,
            bytes: told.text.len() as u64,
        });
        Step::Frames(told.text)
    }

    fn tell(&self, entries: &[Arc<Entry>]) -> intel::Result<Told> {
        let mine = |e: &&Arc<Entry>| self.viewer.sees(e.col) && self.only.is_none_or(|c| c == e.col);
        let objects: Vec<u64> =
            entries.iter().filter(mine).filter(|e| e.kind == intel::entry::STIX).map(|e| e.pos).collect();
        // Before the view is asked, so that a withdrawal is either in the view or here.
        let taken_back = if objects.is_empty() { HashSet::new() } else { self.taken_back()? };
        let mut standing = self.intel.standing(&self.viewer, &objects)?.into_iter();
        let mut told = Told::default();
        for entry in entries.iter().filter(mine) {
            match entry.kind.as_str() {
                intel::entry::STIX => {
                    let Some(Some(intel::Standing { earlier, .. })) = standing.next() else { continue };
                    if taken_back.contains(&hex::encode(entry.id)) {
                        continue;
                    }
                    let object = entry.body.as_deref().and_then(|b| serde_json::from_str::<Value>(b).ok());
                    let Some(object) = object else { continue };
                    let id = object.get("id").and_then(Value::as_str).unwrap_or("").to_owned();
                    let frame = match earlier {
                        Some(pos) => {
                            let before = self.before(pos, &taken_back)?;
                            frame::update(entry.arrived, before.as_ref(), object)
                        }
                        None => frame::event("create", entry.arrived, object, json!({})),
                    };
                    told.push(&id, &frame);
                }
                ledger::WITHDRAW | ledger::EXPUNGE if self.deletes => {
                    if let Some((id, frame)) = self.gone(entry)? {
                        told.push(&id, &frame);
                    }
                }
                _ => {}
            }
        }
        Ok(told)
    }

    /// The ids of entries that were withdrawn or erased by now, as far as the view does not know yet: its lag behind a
    /// bulk ingest delays the stream no further, and nothing goes out after its withdrawal was acknowledged.
    fn taken_back(&self) -> intel::Result<HashSet<String>> {
        let ledger = self.intel.ledger();
        let (view, head) = (ledger.view(ROOM)?, ledger.head().pos);
        view.wait(head.saturating_sub(UNFOLDED), LAG)?;
        let (mut after, mut found) = (view.position(), HashSet::new());
        while after < head {
            let entries = ledger.entries_after(after)?;
            let Some(last) = entries.last() else { break };
            after = last.pos;
            for entry in entries.iter().filter(|e| matches!(e.kind.as_str(), ledger::WITHDRAW | ledger::EXPUNGE)) {
                let body: Option<Value> = entry.body.as_deref().and_then(|b| serde_json::from_str(b).ok());
                found.extend(body.as_ref().and_then(|b| b.get("entry")).and_then(Value::as_str).map(str::to_owned));
            }
        }
        Ok(found)
    }

    /// What a withdrawal or an erasure leaves on this stream: a version that still stands, or nothing.
    fn gone(&self, entry: &Entry) -> intel::Result<Option<(String, String)>> {
        let body: Option<Value> = entry.body.as_deref().and_then(|b| serde_json::from_str(b).ok());
        let Some(id) = body.as_ref().and_then(|b| b.get("object")).and_then(Value::as_str) else { return Ok(None) };
        let left = self.intel.versions(&self.viewer, id)?;
        let frame = match left.iter().find(|r| self.only.is_none_or(|c| c == r.col)) {
            Some(row) => self.object_at(row.pos)?.map(|o| frame::update(entry.arrived, None, o)),
            None => {
                let object_type = id.split("--").next().unwrap_or("");
                let object = json!({"id": id, "type": object_type, "spec_version": "2.1"});
                Some(frame::event("delete", entry.arrived, object, json!({"deletions": []})))
            }
        };
        Ok(frame.map(|frame| (id.to_owned(), frame)))
    }

    /// The version before, for a patch: only while it stands, since a patch back would tell what was withdrawn.
    fn before(&self, pos: u64, taken_back: &HashSet<String>) -> intel::Result<Option<Value>> {
        let stands = self.intel.standing(&self.viewer, &[pos])?.first().is_some_and(Option::is_some);
        let entry = if stands { self.intel.ledger().log().entry(pos)? } else { None };
        let entry = entry.filter(|e| !taken_back.contains(&hex::encode(e.id)));
        Ok(entry.and_then(|e| e.body).and_then(|b| serde_json::from_str(&b).ok()))
    }

    fn object_at(&self, pos: u64) -> intel::Result<Option<Value>> {
        Ok(self.intel.ledger().log().body(pos)?.and_then(|b| serde_json::from_str(&b).ok()))
    }
}

fn later(why: &str) -> Step {
    tracing::debug!(why, "a listener waits");
    Step::Later
}
