//! Rows of a table, whether it came as CSV or as a workbook (.xlsx): texts, one row at a time.
use super::unpack::{Archive, archive, unpacked};
use crate::chain::{ShortLines, said};
use calamine::{DataRef, Reader, Xlsx};
use std::io::{BufReader, Cursor, Read};
use std::path::Path;

/// No line of a CSV file is longer.
const MAX_LINE: usize = 1 << 20;
/// Most rows of a file.
const MAX_ROWS: u32 = 2_000_000;
/// Most columns of a row.
const MAX_COLUMNS: usize = 1_024;
/// Most bytes of a cell.
const MAX_CELL: usize = 4_096;
/// Largest workbook, packed and unpacked: its texts are held while it is read.
const MAX_PACKED: u64 = 64 << 20;
const MAX_UNPACKED: u64 = 256 << 20;
/// Digits that a workbook's numbers hold; what has more was rounded by whoever made it.
const EXACT_DIGITS: usize = 15;

/// A row as it stands in its file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The sheet's name; empty for CSV.
    pub sheet: String,
    /// Its number there, from 1: the line of CSV.
    pub number: u32,
    /// Its cells as text: a workbook's dates as `2026-03-01T09:14:00`, its numbers in digits.
    pub cells: Vec<String>,
}

/// Takes a row; an error ends the reading.
pub type Take<'t> = &'t mut dyn FnMut(Row) -> Result<(), String>;

/// Reads every row of a CSV file or a workbook.
///
/// # Errors
/// What cannot be read, with sheet and row, never a cell's text.
pub fn each_row(path: &Path, delimiter: u8, take: Take<'_>) -> Result<(), String> {
    if archive(path)? != Archive::Workbook {
        return unpacked(path, |input| csv_rows(input, delimiter, take));
    }
    if std::fs::metadata(path).map_err(|error| error.to_string())?.len() > MAX_PACKED {
        return Err(format!("the workbook has more than {} MiB: split it", MAX_PACKED >> 20));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    workbook_rows(&bytes, take)
}

/// The rows of a CSV file; rows may differ in length.
pub fn csv_rows(input: impl Read, delimiter: u8, take: Take<'_>) -> Result<(), String> {
    let lines = ShortLines::new(BufReader::new(input), MAX_LINE);
    let mut table = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(lines);
    let (mut record, mut number, mut rows) = (csv::StringRecord::new(), 0, 0);
    while table.read_record(&mut record).map_err(|error| format!("row {}: {}", number + 1, said(&error)))? {
        number = record.position().map_or(number + 1, |at| u32::try_from(at.line()).unwrap_or(u32::MAX));
        rows += 1;
        let bare = |cell: &str| cell.trim().trim_start_matches('\u{feff}').to_owned();
        hand(Row { sheet: String::new(), number, cells: record.iter().map(bare).collect() }, rows, take)?;
    }
    Ok(())
}

/// The rows of every sheet of a workbook. Cells are read one by one, for a sheet says itself how large it is.
pub fn workbook_rows(bytes: &[u8], take: Take<'_>) -> Result<(), String> {
    unpacks(bytes, MAX_UNPACKED)?;
    let broken = |_| "the workbook cannot be read: save it anew as .xlsx, without a password".to_owned();
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let mut rows = 0;
    for sheet in book.sheet_names() {
        let mut cells = book.worksheet_cells_reader(&sheet).map_err(broken)?;
        let (mut row, mut last) = (Row { sheet: sheet.clone(), ..Row::default() }, 0);
        loop {
            let at = |why: &str| format!("sheet {sheet:?} row {}: {why}", last + 1);
            let cell = cells.next_cell().map_err(|_| at("the sheet cannot be read on"))?;
            let Some(cell) = cell else { break };
            let (number, column) = cell.get_position();
            let text = text(cell.get_value()).map_err(|why| {
                format!("sheet {sheet:?} row {} column {}: {why}", u64::from(number) + 1, u64::from(column) + 1)
            })?;
            if text.is_empty() {
                continue;
            }
            if number < last {
                return Err(at("its rows are not in order"));
            }
            if number > last || row.number == 0 {
                if !row.cells.is_empty() {
                    rows += 1;
                    let next = Row { sheet: sheet.clone(), ..Row::default() };
                    hand(std::mem::replace(&mut row, next), rows, take)?;
                }
                (last, row.number) = (number, number.saturating_add(1));
            }
            let column = column as usize;
            if column >= MAX_COLUMNS {
                return Err(format!("sheet {sheet:?} row {}: more than {MAX_COLUMNS} columns", row.number));
            }
            row.cells.resize(row.cells.len().max(column + 1), String::new());
            if let Some(place) = row.cells.get_mut(column) {
                *place = text;
            }
        }
        if !row.cells.is_empty() {
            rows += 1;
            hand(row, rows, take)?;
        }
    }
    Ok(())
}

fn hand(row: Row, rows: u32, take: Take<'_>) -> Result<(), String> {
    let at = |why: String| match row.sheet.as_str() {
        "" => format!("row {}: {why}", row.number),
        sheet => format!("sheet {sheet:?} row {}: {why}", row.number),
    };
    if rows > MAX_ROWS {
        return Err(at(format!("more than {MAX_ROWS} rows in one file: split it")));
    }
    if row.cells.len() > MAX_COLUMNS {
        return Err(at(format!("more than {MAX_COLUMNS} columns")));
    }
    if row.cells.iter().any(|cell| cell.len() > MAX_CELL) {
        return Err(at(format!("a cell of more than {MAX_CELL} bytes")));
    }
    take(row)
}

/// Unpacks all parts of a workbook into nothing, so that one that grows beyond every measure is refused before it is read.
fn unpacks(bytes: &[u8], most: u64) -> Result<(), String> {
    let broken = || "is no workbook that can be unpacked".to_owned();
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| broken())?;
    let mut left = most;
    for place in 0..archive.len() {
        let part = archive.by_index(place).map_err(|_| broken())?;
        let read = std::io::copy(&mut part.take(left + 1), &mut std::io::sink()).map_err(|_| broken())?;
        left = left
            .checked_sub(read)
            .ok_or_else(|| format!("the workbook unpacks to more than {} MiB: split it", most >> 20))?;
    }
    Ok(())
}

