use crate::frame;
use futures_util::Stream;
use intel::Intel;
use ledger::Entry;
use people::Viewer;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Something is sent at least this often.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Entries worked on at a time.
const BATCH: usize = 500;

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
}

enum Step {
    Frames(String),
    Nothing,
    End,
}

impl Listener {
    pub(crate) fn new(intel: Intel, viewer: Viewer, only: Option<u32>, after: u64, deletes: bool) -> Self {
        let passed = intel.ledger().log().entry(after).ok().flatten().map_or(0, |e| e.arrived);
        Self { intel, viewer, only, after, passed, deletes, greeted: false }
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
                    Step::Nothing => {}
                }
                if tokio::time::timeout_at(deadline, news).await.is_err() {
                    let beat = frame::heartbeat(listener.passed, listener.intel.ledger().now());
                    return Some((Ok(beat), listener));
                }
            }
        })
    }

    fn step(&mut self) -> Step {
        // Rights may have changed since the last batch.
        match self.intel.people().again(&self.viewer) {
            Ok(Some(viewer)) => self.viewer = viewer,
            Ok(None) => return Step::End,
            Err(e) => return retry(&e.to_string()),
        }
        if self.only.is_some_and(|col| !self.viewer.sees(col)) {
            return Step::End;
        }
        let mut text = String::new();
        loop {
            let mut entries = match self.intel.ledger().entries_after(self.after) {
                Ok(entries) => entries,
                Err(ledger::Error::Closed) => return Step::End,
                Err(e) => return retry(&e.to_string()),
            };
            entries.truncate(BATCH);
            let Some(last) = entries.last().map(|e| (e.pos, e.arrived)) else { break };
            match self.tell(&entries) {
                Ok(frames) => text = frames,
                Err(intel::Error::Ledger(ledger::Error::Closed)) => return Step::End,
                Err(e) => return retry(&e.to_string()),
            }
            (self.after, self.passed) = last;
            if !text.is_empty() {
                break;
            }
        }
        if text.is_empty() { Step::Nothing } else { Step::Frames(text) }
    }

    fn tell(&self, entries: &[Arc<Entry>]) -> intel::Result<String> {
        let mine = |e: &&Arc<Entry>| self.viewer.sees(e.col) && self.only.is_none_or(|c| c == e.col);
        let objects: Vec<u64> =
            entries.iter().filter(mine).filter(|e| e.kind == intel::entry::STIX).map(|e| e.pos).collect();
        let mut standing = self.intel.standing(&self.viewer, &objects)?.into_iter();
        let mut text = String::new();
        for entry in entries.iter().filter(mine) {
            match entry.kind.as_str() {
                intel::entry::STIX => {
                    let Some(Some(intel::Standing { earlier, .. })) = standing.next() else { continue };
                    let Some(object) = entry.body.as_deref().and_then(|b| serde_json::from_str(b).ok()) else {
                        continue;
                    };
                    let frame = match earlier {
                        Some(pos) => frame::update(entry.arrived, self.object_at(pos)?.as_ref(), object),
                        None => frame::event("create", entry.arrived, object, json!({})),
                    };
                    text.push_str(&frame);
                }
                ledger::WITHDRAW | ledger::EXPUNGE if self.deletes => {
                    if let Some(frame) = self.gone(entry)? {
                        text.push_str(&frame);
                    }
                }
                _ => {}
            }
        }
        Ok(text)
    }

    /// What a withdrawal or an erasure leaves: an older version that stands again, or nothing.
    fn gone(&self, entry: &Entry) -> intel::Result<Option<String>> {
        let body: Option<Value> = entry.body.as_deref().and_then(|b| serde_json::from_str(b).ok());
        let Some(id) = body.as_ref().and_then(|b| b.get("object")).and_then(Value::as_str) else { return Ok(None) };
        let left = self.intel.versions(&self.viewer, id)?;
        if let Some(row) = left.iter().find(|r| r.col == entry.col) {
            return Ok(self.object_at(row.pos)?.map(|o| frame::update(entry.arrived, None, o)));
        }
        let object_type = id.split("--").next().unwrap_or("");
        let object = json!({"id": id, "type": object_type, "spec_version": "2.1"});
        Ok(Some(frame::event("delete", entry.arrived, object, json!({"deletions": []}))))
    }

    fn object_at(&self, pos: u64) -> intel::Result<Option<Value>> {
        Ok(self.intel.ledger().log().body(pos)?.and_then(|b| serde_json::from_str(&b).ok()))
    }
}

/// The view is behind or busy: nothing is lost, the position did not move.
fn retry(why: &str) -> Step {
    tracing::debug!(why, "a listener waits");
    Step::Nothing
}
