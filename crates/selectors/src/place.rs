//! Coordinates: decimal pairs, degrees with letters, `geo:` URIs and map links. Always supporting evidence.

use crate::bytes::{at, is_alnum, is_digit};
use crate::{Found, Kind};
use url::Url;

/// A place in degrees, to five decimals (about a metre).
pub(crate) fn read(latitude: f64, longitude: f64) -> Option<Found> {
    let real = latitude.abs() <= 90.0 && longitude.abs() <= 180.0 && (latitude != 0.0 || longitude != 0.0);
    // Adding zero turns -0.0 into 0.0.
    let round = |x: f64| (x * 1e5).round() / 1e5 + 0.0;
    real.then(|| {
        let value = format!("{:.5},{:.5}", round(latitude), round(longitude));
        Found::weak(Kind::Coordinates, value, "a place: many stand near it")
    })
}

/// A field: `lat,lon`, `lat lon`, `geo:lat,lon`, or degrees with letters.
pub(crate) fn typed(raw: &str) -> Option<Found> {
    let raw = raw.trim();
    let raw = raw.strip_prefix("geo:").unwrap_or(raw);
    let raw = raw.split([';', '?']).next().unwrap_or(raw);
    let whole = |(found, end): (Found, usize)| (end == raw.len()).then_some(found);
    pair(raw, 0).map(|(found, end, _)| (found, end)).and_then(whole).or_else(|| degrees(raw).and_then(whole))
}

/// Map links of Google, Apple, OpenStreetMap and their like: `@lat,lon`, `q=`, `ll=`, `query=`, `mlat=&mlon=`.
pub(crate) fn from_url(url: &Url) -> Option<Found> {
    let host = url.host_str()?;
    let map = host.starts_with("maps.")
        || host.contains("google.") && url.path().starts_with("/maps")
        || host.ends_with("openstreetmap.org")
        || host.ends_with("goo.gl");
    if !map {
        return None;
    }
    let text = |s: &str| pair(s, 0).map(|(found, _, _)| found);
    let in_path = url.path().split('@').nth(1).and_then(text).or_else(|| url.path().rsplit('/').find_map(text));
    in_path.or_else(|| {
        let value =
            |names: &[&str]| url.query_pairs().find(|(k, _)| names.contains(&k.as_ref())).map(|(_, v)| v.into_owned());
        let (latitude, longitude) = (value(&["mlat"]), value(&["mlon"]));
        match (latitude, longitude) {
            (Some(latitude), Some(longitude)) => text(&format!("{latitude},{longitude}")),
            _ => value(&["q", "ll", "query", "daddr", "center", "destination", "sll"])
                .and_then(|v| text(v.trim_start_matches("loc:"))),
        }
    })
}

/// A decimal pair at `start` with its end and the fewer decimals of the two: `13.7563, 100.5018`, `13.7563° N, 100.5018° E`.
pub(crate) fn pair(text: &str, start: usize) -> Option<(Found, usize, usize)> {
    let (latitude, i, first) = decimal(text, start)?;
    let (latitude, i, north) = letter(text, i, latitude, b'N', b'S');
    let bytes = text.as_bytes();
    let mut j = i;
    while j < i + 4 && matches!(at(bytes, j), b' ' | b',' | b';' | b'/') {
        j += 1;
    }
    // `lat 13.7563, lng: 100.5018`.
    for word in ["longitude", "long", "lng", "lon"] {
        if j > i && text.get(j..j + word.len()).is_some_and(|w| w.eq_ignore_ascii_case(word)) {
            j += word.len();
            j += bytes.iter().skip(j).take(3).take_while(|b| matches!(b, b' ' | b':' | b'=')).count();
            break;
        }
    }
    if j == i {
        return None;
    }
    let (longitude, k, second) = decimal(text, j)?;
    let (longitude, k, east) = letter(text, k, longitude, b'E', b'W');
    if is_alnum(at(bytes, k)) || (at(bytes, k) == b'.' && is_digit(at(bytes, k + 1))) {
        return None;
    }
    let decimals = if north && east { 9 } else { first.min(second) };
    read(latitude, longitude).map(|found| (found, k, decimals))
}

