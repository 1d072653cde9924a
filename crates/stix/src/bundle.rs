use crate::{Error, MAX_OBJECT_BYTES};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

/// One element of a bundle's `objects`, byte for byte.
#[derive(Debug)]
pub struct BundleItem<'a> {
    /// Its index in `objects`, from 0.
    pub index: u64,
    /// The object's JSON as it stood there.
    pub body: &'a str,
}

/// Reads a bundle (or TAXII envelope) from a stream and hands out each object, holding one at a time.
/// A bundle that breaks half-way has handed out all that stood before the break.
///
/// # Errors
/// [`Error::Syntax`] with line and column where the JSON ends or breaks, [`Error::Missing`] without `objects`,
/// [`Error::Limit`] when one object passes [`MAX_OBJECT_BYTES`].
pub fn read_bundle(input: impl Read, mut take: impl FnMut(BundleItem<'_>)) -> Result<u64, Error> {
    let budget = Rc::new(Cell::new(MAX_OBJECT_BYTES * 2));
    let mut de = serde_json::Deserializer::from_reader(Budgeted { inner: input, left: Rc::clone(&budget) });
    let mut count = None;
    let seed = BundleSeed {
        take: &mut |item| {
            budget.set(MAX_OBJECT_BYTES * 2);
            take(item);
        },
        count: &mut count,
    };
    let result = seed.deserialize(&mut de).and_then(|()| de.end());
    if let Err(e) = result {
        if budget.get() == 0 {
            return Err(Error::Limit(format!("an object is larger than {MAX_OBJECT_BYTES} bytes")));
        }
        return Err(Error::Syntax(format!("the bundle breaks at line {} column {}", e.line(), e.column())));
    }
    count.ok_or(Error::Missing("objects"))
}

/// Reads a bundle or envelope that is wholly in memory, borrowing each object from it.
///
/// # Errors
/// As [`read_bundle`].
pub fn read_envelope(text: &str, mut take: impl FnMut(BundleItem<'_>)) -> Result<u64, Error> {
    let mut de = serde_json::Deserializer::from_str(text);
    let mut count = None;
    BundleSeed { take: &mut take, count: &mut count }
        .deserialize(&mut de)
        .and_then(|()| de.end())
        .map_err(|e| Error::Syntax(format!("the JSON breaks at line {} column {}", e.line(), e.column())))?;
    count.ok_or(Error::Missing("objects"))
}

/// Counts bytes since the last whole object, so that a gigabyte of `[` ends early.
struct Budgeted<R> {
    inner: R,
    left: Rc<Cell<usize>>,
}

impl<R: Read> Read for Budgeted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buf)?;
        let left = self.left.get().saturating_sub(got);
        self.left.set(left);
        if left == 0 { Err(io::Error::other("object too large")) } else { Ok(got) }
    }
}

struct BundleSeed<'f> {
    take: &'f mut dyn FnMut(BundleItem<'_>),
    count: &'f mut Option<u64>,
}

impl<'de> DeserializeSeed<'de> for BundleSeed<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for BundleSeed<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a bundle: an object with `objects`")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            if key == "objects" && self.count.is_none() {
                let mut n = 0;
                map.next_value_seed(ObjectsSeed { take: self.take, n: &mut n })?;
                *self.count = Some(n);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct ObjectsSeed<'f> {
    take: &'f mut dyn FnMut(BundleItem<'_>),
    n: &'f mut u64,
}

impl<'de> DeserializeSeed<'de> for ObjectsSeed<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ObjectsSeed<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the list `objects`")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(raw) = seq.next_element::<Box<RawValue>>()? {
            (self.take)(BundleItem { index: *self.n, body: raw.get() });
            *self.n += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(text: &str) -> (Vec<String>, Result<u64, Error>) {
        let mut out = Vec::new();
        let r = read_bundle(text.as_bytes(), |i| out.push(i.body.to_owned()));
        (out, r)
    }

    #[test]
    fn objects_come_out_byte_for_byte() {
        let (out, r) = bodies(r#"{"type":"bundle","objects":[{"a" : 1.50 ,"b":"\u00e9"},{}],"x":[1]}"#);
        assert_eq!(out, [r#"{"a" : 1.50 ,"b":"\u00e9"}"#, "{}"]);
        assert_eq!(r.unwrap(), 2);
    }

    #[test]
    fn what_stands_before_a_break_is_kept() {
        let (out, r) = bodies(r#"{"objects":[{"a":1},{"b":"#);
        assert_eq!(out.len(), 1);
        assert!(matches!(r, Err(Error::Syntax(_))));
    }

    #[test]
    fn an_object_without_end_stops_at_the_limit() {
        let r = read_bundle(io::repeat(b'['), |_| {});
        assert!(r.is_err());
        let text = Read::chain(&b"{\"objects\":["[..], io::repeat(b'['));
        assert!(matches!(read_bundle(text, |_| {}), Err(Error::Limit(_))));
    }

    #[test]
    fn a_bundle_needs_objects() {
        assert_eq!(bodies("{}").1.unwrap_err(), Error::Missing("objects"));
        assert!(bodies("[]").1.is_err());
    }
}
