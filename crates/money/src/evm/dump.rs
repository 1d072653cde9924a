//! Dumps: files of rows in any order, gathered into blocks with bounded memory.
use super::fields::{Row, bare};
use super::model::{Address, RawBlock};
use super::rows::{Gathering, Sort, cut_value, height, token, tx_id};
use super::sort::{Record, Sorted, Sorter};
use crate::chain::{Error, Result, ShortLines, Table, io};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// No line is longer.
const MAX_LINE: usize = 16 << 20;
/// No block has more rows, or more bytes of them.
const MAX_ROWS: usize = 4 << 20;
const MAX_BYTES: usize = 1 << 30;
/// No dump has more files, and no more tokens are named.
const MAX_FILES: usize = 4096;
const MAX_TOKENS: usize = 4 << 20;
/// Between the cells of a CSV record while it waits to be sorted.
const CELL: char = '\u{1f}';

/// Is given a row, its line, its text, and how many bytes were read up to it.
type EachRow<'f> = dyn FnMut(&Row<'_>, u64, &str, u64) -> Result<ControlFlow<()>> + 'f;

/// A file of a dump.
struct Source {
    path: PathBuf,
    sort: Sort,
    /// Places of the headings; none for JSON lines.
    places: Option<HashMap<String, usize>>,
}

/// The files of a dump, looked at.
pub struct Dump {
    sources: Vec<Source>,
    /// Bytes of all files.
    pub bytes: u64,
    /// Files of the folder that hold nothing for a record.
    pub passed_over: Vec<PathBuf>,
}

impl Dump {
    /// Looks at files, or at a folder's `.csv`, `.json`, `.jsonl` and `.parquet` files: what their rows are.
    ///
    /// # Errors
    /// A named file whose rows are nothing that can be loaded; a dump without any; token transfers among which are NFTs.
    pub fn open(paths: &[PathBuf]) -> Result<Dump> {
        let mut dump = Dump { sources: Vec::new(), bytes: 0, passed_over: Vec::new() };
        for path in paths {
            match path.is_dir() {
                true => {
                    for inner in files_in(path)? {
                        dump.look_at(&inner, false)?;
                    }
                }
                false => dump.look_at(path, true)?,
            }
        }
        if dump.sources.iter().any(|source| source.sort == Sort::Logs) {
            // Both tell the same transfers; logs tell more.
            dump.sources.retain(|source| source.sort != Sort::TokenTransfers);
        }
        if dump.sources.iter().all(|source| source.sort == Sort::Tokens) {
            return Err(Error::Unknown("no file has blocks, transactions, logs or traces".into()));
        }
        Ok(dump)
    }

    fn look_at(&mut self, path: &Path, named: bool) -> Result<()> {
        if self.sources.len() >= MAX_FILES {
            return Err(Error::Unknown(format!("more than {MAX_FILES} files at once")));
        }
        let file = File::open(path).map_err(io(path))?;
        self.bytes += file.metadata().map_err(io(path))?.len();
        let mut first = [0; 4];
        let begins = BufReader::new(&file).read(&mut first).map_err(io(path))?;
        let json = first.get(..begins).unwrap_or_default().trim_ascii_start().starts_with(b"{");
        let (sort, places) = match (begins, json) {
            // An empty file has no rows of any sort: dumps write them for blocks without logs.
            (0, _) => return Ok(()),
            (_, true) => (first_object(path)?, None),
            (_, false) => {
                let places = headings(path)?;
                let none = csv::StringRecord::new();
                let sort = Sort::of(&Row::Csv(&places, &none));
                if sort == Sort::TokenTransfers && places.contains_key("blocknumber") {
                    return Err(at(
                        path,
                        1,
                        "ethereum-etl's token transfers do not tell amounts from NFTs: give its logs",
                    ));
                }
                (sort, Some(places))
            }
        };
        match (sort, named) {
            (Sort::Other, true) => Err(at(
                path,
                1,
                "its fields are not those of blocks, transactions, receipts, fees, logs, traces or tokens",
            )),
            (Sort::Other, false) => {
                self.passed_over.push(path.to_owned());
                Ok(())
            }
            _ => {
                self.sources.push(Source { path: path.to_owned(), sort, places });
                Ok(())
            }
        }
    }

    /// Whether any file has rows of this sort.
    pub fn has(&self, sort: Sort) -> bool {
        self.sources.iter().any(|source| source.sort == sort)
    }

    /// Symbols that the dump gives to tokens.
    pub fn tokens(&self) -> Result<Vec<(Address, String)>> {
        let mut tokens = Vec::new();
        for source in self.sources.iter().filter(|source| source.sort == Sort::Tokens) {
            let _whole = source.rows(&mut |row, _, _, _| {
                if tokens.len() >= MAX_TOKENS {
                    return Ok(ControlFlow::Break(()));
                }
                tokens.extend(token(row));
                Ok(ControlFlow::Continue(()))
            })?;
        }
        Ok(tokens)
    }

