//! Host names: IDN to ASCII, the public suffix list, and telling a name in running text from a file name or a sentence.

use crate::{Flags, Found, Kind};

const TOP_LEVEL: &str = "the name is a public suffix, which everybody shares";
const MAYBE_A_FILE: &str = "reads as a file name or two words as well as a host name";

/// A host name in normal form.
pub(crate) struct Host {
    pub(crate) ascii: String,
    /// Length of the registrable domain at the end of `ascii`; 0 when the whole name is a public suffix.
    pub(crate) registrable: usize,
    /// Number of labels of its public suffix.
    pub(crate) suffix_labels: usize,
    /// Whether its suffix is on the public suffix list (or reserved for examples by RFC 2606).
    pub(crate) known: bool,
    pub(crate) confusable: bool,
}

impl Host {
    pub(crate) fn registrable(&self) -> &str {
        self.ascii.get(self.ascii.len() - self.registrable..).unwrap_or("")
    }

    fn without_www(&self) -> &str {
        match self.ascii.strip_prefix("www.") {
            Some(rest) if rest.len() >= self.registrable && self.registrable > 0 => rest,
            _ => &self.ascii,
        }
    }

    /// The name (without `www.`) and, where it is another, its registrable domain, as selectors.
    pub(crate) fn domains(&self) -> impl Iterator<Item = Found> + '_ {
        let flag = if self.confusable { Flags::CONFUSABLE } else { Flags::NONE };
        let whole = self.without_www();
        let whole_is_registrable = whole == self.registrable();
        let first = if self.registrable == 0 {
            Found::never(Kind::Domain, whole, TOP_LEVEL)
        } else {
            Found::links(Kind::Domain, whole)
        };
        let second = (self.registrable > 0 && !whole_is_registrable)
            .then(|| Found::links(Kind::Domain, self.registrable()).flag(flag));
        std::iter::once(first.flag(flag)).chain(second)
    }
}

/// Reads a host name in any spelling; `None` when it is not one.
pub(crate) fn read(raw: &str) -> Option<Host> {
    let raw = raw.strip_suffix('.').unwrap_or(raw);
    if raw.len() < 3 || raw.len() > 253 {
        return None;
    }
    let ascii = match raw.is_ascii() {
        true => raw.to_ascii_lowercase(),
        false => idna::domain_to_ascii(raw).ok()?,
    };
    if ascii.len() > 253 || !ascii.contains('.') || !ascii.split('.').all(label) {
        return None;
    }
    let last = ascii.rsplit('.').next()?;
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let reserved = matches!(last, "example" | "test" | "invalid");
    let suffix = psl::suffix(ascii.as_bytes())?;
    let registrable = psl::domain(ascii.as_bytes()).map_or(0, |domain| domain.as_bytes().len());
    let known = suffix.is_known() || reserved;
    let suffix_labels = suffix.as_bytes().iter().filter(|b| **b == b'.').count() + 1;
    let confusable = ascii.contains("xn--") && confusable(&ascii);
    Some(Host { registrable, suffix_labels, known, confusable, ascii })
}

fn label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Whether an internationalised name has the skeleton of an ASCII one (UTS 39, section 4).
fn confusable(ascii: &str) -> bool {
    let (unicode, result) = idna::domain_to_unicode(ascii);
    if result.is_err() || unicode.is_ascii() {
        return false;
    }
    unicode
        .split('.')
        .filter(|label| !label.is_ascii())
        .any(|label| unicode_security::skeleton(label).all(|c| c.is_ascii()))
}

/// Top-level domains that are file extensions far more often than hosts.
fn is_file_extension(tld: &str) -> bool {
    matches!(tld, "md" | "py" | "zip" | "mov" | "so" | "java" | "ps" | "cab" | "bat" | "bin" | "hiv")
}

