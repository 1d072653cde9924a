use crate::frame::{self, Head};
use crate::heard::Heard;
use crate::places::Place;
use crate::position::Begin;
use crate::unfolded::{Ahead, Unfolded, later};
use crate::{Door, Limits};
use futures_util::Stream;
use intel::{Asked, Intel, Standing};
use ledger::{Entry, TakenBack};
use people::{Access, Viewer};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Until the log is asked again when the view is behind.
const PATIENCE: Duration = Duration::from_millis(50);
/// Ids that the access log names for one batch.
const NAMED: usize = 5;

/// One listener: a position and who it is. It holds no queue; what it has not read stands in the log.
pub(crate) struct Listener {
    intel: Intel,
    viewer: Viewer,
    only: Option<u32>,
    after: u64,
    /// `arrived` of the last entry that this listener may see: a heartbeat tells it, and nothing of what else came.
    seen: i64,
    deletes: bool,
    heard: Heard,
    greeted: bool,
    unfolded: Arc<Unfolded>,
    limits: Limits,
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
        door: &Door,
        viewer: Viewer,
        only: Option<u32>,
        from: Begin,
        deletes: bool,
        place: Place,
    ) -> Self {
        let (intel, unfolded, limits) = (door.intel.clone(), Arc::clone(&door.unfolded), door.limits);
        let (after, seen) = (from.after, from.seen);
        let heard = Heard::new(after);
        Self { intel, viewer, only, after, seen, deletes, heard, greeted: false, unfolded, limits, _place: place }
    }

    /// The frames, for as long as the listener reads them and may see them.
    pub(crate) fn frames(self) -> impl Stream<Item = Result<String, std::io::Error>> + Send {
        futures_util::stream::unfold(self, |mut listener| async move {
            if !listener.greeted {
                listener.greeted = true;
                return Some((Ok(frame::connected()), listener));
            }
            let deadline = tokio::time::Instant::now() + listener.limits.heartbeat;
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
                    let beat = frame::heartbeat(listener.seen, listener.intel.ledger().now());
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
            Err(e) => return wait(&e.to_string()),
        }
        if self.only.is_some_and(|col| !self.viewer.sees(col)) {
            return Step::End;
        }
        let entries = match self.entries() {
            Ok(entries) => entries,
            Err(ledger::Error::Closed) => return Step::End,
            Err(e) => return wait(&e.to_string()),
        };
        let Some(last) = entries.last().map(|e| e.pos) else { return Step::Nothing };
        let seen = entries.iter().rev().find(|e| self.may_see(e)).map_or(self.seen, |e| e.arrived);
        let told = match self.tell(&entries) {
            Ok(told) => told,
            Err(intel::Error::Ledger(ledger::Error::Closed)) => return Step::End,
            Err(e) => return wait(&e.to_string()),
        };
        if told.text.is_empty() {
            (self.after, self.seen) = (last, seen);
            return Step::Passed;
        }
        let ids: Vec<&str> = told.ids.iter().map(String::as_str).collect();
        let noted = self.intel.people().access_log().record(&Access {
            viewer: Some(&self.viewer),
            method: "GET",
            route: crate::ROUTE,
            status: 200,
            ids: &ids,
            objects: told.objects,
            query: None,
            bytes: told.text.len() as u64,
        });
        // What cannot be taken down is not told.
        if let Err(e) = noted {
            return wait(&e.to_string());
        }
        (self.after, self.seen) = (last, seen);
        Step::Frames(told.text)
    }

    fn may_see(&self, entry: &Entry) -> bool {
        self.viewer.sees(entry.col) && self.only.is_none_or(|only| only == entry.col)
    }

    /// The next of the log: several commits when there are, as far as bytes allow.
    fn entries(&self) -> ledger::Result<Vec<Arc<Entry>>> {
        let mut out: Vec<Arc<Entry>> = Vec::new();
        let mut bytes = 0;
        loop {
            let more = self.intel.ledger().entries_after(out.last().map_or(self.after, |e| e.pos))?;
            if more.is_empty() {
                return Ok(out);
            }
            for entry in more {
                bytes += entry.body.as_deref().map_or(0, str::len);
                if !out.is_empty() && (out.len() >= self.limits.batch || bytes > self.limits.batch_bytes) {
                    return Ok(out);
                }
                out.push(entry);
            }
        }
    }

    fn tell(&mut self, entries: &[Arc<Entry>]) -> intel::Result<Told> {
        let objects: Vec<(&Arc<Entry>, &str, Head<'_>)> = entries
            .iter()
            .filter(|e| self.may_see(e))
            .filter(|e| e.kind == intel::entry::STIX)
            .filter_map(|e| e.body.as_deref().and_then(|body| Some((e, body, Head::read(body)?))))
            .collect();
        // Before the view is asked, so that a withdrawal is either in the view or here.
        let ahead = if objects.is_empty() {
            Ahead::default()
        } else {
            self.unfolded.ahead(&self.intel, self.limits, objects.iter().map(|(e, ..)| *e))?
        };
        let asked: Vec<Asked<'_>> =
            objects.iter().map(|(e, _, head)| Asked { pos: e.pos, col: e.col, id: &head.id }).collect();
        let standing = self.intel.standing(&self.viewer, &asked, ahead.folded)?;
        let mut objects = objects.into_iter().zip(standing).peekable();
        let mut told = Told::default();
        for entry in entries {
            if !self.may_see(entry) {
                continue;
            }
            match entry.kind.as_str() {
                intel::entry::STIX => {
                    let Some(((_, body, head), standing)) = objects.next_if(|((e, ..), _)| e.pos == entry.pos) else {
                        continue;
                    };
                    let Some(Standing { earlier }) = standing.filter(|_| !ahead.took_back(entry)) else {
                        self.heard.passed_over(entry.pos);
                        continue;
                    };
                    let before = later(earlier, ahead.earlier(entry));
                    let frame = match before.filter(|before| self.stood(entry, &head.id, *before, &ahead)) {
                        Some((pos, stands)) => {
                            let before = if stands { self.before(pos, &ahead)? } else { None };
                            let object = serde_json::from_str(body).ok();
                            object.map(|object| frame::update(entry.arrived, before.as_ref(), object))
                        }
                        None => frame::create(entry.arrived, &head, body),
                    };
                    if let Some(frame) = frame {
                        told.push(&head.id, &frame);
                    }
                }
                ledger::WITHDRAW | ledger::EXPUNGE => {
                    if let Some(TakenBack { entry: id, .. }) = TakenBack::of(entry) {
                        self.heard.took_back(id, entry.pos);
                    }
                    if !self.deletes {
                        continue;
                    }
                    if let Some((id, frame)) = self.gone(entry)? {
                        told.push(&id, &frame);
                    }
                }
                _ => {}
            }
        }
        Ok(told)
    }

    /// Whether a version before still stood for this listener when `entry` came: it stands, or was heard and not yet said
    /// to be gone, or one before it stands.
    fn stood(&self, entry: &Entry, id: &str, (pos, stands): (u64, bool), ahead: &Ahead) -> bool {
        if stands && ahead.took_nothing_back() {
            return true;
        }
        let before = self.intel.ledger().log().entry(pos).ok().flatten();
        let went = before.is_none_or(|before| match ahead.taken_back_at(&before) {
            Some(at) => at < entry.pos,
            None if stands => false,
            None => self.heard.gone_before(pos, &before.id, entry.pos),
        });
        // To whom no deletion is told, what was heard stands.
        let gone = went && (self.deletes || self.heard.untold(pos));
        let older =
            intel::Versions { col: Some(entry.col), entered_before: Some(entry.pos), ..intel::Versions::default() };
        !gone || self.intel.versions(&self.viewer, id, &older).is_ok_and(|rows| !rows.is_empty())
    }

    /// What a withdrawal or an erasure leaves on this stream: a version that still stands, or nothing. What came after it
    /// is told in its turn.
    fn gone(&self, entry: &Entry) -> intel::Result<Option<(String, String)>> {
        let Some(TakenBack { object: id, .. }) = TakenBack::of(entry) else { return Ok(None) };
        let older = intel::Versions { col: self.only, entered_before: Some(entry.pos), ..intel::Versions::default() };
        let frame = match self.intel.versions(&self.viewer, &id, &older)?.first() {
            Some(row) => self.object_at(row.pos)?.map(|o| frame::update(entry.arrived, None, o)),
            None => {
                let object_type = id.split("--").next().unwrap_or("");
                let object = json!({"id": id, "type": object_type, "spec_version": "2.1"});
                Some(frame::event("delete", entry.arrived, object, json!({"deletions": []})))
            }
        };
        Ok(frame.map(|frame| (id, frame)))
    }

    /// The version before, for a patch: only while it stands, since a patch back would tell what was withdrawn.
    fn before(&self, pos: u64, ahead: &Ahead) -> intel::Result<Option<Value>> {
        let entry = self.intel.ledger().log().entry(pos)?.filter(|e| !ahead.took_back(e));
        Ok(entry.and_then(|e| e.body).and_then(|b| serde_json::from_str(&b).ok()))
    }

    fn object_at(&self, pos: u64) -> intel::Result<Option<Value>> {
        Ok(self.intel.ledger().log().body(pos)?.and_then(|b| serde_json::from_str(&b).ok()))
    }
}

fn wait(why: &str) -> Step {
    tracing::debug!(why, "a listener waits");
    Step::Later
}
