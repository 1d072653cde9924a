//! Looking into the access log: by person, by what was asked for, by time, by outcome; a page looks through a fixed number
//! of rows and says where to go on, so that a rare filter in a long log costs no more than a page.
use crate::access::{AccessLog, AccessRow, COLUMNS};
use crate::view::{signed, unsigned};
use crate::{Result, Right, Viewer};
use ledger::keyed_id;
use rusqlite::types::Value;

/// Rows of a page at most.
const PAGE: u32 = 1_000;
/// Rows that one page looks through at most.
const STEPS: u64 = 200_000;
/// Texts that one filter may look for.
const TEXTS: usize = 16;

/// What sort of thing was asked for, by the route's pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessKind {
    /// Objects' pages and their JSON.
    Object,
    /// Selectors' pages.
    Selector,
    /// Searches.
    Search,
    /// Overview, links, feeds.
    Overview,
    /// Reports that were entered.
    Report,
    /// Imports.
    Import,
    /// Sign-in and sign-out.
    SignIn,
    /// Accounts, tokens and grants.
    Accounts,
    /// The ledger's and this log's own pages.
    Record,
    /// TAXII.
    Taxii,
    /// The live stream.
    Stream,
    /// Commands on the machine.
    Command,
}

impl AccessKind {
    /// All, in the order of a list.
    pub const ALL: [Self; 12] = [
        Self::Object,
        Self::Selector,
        Self::Search,
        Self::Overview,
        Self::Report,
        Self::Import,
        Self::SignIn,
        Self::Accounts,
        Self::Record,
        Self::Taxii,
        Self::Stream,
        Self::Command,
    ];

    /// Its word in addresses and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Selector => "selector",
            Self::Search => "search",
            Self::Overview => "overview",
            Self::Report => "report",
            Self::Import => "import",
            Self::SignIn => "sign-in",
            Self::Accounts => "accounts",
            Self::Record => "record",
            Self::Taxii => "taxii",
            Self::Stream => "stream",
            Self::Command => "command",
        }
    }

    /// The patterns: each itself, and everything below it.
    const fn routes(self) -> &'static [&'static str] {
        match self {
            Self::Object => &["/objects", "/api/objects"],
            Self::Selector => &["/selectors"],
            Self::Search => &["/search", "/api/search"],
            Self::Overview => &["/", "/desk", "/feeds", "/api/links", "/api/stats", "/api/collections"],
            Self::Report => &["/report"],
            Self::Import => &["/import", "/exercise-world"],
            Self::SignIn => &["/sign-in", "/sign-out"],
            Self::Accounts => &["/account", "/users", "/tokens", "/collections"],
            Self::Record => &["/ledger", "/access", "/metrics", "/api/openapi.json"],
            Self::Taxii => &["/taxii2"],
            Self::Stream => &["/stream"],
            Self::Command => &["eye"],
        }
    }
}

impl std::str::FromStr for AccessKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| format!("write one of {}", words()))
    }
}

/// How a request ended, by its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Below 400.
    Answered,
    /// 401, 403, 429: not for whoever asked.
    Refused,
    /// Any other of 400 to 499: not there, or not as the node wants it.
    Wrong,
    /// From 500: the node's own fault.
    Failed,
}

impl Outcome {
    /// All, in the order of a list.
    pub const ALL: [Self; 4] = [Self::Answered, Self::Refused, Self::Wrong, Self::Failed];

    /// Its word in addresses and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Wrong => "wrong",
            Self::Failed => "failed",
        }
    }

    const fn sql(self) -> &'static str {
        match self {
            Self::Answered => "status < 400",
            Self::Refused => "status IN (401, 403, 429)",
            Self::Wrong => "status BETWEEN 400 AND 499 AND status NOT IN (401, 403, 429)",
            Self::Failed => "status >= 500",
        }
    }
}

impl std::str::FromStr for Outcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|o| o.as_str() == text).ok_or_else(|| format!("write one of {}", words()))
    }
}

/// An object or a text that was asked for, as the log holds it: nothing that tells a number or a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// An object, by its id as [`crate::told`] writes it.
    Object(String),
    /// Searches and selectors, by the keyed hashes of what they may have been asked as.
    Texts(Vec<[u8; 32]>),
}

