//! The parts of an XML document under one element, each as a small tree; names without their namespace's prefix.
use formats::xml_entity;
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

/// The deepest nesting of elements; CAMT has 14 levels.
const MAX_DEPTH: usize = 64;
/// Most bytes of one part (an entry with all its details).
const MAX_PART: usize = 16 << 20;
/// Most bytes of a document, decompressed.
const MAX_DOCUMENT: u64 = 4 << 30;
const BUFFER: usize = 64 << 10;

/// An element with what is in it.
#[derive(Debug, Default)]
pub struct Element {
    name: String,
    /// Its attribute `Ccy`, the only one that statements have within entries.
    pub currency: Option<String>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The first element on a path of names (`"Acct/Id/IBAN"`).
    pub fn at(&self, path: &str) -> Option<&Element> {
        path.split('/').try_fold(self, |element, name| element.all(name).next())
    }

    /// The children of a name.
    pub fn all<'e, 'n>(&'e self, name: &'n str) -> impl Iterator<Item = &'e Element> + use<'e, 'n> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The trimmed text on a path; `None` when it is absent or empty.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.at(path)?.own()
    }

    /// Its own trimmed text; `None` when it is empty.
    pub fn own(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// The first of some paths that has text.
    pub fn first(&self, paths: &[&str]) -> Option<&str> {
        paths.iter().find_map(|path| self.text(path))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// What comes next of a document.
#[derive(Debug)]
pub enum Part {
    /// An element of the wanted name begins.
    Begin,
    /// A child of it, whole.
    Child(Element),
    /// It ends.
    End,
}

/// Walks over the elements of one name, wherever they stand.
pub struct Parts<'i> {
    reader: Reader<BufReader<Metered<'i>>>,
    left: Rc<Cell<usize>>,
    buffer: Vec<u8>,
    wanted: &'static str,
    /// How deep we are, and at which depth the wanted element was opened.
    depth: usize,
    inside: Option<usize>,
    stack: Vec<Element>,
    size: usize,
    /// `<Empty/>` of the wanted name: its end comes next.
    ending: bool,
}

impl<'i> Parts<'i> {
    /// The elements named `wanted` of a document.
    pub fn new(input: Box<dyn BufRead + 'i>, wanted: &'static str) -> Parts<'i> {
        let left = Rc::new(Cell::new(MAX_PART));
        let metered = Metered { input: Box::new(input.take(MAX_DOCUMENT)), left: Rc::clone(&left) };
        Parts {
            reader: Reader::from_reader(BufReader::with_capacity(BUFFER, metered)),
            left,
            buffer: Vec::new(),
            wanted,
            depth: 0,
            inside: None,
            stack: Vec::new(),
            size: 0,
            ending: false,
        }
    }

    /// The next part; `None` at the end of the document.
    ///
    /// # Errors
    /// What is wrong and at which byte, without what stands there.
    pub fn next(&mut self) -> Result<Option<Part>, String> {
        if std::mem::take(&mut self.ending) {
            return Ok(Some(Part::End));
        }
        loop {
            self.left.set(MAX_PART);
            self.buffer.clear();
            let byte = self.reader.buffer_position();
            let event = self.reader.read_event_into(&mut self.buffer);
            let event = event.map_err(|error| format!("the XML at byte {byte}: {}", said(&error)))?;
            let refused = |why: &str| Err(format!("the XML at byte {byte}: {why}"));
            let (mut opened, mut closed) = (None, false);
            match event {
                Event::Start(start) => opened = Some(element(&start)),
                Event::Empty(start) => (opened, closed) = (Some(element(&start)), true),
                Event::End(_) => closed = true,
                Event::Text(text) => push(&mut self.stack, &text.xml10_content(), &mut self.size),
                Event::CData(data) => push(&mut self.stack, &data.xml10_content(), &mut self.size),
                Event::GeneralRef(name) => match xml_entity(&name.xml10_content()) {
                    Some(letter) => push(&mut self.stack, letter.encode_utf8(&mut [0; 4]), &mut self.size),
                    None => return refused("an entity that XML does not define"),
                },
                Event::DocType(_) => return refused("a DOCTYPE; document type definitions are refused"),
                Event::Eof if self.depth > 0 => return refused("the file ends inside an element; fetch it again"),
                Event::Eof => return Ok(None),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            }
            if let Some(element) = opened {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return refused("elements nested too deep");
                }
                self.size += element.name.len() + size_of::<Element>();
                if self.inside.is_some() {
                    self.stack.push(element);
                } else if element.name == self.wanted {
                    self.inside = Some(self.depth);
                    self.size = 0;
                    if closed {
                        (self.inside, self.depth, self.ending) = (None, self.depth - 1, true);
                    }
                    return Ok(Some(Part::Begin));
                }
            }
            if self.size > MAX_PART {
                return refused("one entry is larger than 16 MiB");
            }
            if closed && let Some(part) = self.close() {
                return Ok(Some(part));
            }
        }
    }

    fn close(&mut self) -> Option<Part> {
        let here = self.depth;
        self.depth = self.depth.saturating_sub(1);
        let inside = self.inside?;
        let Some(done) = self.stack.pop() else {
            self.inside = None;
            return (here == inside).then_some(Part::End);
        };
        match self.stack.last_mut() {
            Some(parent) => {
                parent.children.push(done);
                None
            }
            None => {
                self.size = 0;
                Some(Part::Child(done))
            }
        }
    }
}

fn push(stack: &mut [Element], text: &str, size: &mut usize) {
    if let Some(last) = stack.last_mut() {
        last.text.push_str(text);
        *size += text.len();
    }
}

fn element(tag: &str) -> Element {
    let name = tag.split(|letter: char| letter.is_ascii_whitespace() || letter == '/').next().unwrap_or_default();
    let local = name.rsplit(':').next().unwrap_or_default();
    Element {
        name: local.to_owned(),
        currency: currency(tag.get(name.len()..).unwrap_or_default()),
        ..Element::default()
    }
}

/// The value of ` Ccy="EUR"`.
fn currency(attributes: &str) -> Option<String> {
    let (_, rest) = attributes.split_once("Ccy")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    rest.get(1..)?.split(quote).next().map(str::trim).filter(|code| code.len() == 3).map(str::to_owned)
}

fn said(error: &quick_xml::Error) -> String {
    match error {
        quick_xml::Error::Io(error) => error.to_string(),
        quick_xml::Error::Encoding(_) => "is not UTF-8; save it as UTF-8".into(),
        quick_xml::Error::Syntax(error) => format!("{error}; the file may be broken off"),
        _ => "is not well-formed".into(),
    }
}

/// Bounds what one event may take from the input.
struct Metered<'i> {
    input: Box<dyn BufRead + 'i>,
    left: Rc<Cell<usize>>,
}

impl Read for Metered<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            return Err(io::Error::other("one element or text is larger than 16 MiB"));
        }
        let n = self.input.read(into)?;
        self.left.set(self.left.get().saturating_sub(n));
        Ok(n)
    }
}
