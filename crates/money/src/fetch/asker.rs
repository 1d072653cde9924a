//! Asking an endpoint within a budget: what is stored is not asked for again, what comes is stored before it is used.
use super::pages::{Page, Pages};
use crate::chain::Error;
use crate::node::{Node, Refusal, TRIES};
use serde_json::Value;
use std::ops::ControlFlow;

/// Why asking ended.
#[derive(Debug)]
pub enum Halt {
    /// The budget of calls is used up.
    Spent,
    /// Whoever watches asked to stop.
    Stopped,
    /// The endpoint, or the disk.
    Wrong(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Halt {
        Halt::Wrong(error)
    }
}

/// What was asked for, or why not.
pub type Asked<T> = Result<T, Halt>;

/// What an answer is.
pub enum Read<T> {
    /// It can be used, and may be another one later.
    Now(T),
    /// It can be used, and stays as it is.
    Lasting(T),
    /// It says that it is asked too often.
    Busy,
}

/// How a question is asked.
enum How<'a> {
    Get,
    Post(&'a Value),
}

/// An endpoint, the pages that it gave, and the budget.
pub struct Asker<'a> {
    node: Node,
    pages: &'a mut Pages,
    now: u64,
    since: u64,
    stored: u64,
    progress: &'a mut dyn FnMut(u64) -> ControlFlow<()>,
}

impl<'a> Asker<'a> {
    /// Asks nothing yet. Pages that may have changed are asked for again when they are older than `since`.
    pub fn new(
        node: Node,
        pages: &'a mut Pages,
        (now, since): (u64, u64),
        progress: &'a mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Asker<'a> {
        Asker { node, pages, now, since, stored: 0, progress }
    }

    /// How many questions were asked, and how many answered by what is stored.
    pub fn calls(&self) -> (u64, u64) {
        (self.node.calls(), self.stored)
    }

    /// Notes that a block is no more.
    ///
    /// # Errors
    /// The disk.
    pub fn unwind(&mut self, hash: &str) -> Asked<()> {
        Ok(self.pages.unwind(hash, self.now)?)
    }

    /// An error of this endpoint: it names the call, never its key.
    pub fn fault(&self, call: &str, why: impl std::fmt::Display) -> Halt {
        Halt::Wrong(self.node.fault(format!("{call}: {why}")))
    }

    /// What stands at a path; `None` when the endpoint does not have it.
    ///
    /// # Errors
    /// The budget, a stop, no answer, one that cannot be read.
    pub fn get<T>(&mut self, path: &str, mut read: impl FnMut(&str) -> Result<Read<T>, String>) -> Asked<Option<T>> {
        match self.stored(path, &mut read) {
            Some(found) => Ok(Some(found)),
            None => self.anew(path, read),
        }
    }

    /// As [`Asker::get`], whatever is stored.
    ///
    /// # Errors
    /// The same.
    pub fn anew<T>(&mut self, path: &str, read: impl FnMut(&str) -> Result<Read<T>, String>) -> Asked<Option<T>> {
        self.ask((path, How::Get, path), read)
    }

    /// As [`Asker::get`], by a posted JSON object; the answer is stored under `name`.
    ///
    /// # Errors
    /// The same.
    pub fn post<T>(
        &mut self,
        (path, body, name): (&str, &Value, &str),
        mut read: impl FnMut(&str) -> Result<Read<T>, String>,
    ) -> Asked<Option<T>> {
        match self.stored(name, &mut read) {
            Some(found) => Ok(Some(found)),
            None => self.ask((path, How::Post(body), name), read),
        }
    }

    /// As [`Asker::post`], whatever is stored.
    ///
    /// # Errors
    /// The same.
    pub fn post_anew<T>(
        &mut self,
        (path, body, name): (&str, &Value, &str),
        read: impl FnMut(&str) -> Result<Read<T>, String>,
    ) -> Asked<Option<T>> {
        self.ask((path, How::Post(body), name), read)
    }

    /// What is stored at a path, and still holds.
    fn stored<T>(&mut self, path: &str, read: &mut impl FnMut(&str) -> Result<Read<T>, String>) -> Option<T> {
        let Some(Ok(Read::Now(found) | Read::Lasting(found))) = self.pages.get(path, self.since).map(read) else {
            return None;
        };
        self.stored += 1;
        Some(found)
    }

    fn ask<T>(
        &mut self,
        (path, how, name): (&str, How<'_>, &str),
        mut read: impl FnMut(&str) -> Result<Read<T>, String>,
    ) -> Asked<Option<T>> {
        let mut wait = self.node.first_wait();
        for left in (0..TRIES).rev() {
            let Some(body) = self.once(path, &how)? else { return Ok(None) };
            let (found, lasting) = match read(&body).map_err(|why| self.fault(name, why))? {
                Read::Now(found) => (found, false),
                Read::Lasting(found) => (found, true),
                Read::Busy if left == 0 => break,
                Read::Busy => {
                    Node::rest(&mut wait);
                    continue;
                }
            };
            self.pages.keep(name, Page { asked: self.now, lasting, body })?;
            return Ok(Some(found));
        }
        Err(self.node.busy(name).into())
    }

    /// The answer's text without keys that it repeats; `None` when what is asked for is not there.
    fn once(&mut self, path: &str, how: &How<'_>) -> Asked<Option<String>> {
        if (self.progress)(self.node.calls()).is_break() {
            return Err(Halt::Stopped);
        }
        if self.node.is_spent() {
            return Err(Halt::Spent);
        }
        let answered = match how {
            How::Get => self.node.get(path),
            How::Post(body) => self.node.post(path, body, |text| Ok(text.as_bytes().to_vec())).map(Ok),
        };
        let body = match answered {
            Ok(Ok(body)) => body,
            Ok(Err(Refusal::Absent)) => return Ok(None),
            Ok(Err(Refusal::Said(why))) => return Err(self.fault(path, why)),
            Ok(Err(_)) => return Err(self.fault(path, "it does not answer this")),
            // Asking again while it was busy may have used up the budget.
            Err(_) if self.node.is_spent() => return Err(Halt::Spent),
            Err(error) => return Err(error.into()),
        };
        let body = String::from_utf8(body).map_err(|_| self.fault(path, "the answer is no text"))?;
        Ok(Some(self.node.without_keys(body)))
    }

    /// Keeps something that follows from answers beside them.
    ///
    /// # Errors
    /// The disk.
    pub fn note(&mut self, name: &str, body: String) -> Asked<()> {
        Ok(self.pages.keep(name, Page { asked: self.now, lasting: false, body })?)
    }

    /// As [`Asker::get`], and there it must be.
    ///
    /// # Errors
    /// The same, and what is not there.
    pub fn must<T>(&mut self, path: &str, read: impl FnMut(&str) -> Result<Read<T>, String>) -> Asked<T> {
        self.get(path, read)?.ok_or_else(|| self.fault(path, "it does not have that"))
    }
}
