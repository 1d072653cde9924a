//! Every string of every page, by key, in Fluent (<https://projectfluent.org>).
//!
//! English is compiled in; each room hands over its own `.ftl` when the node starts. The pseudo-locale
//! [`PSEUDO`] is made from English: accents, 40 % longer, in brackets. What still reads like English on a
//! page in `en-XA` does not go through Fluent.

mod pseudo;
mod source;

pub use source::{bare_words, keys_used, unused_keys};

use pseudo::accented;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

/// A value for a placeable (`{ $name }`): text or number.
pub type Value<'a> = FluentValue<'a>;

/// The pseudo-locale's tag.
pub const PSEUDO: &str = "en-XA";

/// The language that is complete: what another locale lacks is read from here.
pub const BASE: &str = "en";

/// The hall's own English strings.
pub const HALL_EN: &str = include_str!("../i18n/en/hall.ftl");

/// The words of the field: STIX types, kinds of selector, relations. Keys are `kind-…` and `how-…`.
pub const TERMS_EN: &str = include_str!("../i18n/en/terms.ftl");

/// Missing keys that are remembered at most; a broken template must not fill the memory.
const MISSING_LIMIT: usize = 1_000;

type Bundle = FluentBundle<FluentResource>;

/// All strings of all locales. Made once, when the node starts.
#[derive(Clone)]
pub struct Catalogue {
    inner: Arc<Inner>,
}

struct Inner {
    bundles: BTreeMap<String, Arc<Bundle>>,
    missing: Mutex<BTreeSet<String>>,
}

/// Why a catalogue cannot be made. Each names the locale and what to mend in the `.ftl`.
#[derive(Debug, thiserror::Error)]
pub enum I18nError {
    /// The tag is not a language (BCP 47).
    #[error("locale {0:?} is not a language tag: write it like `en` or `pt-BR`")]
    Tag(String),
    /// The text is not Fluent.
    #[error("the strings of locale {locale} do not parse: {why}")]
    Syntax {
        /// Whose strings.
        locale: String,
        /// The parser's words, without the text.
        why: String,
    },
    /// Two rooms define the same key.
    #[error("a string of locale {locale} is defined twice: {why}; give each room's keys the room's name first")]
    Twice {
        /// Whose strings.
        locale: String,
        /// The key.
        why: String,
    },
}

impl Catalogue {
    /// Reads the strings: pairs of locale tag and Fluent text, several for one locale if need be
    /// (one a room). The hall's own English strings are always in it.
    ///
    /// # Errors
    /// A tag that is no language, Fluent that does not parse, a key defined twice.
    ///
    /// ```
    /// let all = web::Catalogue::new(&[("en", "search-title = Search")])?;
    /// assert_eq!(all.locale("en").t("search-title"), "Search");
    /// assert_eq!(all.locale("xx").t("search-title"), "Search");
    /// # Ok::<(), web::i18n::I18nError>(())
    /// ```
    pub fn new(strings: &[(&str, &str)]) -> Result<Self, I18nError> {
        let mut bundles = BTreeMap::new();
        let mut tags: BTreeSet<&str> = strings.iter().map(|(tag, _)| *tag).collect();
        tags.insert(BASE);
        for tag in tags {
            let own = strings.iter().filter(|(t, _)| *t == tag).map(|(_, text)| *text);
            let hall = if tag == BASE { &[HALL_EN, TERMS_EN][..] } else { &[] };
            let texts: Vec<&str> = hall.iter().copied().chain(own).collect();
            bundles.insert(tag.to_owned(), Arc::new(bundle(tag, &texts, None)?));
            if tag == BASE {
                bundles.insert(PSEUDO.to_owned(), Arc::new(bundle(PSEUDO, &texts, Some(accented))?));
            }
        }
        Ok(Self { inner: Arc::new(Inner { bundles, missing: Mutex::new(BTreeSet::new()) }) })
    }

    /// The handle for one locale: exact tag, then its language, then English.
    #[must_use]
    pub fn locale(&self, tag: &str) -> Locale {
        let language = tag.split('-').next().unwrap_or(BASE);
        let found = [tag, language, BASE].into_iter().find(|t| self.inner.bundles.contains_key(*t)).unwrap_or(BASE);
        Locale { inner: self.inner.clone(), bundle: self.inner.bundles.get(found).cloned(), tag: Arc::from(found) }
    }

    /// The locale of a reader: what she chose, else the first of her browser's languages that we have
    /// (`Accept-Language`, RFC 9110 §12.5.4; order as written, weights are ignored), else English.
    #[must_use]
    pub fn negotiate(&self, chosen: Option<&str>, accept_language: Option<&str>) -> Locale {
        let accepted = accept_language.unwrap_or_default().split(',').take(20);
        let tags = chosen.into_iter().chain(accepted.map(|t| t.split(';').next().unwrap_or_default().trim()));
        let known = |tag: &&str| {
            let language = tag.split('-').next().unwrap_or_default();
            self.inner.bundles.contains_key(*tag) || self.inner.bundles.contains_key(language)
        };
        self.locale(tags.into_iter().find(known).unwrap_or(BASE))
    }

