//! Bytes on their way in: compression undone by its first bytes, the total bounded.

use crate::format::Format;
use crate::record::{Position, ReadError};
use std::io::{self, BufRead, BufReader, Read};
use unicode_script::{Script, UnicodeScript};

const BUFFER: usize = 64 * 1024;

/// Undoes gzip (RFC 1952) or bzip2, recognised by their first bytes; anything else passes as it is.
///
/// # Errors
/// Those of the underlying reader.
pub fn decompress<'i>(mut input: Box<dyn BufRead + 'i>) -> io::Result<Box<dyn BufRead + 'i>> {
    let head = input.fill_buf()?;
    if head.starts_with(&[0x1f, 0x8b]) {
        let decoder = flate2::bufread::MultiGzDecoder::new(input);
        return Ok(Box::new(BufReader::with_capacity(BUFFER, decoder)));
    }
    if head.starts_with(b"BZh") && head.get(3).is_none_or(u8::is_ascii_digit) {
        let decoder = bzip2::bufread::MultiBzDecoder::new(input);
        return Ok(Box::new(BufReader::with_capacity(BUFFER, decoder)));
    }
    Ok(input)
}

/// Whether a byte order mark says that this is UTF-16, as Excel's "Unicode text" and Windows' own tools write it.
pub(crate) fn is_utf16(head: &[u8]) -> bool {
    head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff])
}

/// Whether most characters are such that texts have: not when more than one in twenty is a control character or one that
/// Unicode gives to nobody (unassigned, private, U+FFFE and its kind). Any bytes are UTF-16, and about one in seven that chance
/// put together is of these; what was not readable (U+FFFD) says nothing, for a text in an old encoding is full of it.
pub(crate) fn is_text(text: &str) -> bool {
    let is_odd = |c: &char| {
        let blank = matches!(c, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1b}');
        !blank && (c.is_control() || c.script() == Script::Unknown)
    };
    let odd = text.chars().filter(is_odd).count();
    odd < 2 || odd * 20 <= text.chars().count()
}

/// A file ready to be read.
pub(crate) struct Opened<'i> {
    pub input: Box<dyn BufRead + 'i>,
    /// A byte order mark said what it is: `input` is UTF-8, whatever anybody says of the file.
    pub marked: bool,
    /// It was UTF-16, which any bytes can be taken for.
    pub utf16: bool,
}

/// Decompresses, bounds the total, refuses archives, skips a byte order mark. UTF-16 becomes UTF-8 where people write
/// the files; of the others it is refused, for what was received is what is handed on.
pub(crate) fn open<'i>(input: Box<dyn BufRead + 'i>, max_bytes: u64, format: Format) -> Result<Opened<'i>, ReadError> {
    let start = || Position::of("start of the file");
    let mut input = decompress(input).map_err(|error| broken(start(), &error))?;
    let head = input.fill_buf().map_err(|error| broken(start(), &error))?;
    let by_people = matches!(format, Format::Csv | Format::List | Format::Text);
    let utf16 = is_utf16(head);
    let refusal = if head.starts_with(b"PK\x03\x04") {
        Some("a zip archive, or a workbook of a spreadsheet: unpack it, or save the sheet as CSV UTF-8")
    } else if utf16 && !by_people {
        Some("UTF-16 text; save it as UTF-8")
    } else {
        None
    };
    if let Some(why) = refusal {
        return Err(ReadError::Broken { at: start(), why: why.to_owned() });
    }
    let utf8 = head.starts_with(&[0xef, 0xbb, 0xbf]);
    if utf8 {
        input.consume(3);
    }
    let bounded = Bounded { input, left: max_bytes };
    let input: Box<dyn BufRead + 'i> = match utf16 {
        true => Box::new(BufReader::with_capacity(BUFFER, encoding_rs_io::DecodeReaderBytes::new(bounded))),
        false => Box::new(bounded),
    };
    Ok(Opened { input, marked: utf8 || utf16, utf16 })
}

/// An IO error as a sentence about the file.
pub(crate) fn broken(at: Position, error: &io::Error) -> ReadError {
    if error.kind() == io::ErrorKind::FileTooLarge {
        return ReadError::Limit { at, why: error.to_string() };
    }
    ReadError::Broken { at, why: error.to_string() }
}