/// `-13.7563`: value, end, number of decimals (at least one).
fn decimal(text: &str, start: usize) -> Option<(f64, usize, usize)> {
    let bytes = text.as_bytes();
    let mut i = start + usize::from(matches!(at(bytes, start), b'-' | b'+'));
    let whole = i;
    while is_digit(at(bytes, i)) && i < whole + 4 {
        i += 1;
    }
    if i == whole || i > whole + 3 || at(bytes, i) != b'.' {
        return None;
    }
    let point = i;
    i += 1;
    while is_digit(at(bytes, i)) && i < point + 18 {
        i += 1;
    }
    let value = text.get(start..i)?.parse().ok()?;
    (i > point + 1).then_some((value, i, i - point - 1))
}

fn letter(text: &str, mut i: usize, value: f64, plus: u8, minus: u8) -> (f64, usize, bool) {
    let bytes = text.as_bytes();
    let from = i;
    if text.get(i..).is_some_and(|rest| rest.starts_with('°')) {
        i += 2;
    }
    if at(bytes, i) == b' ' {
        i += 1;
    }
    let alone = !is_alnum(at(bytes, i + 1));
    match at(bytes, i).to_ascii_uppercase() {
        b if b == plus && alone => (value, i + 1, true),
        b if b == minus && alone => (-value.abs(), i + 1, true),
        _ => (value, if i > from + 1 { from + 2 } else { from }, false),
    }
}

/// `13°45'23"N 100°30'07"E` at the start of a text: the place and its end.
pub(crate) fn degrees(text: &str) -> Option<(Found, usize)> {
    let (latitude, i) = angle(text, 0, b'N', b'S')?;
    let rest = text.get(i..)?;
    let skipped = rest.bytes().take(3).take_while(|b| matches!(b, b' ' | b',' | b';')).count();
    let (longitude, end) = angle(text, i + skipped, b'E', b'W')?;
    read(latitude, longitude).map(|found| (found, end))
}

fn angle(text: &str, start: usize, plus: u8, minus: u8) -> Option<(f64, usize)> {
    let mut i = start;
    let mut total = 0.0;
    for (unit, marks) in [(1.0, &['°', 'º', 'd'][..]), (60.0, &['\'', '′', '’']), (3600.0, &['"', '″', '”'])]
    {
        let rest = text.get(i..)?;
        let spaces = rest.bytes().take(1).take_while(|b| *b == b' ').count();
        let figures = rest.get(spaces..)?.bytes().take(12).take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        if figures == 0 {
            break;
        }
        let value: f64 = rest.get(spaces..spaces + figures)?.parse().ok()?;
        let mark = rest.get(spaces + figures..)?.chars().next().filter(|c| marks.contains(c))?;
        if unit > 1.0 && value >= 60.0 {
            return None;
        }
        total += value / unit;
        i += spaces + figures + mark.len_utf8();
        if text.get(i..).is_some_and(|r| unit > 60.0 - 1.0 && mark == '\'' && r.starts_with('\'')) {
            i += 1;
        }
    }
    if i == start {
        return None;
    }
    let bytes = text.as_bytes();
    let j = i + usize::from(at(bytes, i) == b' ');
    match at(bytes, j).to_ascii_uppercase() {
        b if b == plus => Some((total, j + 1)),
        b if b == minus => Some((-total, j + 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(raw: &str) -> Option<String> {
        typed(raw).map(|f| f.value)
    }

    #[test]
    fn one_place_has_one_form() {
        let here = Some("13.75630,100.50180".to_string());
        assert_eq!(value("13.7563, 100.5018"), here);
        assert_eq!(value("geo:13.7563,100.5018;u=35"), here);
        assert_eq!(value("13.7563° N, 100.5018° E"), here);
        assert_eq!(value("13°45'22.68\"N 100°30'6.48\"E"), here);
        assert_eq!(value("-33.8568, 151.2153"), Some("-33.85680,151.21530".into()));
        assert_eq!(value("33.8568 S 151.2153 E"), Some("-33.85680,151.21530".into()));
        assert_eq!(value("95.5, 10.5"), None);
    }

    #[test]
    fn map_links_tell_their_place() {
        for url in [
            "https://www.google.com/maps/@13.7563,100.5018,15z",
            "https://maps.google.com/?q=13.7563,100.5018",
            "https://www.google.com/maps/search/?api=1&query=13.7563%2C100.5018",
            "https://www.openstreetmap.org/?mlat=13.7563&mlon=100.5018",
        ] {
            assert_eq!(
                from_url(&Url::parse(url).unwrap()).map(|f| f.value),
                Some("13.75630,100.50180".into()),
                "{url}"
            );
        }
    }
}