    /// The tags of all locales, the pseudo-locale last of the English ones.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        self.inner.bundles.keys().cloned().collect()
    }

    /// Keys that were asked for and exist in no `.ftl`. Tests draw every page and expect this empty.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        self.inner.missing.lock().map(|m| m.iter().cloned().collect()).unwrap_or_default()
    }

    /// Whether English has this key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.inner.bundles.get(BASE).is_some_and(|b| b.has_message(key))
    }

    /// The keys that `source` (a template or Rust text) asks for and that do not exist. Finds calls of the
    /// form `t("key"`, `t1("key"`, `t2("key"` and `t_args("key"` with a literal key.
    #[must_use]
    pub fn unknown_in(&self, source: &str) -> Vec<String> {
        keys_used(source).into_iter().filter(|k| !self.has(k)).map(str::to_owned).collect()
    }
}

fn bundle(
    tag: &str,
    texts: &[&str],
    transform: Option<fn(&str) -> std::borrow::Cow<'_, str>>,
) -> Result<Bundle, I18nError> {
    let id: LanguageIdentifier = tag.parse().map_err(|_| I18nError::Tag(tag.to_owned()))?;
    let mut bundle = Bundle::new_concurrent(vec![id]);
    // Bidi isolation marks around values matter in right-to-left text only; in English they would
    // end up in copied text.
    bundle.set_use_isolating(direction(tag) == "rtl");
    bundle.set_transform(transform);
    bundle.set_formatter(Some(grouped));
    for text in texts {
        let resource = FluentResource::try_new((*text).to_owned()).map_err(|(_, errors)| I18nError::Syntax {
            locale: tag.to_owned(),
            why: errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        })?;
        bundle.add_resource(resource).map_err(|errors| I18nError::Twice {
            locale: tag.to_owned(),
            why: errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        })?;
    }
    Ok(bundle)
}

/// Whole numbers inside a message are grouped like all others (`4,819`).
fn grouped(value: &FluentValue, _: &intl_memoizer::concurrent::IntlLangMemoizer) -> Option<String> {
    match value {
        FluentValue::Number(n) if n.value.fract() == 0.0 && n.value.abs() < 9e15 => {
            Some(crate::when::grouped(n.value as i64))
        }
        _ => None,
    }
}

/// The strings of one locale. Cheap to clone.
#[derive(Clone)]
pub struct Locale {
    inner: Arc<Inner>,
    bundle: Option<Arc<Bundle>>,
    tag: Arc<str>,
}

impl Locale {
    /// The tag for `lang=`.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// `ltr` or `rtl`, for `dir=`.
    #[must_use]
    pub fn dir(&self) -> &'static str {
        direction(&self.tag)
    }

    /// The string of `key`. A key that nobody defined shows as `⟦key⟧` and is remembered
    /// ([`Catalogue::missing`]).
    #[must_use]
    pub fn t(&self, key: &str) -> String {
        self.format(key, None)
    }

    /// The string of `key` with values for its placeables.
    #[must_use]
    pub fn t_args(&self, key: &str, args: &[(&str, Value<'_>)]) -> String {
        let mut fluent = FluentArgs::with_capacity(args.len());
        for (name, value) in args {
            fluent.set(*name, value.clone());
        }
        self.format(key, Some(&fluent))
    }

    /// [`Locale::t_args`] with one value; made for templates.
    #[must_use]
    pub fn t1(&self, key: &str, name: &str, value: impl Arg) -> String {
        self.t_args(key, &[(name, value.value())])
    }

    /// [`Locale::t_args`] with two values; made for templates.
    #[must_use]
    pub fn t2(&self, key: &str, a: &str, va: impl Arg, b: &str, vb: impl Arg) -> String {
        self.t_args(key, &[(a, va.value()), (b, vb.value())])
    }

    /// A word of the field in the reader's language: `term("kind", "domain-name")`. What others invented has no
    /// translation and is shown as it is written, with spaces for `-` and `_`.
    #[must_use]
    pub fn term(&self, family: &str, name: &str) -> String {
        let key = format!("{family}-{}", name.replace('_', "-"));
        let known = self.inner.bundles.get(BASE).is_some_and(|b| b.has_message(&key));
        if known { self.t(&key) } else { name.replace(['-', '_'], " ") }
    }

    /// A fixed sentence that a crate below says in English, in the reader's language: its key is the family and the
    /// sentence's letters and digits. What has no key is shown as it was said.
    #[must_use]
    pub fn said(&self, family: &str, english: &str) -> String {
        let letters = english.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
        let key = format!("{family}-{}", letters.collect::<Vec<_>>().join("-").to_ascii_lowercase());
        let known = self.inner.bundles.get(BASE).is_some_and(|b| b.has_message(&key));
        if known { self.t(&key) } else { english.to_owned() }
    }

    fn format(&self, key: &str, args: Option<&FluentArgs>) -> String {
        let base = self.inner.bundles.get(BASE);
        for bundle in self.bundle.iter().chain(base) {
            if let Some(pattern) = bundle.get_message(key).and_then(|m| m.value()) {
                let mut errors = Vec::new();
                let text = bundle.format_pattern(pattern, args, &mut errors);
                for error in &errors {
                    tracing::warn!(key, %error, "a string lacks a value");
                    self.remember(format!("{key}: {error}"));
                }
                return if &*self.tag == PSEUDO { format!("[{text}]") } else { text.into_owned() };
            }
        }
        self.remember(key.to_owned());
        format!("⟦{key}⟧")
    }

    fn remember(&self, key: String) {
        if let Ok(mut missing) = self.inner.missing.lock()
            && missing.len() < MISSING_LIMIT
        {
            missing.insert(key);
        }
    }
}

/// What may stand for a placeable in a template: text or number, by value or behind any references (askama
/// passes most arguments by reference).
pub trait Arg {
    /// As Fluent wants it.
    fn value(&self) -> Value<'_>;
}

impl<T: Arg + ?Sized> Arg for &T {
    fn value(&self) -> Value<'_> {
        (**self).value()
    }
}
impl Arg for str {
    fn value(&self) -> Value<'_> {
        FluentValue::from(self)
    }
}
impl Arg for String {
    fn value(&self) -> Value<'_> {
        FluentValue::from(self.as_str())
    }
}