struct Bounded<R> {
    input: R,
    left: u64,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut head = self.fill_buf()?;
        let count = head.read(buf)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let head = self.input.fill_buf()?;
        if !head.is_empty() && self.left == 0 {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "more bytes than one file may have (max_input_bytes); split it",
            ));
        }
        let shown = usize::try_from(self.left).unwrap_or(usize::MAX).min(head.len());
        Ok(head.get(..shown).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count as u64);
        self.input.consume(count);
    }
}

/// One line of a text file.
pub(crate) enum Line {
    /// The line's bytes are in the buffer, without its end.
    Whole,
    /// The line was longer than allowed; its beginning is in the buffer.
    TooLong,
    /// The file has ended.
    End,
}

/// Reads one line into `buffer`, at most `max` bytes of it; the rest of a longer line is skipped.
pub(crate) fn read_line(input: &mut dyn BufRead, buffer: &mut Vec<u8>, max: usize) -> io::Result<Line> {
    buffer.clear();
    let (mut any, mut too_long) = (false, false);
    loop {
        let head = input.fill_buf()?;
        if head.is_empty() {
            break;
        }
        any = true;
        let (line, ended) = match head.iter().position(|byte| *byte == b'\n') {
            Some(at) => (head.get(..at).unwrap_or_default(), true),
            None => (head, false),
        };
        let room = max.saturating_sub(buffer.len());
        too_long |= line.len() > room;
        buffer.extend_from_slice(line.get(..room.min(line.len())).unwrap_or_default());
        let count = line.len() + usize::from(ended);
        input.consume(count);
        if ended {
            break;
        }
    }
    if buffer.last() == Some(&b'\r') {
        buffer.pop();
    }
    Ok(match (any, too_long) {
        (false, _) => Line::End,
        (true, true) => Line::TooLong,
        (true, false) => Line::Whole,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_gzip_that_breaks_off_is_an_error_with_its_reason() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        let text: Vec<u8> = (0..100_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
        encoder.write_all(&text).unwrap();
        let packed = encoder.finish().unwrap();
        let half = &packed[..packed.len() / 2];
        let mut input = open(Box::new(half), u64::MAX, Format::List).unwrap().input;
        let error = input.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn what_chance_put_together_is_no_text_and_any_script_is() {
        // The same sequence each time (SplitMix64).
        let mut state = 7_u64;
        let mut noise = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            u16::try_from((z ^ (z >> 27)) & 0xffff).unwrap()
        };
        for length in [40, 400, 4_000] {
            let units: Vec<u16> = (0..length).map(|_| noise()).collect();
            assert!(!is_text(&String::from_utf16_lossy(&units)), "{length}");
        }
        assert!(!is_text("\u{1}\u{2}ELF\u{0}\u{3}"));
        for text in [
            "EXERCISE",
            "EXERCISE one\u{7} bell",
            "สวัสดี ติดต่อ 081",
            "高薪招聘 \u{1f4b0}\u{1f4b0} 加LINE",
            "\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
            "\u{1b}[1mEXERCISE\u{1b}[0m\tx\r\n",
            "EXERCISE\u{b}line\u{b}ends\u{b}of\u{b}Word",
        ] {
            assert!(is_text(text), "{text}");
        }
    }

    #[test]
    fn more_bytes_than_allowed_is_an_error_not_a_silent_end() {
        let mut input = open(Box::new(&b"0123456789"[..]), 4, Format::List).unwrap().input;
        let mut read = Vec::new();
        assert!(input.read_to_end(&mut read).is_err());
        assert_eq!(read, b"0123");
    }

    #[test]
    fn a_long_line_is_cut_and_the_next_one_is_whole() {
        let mut input: &[u8] = b"aaaaaaaaaa\r\nbb\r\ncc";
        let mut line = Vec::new();
        assert!(matches!(read_line(&mut input, &mut line, 4).unwrap(), Line::TooLong));
        assert!(matches!(read_line(&mut input, &mut line, 4).unwrap(), Line::Whole));
        assert_eq!(line, b"bb");
        assert!(matches!(read_line(&mut input, &mut line, 4).unwrap(), Line::Whole));
        assert!(matches!(read_line(&mut input, &mut line, 4).unwrap(), Line::End));
    }
}
