//! What stands beside data in a folder and holds none: who hands over a whole folder means its data.

use crate::format::{Format, guess};
use crate::mapping::Mapping;

/// Why a file in a folder that is read whole is passed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// A name that begins with a dot.
    Hidden,
    /// Nothing in it.
    Empty,
    /// README, LICENSE and their like.
    About,
    /// The mapping of a CSV file.
    Mapping,
    /// Settings, scripts, checksums, signatures.
    Tools,
    /// A schema: it says what data looks like.
    Schema,
    /// YAML that is neither a TagPack nor an ActorPack.
    OtherYaml,
    /// What a world of exercises says of itself: who did what.
    Truth,
}

impl Beside {
    /// In English.
    pub fn says(self) -> &'static str {
        match self {
            Self::Hidden => "a hidden file",
            Self::Empty => "empty",
            Self::About => "says something about the data",
            Self::Mapping => "a mapping of CSV files",
            Self::Tools => "no data by its name",
            Self::Schema => "a schema",
            Self::Truth => "an EXERCISE world's solution",
            Self::OtherYaml => "YAML that is neither a TagPack nor an ActorPack",
        }
    }
}

/// Names of files that say something about a folder, without what follows the first dot.
const ABOUT: [&str; 13] = [
    "readme",
    "license",
    "licence",
    "copying",
    "notice",
    "changelog",
    "changes",
    "contributing",
    "authors",
    "citation",
    "security",
    "code_of_conduct",
    "makefile",
];
/// Ends of names of files that hold no data.
const TOOLS: [&str; 13] =
    ["toml", "lock", "cff", "ini", "cfg", "py", "sh", "sha256", "sha512", "md5", "sig", "asc", "xsd"];

/// Whether a file of this name and beginning, found in a folder and named by nobody, holds no data.
///
/// `head` is the beginning of the file, 64 KB are plenty; all of it when it is shorter.
///
/// ```
/// use formats::{Beside, beside};
/// assert_eq!(beside("README.md", b"# Our lists\n"), Some(Beside::About));
/// assert_eq!(beside("note.md", b"They called me about a job.\n"), None);
/// ```
pub fn beside(name: &str, head: &[u8]) -> Option<Beside> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    let text = || String::from_utf8_lossy(head);
    if name.starts_with('.') {
        Some(Beside::Hidden)
    } else if head.is_empty() {
        Some(Beside::Empty)
    } else if ABOUT.contains(&stem) && !matches!(end, "json" | "csv" | "xml") {
        Some(Beside::About)
    } else if end == "toml" && Mapping::parse(&text()).is_ok() {
        Some(Beside::Mapping)
    } else if name == "truth.jsonl" {
        Some(Beside::Truth)
    } else if TOOLS.contains(&end) {
        Some(Beside::Tools)
    } else if end == "json" && text().contains("\"$schema\"") && guess("", head).is_err() {
        Some(Beside::Schema)
    } else if matches!(end, "yaml" | "yml") && !is_pack(head) {
        Some(Beside::OtherYaml)
    } else {
        None
    }
}

fn is_pack(head: &[u8]) -> bool {
    matches!(guess("", head), Ok(Format::TagPack | Format::ActorPack))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folders_documents_settings_and_schemas_are_no_data_and_everything_else_is() {
        let mapping = b"[object.site]\ntype = \"url\"\ncolumns.site = { to = \"value\" }\n";
        let cases: [(&str, &[u8], Option<Beside>); 17] = [
            ("world/truth.jsonl", b"{}\n", Some(Beside::Truth)),
            ("README", b"x", Some(Beside::About)),
            ("LICENSE.txt", b"x", Some(Beside::About)),
            ("a/b/ReadMe.th.md", b"x", Some(Beside::About)),
            (".DS_Store", b"\0\0", Some(Beside::Hidden)),
            ("later.json", b"", Some(Beside::Empty)),
            ("mapping.toml", mapping, Some(Beside::Mapping)),
            ("Cargo.toml", b"[package]\n", Some(Beside::Tools)),
            ("list.txt.sha256", b"00  list.txt\n", Some(Beside::Tools)),
            (
                "tag.json",
                br#"{"$schema": "https://json-schema.org/draft/2020-12/schema", "properties": {}}"#,
                Some(Beside::Schema),
            ),
            ("schema.yaml", b"header:\n  title:\n    type: text\n", Some(Beside::OtherYaml)),
            ("pack.yaml", b"title: x\ncreator: y\ntags:\n- address: z\n", None),
            ("bundle.json", br#"{"type": "bundle", "id": "bundle--1", "objects": [], "$schema": "x"}"#, None),
            ("notes.md", b"They called me about a job.", None),
            ("licenses.csv", b"a,b\n1,2\n", None),
            ("readings.json", b"{}", None),
            ("photo.jpg", b"\xff\xd8\xff\0", None),
        ];
        for (name, head, what) in cases {
            assert_eq!(beside(name, head), what, "{name}");
        }
    }
}