/// A whole number of any width, by value or behind any references.
pub trait Whole {
    /// As the widest we show; what is larger is shown as the largest.
    fn whole(&self) -> i64;
}

impl<T: Whole + ?Sized> Whole for &T {
    fn whole(&self) -> i64 {
        (**self).whole()
    }
}

macro_rules! whole {
    ($($t:ty),*) => {$(
        impl Arg for $t { fn value(&self) -> Value<'_> { FluentValue::from(*self) } }
        impl Whole for $t { fn whole(&self) -> i64 { i64::try_from(*self).unwrap_or(i64::MAX) } }
    )*};
}
whole!(usize, u64, u32, u16, u8, i64, i32);

/// Scripts that run from right to left, by language: Arabic, Hebrew, Persian, Urdu, Pashto, Sindhi,
/// Uyghur, Yiddish, Divehi, Sorani.
fn direction(tag: &str) -> &'static str {
    match tag.split('-').next().unwrap_or_default() {
        "ar" | "he" | "fa" | "ur" | "ps" | "sd" | "ug" | "yi" | "dv" | "ckb" => "rtl",
        _ => "ltr",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Catalogue {
        Catalogue::new(&[
            ("en", "demo-n = { $n ->\n    [one] One report\n   *[other] { $n } reports\n}\ndemo-hi = Hello { $who }\n"),
            ("ar", "demo-hi = مرحبا { $who }\n"),
        ])
        .unwrap()
    }

    #[test]
    fn numbers_in_messages_take_the_plural_and_are_grouped() {
        let en = two().locale("en-GB");
        assert_eq!(en.t1("demo-n", "n", 1_usize), "One report");
        assert_eq!(en.t1("demo-n", "n", 4819_usize), "4,819 reports");
    }

    #[test]
    fn a_missing_key_is_visible_and_remembered() {
        let all = two();
        assert_eq!(all.locale("en").t("nobody-wrote-this"), "⟦nobody-wrote-this⟧");
        assert_eq!(all.missing(), ["nobody-wrote-this"]);
    }

    #[test]
    fn a_missing_value_is_remembered_too() {
        let all = two();
        let _ = all.locale("en").t("demo-hi");
        assert_eq!(all.missing().len(), 1);
    }

    #[test]
    fn the_pseudo_locale_is_longer_accented_and_keeps_values() {
        let said = two().locale(PSEUDO).t1("demo-hi", "who", "Ana");
        assert!(said.starts_with('[') && said.ends_with(']'), "{said}");
        assert!(said.contains("Ĥ") || said.contains("éļļó"), "{said}");
        assert!(said.contains("Ana"), "{said}");
        assert!(said.chars().count() * 10 >= "Hello Ana".chars().count() * 12, "{said}");
    }

    #[test]
    fn right_to_left_is_told_to_the_page_and_falls_back_to_english() {
        let ar = two().locale("ar");
        assert_eq!(ar.dir(), "rtl");
        assert_eq!(ar.t1("demo-n", "n", 2_u64), "2 reports");
    }

    #[test]
    fn the_first_known_language_of_the_browser_wins_unless_she_chose() {
        let all = two();
        assert_eq!(all.negotiate(None, Some("km;q=1, ar-EG;q=0.9, en")).tag(), "ar");
        assert_eq!(all.negotiate(Some("en"), Some("ar")).tag(), "en");
        assert_eq!(all.negotiate(None, None).tag(), "en");
    }

    #[test]
    fn two_rooms_cannot_define_one_key() {
        assert!(matches!(Catalogue::new(&[("en", "a-b = 1"), ("en", "a-b = 2")]), Err(I18nError::Twice { .. })));
    }
}