/// Top-level domains that are also a file extension, or a word that follows a full stop whose space was forgotten.
/// Those that fraud lives on (`top`, `cc`, `live`, ...) are left out, words or not.
#[rustfmt::skip]
fn is_word(tld: &str) -> bool {
    matches!(tld,
        "rs" | "pl" | "sh" | "ml" | "am" | "ac" | "as" | "at" | "be" | "by" | "do" | "es" | "id" | "in" | "is" | "it" | "la" | "me" | "my" | "no" | "pm" | "to" | "un" | "de" | "if" | "so" | "go"
        | "name" | "call" | "run" | "open" | "now" | "help" | "here" | "free" | "you" | "how" | "like" | "got" | "save" | "date" | "data" | "love" | "xxx" | "map" | "play" | "post" | "read" | "safe" | "tel" | "app" | "new")
}

/// Stems of files that are spoken of in prose.
#[rustfmt::skip]
fn is_file_stem(stem: &str) -> bool {
    matches!(stem,
        "readme" | "main" | "lib" | "mod" | "index" | "setup" | "test" | "tests" | "config" | "configure" | "build" | "changelog" | "license" | "install" | "script" | "run" | "start" | "command" | "cmd" | "update" | "server"
        | "client" | "app" | "util" | "utils" | "init" | "env" | "makefile" | "cargo" | "package" | "bash" | "zsh" | "profile")
}

/// Names of products that are spelled as hosts.
fn is_product(ascii: &str) -> bool {
    matches!(
        ascii,
        "asp.net" | "vb.net" | "ado.net" | "system.net" | "ml.net" | "paint.net" | "socket.io" | "command.com"
    )
}

/// The first labels of names of packages, which are domains backwards, and of languages' and systems' own packages.
fn begins_package(first: &str) -> (bool, bool) {
    let backwards = matches!(first, "com" | "org" | "net" | "edu" | "gov");
    let own = matches!(
        first,
        "android"
            | "androidx"
            | "dalvik"
            | "java"
            | "javax"
            | "jakarta"
            | "kotlin"
            | "kotlinx"
            | "scala"
            | "io"
            | "sun"
    );
    (backwards, own)
}

/// Whether a name is one of a package (`android.permission.CAMERA`): it begins as packages do and ends in a top-level
/// domain by chance. `io.example.com` ends in one on purpose, and a path or a cue word says that a host is meant.
fn is_package(written: &str, host: &Host, around: Around) -> bool {
    let first = host.ascii.split('.').next().unwrap_or("");
    let (backwards, own) = begins_package(first);
    let labels = host.ascii.bytes().filter(|b| *b == b'.').count() + 1;
    let last = host.ascii.rsplit('.').next().unwrap_or("");
    let on_purpose =
        matches!(last, "com" | "org" | "net" | "edu" | "gov" | "example" | "test") || host.suffix_labels > 1;
    let constant = written.bytes().any(|b| b.is_ascii_lowercase()) && written.bytes().any(|b| b.is_ascii_uppercase());
    match (backwards, own) {
        (true, _) => labels < 3 || !on_purpose || constant,
        // `java.net` and `kotlin.io` are packages, `java.com` and `android.com` are sites.
        (_, true) if labels == 2 => first != "io" && !around.evidence && !matches!(last, "com" | "org"),
        (_, true) => !around.evidence && (!on_purpose || constant),
        _ => false,
    }
}

/// What stood around a bare name in a text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Around {
    /// A path, a port or a cue word stands with it: somebody means a host.
    pub(crate) evidence: bool,
    /// It was defanged: nobody does that to anything else.
    pub(crate) defanged: bool,
}