    /// Reads all files and gives their blocks in the order of heights. What does not fit into memory waits in nameless files
    /// in `folder`. `progress` hears of bytes, twice those of the files in all.
    ///
    /// # Errors
    /// The first row that is wrong, by file and line; whatever `each` returns.
    pub fn blocks(
        &self,
        folder: &Path,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
        each: &mut dyn FnMut(RawBlock, u64) -> Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>> {
        let mut sorter = Sorter::new(folder);
        let mut by_hash = Sorter::new(folder);
        let fees = self.has(Sort::Fees);
        // One value below zero shows that all of its file were cut.
        let mut cut = HashSet::new();
        let mut before = 0;
        for (number, source) in self.sources.iter().enumerate().filter(|(_, source)| source.sort != Sort::Tokens) {
            let mut read = 0;
            let flow = source.rows(&mut |row, line, text, bytes| {
                read = bytes;
                let wrong = |why: String| at(&source.path, line, why);
                if source.sort == Sort::Traces && cut_value(row).is_some() {
                    cut.insert(number);
                }
                if source.sort == Sort::Fees {
                    let mut key = tx_id(row).map_err(wrong)?.to_vec();
                    key.push(1);
                    by_hash.push(key, tagged(number, line, text))?;
                } else {
                    let height = height(row).map_err(wrong)?;
                    if fees && source.sort == Sort::Transactions {
                        let mut key = tx_id(row).map_err(wrong)?.to_vec();
                        key.push(0);
                        by_hash.push(key, height.to_be_bytes().to_vec())?;
                    }
                    sorter.push(key(height, source.sort, number, line), tagged(number, line, text))?;
                }
                Ok(if line % 1024 == 0 { progress(before + bytes) } else { ControlFlow::Continue(()) })
            })?;
            if flow.is_break() {
                return Ok(flow);
            }
            before += read;
        }
        join_fees(by_hash, &mut sorter)?;
        self.gather(sorter.sorted()?, &cut, each)
    }

    fn gather(
        &self,
        mut rows: Sorted,
        cut: &HashSet<usize>,
        each: &mut dyn FnMut(RawBlock, u64) -> Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>> {
        let mut done = self.bytes;
        while let Some(height) = rows.peek().and_then(height_of) {
            let (mut gathering, mut bytes) = (Gathering::default(), 0);
            let mut last = None;
            while rows.peek().and_then(height_of) == Some(height) {
                let Some(record) = rows.next()? else { break };
                bytes += record.body.len();
                let (number, line, text) = untagged(&record).ok_or_else(damaged)?;
                let source = self.sources.get(number).ok_or_else(damaged)?;
                let cut = cut.contains(&number);
                if gathering.rows() >= MAX_ROWS || bytes > MAX_BYTES {
                    return Err(at(&source.path, line, format!("block {height} has more rows than one can have")));
                }
                source
                    .again(text, |row| gathering.add(source.sort, row, cut))
                    .map_err(|why| at(&source.path, line, why))?;
                last = Some((source, line));
            }
            let block = gathering.finish(height, |sort| self.has(sort));
            let block = block.map_err(|why| match last {
                Some((source, line)) => at(&source.path, line, format!("block {height}: {why}")),
                None => Error::Unknown(why),
            })?;
            done += bytes as u64;
            if each(block, done)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl Source {
    /// Gives each row with its line, its text and how many bytes were read up to it.
    fn rows(&self, each: &mut EachRow<'_>) -> Result<ControlFlow<()>> {
        match &self.places {
            Some(places) => self.table_rows(places, each),
            None => self.json_rows(each),
        }
    }

    fn json_rows(&self, each: &mut EachRow<'_>) -> Result<ControlFlow<()>> {
        let file = File::open(&self.path).map_err(io(&self.path))?;
        let mut lines = BufReader::with_capacity(1 << 16, ShortLines::new(file, MAX_LINE));
        let (mut text, mut number) = (String::new(), 0);
        loop {
            text.clear();
            number += 1;
            if lines.read_line(&mut text).map_err(|error| at(&self.path, number, error.to_string()))? == 0 {
                return Ok(ControlFlow::Continue(()));
            }
            let line = text.trim();
            if line.is_empty() {
                continue;
            }
            let row = Row::json(line).ok_or_else(|| at(&self.path, number, "is not one JSON object"))?;
            if each(&row, number, line, lines.get_ref().read)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }

    fn table_rows(&self, places: &HashMap<String, usize>, each: &mut EachRow<'_>) -> Result<ControlFlow<()>> {
        let mut table = self.table()?;
        let (mut bytes, mut text) = (csv::ByteRecord::new(), String::new());
        while table.next(&mut bytes).map_err(|(line, why)| at(&self.path, line, why))? {
            let line = table.line;
            let record = csv::StringRecord::from_byte_record(bytes);
            let record = record.map_err(|_| at(&self.path, line, "a cell is not UTF-8"))?;
            text.clear();
            for cell in &record {
                if cell.contains(CELL) {
                    return Err(at(&self.path, line, "a cell holds a control character"));
                }
                text.push_str(cell);
                text.push(CELL);
            }
            if each(&Row::Csv(places, &record), line, &text, table.read())?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            bytes = record.into_byte_record();
        }
        Ok(ControlFlow::Continue(()))
    }

    fn table(&self) -> Result<Table> {
        Table::open(&self.path, b',', MAX_LINE).map_err(|(line, why)| at(&self.path, line, why))
    }

    /// Reads a row's text again after sorting.
    fn again<T>(
        &self,
        text: &str,
        with: impl FnOnce(&Row<'_>) -> std::result::Result<T, String>,
    ) -> std::result::Result<T, String> {
        match &self.places {
            Some(places) => with(&Row::Csv(places, &text.split_terminator(CELL).collect())),
            None => with(&Row::json(text).ok_or("is not one JSON object")?),
        }
    }
}

/// Gives the fees of transactions the heights of these. A fee of a transaction that the dump lacks has no block and is left out.
fn join_fees(by_hash: Sorter, into: &mut Sorter) -> Result<()> {
    let mut rows = by_hash.sorted()?;
    let mut block: Option<(Vec<u8>, u64)> = None;
    while let Some(record) = rows.next()? {
        let Some((part, hash)) = record.key.split_last() else { continue };
        match (part, &block) {
            (0, _) => block = record.body.try_into().ok().map(|body| (hash.to_vec(), u64::from_be_bytes(body))),
            (_, Some((known, height))) if known == hash => {
                let number = record.body.first_chunk::<2>().map_or(0, |number| u16::from_le_bytes(*number));
                into.push(key(*height, Sort::Fees, usize::from(number), 0), record.body)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Rows of a block stand by their sort, so that a receipt comes after its transaction, then as they stood in their files.
fn key(height: u64, sort: Sort, file: usize, line: u64) -> Vec<u8> {
    let file = u16::try_from(file).unwrap_or(u16::MAX);
    [&height.to_be_bytes()[..], &[sort as u8], &file.to_be_bytes(), &line.to_be_bytes()].concat()
}

fn height_of(key: &[u8]) -> Option<u64> {
    key.first_chunk().map(|height| u64::from_be_bytes(*height))
}

fn tagged(file: usize, line: u64, text: &str) -> Vec<u8> {
    let file = u16::try_from(file).unwrap_or(u16::MAX);
    [&file.to_le_bytes()[..], &line.to_le_bytes(), text.as_bytes()].concat()
}

fn untagged(record: &Record) -> Option<(usize, u64, &str)> {
    let (number, rest) = record.body.split_first_chunk::<2>()?;
    let (line, text) = rest.split_first_chunk::<8>()?;
    let number = usize::from(u16::from_le_bytes(*number));
    Some((number, u64::from_le_bytes(*line), std::str::from_utf8(text).ok()?))
}

fn damaged() -> Error {
    Error::Unknown("a file that rows waited in came back damaged: the disk failed".into())
}

fn at(path: &Path, line: u64, why: impl Into<String>) -> Error {
    Error::Line { path: path.to_owned(), line, why: why.into() }
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let ends = ["csv", "json", "jsonl", "parquet"];
    let entries = std::fs::read_dir(folder).map_err(io(folder))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.retain(|path| path.extension().and_then(|end| end.to_str()).is_some_and(|end| ends.contains(&end)));
    files.sort();
    Ok(files)
}

fn headings(path: &Path) -> Result<HashMap<String, usize>> {
    let table = Table::open(path, b',', MAX_LINE).map_err(|(line, why)| at(path, line, why))?;
    Ok(table.headings().iter().enumerate().map(|(place, name)| (bare(name), place)).collect())
}

fn first_object(path: &Path) -> Result<Sort> {
    let mut file = File::open(path).map_err(io(path))?;
    file.rewind().map_err(io(path))?;
    let mut lines = BufReader::new(ShortLines::new(file, MAX_LINE));
    let mut text = String::new();
    lines.read_line(&mut text).map_err(|error| at(path, 1, error.to_string()))?;
    let row = Row::json(text.trim()).ok_or_else(|| at(path, 1, "is not one JSON object a line"))?;
    Ok(Sort::of(&row))
}

/// The tokens among these that pass themselves off as others.
pub fn fakes(tokens: &[(Address, String)], chain: &super::Profile) -> HashSet<Address> {
    tokens.iter().filter(|(contract, symbol)| chain.is_fake(contract, symbol)).map(|(contract, _)| *contract).collect()
}