impl Sought {
    /// For addresses: an id as the log holds it, or hexadecimal hashes, a point between.
    ///
    /// ```
    /// use people::Sought;
    /// let mark = Sought::Texts(vec![[7; 32]]).mark();
    /// assert_eq!(Sought::of_mark(&mark), Some(Sought::Texts(vec![[7; 32]])));
    /// assert_eq!(Sought::of_mark("+15550100"), None, "no address tells what was sought");
    /// ```
    pub fn mark(&self) -> String {
        match self {
            Self::Object(told) => told.clone(),
            Self::Texts(hashes) => {
                let hex = |hash: &[u8; 32]| hash.iter().map(|b| format!("{b:02x}")).collect::<String>();
                hashes.iter().map(hex).collect::<Vec<_>>().join(".")
            }
        }
    }

    /// The way back.
    pub fn of_mark(mark: &str) -> Option<Self> {
        let plain = mark.len() <= 300 && mark.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if mark.contains("--") && plain && !crate::is_guessable(mark) {
            return Some(Self::Object(mark.to_owned()));
        }
        let hash = |hex: &str| -> Option<[u8; 32]> {
            let mut out = [0; 32];
            let pairs = hex.as_bytes().chunks(2).map(|p| std::str::from_utf8(p).ok());
            if hex.len() != 64 || !hex.is_ascii() {
                return None;
            }
            for (byte, pair) in out.iter_mut().zip(pairs) {
                *byte = u8::from_str_radix(pair?, 16).ok()?;
            }
            Some(out)
        };
        let hashes: Option<Vec<_>> = mark.split('.').take(TEXTS + 1).map(hash).collect();
        hashes.filter(|h| h.len() <= TEXTS).map(Self::Texts)
    }
}

/// What is looked for; `default()` is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessFilter {
    /// One account; 0 = requests of nobody who had signed in.
    pub account: Option<u32>,
    /// What sort of thing was asked for.
    pub kind: Option<AccessKind>,
    /// One command or method, such as `verify` or `POST`.
    pub method: Option<String>,
    /// An object or text.
    pub sought: Option<Sought>,
    /// From this moment, µs.
    pub from: Option<i64>,
    /// Before this moment, µs.
    pub to: Option<i64>,
    /// How it ended.
    pub outcome: Option<Outcome>,
}

impl AccessFilter {
    fn sql(&self) -> (String, Vec<Value>) {
        let (mut sql, mut values) = (String::new(), Vec::new());
        if let Some(account) = self.account {
            sql.push_str(" AND account = ?");
            values.push(Value::from(account));
        }
        if let Some(kind) = self.kind {
            let one = |route: &str| match route {
                // Everything is below the overview.
                "/" => "route = '/'".to_owned(),
                _ => format!("route = '{route}' OR route GLOB '{route}/*'"),
            };
            let routes: Vec<String> = kind.routes().iter().map(|r| one(r)).collect();
            sql.push_str(&format!(" AND ({})", routes.join(" OR ")));
        }
        if let Some(method) = &self.method {
            sql.push_str(" AND method = ?");
            values.push(Value::from(method.clone()));
        }
        match &self.sought {
            None => {}
            Some(Sought::Object(told)) => {
                sql.push_str(" AND instr(' ' || ids || ' ', ' ' || ? || ' ') > 0");
                values.push(Value::from(told.clone()));
            }
            Some(Sought::Texts(hashes)) => {
                let marks = vec!["?"; hashes.len()].join(",");
                sql.push_str(&format!(" AND query IN ({marks})"));
                values.extend(hashes.iter().map(|h| Value::from(h.to_vec())));
            }
        }
        for (at, op) in [(self.from, ">="), (self.to, "<")] {
            if let Some(at) = at {
                sql.push_str(&format!(" AND at {op} ?"));
                values.push(Value::from(at));
            }
        }
        if let Some(outcome) = self.outcome {
            sql.push_str(&format!(" AND {}", outcome.sql()));
        }
        (sql, values)
    }
}

/// A page of rows, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessPage {
    /// The rows.
    pub rows: Vec<AccessRow>,
    /// Rows before this number were not looked at: ask for those next. `None` = the log begins here.
    pub next: Option<u64>,
    /// The page ended because it had looked through as many rows as a page may, not because it was full.
    pub broken_off: bool,
}