/// Whether a name in running text is meant as a host: `None` not, else the reason why it should not link, if any.
pub(crate) fn in_text(written: &str, host: &Host, around: Around) -> Option<&'static str> {
    if !host.known || host.registrable == 0 {
        return None;
    }
    let mut labels = host.ascii.rsplit('.');
    let tld = labels.next()?;
    let stem = labels.next()?;
    let alone = labels.next().is_none();
    let written_tld = written.rsplit('.').next().unwrap_or("");
    let capital = |label: &str| {
        label.starts_with(|c: char| c.is_ascii_uppercase()) && label.bytes().skip(1).any(|b| b.is_ascii_lowercase())
    };
    // `System.Net`, `end.The`: a capital after the dot is another word, but for the two that people capitalise.
    if !around.defanged && capital(written_tld) && !(alone && matches!(tld, "com" | "org")) {
        return None;
    }
    // `com.apple.network` is a bundle's name, backwards; an underscore is in no domain that can be registered.
    if !around.defanged && (is_package(written, host, around) || host.registrable().contains('_')) {
        return None;
    }
    if around.evidence || around.defanged || host.ascii.starts_with("www.") || host.suffix_labels > 1 {
        return Some("");
    }
    if tld == "app" && alone && capital(written) {
        return None;
    }
    if is_product(&host.ascii) || is_file_extension(tld) || (is_file_stem(stem) && is_word(tld)) {
        return None;
    }
    // `Foo.Bar.name`: code, not a host.
    if !alone && is_word(tld) && written.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let short_word = stem.len() <= 8 && stem.bytes().all(|b| b.is_ascii_alphabetic());
    Some(if alone && is_word(tld) && short_word { MAYBE_A_FILE } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(name: &str) -> Option<&'static str> {
        in_text(name, &read(name)?, Around::default())
    }

    #[test]
    fn file_names_and_code_are_no_hosts() {
        for name in [
            "readme.md",
            "README.md",
            "main.rs",
            "setup.py",
            "index.html",
            "cmd.exe",
            "System.Net",
            "ASP.NET",
            "libc.so",
            "Foo.Bar.name",
            "a.b",
            "com.apple.network",
            "com.example",
            "com.foo.Bar.camera",
            "org.example.Main.NET",
            "android.permission.CAMERA",
            "android.media",
            "android.app",
            "androidx.camera",
            "java.net",
            "javax.net.ssl.support",
            "kotlin.io",
            "io.netty.channel.app",
            "Terminal.app",
            "sam.hiv",
            "BKDR_NAME.SM",
        ] {
            assert_eq!(bare(name), None, "{name}");
        }
    }

    #[test]
    fn hosts_are_hosts() {
        for name in [
            "scam-shop.com",
            "allegrolokalnie1.pl",
            "shop.co.uk",
            "www.foo.py",
            "login.bank.example",
            "xn--80ak6aa92e.com",
            "EXAMPLE.COM",
            "io.example.com",
            "net.example.org",
            "com.example.co.uk",
            "android.example.com",
            "java.com",
            "kotlin.org",
            "io.net",
            "androids.shop",
        ] {
            assert_eq!(bare(name), Some(""), "{name}");
        }
        assert_eq!(bare("thanks.in"), Some(MAYBE_A_FILE));
        let meant = Around { evidence: true, ..Around::default() };
        assert_eq!(
            in_text("android.camera", &read("android.camera").unwrap(), meant),
            Some(""),
            "a path stands with it"
        );
    }

    #[test]
    fn a_host_gives_itself_and_its_registrable_domain() {
        let values = |name: &str| read(name).map(|h| h.domains().map(|f| f.value).collect::<Vec<_>>());
        assert_eq!(values("WWW.Login.Bank.example"), Some(vec!["login.bank.example".into(), "bank.example".into()]));
        assert_eq!(values("www.bank.example"), Some(vec!["bank.example".into()]));
        assert_eq!(values("пример.рф"), Some(vec!["xn--e1afmkfd.xn--p1ai".into()]));
    }

    #[test]
    fn a_name_that_looks_latin_is_flagged() {
        assert!(read("аррӏе.com").unwrap().confusable);
        assert!(!read("пример.рф").unwrap().confusable);
    }
}
