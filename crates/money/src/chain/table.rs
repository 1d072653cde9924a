//! Rows of a file as text, whether it is CSV (packed or not) or Parquet.
//!
//! Never: a float for an amount. What Parquet holds as one is written as `float`, which nothing reads as a number.
use super::{ShortLines, said};
use csv::ByteRecord;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, List, Row};
use std::cell::Cell;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::rc::Rc;

/// What a Parquet file begins with (Apache Parquet, "File Format").
const PARQUET: [u8; 4] = *b"PAR1";
/// Most columns of a Parquet file.
const MAX_COLUMNS: usize = 1_024;
/// Most bytes of one group of rows, unpacked, as the file says.
const MAX_GROUP: i64 = 4 << 30;
/// What stands in the place of a float.
const FLOAT: &str = "float";

/// A table that is being read.
pub(crate) struct Table {
    rows: Rows,
    headings: Vec<String>,
    /// The line of the last row (CSV), or its number (Parquet: 2 is the first, as if headings stood above it).
    pub(crate) line: u64,
    taken: Rc<Cell<u64>>,
}

enum Rows {
    Csv(Box<csv::Reader<Lines>>),
    Parquet(Box<RowIter<'static>>),
}

type Lines = ShortLines<Box<dyn Read>>;

/// Where a table cannot be read, and why.
pub(crate) type Wrong = (u64, String);

impl Table {
    /// Opens a file. No line of CSV may be longer than `max_line`.
    ///
    /// # Errors
    /// It cannot be read; it is Parquet and damaged, or locked.
    pub(crate) fn open(path: &Path, delimiter: u8, max_line: usize) -> Result<Table, Wrong> {
        let wrong = |error: std::io::Error| (1, error.to_string());
        let file = File::open(path).map_err(wrong)?;
        let taken = Rc::new(Cell::new(0));
        // A pipe is read once, so its beginning is looked at and not taken.
        let mut input = BufReader::with_capacity(1 << 16, Counted { inner: file, taken: Rc::clone(&taken) });
        if input.fill_buf().map_err(wrong)?.starts_with(&PARQUET) {
            let (rows, headings) = parquet_rows(File::open(path).map_err(wrong)?).map_err(|why| (1, why))?;
            return Ok(Table { rows: Rows::Parquet(Box::new(rows)), headings, line: 1, taken });
        }
        let plain = formats::decompress(Box::new(input));
        let plain: Box<dyn Read> = Box::new(plain.map_err(|error| (1, error.to_string()))?);
        let lines = ShortLines::new(plain, max_line);
        let mut table = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(lines);
        let row = table.byte_headers().map_err(|error| (1, said(&error)))?;
        let bare = |name: &[u8]| {
            let name = name.trim_ascii();
            String::from_utf8_lossy(name.strip_prefix(b"\xef\xbb\xbf").unwrap_or(name)).into_owned()
        };
        let headings = row.iter().map(bare).collect();
        Ok(Table { rows: Rows::Csv(Box::new(table)), headings, line: 1, taken })
    }

    /// The names of the columns.
    pub(crate) fn headings(&self) -> &[String] {
        &self.headings
    }

    /// Bytes of the file that were read; of Parquet nothing is said until its end.
    pub(crate) fn read(&self) -> u64 {
        self.taken.get()
    }

    /// The next row; false at the end.
    ///
    /// # Errors
    /// Where and why it cannot be read on.
    pub(crate) fn next(&mut self, into: &mut ByteRecord) -> Result<bool, Wrong> {
        match &mut self.rows {
            Rows::Csv(table) => {
                let more = table.read_byte_record(into).map_err(|error| (self.line + 1, said(&error)))?;
                self.line = into.position().map_or(self.line, csv::Position::line);
                Ok(more)
            }
            Rows::Parquet(rows) => {
                self.line += 1;
                let row = caught(|| rows.next()).map_err(|why| (self.line, why))?;
                let Some(row) = row else { return Ok(false) };
                let row = row.map_err(|error| (self.line, format!("the Parquet file cannot be read on: {error}")))?;
                into.clear();
                row.get_column_iter().for_each(|(_, field)| into.push_field(text(field).as_bytes()));
                Ok(true)
            }
        }
    }
}

fn parquet_rows(file: File) -> Result<(RowIter<'static>, Vec<String>), String> {
    let reader = caught(|| SerializedFileReader::new(file))?
        .map_err(|error| format!("the Parquet file cannot be read: {error}"))?;
    let metadata = reader.metadata();
    let schema = metadata.file_metadata().schema();
    let headings: Vec<String> = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
    if headings.len() > MAX_COLUMNS {
        return Err(format!("more than {MAX_COLUMNS} columns"));
    }
    if metadata.row_groups().iter().any(|group| group.total_byte_size() > MAX_GROUP) {
        return Err(format!("a group of rows of more than {} GiB: write it anew in smaller ones", MAX_GROUP >> 30));
    }
    let rows = caught(|| RowIter::from_file_into(Box::new(reader)))?;
    Ok((rows, headings))
}

/// What the library does on a damaged file must not end the program.
fn caught<T>(read: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|_| "the Parquet file is damaged".to_owned())
}

/// A value as CSV would have it: times in Unix seconds, a list's values with commas between, nothing for null.
fn text(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Bytes(bytes) => format!("0x{}", hex::encode(bytes.data())),
        Field::Float16(_) | Field::Float(_) | Field::Double(_) => FLOAT.into(),
        Field::TimestampMillis(at) => at.div_euclid(1_000).to_string(),
        Field::TimestampMicros(at) => at.div_euclid(1_000_000).to_string(),
        Field::Date(days) => (i64::from(*days) * 86_400).to_string(),
        Field::ListInternal(list) => listed(list),
        Field::Group(row) => grouped(row),
        // Digits, exact: Boolean, whole numbers, decimals.
        other => other.to_string(),
    }
}

fn listed(list: &List) -> String {
    list.elements().iter().map(text).collect::<Vec<_>>().join(",")
}

/// Some writers wrap each value of a list in a group of its own.
fn grouped(row: &Row) -> String {
    row.get_column_iter().map(|(_, field)| text(field)).collect::<Vec<_>>().join(",")
}

struct Counted {
    inner: File,
    taken: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(into)?;
        self.taken.set(self.taken.get() + n as u64);
        Ok(n)
    }
}
