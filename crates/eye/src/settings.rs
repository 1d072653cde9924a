//! `DATA/eye.toml`: what the node may cost, where its keeper wants other bounds than the defaults. A key that nobody
//! knows is refused with its line, so that a misspelt bound is not taken for one that holds.
mod tables;

use crate::node::Problem;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;
pub use tables::{AccessLog, Fetch, Import, Pages, Quarantine, Range, Server, SignIn, Stream, Taxii};

/// The file's name in the data folder.
pub const FILE: &str = "eye.toml";
/// More is no configuration, bytes.
const LARGEST: u64 = 1 << 20;

/// All of it; `docs/operator.md` describes each key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub import: Import,
    pub fetch: Fetch,
    pub quarantine: Quarantine,
    pub pages: Pages,
    pub sign_in: SignIn,
    pub access_log: AccessLog,
    pub server: Server,
    pub taxii: Taxii,
    pub stream: Stream,
}

impl Settings {
    /// Reads `eye.toml` of a data folder; the defaults when there is none.
    pub fn read(data: &Path) -> Result<Self, Problem> {
        let path = data.join(FILE);
        let text = match std::fs::metadata(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Ok(about) if about.len() > LARGEST => {
                return Err(Problem::other(format!("{} is too large", path.display())));
            }
            _ => std::fs::read_to_string(&path).map_err(|e| Problem::other(format!("{}: {e}", path.display())))?,
        };
        Self::parse(&text).map_err(|why| Problem::other(format!("{}: {why}", path.display())))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let say = |e: toml::de::Error| e.to_string().trim_end().to_owned();
        // Values first: what reads the tables would say of -1 or "5" only that it is not a number of its kind.
        let written: toml::Table = toml::from_str(text).map_err(say)?;
        for (key, least, most) in Self::ranges() {
            let value = key.split_once('.').and_then(|(table, key)| written.get(table)?.get(key));
            let fits = |v: &toml::Value| {
                v.as_integer().and_then(|n| u64::try_from(n).ok()).is_some_and(|n| (*least..=*most).contains(&n))
            };
            if let Some(value) = value.filter(|v| !fits(v)) {
                return Err(format!("{key} = {value}: write a whole number from {least} to {most}"));
            }
        }
        toml::from_str(text).map_err(say)
    }

    /// Every key with its bounds.
    pub fn ranges() -> impl Iterator<Item = &'static Range> {
        let tables = [
            Import::RANGES,
            Fetch::RANGES,
            Quarantine::RANGES,
            Pages::RANGES,
            SignIn::RANGES,
            AccessLog::RANGES,
            Server::RANGES,
            Taxii::RANGES,
            Stream::RANGES,
        ];
        tables.into_iter().flatten()
    }

    /// Every key with the value that holds.
    pub fn values(&self) -> Vec<(String, u64)> {
        let mut out = Vec::new();
        if let Ok(serde_json::Value::Object(tables)) = serde_json::to_value(self) {
            for (table, keys) in &tables {
                for (key, value) in keys.as_object().into_iter().flatten() {
                    out.push((format!("{table}.{key}"), value.as_u64().unwrap_or_default()));
                }
            }
        }
        out
    }

    /// The intelligence room's part.
    pub fn room(&self) -> intel::Limits {
        let file = formats::Limits {
            max_object_bytes: size(self.import.record_bytes),
            max_records: self.import.records,
            max_input_bytes: self.import.file_bytes,
            max_depth: size(self.import.depth),
            max_held_bytes: size(self.import.held_bytes),
            max_kept_bytes: size(self.quarantine.record_bytes),
        };
        intel::Limits {
            file,
            upload: size(self.pages.upload_bytes),
            aside_records: self.quarantine.import_records,
            aside_bytes: self.quarantine.import_bytes,
            aside_total: self.quarantine.total_bytes,
            patience: Duration::from_millis(self.pages.patience_ms),
        }
    }

    /// The hall's part.
    pub fn hall(&self) -> people::Options {
        let SignIn { session_minutes, idle_minutes, sessions, .. } = self.sign_in;
        people::Options {
            lasting: people::Lasting {
                whole: small(session_minutes),
                idle: small(idle_minutes),
                sessions: size(sessions),
            },
            guessing: people::Guessing {
                account: small(self.sign_in.account_tries),
                address: small(self.sign_in.address_tries),
                longest: small(self.sign_in.pause_seconds),
                forget: small(self.sign_in.forget_seconds),
            },
            ..people::Options::default()
        }
    }

    /// The server's part.
    pub fn server(&self) -> crate::guard::Limits {
        crate::guard::Limits {
            connections: size(self.server.connections),
            head: Duration::from_secs(self.server.head_seconds),
        }
    }

    /// The TAXII door's part.
    pub fn taxii(&self) -> taxii::Limits {
        taxii::Limits {
            body: size(self.taxii.body_bytes),
            objects: size(self.taxii.post_objects),
            page: size(self.taxii.page_objects),
            most: size(self.taxii.page_most),
            page_bytes: size(self.taxii.page_bytes),
            values: size(self.taxii.filter_values),
            status: Duration::from_secs(self.taxii.status_hours * 3_600),
        }
    }

    /// The live stream's part.
    pub fn stream(&self) -> stream::Limits {
        stream::Limits {
            listeners: size(self.stream.listeners),
            of_account: size(self.stream.account_listeners),
            batch: size(self.stream.batch_entries),
            batch_bytes: size(self.stream.batch_bytes),
            heartbeat: Duration::from_secs(self.stream.heartbeat_seconds),
            unfolded: self.stream.unfolded_entries,
            lag: Duration::from_secs(self.stream.unfolded_seconds),
        }
    }
}

fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn small(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_keeps_its_default_and_what_is_holds() {
        let settings = Settings::parse(
            "[import]\nrecords = 12\n[sign_in]\nidle_minutes = 5\n[taxii]\npage_most = 7\n[stream]\nlisteners = 3\n",
        )
        .unwrap();
        assert_eq!(settings.room().file.max_records, 12);
        assert_eq!(settings.room().upload, intel::Limits::default().upload);
        assert_eq!(
            (settings.hall().lasting.idle, settings.hall().lasting.whole),
            (5, people::Lasting::default().whole)
        );
        assert_eq!((settings.taxii().most, settings.taxii().page), (7, taxii::Limits::default().page));
        assert_eq!(settings.stream().listeners, 3);
    }

    #[test]
    fn what_is_not_written_is_what_each_room_and_door_takes_by_itself() {
        let settings = Settings::default();
        let pairs = [
            (format!("{:?}", settings.room()), format!("{:?}", intel::Limits::default())),
            (format!("{:?}", settings.hall()), format!("{:?}", people::Options::default())),
            (format!("{:?}", settings.taxii()), format!("{:?}", taxii::Limits::default())),
            (format!("{:?}", settings.stream()), format!("{:?}", stream::Limits::default())),
            (format!("{:?}", settings.server()), format!("{:?}", crate::guard::Limits::default())),
        ];
        for (read, own) in pairs {
            assert_eq!(read, own);
        }
    }

    #[test]
    fn an_unknown_key_or_table_is_refused_with_its_line() {
        for text in ["[import]\nrecords = 1\nrecord = 2\n", "\n\n[imports]\n"] {
            let why = Settings::parse(text).unwrap_err();
            assert!(why.contains("line 3"), "{why}");
        }
    }

    #[test]
    fn a_value_that_no_bound_can_have_is_refused_by_key_with_what_is_allowed() {
        for (table, key, wrong) in [
            ("fetch", "bytes", "0"),
            ("fetch", "redirects", "21"),
            ("stream", "heartbeat_seconds", "-1"),
            ("taxii", "page_most", "\"many\""),
            ("sign_in", "pause_seconds", "1.5"),
            ("sign_in", "account_tries", "1000000"),
        ] {
            let why = Settings::parse(&format!("[{table}]\n{key} = {wrong}\n")).unwrap_err();
            assert!(why.starts_with(&format!("{table}.{key} = {wrong}: write a whole number from ")), "{why}");
        }
        assert!(Settings::parse("[fetch]\nredirects = 0\n").is_ok());
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "[server]\nconnections = 0\n").unwrap();
        let why = Settings::read(folder.path()).unwrap_err().to_string();
        assert!(why.contains(FILE) && why.contains("server.connections = 0"), "{why}");
    }

    #[test]
    fn every_key_has_a_range_that_holds_its_default() {
        let mut values = Settings::default().values();
        values.sort();
        let mut ranges: Vec<&Range> = Settings::ranges().collect();
        ranges.sort();
        assert_eq!(values.len(), ranges.len());
        for ((key, value), (ranged, least, most)) in values.iter().zip(ranges) {
            assert!(key == ranged && (least..=most).contains(&value), "{key} = {value}: {ranged} {least} {most}");
        }
    }

    #[test]
    fn the_operators_page_has_every_key_with_its_default_and_range_and_no_other() {
        let page = include_str!("../../../docs/operator.md");
        let part = page.split("\n## ").find(|part| part.starts_with("Configuration")).unwrap();
        let rows: Vec<&str> = part.lines().filter(|l| l.starts_with("| `")).collect();
        let values = Settings::default().values();
        for (key, value) in &values {
            let (_, least, most) = Settings::ranges().find(|(ranged, ..)| ranged == key).unwrap();
            let row = format!("| `{key}` | {value} | {least} to {most} | ");
            assert!(rows.iter().any(|r| r.starts_with(&row)), "missing in docs/operator.md: {row}");
        }
        for row in rows {
            let key = row.split('`').nth(1).unwrap_or_default();
            assert!(values.iter().any(|(known, _)| known == key), "docs/operator.md names {key}, which nobody reads");
        }
    }
}
