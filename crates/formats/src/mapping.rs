//! The mapping file of a CSV import: TOML that says which column becomes which property of which object.
//!
//! ```toml
//! # complaints.toml: one incident a row, with the site and the phone number that were named
//! name = "complaints"
//! delimiter = ";"                 # one character; default ","
//! encoding = "utf-8"              # or windows-1252, windows-874, gb18030, big5, ...; a byte order mark goes before it
//! skip = 0                        # rows above the header, such as a title over merged cells
//! country = "PH"                  # ISO 3166-1 alpha-2 (or XA to XZ in exercises), for national phone numbers
//! key = ["case_no"]               # columns that name a row for ever; default: all of the row
//!
//! [object.report]                 # one object a row for each [object.NAME]
//! type = "incident"
//! constants = { incident_types = ["reported-scam"] }
//! columns.summary = { to = "name" }
//! columns.story   = { to = "description" }
//! columns.day     = { to = "created", date = "%d/%m/%Y" }
//! columns.tags    = { to = "labels", split = "|" }
//!
//! [object.site]
//! type = "auto"                   # domain-name, url, address, e-mail or wallet by the value's shape
//! columns.website = { to = "value", optional = true }
//! related_to = "report"           # a relationship site -> report
//!
//! [object.phone]
//! type = "phone-number"
//! columns.tel = { to = "value", optional = true }
//! related_to = "report"
//! relationship = "related-to"
//! ```

use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use stix::Country;

/// A parsed and checked mapping.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What the mapping is called; part of no id.
    pub name: Option<String>,
    /// The character between fields.
    #[serde(default = "comma")]
    pub delimiter: char,
    /// The character around fields; `"` by default.
    #[serde(default = "quote")]
    pub quote: char,
    /// How the file's bytes are letters; a byte order mark in the file goes before it.
    #[serde(default)]
    pub encoding: Encoding,
    /// Rows above the header, or above the first row when there is none.
    #[serde(default)]
    pub skip: u64,
    /// The country national spellings are read with.
    pub country: Option<Country>,
    /// The language of the texts, RFC 5646.
    pub lang: Option<String>,
    /// Whether the first row names the columns; else they are `1`, `2`, ...
    #[serde(default = "yes")]
    pub header: bool,
    /// Columns that name a row for ever.
    #[serde(default)]
    pub key: Vec<String>,
    /// Labels of every object.
    #[serde(default)]
    pub labels: Vec<String>,
    /// What a row becomes, by a name of the mapping's own.
    pub object: BTreeMap<String, ObjectMapping>,
    /// The file as it was read.
    #[serde(skip)]
    source: String,
}

/// One object of a row.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectMapping {
    /// The STIX type, or `auto`: by the shape of `value`.
    #[serde(rename = "type")]
    pub object_type: String,
    /// Properties that are the same in every row.
    #[serde(default)]
    pub constants: BTreeMap<String, toml::Value>,
    /// Which column becomes which property.
    pub columns: BTreeMap<String, Column>,
    /// The name of another object of the row to relate this one to.
    pub related_to: Option<String>,
    /// The kind of that relationship.
    #[serde(default = "related_to")]
    pub relationship: String,
}

/// One column.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The property; `a.b` is member `b` of `a`.
    pub to: String,
    /// A `strftime` pattern, `unix` or `unix-ms`: the column is a date. `iso` reads ISO 8601.
    pub date: Option<String>,
    /// The column is a number.
    #[serde(default)]
    pub number: bool,
    /// The column holds several values with this between them.
    pub split: Option<String>,
    /// What the column's words mean: other words are an error.
    pub values: Option<BTreeMap<String, String>>,
    /// An empty field leaves the property out; an object whose only columns are empty is left out.
    #[serde(default)]
    pub optional: bool,
}

/// How bytes are letters: any encoding of the WHATWG Encoding Standard by any of its labels, and `latin-1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(pub(crate) &'static encoding_rs::Encoding);

impl Default for Encoding {
    fn default() -> Self {
        Self(encoding_rs::UTF_8)
    }
}

impl<'de> Deserialize<'de> for Encoding {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let label = String::deserialize(deserializer)?;
        // Python's name for it, which the standard does not list.
        let known = if label.eq_ignore_ascii_case("latin-1") { "latin1" } else { &label };
        let found = encoding_rs::Encoding::for_label_no_replacement(known.as_bytes());
        found.map(Self).ok_or_else(|| {
            let say = "no encoding of that name; there are utf-8, utf-16le, windows-1252, windows-874 (Thai), \
                       windows-1258 (Vietnamese), gb18030, big5, shift_jis, euc-kr and the others of encoding.spec.whatwg.org";
            serde::de::Error::custom(say)
        })
    }
}

fn comma() -> char {
    ','
}
fn quote() -> char {
    '"'
}
fn yes() -> bool {
    true
}
fn related_to() -> String {
    "related-to".to_owned()
}

/// Why a mapping cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("mapping, line {line}, column {column}: {why}")]
pub struct MappingError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong, what would be right.
    pub why: String,
}

