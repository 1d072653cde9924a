//! A reader of JSON that hands out one value at a time as its own bytes, in bounded memory.
//!
//! It finds where a value ends by its quotes and brackets alone and leaves the rest to serde_json, so that
//! one value that is wrong inside costs that value and not the file.

use crate::fault::{Fault, Why};
use crate::input::broken;
use crate::record::{Out, Position, ReadError};
use std::io::BufRead;

pub(crate) struct JsonReader<'i> {
    input: Box<dyn BufRead + 'i>,
    line: u64,
    max_bytes: usize,
    max_depth: usize,
    /// Every byte since the start, while somebody may still want the whole.
    kept: Option<Vec<u8>>,
}

/// One value cut out of the stream.
pub(crate) struct Raw {
    /// Its bytes; the beginning only when `fault` says so.
    pub bytes: Vec<u8>,
    /// The line it begins on.
    pub line: u64,
    /// Why it cannot be used, when it was read past without being kept.
    pub fault: Option<Why>,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Value(u8),
    End,
}

impl<'i> JsonReader<'i> {
    pub fn new(input: Box<dyn BufRead + 'i>, max_bytes: usize, max_depth: usize) -> Self {
        Self { input, line: 1, max_bytes, max_depth, kept: None }
    }

    /// Starts to keep all bytes read from here on, up to the size of one object.
    pub fn keep(&mut self) {
        self.kept = Some(Vec::new());
    }

    /// Stops keeping and gives what was kept.
    pub fn kept(&mut self) -> Option<Vec<u8>> {
        self.kept.take()
    }

    pub fn at(&self, what: &str) -> Position {
        Position::of(what).line(self.line)
    }

    fn peek(&mut self) -> Result<Option<u8>, ReadError> {
        let at = Position::of("byte").line(self.line);
        let head = self.input.fill_buf().map_err(|error| broken(at, &error))?;
        Ok(head.first().copied())
    }

    fn step(&mut self, byte: u8) {
        if byte == b'\n' {
            self.line += 1;
        }
        if let Some(kept) = &mut self.kept {
            kept.push(byte);
            if kept.len() > self.max_bytes {
                self.kept = None;
            }
        }
        self.input.consume(1);
    }

    /// Skips white space; gives the byte that follows without taking it.
    pub fn next(&mut self) -> Result<Next, ReadError> {
        loop {
            match self.peek()? {
                Some(byte) if byte.is_ascii_whitespace() => self.step(byte),
                Some(byte) => return Ok(Next::Value(byte)),
                None => return Ok(Next::End),
            }
        }
    }

    /// Takes `byte` if it comes next.
    pub fn take(&mut self, byte: u8) -> Result<bool, ReadError> {
        if self.next()? == Next::Value(byte) {
            self.step(byte);
            return Ok(true);
        }
        Ok(false)
    }

    /// Takes `byte` or says what was expected.
    pub fn expect(&mut self, byte: u8, out: &Out<'_, '_>, what: &str) -> Result<(), ReadError> {
        if self.take(byte)? {
            return Ok(());
        }
        let why = match self.next()? {
            Next::End => format!("the file ends where {what} should come; it may be broken off"),
            Next::Value(_) => format!("{what} was expected"),
        };
        Err(out.malformed(self.at("JSON"), why))
    }

    /// A member's name and the colon after it.
    pub fn name(&mut self, out: &Out<'_, '_>) -> Result<String, ReadError> {
        let raw = self.value(out)?;
        let at = Position::of("member name").line(raw.line);
        if raw.fault.is_some() {
            return Err(out.malformed(at, "the name of a member is longer than an object may be"));
        }
        let name = serde_json::from_slice::<String>(&raw.bytes)
            .map_err(|_| out.malformed(at, "the name of a member in double quotes was expected"))?;
        self.expect(b':', out, "a colon")?;
        Ok(name)
    }

