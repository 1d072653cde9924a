//! What stands around every page: who reads, in which language, what is marked, where one can go.

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    i18n::{Arg, Locale, Value, Whole},
    icons::Icon,
    when::{Moment, grouped},
};

/// The colours the reader chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As her system says (`prefers-color-scheme`).
    #[default]
    Auto,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// For `data-theme=` and the cookie `theme`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// From the cookie `theme`, which the page's script sets; anything else means [`Theme::Auto`].
    #[must_use]
    pub fn from_cookies(cookies: &str) -> Self {
        match cookie(cookies, "theme") {
            Some("light") => Self::Light,
            Some("dark") => Self::Dark,
            _ => Self::Auto,
        }
    }
}

/// The value of one cookie in a `Cookie:` header.
#[must_use]
pub fn cookie<'a>(cookies: &'a str, name: &str) -> Option<&'a str> {
    cookies.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(n, _)| *n == name).map(|(_, v)| v)
}

/// Who is signed in, as the header shows her.
#[derive(Debug, Clone)]
pub struct UserChip {
    /// Her account's name.
    pub name: String,
    /// Her role, already translated.
    pub role: String,
}

/// One place of the main navigation.
#[derive(Debug, Clone)]
pub struct NavItem {
    /// The Fluent key of its name.
    pub key: &'static str,
    /// Where it leads.
    pub href: String,
    /// Whether the page stands in it.
    pub current: bool,
}

/// A notice at the top of the next page: what was done, or what should be known.
#[derive(Debug, Clone)]
pub struct Flash {
    /// How it is drawn.
    pub kind: FlashKind,
    /// What it says, already translated.
    pub text: String,
    /// Where to look, if anywhere: address and name of the link.
    pub link: Option<(String, String)>,
}

/// The three tones of a [`Flash`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlashKind {
    /// It was done.
    Done,
    /// Something to know.
    Note,
    /// Something to act on.
    Warning,
}

impl FlashKind {
    /// For the class name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Note => "note",
            Self::Warning => "warning",
        }
    }
}

/// Everything `shell.html` needs. Every page's struct has one, in a field named `chrome`: the shell and
/// the parts look for that name.
#[derive(Clone)]
pub struct Chrome {
    /// The page's title, already translated; the node's name is put behind it.
    pub title: String,
    /// The reader's language.
    pub l: Locale,
    /// The reader's time zone.
    pub zone: TimeZone,
    /// Who is signed in.
    pub user: Option<UserChip>,
    /// The main navigation; empty before sign-in.
    pub nav: Arc<[NavItem]>,
    /// What the last action has to say.
    pub notices: Vec<Flash>,
    /// Whether this node is an exercise: then every page says so.
    pub exercise: bool,
    /// The CSRF token for this session ([`crate::Csrf::token`]); empty before sign-in.
    pub csrf: String,
    /// The nonce of this answer's Content-Security-Policy ([`crate::Nonce`]).
    pub nonce: String,
    /// What the agency calls this node.
    pub node_name: String,
    /// This page's path and query, for links that come back to it.
    pub path: String,
    /// The reader's colours.
    pub theme: Theme,
    /// The newest time in the log that this page includes.
    pub as_of: Option<Timestamp>,
    /// The browser says that one of this node's own pages led here (Fetch Metadata, `Sec-Fetch-Site: same-origin`): only then
    /// may an address say that something was done. Anybody can send somebody else a link.
    pub from_here: bool,
}

impl Chrome {
    /// A bare page: no user, no navigation. Fill in the rest with struct update or by assignment.
    #[must_use]
    pub fn bare(title: &str, l: Locale, nonce: &str) -> Self {
        Self {
            title: title.to_owned(),
            l,
            zone: TimeZone::UTC,
            user: None,
            nav: Arc::new([]),
            notices: Vec::new(),
            exercise: false,
            csrf: String::new(),
            nonce: nonce.to_owned(),
            node_name: "Compound Eye".to_owned(),
            path: "/".to_owned(),
            theme: Theme::Auto,
            as_of: None,
            from_here: false,
        }
    }

    /// The same page with another title.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Whether the reader's role finds anything by searching: then the header offers it.
    #[must_use]
    pub fn searches(&self) -> bool {
        self.nav.iter().any(|item| item.href == "/search")
    }

    /// Adds a notice to this page.
    #[must_use]
    pub fn with_notice(mut self, kind: FlashKind, text: impl Into<String>) -> Self {
        self.notices.push(Flash { kind, text: text.into(), link: None });
        self
    }

    /// [`Locale::t`].
    #[must_use]
    pub fn t(&self, key: &str) -> String {
        self.l.t(key)
    }

    /// [`Locale::t_args`].
    #[must_use]
    pub fn t_args(&self, key: &str, args: &[(&str, Value<'_>)]) -> String {
        self.l.t_args(key, args)
    }

    /// [`Locale::t1`].
    #[must_use]
    pub fn t1(&self, key: &str, name: &str, value: impl Arg) -> String {
        self.l.t1(key, name, value)
    }

    /// [`Locale::t2`].
    #[must_use]
    pub fn t2(&self, key: &str, a: &str, va: impl Arg, b: &str, vb: impl Arg) -> String {
        self.l.t2(key, a, va, b, vb)
    }

    /// A STIX type or a kind of selector, in words.
    #[must_use]
    pub fn kind(&self, name: &str) -> String {
        self.l.term("kind", name)
    }

    /// A relation between objects, in words: a relationship's type, or the property that refers.
    #[must_use]
    pub fn how(&self, name: &str) -> String {
        self.l.term("how", name)
    }

    /// A moment in the reader's zone.
    #[must_use]
    pub fn when(&self, at: &Timestamp) -> Moment {
        Moment::new(*at, &self.zone, &self.l)
    }

    /// A whole number, grouped.
    #[must_use]
    pub fn n(&self, n: impl Whole) -> String {
        grouped(n.whole())
    }

    /// One of our icons, see [`crate::icons`].
    #[must_use]
    pub fn icon(&self, name: &str) -> Icon {
        crate::icons::icon(name)
    }

    /// The address of an asset.
    #[must_use]
    pub fn asset(&self, name: &str) -> String {
        crate::asset_url(name)
    }

    /// Whether an asset exists (scripts are only named when they do).
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        crate::assets::has_asset(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_theme_cookie_takes_only_the_three_words() {
        assert_eq!(Theme::from_cookies("a=b; theme=dark"), Theme::Dark);
        assert_eq!(Theme::from_cookies("theme=\"><script>"), Theme::Auto);
        assert_eq!(Theme::from_cookies("xtheme=dark"), Theme::Auto);
    }
}
