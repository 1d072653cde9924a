//! A file as fields: tags between colons at a line's beginning, lines that go on, messages that end.
use std::io::{BufRead, Read};

/// Most bytes of a line; SWIFT's have 65.
const MAX_LINE: u64 = 4_096;
/// Most bytes of a field; SWIFT's have 6 lines.
const MAX_FIELD: usize = 64 << 10;
/// A field: the line that it begins in, its tag, its text with the lines' ends in it.
#[derive(Debug, Default)]
pub struct Field {
    pub line: u32,
    pub tag: String,
    pub text: String,
}

/// What a line is.
enum Line {
    Tagged(Field),
    /// The message ends.
    End,
    /// More of the field before it.
    More(String),
}

/// The fields of a file.
pub struct Fields<'i> {
    input: Box<dyn BufRead + 'i>,
    line: u32,
    ahead: Option<Field>,
}

impl<'i> Fields<'i> {
    /// Of a file, in its envelope or bare.
    pub fn new(input: Box<dyn BufRead + 'i>) -> Fields<'i> {
        Fields { input, line: 0, ahead: None }
    }

    /// The next field; a message's end is one whose tag is `-`.
    ///
    /// # Errors
    /// A line or field that is too long, and in which line.
    pub fn next(&mut self) -> Result<Option<Field>, String> {
        let mut field = self.ahead.take();
        while let Some(line) = self.read()? {
            match (line, field.as_mut()) {
                (Line::More(text), Some(open)) if open.tag != "-" => {
                    if open.text.len() + text.len() > MAX_FIELD {
                        return Err(format!("line {}: a field of more than {MAX_FIELD} bytes", self.line));
                    }
                    open.text.push('\n');
                    open.text.push_str(&text);
                }
                // Between messages, and before the first.
                (Line::More(_), _) => {}
                (Line::Tagged(next), None) => field = Some(next),
                (Line::Tagged(next), Some(_)) => {
                    self.ahead = Some(next);
                    return Ok(field);
                }
                (Line::End, None) => {}
                (Line::End, Some(_)) => {
                    self.ahead = Some(Field { line: self.line, tag: "-".into(), text: String::new() });
                    return Ok(field);
                }
            }
        }
        Ok(field)
    }

    fn read(&mut self) -> Result<Option<Line>, String> {
        let mut bytes = Vec::new();
        let read = (&mut self.input).take(MAX_LINE).read_until(b'\n', &mut bytes);
        self.line = self.line.saturating_add(1);
        let at = self.line;
        if read.map_err(|error| format!("line {at}: {error}"))? == 0 {
            return Ok(None);
        }
        if bytes.len() as u64 == MAX_LINE && bytes.last() != Some(&b'\n') {
            return Err(format!("line {at}: more than {MAX_LINE} bytes: this is no MT940"));
        }
        let text = String::from_utf8(bytes).unwrap_or_else(|bytes| {
            encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes.as_bytes()).0.into_owned()
        });
        let text = text.trim_end().trim_start_matches('\u{feff}');
        // The envelope's blocks say nothing of the account; its fourth one holds the fields.
        let text = if text.starts_with('{') { text.rsplit_once("{4:").map_or("", |(_, rest)| rest) } else { text };
        if text == "-" || text.starts_with("-}") {
            return Ok(Some(Line::End));
        }
        Ok(Some(match tagged(text) {
            Some((tag, text)) => Line::Tagged(Field { line: at, tag: tag.into(), text: text.into() }),
            None => Line::More(text.to_owned()),
        }))
    }
}

/// `:61:…`: two digits and at most one letter between colons.
fn tagged(line: &str) -> Option<(&str, &str)> {
    let (tag, text) = line.strip_prefix(':')?.split_once(':')?;
    let fits = match tag.as_bytes() {
        [a, b] => a.is_ascii_digit() && b.is_ascii_digit() || tag == "NS",
        [a, b, c] => a.is_ascii_digit() && b.is_ascii_digit() && c.is_ascii_uppercase(),
        _ => false,
    };
    fits.then_some((tag, text))
}
