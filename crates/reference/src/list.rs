//! One installed list and how it is searched.

use crate::query::{Query, Shape};
use crate::ranges::Ranges;
use crate::table::Table;
use crate::words::{MAX_EXPRESSIONS, Substrings, compile};
use crate::{ListKind, Result, at};
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// How a list's entries match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MatchKind {
    /// The value is the entry.
    String,
    /// The value's host is the entry or stands below it.
    Hostname,
    /// The address is in the entry's network.
    Cidr,
    /// The entry stands somewhere in the value.
    Substring,
    /// The entry is an expression.
    Regex,
    /// Hosts, networks and values mixed, each matched as what it is (block lists).
    Mixed,
}

/// What is known of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListInfo {
    /// Its name: its folder.
    pub name: String,
    /// Its title, for people.
    pub title: String,
    /// What standing in it means.
    pub kind: ListKind,
    /// How its entries match.
    pub matching: MatchKind,
    /// The source's own version, when it has one.
    pub version: Option<String>,
    /// Where it is from, under which licence.
    pub source: String,
    /// Entries.
    pub entries: u64,
    /// MISP's `matching_attributes`: the sorts of values it is meant for; empty for all.
    #[serde(default)]
    pub meant_for: Vec<String>,
    /// When it was installed here, by its file.
    #[serde(skip)]
    pub loaded: Option<SystemTime>,
}

pub(crate) struct List {
    pub info: ListInfo,
    table: Option<Table>,
    ranges: Option<Ranges>,
    substrings: Option<Substrings>,
    expressions: Vec<(String, Regex)>,
}

pub(crate) fn read_info(folder: &Path) -> Result<ListInfo> {
    let path = folder.join("list.json");
    let text = at(&path, fs::read(&path))?;
    let info: ListInfo = serde_json::from_slice(&text).map_err(|_| crate::Error::Malformed {
        name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        why: "list.json cannot be read; install the list again".to_owned(),
    })?;
    Ok(ListInfo { loaded: loaded(folder), ..info })
}

/// When the list in this folder was written.
pub(crate) fn loaded(folder: &Path) -> Option<SystemTime> {
    fs::metadata(folder.join("list.json")).and_then(|about| about.modified()).ok()
}

impl List {
    pub fn open(folder: &Path) -> Result<Self> {
        let info = read_info(folder)?;
        let lines = || -> Result<Vec<String>> {
            let path = folder.join("values");
            Ok(at(&path, fs::read_to_string(&path))?.lines().map(str::to_owned).collect())
        };
        let mut list = Self { info, table: None, ranges: None, substrings: None, expressions: Vec::new() };
        match list.info.matching {
            MatchKind::Substring => list.substrings = Substrings::new(lines()?),
            MatchKind::Regex => {
                let compiled = lines()?
                    .into_iter()
                    .take(MAX_EXPRESSIONS)
                    .filter_map(|text| compile(&text).map(|regex| (text, regex)));
                list.expressions = compiled.collect();
            }
            _ => {
                if folder.join("hashes").exists() {
                    list.table = Some(at(folder, Table::open(folder))?);
                }
                if folder.join("ranges").exists() {
                    list.ranges = Some(at(folder, Ranges::open(folder))?);
                }
            }
        }
        Ok(list)
    }

    pub fn find(&self, query: &Query) -> Option<String> {
        if !self.is_meant_for(query.shape) {
            return None;
        }
        if let (Some(ranges), Some(address)) = (&self.ranges, query.address)
            && let Some(found) = ranges.find(address)
        {
            return Some(found);
        }
        if let Some(table) = &self.table {
            if let Some(found) = table.find(&query.value, |found| crate::query::normal(found) == query.value) {
                return Some(found);
            }
            let hosts = match self.info.matching {
                MatchKind::Hostname | MatchKind::Mixed => query.hosts.as_slice(),
                // A string list of domains says nothing about what stands below them.
                _ => query.hosts.get(..1).unwrap_or_default(),
            };
            for host in hosts.iter().filter(|host| **host != query.value || self.info.matching == MatchKind::Hostname) {
                if let Some(found) = table.find(host, |found| {
                    found.trim_start_matches("*.").trim_matches('.').eq_ignore_ascii_case(host)
                        || found.to_lowercase() == *host
                }) {
                    return Some(found);
                }
            }
            return None;
        }
        if let Some(substrings) = &self.substrings {
            return substrings.find(&query.value);
        }
        self.expressions.iter().find(|(_, regex)| regex.is_match(&query.value)).map(|(text, _)| text.clone())
    }

    /// Whether the list speaks of such values at all; a list that does not say, of all.
    fn is_meant_for(&self, shape: Shape) -> bool {
        if self.info.meant_for.is_empty() {
            return true;
        }
        self.info.meant_for.iter().any(|meant| match shape {
            Shape::Host => matches!(meant.as_str(), "domain" | "hostname" | "domain|ip" | "hostname|port"),
            Shape::Url => matches!(meant.as_str(), "url" | "uri" | "domain" | "hostname"),
            Shape::Address => meant.starts_with("ip-") || meant == "domain|ip",
            Shape::Email => meant.contains("email"),
            Shape::Hash => meant.contains("md5") || meant.contains("sha") || meant == "ssdeep",
            Shape::Phone => meant.contains("phone"),
            // A wallet or an account is not what a list of telephones, hosts or hashes speaks of.
            Shape::Other => {
                let other = ["domain", "hostname", "domain|ip", "hostname|port", "url", "uri", "ssdeep"];
                let parts = ["phone", "email", "md5", "sha"];
                !other.contains(&meant.as_str())
                    && !meant.starts_with("ip-")
                    && !parts.iter().any(|p| meant.contains(p))
            }
        })
    }
}
