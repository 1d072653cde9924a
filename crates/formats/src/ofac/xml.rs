//! A thin layer over quick-xml: children one after another, text of leaves, attributes only when asked for.

use crate::record::{Out, Position, ReadError};
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

/// The deepest nesting of elements; OFAC's files have 11 levels.
const MAX_DEPTH: usize = 64;
const BUFFER: usize = 64 * 1024;

pub(crate) struct Xml<'i> {
    reader: Reader<BufReader<Metered<'i>>>,
    left: Rc<Cell<usize>>,
    buffer: Vec<u8>,
    /// The element opened last: its name, and what stands after it.
    tag: String,
    name: usize,
    text: String,
    /// The element opened last was `<Empty/>`: its close comes next.
    empty: bool,
    /// What is passed by is copied nowhere.
    skipping: bool,
    max: usize,
    depth: usize,
}

impl<'i> Xml<'i> {
    pub fn new(input: Box<dyn BufRead + 'i>, max: usize) -> Self {
        let left = Rc::new(Cell::new(max));
        let mut xml = Self {
            // The parser asks for its bytes several times an event: not through two boxes each time.
            reader: Reader::from_reader(BufReader::with_capacity(
                BUFFER.min(max.max(1)),
                Metered { input, left: Rc::clone(&left) },
            )),
            left,
            buffer: Vec::with_capacity(4096),
            tag: String::new(),
            name: 0,
            text: String::new(),
            empty: false,
            skipping: false,
            max,
            depth: 0,
        };
        xml.keep_spaces(false);
        xml
    }

    /// Whether white space before the next text is part of it: not between elements, where it is half of all that the
    /// parser would tell, nor at the beginning of a leaf, which is trimmed; but after an entity or CDATA.
    fn keep_spaces(&mut self, keep: bool) {
        self.reader.config_mut().trim_text_start = !keep;
    }

    pub fn at(&self, what: &str) -> Position {
        Position::of(format!("{what} at byte {}", self.reader.buffer_position()))
    }

    /// The name of the element opened last.
    pub fn name(&self) -> &str {
        self.tag.get(..self.name).unwrap_or_default()
    }

    /// A raw attribute of the element opened last. Only for attributes without entities (ids, codes).
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let mut rest = self.tag.get(self.name..)?;
        loop {
            let equals = rest.bytes().position(|byte| byte == b'=')?;
            let (here, after) = (rest.get(..equals)?, rest.get(equals + 1..)?);
            let quote = after.bytes().next().filter(|byte| matches!(byte, b'"' | b'\''))?;
            let end = after.bytes().skip(1).position(|byte| byte == quote)? + 1;
            if here.trim_ascii() == name {
                return after.get(1..end);
            }
            rest = after.get(end + 1..)?;
        }
    }

    /// An attribute that is a number.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.attribute(name)?.parse().ok()
    }

    /// Goes into the next child of the element we are in, or out of that element: whether there was one.
    pub fn open(&mut self, out: &Out<'_, '_>) -> Result<bool, ReadError> {
        if std::mem::take(&mut self.empty) {
            self.depth -= 1;
            return Ok(false);
        }
        loop {
            self.left.set(self.max);
            self.buffer.clear();
            let byte = self.reader.buffer_position();
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(error) => return Err(fault(error, place(byte), out)),
            };
            let empty = matches!(event, Event::Empty(_));
            match event {
                Event::Start(start) | Event::Empty(start) => {
                    self.empty = empty;
                    if !self.skipping {
                        self.name = start.name().0.len();
                        self.tag.clear();
                        self.tag.push_str(&start);
                        self.text.clear();
                    }
                    self.keep_spaces(false);
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(ReadError::Limit {
                            at: place(byte),
                            why: format!("XML nested deeper than {MAX_DEPTH} elements"),
                        });
                    }
                    return Ok(true);
                }
                Event::End(_) => {
                    self.keep_spaces(false);
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(false);
                }
                Event::Text(_) | Event::CData(_) if self.skipping => {}
                Event::Text(text) => self.text.push_str(&text.xml10_content()),
                Event::CData(data) => {
                    self.text.push_str(&data.xml10_content());
                    self.keep_spaces(true);
                }
                Event::GeneralRef(name) => match xml_entity(&name.xml10_content()) {
                    Some(letter) => {
                        self.text.push(letter);
                        self.keep_spaces(true);
                    }
                    None => {
                        return Err(out.malformed(
                            place(byte),
                            "an entity that XML does not define; entities of a file's own are refused",
                        ));
                    }
                },
                Event::DocType(_) => {
                    return Err(out.malformed(
                        place(byte),
                        "a DOCTYPE; document type definitions and their entities are refused",
                    ));
                }
                Event::Eof if self.depth > 0 => {
                    return Err(ReadError::Broken {
                        at: place(byte),
                        why: "the file ends inside an element".to_owned(),
                    });
                }
                Event::Eof => return Ok(false),
                // What stands before and after them is one text.
                Event::Comment(_) | Event::PI(_) => self.keep_spaces(!self.text.is_empty()),
                Event::Decl(_) => {}
            }
            if self.text.len() > self.max {
                return Err(ReadError::Limit {
                    at: self.at("text"),
                    why: "one text is longer than max_object_bytes".to_owned(),
                });
            }
        }
    }

    /// Leaves the element opened last and gives its text.
    pub fn leaf(&mut self, out: &Out<'_, '_>) -> Result<&str, ReadError> {
        self.leave(out)?;
        Ok(self.text.trim())
    }

    /// Leaves the element opened last; its name, attributes and text are none afterwards.
    pub fn skip(&mut self, out: &Out<'_, '_>) -> Result<(), ReadError> {
        self.skipping = true;
        let left = self.leave(out);
        self.skipping = false;
        left
    }

    fn leave(&mut self, out: &Out<'_, '_>) -> Result<(), ReadError> {
        let mut inner = 1;
        while inner > 0 {
            match self.open(out)? {
                true => inner += 1,
                false => inner -= 1,
            }
        }
        Ok(())
    }
}

fn place(byte: u64) -> Position {
    Position::of(format!("element at byte {byte}"))
}

/// The character that a reference stands for, by its name without `&` and `;`: the five entities of XML 1.0 section 4.6 and character
/// references.
///
/// ```
/// assert_eq!((formats::xml_entity("amp"), formats::xml_entity("#x41"), formats::xml_entity("own")), (Some('&'), Some('A'), None));
/// ```
pub fn xml_entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|letter| *letter != '\0');
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

fn fault(error: quick_xml::Error, at: Position, out: &Out<'_, '_>) -> ReadError {
    match error {
        quick_xml::Error::Io(error) => crate::input::broken(at, &error),
        quick_xml::Error::Encoding(_) => out.malformed(at, "the XML is not valid UTF-8"),
        quick_xml::Error::Syntax(error) => {
            out.malformed(at, format!("a syntax error in the XML: {error}; the file may be broken off"))
        }
        _ => out.malformed(at, "the XML is not well-formed (an end that does not fit its beginning)"),
    }
}

/// Bounds what one event may take from the input.
struct Metered<'i> {
    input: Box<dyn BufRead + 'i>,
    left: Rc<Cell<usize>>,
}

impl Read for Metered<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut head = self.fill_buf()?;
        let count = head.read(buf)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Metered<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left.get() == 0 {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "one XML element or text is longer than max_object_bytes",
            ));
        }
        self.input.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.left.set(self.left.get().saturating_sub(count));
        self.input.consume(count);
    }
}