impl AccessLog {
    /// What an object's id, or any of these texts, is in the log. Texts: the very words of a search, a selector's value.
    pub fn sought(&self, asked: &str, readings: &[String]) -> Sought {
        let asked = asked.trim();
        if stix::StixId::parse(asked).is_ok() {
            return Sought::Object(crate::told(self.keys(), asked).into_owned());
        }
        let hash = |text: &str| keyed_id(self.keys().index_hmac(), &[b"query", text.as_bytes()]);
        let mut hashes = vec![hash(asked)];
        for reading in readings.iter().map(|r| hash(r)) {
            if !hashes.contains(&reading) && hashes.len() < TEXTS {
                hashes.push(reading);
            }
        }
        Sought::Texts(hashes)
    }

    /// The newest rows that a filter lets through, before number `before` (all when `None`), at most `limit` and 1,000.
    ///
    /// # Errors
    /// [`crate::Error::Forbidden`]; the storage's.
    pub fn find(&self, viewer: &Viewer, filter: &AccessFilter, before: Option<u64>, limit: u32) -> Result<AccessPage> {
        self.find_within(viewer, filter, before, limit, STEPS)
    }

    pub(crate) fn find_within(
        &self,
        viewer: &Viewer,
        filter: &AccessFilter,
        before: Option<u64>,
        limit: u32,
        steps: u64,
    ) -> Result<AccessPage> {
        viewer.need(Right::SeeAccessLog)?;
        self.flush()?;
        let (which, values) = filter.sql();
        let limit = limit.clamp(1, PAGE);
        Ok(self.state().read(|conn| {
            let ends = "SELECT coalesce(min(n), 0), coalesce(max(n), 0) FROM access";
            let (first, last): (i64, i64) = conn.prepare_cached(ends)?.query_row([], |r| Ok((r.get(0)?, r.get(1)?)))?;
            let before = before.map_or(unsigned(last) + 1, |n| n.min(unsigned(last) + 1));
            let from = before.saturating_sub(steps).max(unsigned(first));
            let sql = format!("SELECT {COLUMNS} FROM access WHERE n < ? AND n >= ?{which} ORDER BY n DESC LIMIT ?");
            let ends = [Value::from(signed(before)), Value::from(signed(from))];
            let all = ends.into_iter().chain(values).chain([Value::from(limit)]);
            let mut stmt = conn.prepare(&sql)?;
            let rows = stmt.query_map(rusqlite::params_from_iter(all), AccessRow::read)?;
            let rows: Vec<AccessRow> = rows.collect::<rusqlite::Result<_>>()?;
            let full = rows.len() >= limit as usize;
            let looked_to = if full { rows.last().map_or(from, |r| r.n) } else { from };
            let next = (looked_to > unsigned(first)).then_some(looked_to);
            Ok(AccessPage { broken_off: next.is_some() && !full, rows, next })
        })?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Access, Role};

    #[test]
    fn a_rare_filter_costs_a_page_no_more_than_its_steps_and_goes_on_where_it_ended() {
        let ledger = ledger::testing::temp_ledger(vec![crate::room()]);
        let log = AccessLog::open(&ledger).unwrap();
        for n in 0..10 {
            let method = if n == 1 { "rare" } else { "GET" };
            log.record(&Access { method, route: "/", status: 200, ..Access::default() }).unwrap();
        }
        let auditor = Viewer::for_test(Role::Auditor, []);
        let rare = AccessFilter { method: Some("rare".into()), ..AccessFilter::default() };
        let (mut before, mut seen) = (None, Vec::new());
        loop {
            let page = log.find_within(&auditor, &rare, before, 5, 4).unwrap();
            seen.push((page.rows.len(), page.next, page.broken_off));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(seen, [(0, Some(7), true), (0, Some(3), true), (1, None, false)]);
    }

    #[test]
    fn a_mark_that_is_none_looks_for_nothing() {
        for bad in ["", "x", "note", "ab.cd", "a--'", "phone-number--8b0e3a0d-9f4b-5a3c-8d39-6f1f1c1f5a01"] {
            assert_eq!(Sought::of_mark(bad), None, "{bad}");
        }
        let many = vec!["00".repeat(32); 17].join(".");
        assert_eq!(Sought::of_mark(&many), None);
    }
}