/// Types that a row may become.
const TYPES: [&str; 27] = [
    "auto",
    "domain-name",
    "url",
    "ipv4-addr",
    "ipv6-addr",
    "email-addr",
    "mac-addr",
    "user-account",
    "file",
    "cryptocurrency-wallet",
    "cryptocurrency-transaction",
    "phone-number",
    "bank-account",
    "payment-card",
    "identity-document",
    "lure",
    "incident",
    "identity",
    "threat-actor",
    "intrusion-set",
    "infrastructure",
    "location",
    "note",
    "report",
    "campaign",
    "indicator",
    "sighting",
];

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`MappingError`] with line and column: bad TOML, an unknown field, type or object name.
    ///
    /// ```
    /// let mapping = formats::Mapping::parse(r#"
    /// [object.site]
    /// type = "domain-name"
    /// columns.site = { to = "value" }
    /// "#)?;
    /// assert_eq!(mapping.object.len(), 1);
    /// let error = formats::Mapping::parse("delimeter = ';'").unwrap_err();
    /// assert_eq!((error.line, error.column), (1, 1));
    /// # Ok::<(), formats::MappingError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let mapping: Mapping =
            toml::from_str(text).map_err(|error| at(text, error.span(), error.message().to_owned()))?;
        mapping.check().map_err(|(word, why)| {
            let span = text.find(&word).map(|start| start..start);
            at(text, span, why)
        })?;
        Ok(Mapping { source: text.to_owned(), ..mapping })
    }

    /// The same for rows that stand alone below their header, in UTF-8: TOML, without what speaks of the file around
    /// them (`skip`, `encoding`).
    pub fn alone(&self) -> String {
        let mut table: toml::Table = toml::from_str(&self.source).unwrap_or_default();
        for of_the_file in ["skip", "encoding"] {
            table.remove(of_the_file);
        }
        toml::to_string(&table).unwrap_or_default()
    }

    fn check(&self) -> Result<(), (String, String)> {
        if !self.delimiter.is_ascii() || !self.quote.is_ascii() {
            return Err(("delimiter".to_owned(), "`delimiter` and `quote` are one ASCII character each".to_owned()));
        }
        if self.object.is_empty() {
            return Err(("object".to_owned(), "a mapping needs at least one [object.NAME]".to_owned()));
        }
        for (name, object) in &self.object {
            let here = format!("object.{name}");
            if !TYPES.contains(&object.object_type.as_str()) {
                return Err((here, format!("`type` is one of {}", TYPES.join(", "))));
            }
            if object.columns.is_empty() {
                return Err((here, "an object needs at least one column".to_owned()));
            }
            if object.object_type == "auto" && !object.columns.values().any(|column| column.to == "value") {
                return Err((here, "an `auto` object needs a column with to = \"value\"".to_owned()));
            }
            if let Some(target) = &object.related_to
                && (target == name || !self.object.contains_key(target))
            {
                return Err((here, format!("`related_to` names no other object of this mapping: {target}")));
            }
            for (column, rule) in &object.columns {
                if matches!(rule.to.split('.').next(), Some("id" | "type" | "spec_version" | "" | "extensions")) {
                    return Err((column.clone(), "`to` cannot be id, type, spec_version or extensions".to_owned()));
                }
            }
        }
        Ok(())
    }
}

fn at(text: &str, span: Option<Range<usize>>, why: String) -> MappingError {
    let start = span.map_or(0, |span| span.start).min(text.len());
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    MappingError { line, column, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_field_or_type_is_an_error_with_its_place() {
        let error = Mapping::parse("[object.a]\ntype = \"site\"\ncolumns.x = { to = \"value\" }\n").unwrap_err();
        assert_eq!(error.line, 1);
        assert!(error.why.contains("domain-name"));
        let error =
            Mapping::parse("[object.a]\ntype = \"url\"\ncolumns.x = { to = \"value\", datum = \"x\" }\n").unwrap_err();
        assert_eq!(error.line, 3);
    }

    #[test]
    fn a_country_or_an_encoding_that_there_is_not_is_an_error_at_its_line() {
        let rest = "[object.a]\ntype = \"url\"\ncolumns.x = { to = \"value\" }\n";
        let error = Mapping::parse(&format!("name = \"EXERCISE\"\ncountry = \"Thailand\"\n{rest}")).unwrap_err();
        assert!(error.line == 2 && error.why.contains("TH (Thailand)"), "{error}");
        let error = Mapping::parse(&format!("encoding = \"thai\"\n{rest}")).unwrap_err();
        assert!(error.line == 1 && error.why.contains("windows-874"), "{error}");
        for (label, name) in [("latin-1", "windows-1252"), ("TIS-620", "windows-874"), ("gbk", "GBK")] {
            let mapping = Mapping::parse(&format!("country = \"xa\"\nencoding = \"{label}\"\n{rest}")).unwrap();
            assert_eq!((mapping.encoding.0.name(), mapping.country.unwrap().as_str()), (name, "XA"));
        }
    }

    #[test]
    fn the_documented_example_is_a_mapping() {
        let text: String = include_str!("mapping.rs")
            .lines()
            .skip_while(|line| *line != "//! ```toml")
            .skip(1)
            .take_while(|line| *line != "//! ```")
            .map(|line| format!("{}\n", line.strip_prefix("//! ").unwrap_or_default()))
            .collect();
        let mapping = Mapping::parse(&text).unwrap();
        assert_eq!(mapping.object.len(), 3);
    }
}
