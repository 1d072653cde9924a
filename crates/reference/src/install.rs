//! From a file as it is published to a list's tables: written beside, then renamed into place.

use crate::galaxy::GalaxyHit;
use crate::list::{ListInfo, MatchKind};
use crate::query::normal;
use crate::table::{MAX_VALUE, TableWriter};
use crate::words::{MAX_EXPRESSIONS, MAX_SUBSTRINGS, compile};
use crate::{Error, ListKind, Result, at, ranges};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::cell::RefCell;
use std::fmt;
use std::fs;
use std::io::{BufRead, Read, Write};
use std::path::Path;

/// The most entries of one list.
const MAX_ENTRIES: usize = 20_000_000;
/// The longest file, in bytes.
const MAX_FILE: u64 = 1 << 30;
/// The longest galaxy file, which is read whole.
const MAX_GALAXY: u64 = 128 << 20;

/// What an installation made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The list as it stands now.
    pub list: ListInfo,
    /// Entries that were left out because they are empty, too long, or no entry of this sort.
    pub left_out: u64,
    /// A second list the file gave: the honest names of eth-phishing-detect.
    pub allowed: Option<ListInfo>,
    /// The file is of a format that says where its entries stand, so when it has none that is its publisher's word.
    pub structured: bool,
}

pub(crate) fn install(
    dir: &Path,
    kind: ListKind,
    name: &str,
    source: &str,
    mut reader: Box<dyn BufRead + '_>,
) -> Result<Installed> {
    crate::Library::check_name(name)?;
    let first = {
        let head = at(Path::new(name), reader.fill_buf())?;
        let head = head.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(head);
        head.iter().copied().find(|byte| !byte.is_ascii_whitespace())
    };
    let reader = Box::new(reader.take(MAX_FILE));
    if kind == ListKind::Galaxy {
        return galaxy(dir, name, source, reader);
    }
    if first == Some(b'{') {
        return json(dir, kind, name, source, reader);
    }
    let mut draft = Draft::new(dir, kind, name)?;
    let mut line = Vec::new();
    let mut lines = std::io::BufReader::new(reader);
    loop {
        line.clear();
        let read = at(Path::new(name), lines.by_ref().take(1 << 20).read_until(b'\n', &mut line))?;
        if read == 0 {
            break;
        }
        match std::str::from_utf8(&line) {
            Ok(text) => entries_of(text).try_for_each(|entry| draft.add(entry))?,
            Err(_) => draft.left_out += 1,
        }
    }
    let (list, left_out) =
        draft.finish(Head { title: name.to_owned(), matching: MatchKind::Mixed, ..Head::default() }, source)?;
    Ok(Installed { list, left_out, allowed: None, structured: false })
}

/// The entries of a line of a plain list or hosts file.
fn entries_of(line: &str) -> impl Iterator<Item = &str> {
    let line = line.trim().trim_start_matches('\u{feff}');
    let line = line.split(" #").next().unwrap_or_default();
    let line = if line.starts_with(['#', ';', '!']) || line.starts_with("//") { "" } else { line };
    let mut fields = line.split_ascii_whitespace().peekable();
    let hosts = fields.next_if(|first| matches!(*first, "0.0.0.0" | "127.0.0.1" | "::" | "::1")).is_some();
    fields.take(if hosts { 64 } else { 1 }).filter(|entry| *entry != "localhost")
}

fn malformed(name: &str, why: impl Into<String>) -> Error {
    Error::Malformed { name: name.to_owned(), why: why.into() }
}

/// What a file says about itself.
struct Head {
    title: String,
    matching: MatchKind,
    version: Option<String>,
    meant_for: Vec<String>,
}

impl Default for Head {
    fn default() -> Self {
        Self { title: String::new(), matching: MatchKind::String, version: None, meant_for: Vec::new() }
    }
}

/// A list being written in a folder of its own.
struct Draft {
    kind: ListKind,
    name: String,
    folder: std::path::PathBuf,
    target: std::path::PathBuf,
    table: Option<TableWriter>,
    left_out: u64,
}

impl Draft {
    fn new(dir: &Path, kind: ListKind, name: &str) -> Result<Self> {
        let parent = dir.join(kind.folder());
        let folder = parent.join(format!(".{name}.new"));
        if folder.exists() {
            at(&folder, fs::remove_dir_all(&folder))?;
        }
        at(&folder, fs::create_dir_all(&folder))?;
        let table = at(&folder, TableWriter::create(&folder))?;
        Ok(Self { kind, name: name.to_owned(), target: parent.join(name), folder, table: Some(table), left_out: 0 })
    }

    fn table(&mut self) -> Result<&mut TableWriter> {
        let name = self.name.clone();
        self.table.as_mut().ok_or_else(|| malformed(&name, "the list was finished already"))
    }

    fn add(&mut self, entry: &str) -> Result<()> {
        let entry = entry.trim();
        if entry.is_empty() || entry.len() > MAX_VALUE || entry.contains('\n') {
            self.left_out += 1;
            return Ok(());
        }
        let folder = self.folder.clone();
        let name = self.name.clone();
        let table = self.table()?;
        if table.len() >= MAX_ENTRIES {
            return Err(Error::Limit { name, why: format!("more than {MAX_ENTRIES} entries") });
        }
        let key = normal(entry);
        at(&folder, table.add(key.trim_start_matches("*.").trim_matches('.'), entry))
    }

