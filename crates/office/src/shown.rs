//! What the office's pages draw alike.
use gate::Visitor;
use jiff::Timestamp;
use people::People;
use std::collections::{BTreeSet, HashMap};
use web::chrome::FlashKind;
use web::parts::Column;
use web::{Chrome, Fields, Problem};

/// A moment from the ledger's µs.
pub(crate) fn moment(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or_default()
}

/// Columns by their keys; one that ends in `-do` holds buttons.
pub(crate) fn columns(chrome: &Chrome, keys: &[&str]) -> Vec<Column> {
    let column = |key: &&str| {
        let column = Column::new(chrome.t(key));
        if key.ends_with("-do") { column.hidden() } else { column }
    };
    keys.iter().map(column).collect()
}

/// The names of accounts, each asked for once.
pub(crate) fn names(people: &People, accounts: impl Iterator<Item = u32>) -> people::Result<HashMap<u32, String>> {
    let accounts: BTreeSet<u32> = accounts.collect();
    accounts.into_iter().map(|n| Ok((n, people.name_of(n)?.unwrap_or_default()))).collect()
}

/// What a page says after a form of it did its work: `?done=` and one of these words.
const DONE: [(&str, &str); 17] = [
    ("session", "office-done-session"),
    ("password", "office-done-password"),
    ("factor", "office-done-factor"),
    ("settings", "office-done-settings"),
    ("added", "office-done-added"),
    ("role", "office-done-role"),
    ("disabled", "office-done-disabled"),
    ("enabled", "office-done-enabled"),
    ("reset", "office-done-reset"),
    ("revoked", "office-done-revoked"),
    ("granted", "office-done-granted"),
    ("taken", "office-done-taken"),
    ("nothing-taken", "office-done-nothing-taken"),
    ("made", "office-done-made"),
    ("renamed", "office-done-renamed"),
    ("closed", "office-done-closed"),
    ("opened", "office-done-opened"),
];

/// The page with the notice its address asks for, where one of this node's own pages led there.
pub(crate) fn with_done(chrome: Chrome, query: Option<&str>) -> Chrome {
    let sent = Fields::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    match DONE.iter().find(|(word, _)| chrome.from_here && *word == sent.text("done")) {
        Some((_, key)) => {
            let text = chrome.t(key);
            chrome.with_notice(FlashKind::Done, text)
        }
        None => chrome,
    }
}

/// The visitor with the notice that the page's address asks for, and what else the address says.
pub(crate) fn arrived(mut visitor: Visitor, query: Option<String>) -> Result<(Visitor, Fields), Problem> {
    visitor.chrome = with_done(visitor.chrome, query.as_deref());
    Ok((visitor, Fields::parse(query.unwrap_or_default().as_bytes())?))
}