fn text(value: &DataRef<'_>) -> Result<String, String> {
    Ok(match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => {
            let text = number.to_string();
            let digits = text.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
            // A whole number's zeros at its end say nothing.
            let zeros = if text.contains('.') { 0 } else { text.len() - text.trim_end_matches('0').len() };
            if digits.saturating_sub(zeros) > EXACT_DIGITS {
                return Err(format!(
                    "the number has more than {EXACT_DIGITS} digits, which a workbook rounds: ask for it as text"
                ));
            }
            text
        }
        DataRef::String(text) => text.trim().to_owned(),
        DataRef::SharedString(text) => text.trim().to_owned(),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTime(time) => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            match (hour, minute, second) {
                (0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
                _ => format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"),
            }
        }
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(_) => return Err("the cell holds a formula's error".into()),
        DataRef::Empty => String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_workbook_that_unpacks_beyond_the_limit_is_refused_before_it_is_read() {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("xl/worksheets/sheet1.xml", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&vec![b'0'; 3 << 20]).unwrap();
        let bytes = zip.finish().unwrap().into_inner();
        assert!(bytes.len() < 64 << 10);
        assert!(unpacks(&bytes, 2 << 20).unwrap_err().contains("unpacks to more than 2 MiB"));
        assert_eq!(unpacks(&bytes, 3 << 20), Ok(()));
    }

    #[test]
    fn a_number_that_a_workbook_has_rounded_is_refused() {
        assert_eq!(text(&DataRef::Float(0.1)).as_deref(), Ok("0.1"));
        assert_eq!(text(&DataRef::Float(1_290_000_000_000_000_000.0)).as_deref(), Ok("1290000000000000000"));
        assert!(text(&DataRef::Float(0.123_456_789_012_345_67)).is_err());
    }
}