    fn finish(mut self, head: Head, source: &str) -> Result<(ListInfo, u64)> {
        let folder = self.folder.clone();
        let table = self.table.take().ok_or_else(|| malformed(&self.name, "the list was finished already"))?;
        let entries = at(&folder, table.finish(&folder))?;
        match head.matching {
            MatchKind::Cidr | MatchKind::Mixed => {
                let networks = self.networks()?;
                if head.matching == MatchKind::Cidr {
                    self.left_out += (entries - networks.len().min(entries)) as u64;
                    at(&folder, fs::remove_file(folder.join("hashes")))?;
                    at(&folder, fs::remove_file(folder.join("values")))?;
                }
                if head.matching == MatchKind::Cidr || !networks.is_empty() {
                    at(&folder, ranges::write(&folder, networks))?;
                }
            }
            MatchKind::Substring | MatchKind::Regex => {
                let (what, most) = if head.matching == MatchKind::Regex {
                    ("expressions", MAX_EXPRESSIONS)
                } else {
                    ("substrings", MAX_SUBSTRINGS)
                };
                if entries > most {
                    return Err(Error::Limit {
                        name: self.name.clone(),
                        why: format!("more than {most} {what} would stand in memory"),
                    });
                }
                if head.matching == MatchKind::Regex {
                    let text = at(&folder, fs::read_to_string(folder.join("values")))?;
                    self.left_out += text.lines().filter(|line| compile(line).is_none()).count() as u64;
                }
                at(&folder, fs::remove_file(folder.join("hashes")))?;
            }
            MatchKind::String | MatchKind::Hostname => {}
        }
        let info = ListInfo {
            name: self.name.clone(),
            title: head.title,
            kind: self.kind,
            matching: head.matching,
            version: head.version,
            source: source.to_owned(),
            entries: entries as u64,
            meant_for: head.meant_for,
            loaded: None,
        };
        let text = serde_json::to_vec(&info).map_err(|error| malformed(&self.name, error.to_string()))?;
        let path = folder.join("list.json");
        let mut file = at(&path, fs::File::create(&path))?;
        at(&path, file.write_all(&text).and_then(|()| file.sync_all()))?;
        if self.target.exists() {
            self.not_emptied(&info)?;
            at(&self.target, fs::remove_dir_all(&self.target))?;
        }
        at(&self.target, fs::rename(&folder, &self.target))?;
        Ok((ListInfo { loaded: crate::list::loaded(&self.target), ..info }, self.left_out))
    }

    /// A fetch that failed leaves an empty file: it must not take away the list that stands.
    fn not_emptied(&self, new: &ListInfo) -> Result<()> {
        let stands = fs::read(self.target.join("list.json")).ok();
        let stands =
            stands.and_then(|text| serde_json::from_slice::<ListInfo>(&text).ok()).map_or(0, |old| old.entries);
        if new.entries == 0 && stands > 0 {
            return Err(malformed(
                &self.name,
                format!("the file has no entries; the list that stands keeps its {stands}"),
            ));
        }
        Ok(())
    }

    /// The networks among the values, read back from the file just written.
    fn networks(&self) -> Result<Vec<(u128, u128)>> {
        let path = self.folder.join("values");
        let file = at(&path, fs::File::open(&path))?;
        let mut networks = Vec::new();
        for line in std::io::BufReader::new(file).lines() {
            let line = at(&path, line)?;
            networks.extend(ranges::parse(&line));
        }
        Ok(networks)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.folder.exists() {
            // What is left is found and removed by the next installation of the name.
            let _left = fs::remove_dir_all(&self.folder);
        }
    }
}

/// A MISP warninglist or eth-phishing-detect's configuration.
fn json(dir: &Path, kind: ListKind, name: &str, source: &str, reader: Box<dyn Read + '_>) -> Result<Installed> {
    let draft = RefCell::new(Draft::new(dir, kind, name)?);
    let mut found = Found {
        head: Head { title: name.to_owned(), ..Head::default() },
        allowed: Vec::new(),
        listed: false,
        phishing: false,
    };
    let failure = RefCell::new(None);
    let mut deserializer = serde_json::Deserializer::from_reader(std::io::BufReader::new(reader));
    let outcome = deserializer.deserialize_map(JsonList { draft: &draft, found: &mut found, failure: &failure });
    if let Some(error) = failure.take() {
        return Err(error);
    }
    outcome.map_err(|error| {
        malformed(
            name,
            format!(
                "no MISP warninglist and no phishing configuration: {} at line {}, column {}",
                category(&error),
                error.line(),
                error.column()
            ),
        )
    })?;
    if !found.listed {
        return Err(malformed(name, "there is neither `list` nor `blacklist` in it"));
    }
    let mut head = found.head;
    if found.phishing {
        head.matching = MatchKind::Mixed;
    }
    let version = head.version.clone();
    let (list, left_out) = draft.into_inner().finish(head, source)?;
    let mut installed = Installed { list, left_out, allowed: None, structured: true };
    if !found.allowed.is_empty() {
        let mut allowed = Draft::new(dir, ListKind::Warning, &format!("{name}.allowed"))?;
        for entry in &found.allowed {
            allowed.add(entry)?;
        }
        let head =
            Head { title: format!("{name}: honest names"), matching: MatchKind::Hostname, version, ..Head::default() };
        installed.allowed = Some(allowed.finish(head, source)?.0);
    }
    Ok(installed)
}

