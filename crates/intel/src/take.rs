//! A door's or a form's objects become entries: header checks, marking checks, one append for each 400.
use crate::{Error, Intel, Reason, Result, entry};
use ledger::{Append, CollectionId, IdSource, Kind, NewEntry, Outcome, Refusal, SameRule, Urgency};
use people::{CollectionPolicy, Viewer, accept};
use std::sync::Arc;

/// Objects in one append (LEDGER.md, "Append").
pub(crate) const CHUNK: usize = 400;
/// Bytes of body that an import holds back for one append, and the object that passes them.
pub(crate) const CHUNK_BYTES: usize = 16 << 20;
/// A version further ahead of the clock than this is refused, µs.
const AHEAD: i64 = 86_400_000_000;
/// A times a concurrent change is met with a second look.
const TRIES: usize = 3;

/// What became of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Took {
    /// It is new here.
    New {
        /// Its entry.
        pos: u64,
        /// When it arrived, µs.
        arrived: i64,
    },
    /// It stood here already.
    Same {
        /// Its entry.
        pos: u64,
    },
    /// It was not taken.
    Refused {
        /// What to mend.
        why: String,
    },
}

/// One object of a call, in the call's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its id, when it could be read.
    pub id: Option<String>,
    /// Its version, µs; `None` for what has none.
    pub version: Option<i64>,
    /// What became of it.
    pub outcome: Took,
}

impl Intel {
    /// Takes objects into a collection that the viewer may write; durable when it returns.
    ///
    /// # Errors
    /// [`Error::Forbidden`], no such collection, and whatever an append answers; a bad object is no error but [`Took::Refused`].
    pub fn take(
        &self,
        viewer: &Viewer,
        collection: CollectionId,
        bodies: &[&str],
        urgency: Urgency,
    ) -> Result<Vec<Taken>> {
        let audience = self.inner.people.writable(viewer, collection)?;
        let policy = self.inner.people.policy(viewer, &audience)?;
        let mut out = Vec::with_capacity(bodies.len());
        for chunk in bodies.chunks(CHUNK) {
            let (mut taken, mut entries) = (Vec::with_capacity(chunk.len()), Vec::with_capacity(chunk.len()));
            for body in chunk {
                match self.entry_of(viewer, collection, &policy, body, None, None) {
                    Ok((entry, id, version)) => {
                        entries.push(entry);
                        taken.push((Some(id), version, None));
                    }
                    Err(why) => taken.push((id_in(body), None, Some(why))),
                }
            }
            let expect = viewer.expects([&*audience]);
            let receipt = self.append(Append { entries, expect }, urgency)?;
            let mut outcomes = receipt.into_iter();
            for (id, version, refused) in taken {
                let outcome = match refused {
                    Some(why) => Took::Refused { why: why.text },
                    None => took(outcomes.next()),
                };
                out.push(Taken { id, version, outcome });
            }
        }
        Ok(out)
    }

    /// Appends; a Conflict means that rights or audience changed meanwhile, and the caller asks again with fresh ones.
    pub(crate) fn append(&self, append: Append, urgency: Urgency) -> Result<Vec<Outcome>> {
        if append.entries.is_empty() {
            return Ok(Vec::new());
        }
        let mut last = Error::Ledger(ledger::Error::Conflict);
        for _ in 0..TRIES {
            match self.inner.ledger.append(append.clone(), urgency) {
                Ok(receipt) => return Ok(receipt.outcomes),
                Err(e @ ledger::Error::Behind { .. }) => last = e.into(),
                Err(e) => return Err(e.into()),
            }
        }
        Err(last)
    }

    /// The entry of one object, or why it cannot be taken: a text for its sender that repeats nothing of it.
    pub(crate) fn entry_of(
        &self,
        viewer: &Viewer,
        collection: CollectionId,
        policy: &CollectionPolicy,
        body: &str,
        cause: Option<u64>,
        given: Option<stix::Tlp>,
    ) -> std::result::Result<(NewEntry, String, Option<i64>), Reason> {
        stix::check_shape(body)?;
        let header = stix::parse_header(body)?;
        let version = header.version().map(stix::Instant::micros);
        if version.is_some_and(|v| v > self.inner.ledger.now() + AHEAD) {
            return Err(Reason::ahead());
        }
        let marking = accept(policy, header.marking, given)?;
        let id: Arc<str> = header.id.as_ref().into();
        let entry = NewEntry {
            collection,
            id: IdSource::Object { object: Arc::clone(&id), version },
            same: if version.is_some() { SameRule::Refuse } else { SameRule::Add },
            // One that can be guessed from a phone or account number stands as a keyed hash.
            subject: people::told(&self.inner.keys, &id).into(),
            cause,
            author: viewer.account(),
            time: version,
            kind: Kind::new(entry::STIX),
            version: 1,
            marking: marking.text,
            body: body.into(),
        };
        Ok((entry, header.id.into_owned(), version))
    }
}

fn took(outcome: Option<Outcome>) -> Took {
    match outcome {
        Some(Outcome::New(e)) => Took::New { pos: e.pos, arrived: e.arrived },
        Some(Outcome::Same(pos)) => Took::Same { pos },
        Some(Outcome::Refused(Refusal::OtherBytes)) => Took::Refused { why: Reason::other_content().text },
        Some(Outcome::Refused(Refusal::Expunged(_))) => Took::Refused { why: Reason::erased().text },
        None => Took::Refused { why: Reason::not_written().text },
    }
}

fn id_in(body: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(body).ok()?;
    value.get("id").and_then(serde_json::Value::as_str).filter(|id| stix::StixId::parse(id).is_ok()).map(str::to_owned)
}
