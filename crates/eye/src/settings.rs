//! `DATA/eye.toml`: what the node may cost, where its keeper wants other bounds than the defaults. A key that nobody
//! knows is refused with its line, so that a misspelt bound is not taken for one that holds.
use crate::node::Problem;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;

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
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Import {
    /// Bytes of one file after decompression.
    pub file_bytes: u64,
    /// Bytes of one record.
    pub record_bytes: usize,
    /// Records of one file.
    pub records: u64,
    /// Levels of nesting.
    pub depth: usize,
    /// Bytes of lookup tables held while reading one file.
    pub held_bytes: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fetch {
    /// Bytes of one answer as sent.
    pub bytes: u64,
    /// Seconds until a connection stands.
    pub connect_seconds: u64,
    /// Seconds without a byte.
    pub idle_seconds: u64,
    /// Seconds for all of it.
    pub seconds: u64,
    /// Redirects that are followed.
    pub redirects: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quarantine {
    /// Bytes kept of one record.
    pub record_bytes: usize,
    /// Records kept of one import.
    pub import_records: u64,
    /// Bytes kept of one import.
    pub import_bytes: u64,
    /// Bytes kept in all.
    pub total_bytes: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pages {
    /// Bytes of an uploaded file.
    pub upload_bytes: usize,
    /// Milliseconds that a request waits for a view.
    pub patience_ms: u64,
}

impl Default for Import {
    fn default() -> Self {
        let file = formats::Limits::default();
        Self {
            file_bytes: file.max_input_bytes,
            record_bytes: file.max_object_bytes,
            records: file.max_records,
            depth: file.max_depth,
            held_bytes: file.max_held_bytes,
        }
    }
}

impl Default for Fetch {
    fn default() -> Self {
        Self { bytes: 4 << 30, connect_seconds: 15, idle_seconds: 60, seconds: 7_200, redirects: 5 }
    }
}

impl Default for Quarantine {
    fn default() -> Self {
        let room = intel::Limits::default();
        Self {
            record_bytes: room.file.max_kept_bytes,
            import_records: room.aside_records,
            import_bytes: room.aside_bytes,
            total_bytes: room.aside_total,
        }
    }
}

impl Default for Pages {
    fn default() -> Self {
        let room = intel::Limits::default();
        let patience = u64::try_from(room.patience.as_millis()).unwrap_or(u64::MAX);
        Self { upload_bytes: room.upload, patience_ms: patience }
    }
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
        let settings: Self = toml::from_str(text).map_err(|e| e.to_string().trim_end().to_owned())?;
        match settings.values().into_iter().find(|(_, value)| *value == 0) {
            Some((key, _)) if key != "fetch.redirects" => {
                Err(format!("{key} is 0; nothing would pass: write a number of 1 or more"))
            }
            _ => Ok(settings),
        }
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
            max_object_bytes: self.import.record_bytes,
            max_records: self.import.records,
            max_input_bytes: self.import.file_bytes,
            max_depth: self.import.depth,
            max_held_bytes: self.import.held_bytes,
            max_kept_bytes: self.quarantine.record_bytes,
        };
        intel::Limits {
            file,
            upload: self.pages.upload_bytes,
            aside_records: self.quarantine.import_records,
            aside_bytes: self.quarantine.import_bytes,
            aside_total: self.quarantine.total_bytes,
            patience: Duration::from_millis(self.pages.patience_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_written_keeps_its_default_and_what_is_holds() {
        let settings = Settings::parse("[import]\nrecords = 12\n").unwrap();
        assert_eq!(settings.room().file.max_records, 12);
        assert_eq!(settings.room().upload, intel::Limits::default().upload);
    }

    #[test]
    fn an_unknown_key_or_table_is_refused_with_its_line() {
        for text in ["[import]\nrecords = 1\nrecord = 2\n", "\n\n[imports]\n"] {
            let why = Settings::parse(text).unwrap_err();
            assert!(why.contains("line 3"), "{why}");
        }
    }

    #[test]
    fn a_bound_of_nothing_is_refused_by_name() {
        assert!(Settings::parse("[fetch]\nbytes = 0\n").unwrap_err().contains("fetch.bytes"));
        assert!(Settings::parse("[fetch]\nredirects = 0\n").is_ok());
    }

    #[test]
    fn every_key_stands_in_the_operators_page_with_its_default() {
        let page = include_str!("../../../docs/operator.md");
        for (key, value) in Settings::default().values() {
            let row = page.lines().find(|l| l.contains(&format!("`{key}`")));
            let digits: String = row.unwrap_or_default().replace(',', "");
            assert!(
                digits.contains(&format!("| {value} |")),
                "{key} = {value} is missing in docs/operator.md: {row:?}"
            );
        }
    }
}