fn category(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Io => "it cannot be read",
        serde_json::error::Category::Syntax => "a syntax error",
        serde_json::error::Category::Data => "a member of the wrong type",
        serde_json::error::Category::Eof => "it ends too early",
    }
}

struct Found {
    head: Head,
    allowed: Vec<String>,
    listed: bool,
    phishing: bool,
}

struct JsonList<'d> {
    draft: &'d RefCell<Draft>,
    found: &'d mut Found,
    failure: &'d RefCell<Option<Error>>,
}

impl<'de> Visitor<'de> for JsonList<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        while let Some(member) = map.next_key::<String>()? {
            match member.as_str() {
                "list" | "blacklist" | "blocklist" => {
                    self.found.listed = true;
                    self.found.phishing |= member != "list";
                    map.next_value_seed(Entries { draft: self.draft, failure: self.failure })?;
                }
                "whitelist" | "allowlist" | "fuzzylist" => {
                    let names: Vec<String> = map.next_value()?;
                    if self.found.allowed.len() + names.len() > 100_000 {
                        return Err(serde::de::Error::custom("too many honest names"));
                    }
                    self.found.allowed.extend(names);
                }
                "name" | "title" => {
                    self.found.head.title =
                        map.next_value::<Value>()?.as_str().unwrap_or_default().chars().take(300).collect()
                }
                "version" => {
                    self.found.head.version =
                        Some(map.next_value::<Value>()?.to_string().trim_matches('"').chars().take(40).collect())
                }
                "type" => {
                    let word: Value = map.next_value()?;
                    self.found.head.matching = MatchKind::deserialize(word)
                        .map_err(|_| serde::de::Error::custom("an unknown type of list"))?;
                }
                "matching_attributes" => self.found.head.meant_for = map.next_value()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct Entries<'d> {
    draft: &'d RefCell<Draft>,
    failure: &'d RefCell<Option<Error>>,
}

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of texts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<(), A::Error> {
        while let Some(item) = items.next_element::<Value>()? {
            let mut draft = self.draft.borrow_mut();
            match item.as_str() {
                Some(entry) => {
                    if let Err(error) = draft.add(entry) {
                        self.failure.replace(Some(error));
                        return Err(serde::de::Error::custom("stopped"));
                    }
                }
                None => draft.left_out += 1,
            }
        }
        Ok(())
    }
}

/// A MISP galaxy's cluster file.
fn galaxy(dir: &Path, name: &str, source: &str, reader: Box<dyn Read + '_>) -> Result<Installed> {
    let file: GalaxyFile =
        serde_json::from_reader(std::io::BufReader::new(reader.take(MAX_GALAXY))).map_err(|error| {
            malformed(
                name,
                format!("no MISP galaxy: {} at line {}, column {}", category(&error), error.line(), error.column()),
            )
        })?;
    let mut draft = Draft::new(dir, ListKind::Galaxy, name)?;
    let folder = draft.folder.clone();
    for value in file.values {
        let meta = value.meta.unwrap_or_default();
        let words = |field: &str, most: usize| -> Vec<String> {
            let list = meta.get(field).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str).take(most).map(|word| word.chars().take(300).collect()).collect()
        };
        let hit = GalaxyHit {
            galaxy: file.kind.clone(),
            value: value.value.chars().take(300).collect(),
            uuid: value.uuid,
            description: value.description.unwrap_or_default().chars().take(2_000).collect(),
            synonyms: words("synonyms", 100),
            refs: words("refs", 20),
        };
        let text = serde_json::to_string(&hit).unwrap_or_default();
        if text.is_empty() || text.len() > MAX_VALUE {
            draft.left_out += 1;
            continue;
        }
        let mut keys: Vec<String> = hit.keys().collect();
        keys.sort_unstable();
        keys.dedup();
        let table = draft.table()?;
        for (number, key) in keys.iter().enumerate() {
            match number {
                0 => at(&folder, table.add(key, &text))?,
                _ => table.add_key(key),
            }
        }
    }
    let version = file.version.map(|version| version.to_string());
    let (list, left_out) =
        draft.finish(Head { title: file.name, matching: MatchKind::String, version, meant_for: Vec::new() }, source)?;
    Ok(Installed { list, left_out, allowed: None, structured: true })
}

#[derive(Deserialize)]
struct GalaxyFile {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    version: Option<Value>,
    values: Vec<GalaxyValue>,
}

#[derive(Deserialize)]
struct GalaxyValue {
    value: String,
    uuid: Option<String>,
    description: Option<String>,
    meta: Option<serde_json::Map<String, Value>>,
}
