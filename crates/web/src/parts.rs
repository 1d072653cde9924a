//! What the macros of `templates/parts.html` draw: plain data, already translated and escaped by nobody.

use std::fmt;

use askama::filters::HtmlSafe;

use crate::form::Choice;

/// A TLP 2.0 marking (<https://www.first.org/tlp/>), drawn in FIRST's colours on black in both themes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tlp {
    /// May be published.
    Clear,
    /// The community.
    Green,
    /// The organisation and its clients.
    Amber,
    /// The organisation alone.
    AmberStrict,
    /// The named readers alone.
    Red,
}

impl Tlp {
    /// The label as FIRST writes it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Clear => "TLP:CLEAR",
            Self::Green => "TLP:GREEN",
            Self::Amber => "TLP:AMBER",
            Self::AmberStrict => "TLP:AMBER+STRICT",
            Self::Red => "TLP:RED",
        }
    }

    /// From a label, in any case, with or without `TLP:`; TLP 1's WHITE is CLEAR.
    #[must_use]
    pub fn from_label(label: &str) -> Option<Self> {
        let upper = label.trim().to_ascii_uppercase();
        match upper.strip_prefix("TLP:").unwrap_or(&upper).trim() {
            "CLEAR" | "WHITE" => Some(Self::Clear),
            "GREEN" => Some(Self::Green),
            "AMBER" => Some(Self::Amber),
            "AMBER+STRICT" => Some(Self::AmberStrict),
            "RED" => Some(Self::Red),
            _ => None,
        }
    }

    /// For class names.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::AmberStrict => "amber-strict",
            Self::Red => "red",
        }
    }
}

/// In a template: `{{ row.marking }}`.
impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<span class=\"ce-tlp ce-tlp--{}\" translate=\"no\">{}</span>", self.class(), self.label())
    }
}
impl HtmlSafe for Tlp {}

/// How many there are in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// Counted.
    Exactly(u64),
    /// Counting stopped here, so that no page waits for a count.
    MoreThan(u64),
}

/// "200 of 4,819, show more": the one form of paging. Never a silent cap.
#[derive(Debug, Clone)]
pub struct Paging {
    /// Rows on the page so far.
    pub shown: u64,
    /// Rows in all.
    pub total: Total,
    /// Where the next rows are; `None` when all are shown.
    pub next: Option<String>,
    /// Where the rows before these are; `None` on the first page.
    pub previous: Option<String>,
}

/// A column's header.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// What it says.
    pub label: String,
    /// Where a click sorts by it; empty when it does not sort.
    pub href: String,
    /// How the table is sorted by it now: `ascending`, `descending`, or empty for not.
    pub sorted: &'static str,
    /// Whether it holds numbers (aligned to the right).
    pub numeric: bool,
    /// Whether the words are for screen readers only (columns of buttons).
    pub hidden: bool,
}

impl Column {
    /// A plain column.
    #[must_use]
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// A column of numbers.
    #[must_use]
    pub fn numeric(mut self) -> Self {
        self.numeric = true;
        self
    }

    /// Words for screen readers only.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// A column that sorts: `base` is the page's address without `sort`, ending in `?` or `&`;
    /// `now` the present value of `sort` (`name`, or `-name` for descending).
    #[must_use]
    pub fn sorting(mut self, base: &str, key: &str, now: &str) -> Self {
        let descending = now.strip_prefix('-') == Some(key);
        self.sorted = match (now == key, descending) {
            (true, _) => "ascending",
            (_, true) => "descending",
            _ => "",
        };
        self.href = format!("{base}sort={}{key}", if now == key { "-" } else { "" });
        self
    }
}

/// A filter panel: a GET form, so that filters live in the address bar.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// Where the form goes.
    pub action: String,
    /// Fields that are kept though the panel does not show them (the query, the order).
    pub kept: Vec<(String, String)>,
    /// The groups of choices.
    pub groups: Vec<FilterGroup>,
    /// What is chosen, each with the address without it.
    pub chosen: Vec<(String, String)>,
    /// The address without any filter.
    pub clear: String,
}

/// One question of a filter panel.
#[derive(Debug, Clone)]
pub struct FilterGroup {
    /// The name of the field.
    pub name: String,
    /// What it asks.
    pub label: String,
    /// The answers; the label may hold a count.
    pub choices: Vec<Choice>,
    /// One answer (radio) instead of several.
    pub single: bool,
}

/// An entry of a timeline.
#[derive(Debug, Clone)]
pub struct Event {
    /// What happened.
    pub title: String,
    /// Who did it; empty for nobody.
    pub by: String,
    /// When.
    pub at: jiff::Timestamp,
    /// A word more; empty for none.
    pub text: String,
    /// Where to read on: address and name of the link.
    pub link: Option<(String, String)>,
    /// The marking of what the entry carries.
    pub marking: Option<Tlp>,
}

/// Who will read what is about to be saved or shared.
#[derive(Debug, Clone)]
pub struct Readers {
    /// The collection's name.
    pub collection: String,
    /// Those inside the agency: how many accounts.
    pub accounts: u64,
    /// The agencies that receive it, by name.
    pub agencies: Vec<String>,
    /// The marking it will carry.
    pub marking: Option<Tlp>,
    /// Whether it leaves this node.
    pub leaves: bool,
}

/// A tab: its name, address, whether it is shown, and a count if it has one.
#[derive(Debug, Clone)]
pub struct Tab {
    /// What it says.
    pub label: String,
    /// Where it leads (tabs are pages, so that they work without a script).
    pub href: String,
    /// Whether it is the one shown.
    pub current: bool,
    /// How many things are in it.
    pub count: Option<u64>,
}

/// A step of a breadcrumb: name and address.
pub type Crumb = (String, String);

/// A tone for tags and figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Neither good nor bad.
    Grey,
    /// Of interest.
    Blue,
    /// In order.
    Green,
    /// Look again.
    Amber,
    /// Wrong or dangerous.
    Red,
    /// Of another kind.
    Purple,
}

impl Tone {
    /// For class names.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Grey => "grey",
            Self::Blue => "blue",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::Red => "red",
            Self::Purple => "purple",
        }
    }
}

/// A small label. In a template: `{{ row.state }}`.
#[derive(Debug, Clone)]
pub struct Tag {
    /// What it says.
    pub text: String,
    /// Its tone.
    pub tone: Tone,
}

impl Tag {
    /// A label of a tone.
    #[must_use]
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<span class=\"ce-tag ce-tag--{}\">", self.tone.class())?;
        askama::filters::escape(&self.text, askama::filters::Html).map_err(|_| fmt::Error)?.fmt(f)?;
        f.write_str("</span>")
    }
}
impl HtmlSafe for Tag {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tags_text_is_escaped() {
        assert!(!Tag::new("<b>", Tone::Red).to_string().contains("<b>"));
    }

    #[test]
    fn a_second_click_turns_the_order_around() {
        let column = Column::new("Name").sorting("/x?q=a&", "name", "name");
        assert_eq!((column.href.as_str(), column.sorted), ("/x?q=a&sort=-name", "ascending"));
        let again = Column::new("Name").sorting("/x?", "name", "-name");
        assert_eq!((again.href.as_str(), again.sorted), ("/x?sort=name", "descending"));
    }

    #[test]
    fn labels_of_both_tlp_versions_are_read() {
        assert_eq!(Tlp::from_label("tlp:white"), Some(Tlp::Clear));
        assert_eq!(Tlp::from_label("AMBER+STRICT"), Some(Tlp::AmberStrict));
        assert_eq!(Tlp::from_label("TLP:BLUE"), None);
    }
}