    /// The next value, whole. One that is too deep or too long is read past and comes with its `fault`.
    pub fn value(&mut self, out: &Out<'_, '_>) -> Result<Raw, ReadError> {
        let Next::Value(_) = self.next()? else {
            return Err(out.malformed(self.at("JSON"), "the file ends where a value should come; it may be broken off"));
        };
        let mut raw = Raw { bytes: Vec::new(), line: self.line, fault: None };
        let mut cut = Cut::default();
        loop {
            let at = Position::of("value").line(self.line);
            let head = self.input.fill_buf().map_err(|error| broken(at, &error))?;
            if head.is_empty() {
                if cut.bare() {
                    return Ok(raw);
                }
                let at = Position::of("value").line(raw.line);
                return Err(out.malformed(at, "the file ends inside this value; it may be broken off"));
            }
            let (count, ended, lines) = cut.run(head, self.max_depth);
            let part = head.get(..count).unwrap_or_default();
            let room = self.max_bytes.saturating_sub(raw.bytes.len());
            if count > room && raw.fault.is_none() {
                raw.fault = Some(Why::new(Fault::TooLong, format!("{} B", self.max_bytes)));
            }
            raw.bytes.extend_from_slice(part.get(..room.min(count)).unwrap_or_default());
            if let Some(kept) = &mut self.kept {
                kept.extend_from_slice(part);
                if kept.len() > self.max_bytes {
                    self.kept = None;
                }
            }
            self.line += lines;
            self.input.consume(count);
            if cut.deepest > self.max_depth && raw.fault.is_none() {
                raw.fault = Some(Why::new(Fault::TooDeep, self.max_depth.to_string()));
            }
            if cut.hopeless {
                let at = Position::of("value").line(raw.line);
                return Err(ReadError::Limit {
                    at,
                    why: "brackets are opened without end; this is no JSON to read".to_owned(),
                });
            }
            if ended {
                if raw.bytes.is_empty() {
                    return Err(out.malformed(self.at("JSON"), "a value was expected"));
                }
                return Ok(raw);
            }
        }
    }
}

/// Brackets beyond this are not read to their end to find the next record.
const HOPELESS: usize = 100_000;

/// Where one value ends.
#[derive(Default)]
struct Cut {
    depth: usize,
    deepest: usize,
    in_text: bool,
    escaped: bool,
    in_bare: bool,
    hopeless: bool,
}

impl Cut {
    /// Whether the end of the file may end the value (a number or a word).
    fn bare(&self) -> bool {
        self.in_bare && self.depth == 0
    }

    /// How many of these bytes belong to the value, whether it ends there, how many lines that is.
    fn run(&mut self, bytes: &[u8], max_depth: usize) -> (usize, bool, u64) {
        let mut lines = 0;
        for (at, byte) in bytes.iter().enumerate() {
            if *byte == b'\n' {
                lines += 1;
            }
            if self.in_text {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_text = false;
                        if self.depth == 0 {
                            return (at + 1, true, lines);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' if !self.in_bare => self.in_text = true,
                b'{' | b'[' if !self.in_bare => {
                    self.depth += 1;
                    self.deepest = self.deepest.max(self.depth);
                    if self.depth > HOPELESS.max(max_depth) {
                        self.hopeless = true;
                        return (at + 1, true, lines);
                    }
                }
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return (at + 1, true, lines);
                    }
                }
                _ if self.depth > 0 => {}
                b',' | b'}' | b']' | b':' | b'"' | b'{' | b'[' => return (at, true, lines),
                _ if byte.is_ascii_whitespace() => {
                    return (at, true, lines - u64::from(*byte == b'\n'));
                }
                _ => self.in_bare = true,
            }
        }
        (bytes.len(), false, lines)
    }
}

/// Walks the values of an array whose `[` was taken, until its `]`.
pub(crate) fn each_in_array<'i>(
    json: &mut JsonReader<'i>,
    out: &mut Out<'_, '_>,
    mut each: impl FnMut(&mut JsonReader<'i>, &mut Out<'_, '_>, u64) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    if json.take(b']')? {
        return Ok(());
    }
    let mut count = 0;
    loop {
        count += 1;
        each(json, out, count)?;
        if json.take(b']')? {
            return Ok(());
        }
        json.expect(b',', out, "a comma or the end of the list")?;
        // A comma too many before the end is no reason to lose the rest.
        if json.take(b']')? {
            return Ok(());
        }
    }
}

/// Walks the members of an object whose `{` was taken, until its `}`.
pub(crate) fn each_member<'i>(
    json: &mut JsonReader<'i>,
    out: &mut Out<'_, '_>,
    mut each: impl FnMut(&mut JsonReader<'i>, &mut Out<'_, '_>, &str) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    if json.take(b'}')? {
        return Ok(());
    }
    loop {
        let name = json.name(out)?;
        each(json, out, &name)?;
        if json.take(b'}')? {
            return Ok(());
        }
        json.expect(b',', out, "a comma or the end of the object")?;
    }
}
