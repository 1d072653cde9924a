//! Plain lists and hosts files: one value a line, `#`, `;`, `//` or `!` comments, kinds may be mixed.

use crate::fault::{Fault, Why};
use crate::input::{Line, broken, read_line};
use crate::object::Object;
use crate::record::{Out, Position, ReadError};
use crate::typing::type_of;
use std::io::BufRead;

/// The longest line of a list, in bytes (a URL has at most a few thousand).
const MAX_LINE: usize = 16 * 1024;

pub(crate) fn read<'i>(mut input: Box<dyn BufRead + 'i>, out: &mut Out<'_, '_>) -> Result<(), ReadError> {
    let (mut line, mut bytes) = (0, Vec::new());
    loop {
        line += 1;
        let at = Position::of("line").line(line);
        match read_line(&mut input, &mut bytes, MAX_LINE).map_err(|error| broken(at.clone(), &error))? {
            Line::End => return Ok(()),
            Line::TooLong => {
                out.record()?;
                out.bad(at, Why::new(Fault::LineTooLong, format!("{MAX_LINE} B")), &bytes)?;
                continue;
            }
            Line::Whole => {}
        }
        let Ok(text) = std::str::from_utf8(&bytes) else {
            out.record()?;
            out.bad(at, Fault::NotUtf8, &bytes)?;
            continue;
        };
        let mut values = values_of(text).peekable();
        if values.peek().is_none() {
            continue;
        }
        for value in values {
            out.record()?;
            match type_of(value) {
                Some(typed) => {
                    out.object_once(Object::value(typed.object_type, &typed.value), &at)?;
                }
                None => {
                    out.bad(at.clone(), Fault::NoSelector, value.as_bytes())?;
                }
            }
        }
    }
}

/// The values of a line: none of a comment, the names of a hosts line, else the first field.
fn values_of(line: &str) -> impl Iterator<Item = &str> {
    let line = match line.trim().split_once(" #").map_or(line.trim(), |(value, _)| value.trim()) {
        comment if comment.starts_with(['#', ';', '!']) || comment.starts_with("//") => "",
        value => value,
    };
    let mut fields = line.split_ascii_whitespace().filter(|field| !field.is_empty());
    let first = fields.next().unwrap_or_default();
    let hosts = matches!(first, "0.0.0.0" | "127.0.0.1" | "::" | "::1");
    let names: Vec<&str> = if hosts {
        let local = |name: &&str| {
            !matches!(
                *name,
                "localhost" | "localhost.localdomain" | "local" | "broadcasthost" | "ip6-localhost" | "0.0.0.0"
            )
        };
        fields.take_while(|field| !field.starts_with('#')).filter(local).collect()
    } else if first.is_empty() {
        Vec::new()
    } else {
        // A list of one value a line: what follows it is a remark, unless it is prose.
        let value = first.trim_matches(['"', '\'', ',', ';']);
        let value = value.strip_prefix("||").map_or(value, |rule| rule.trim_end_matches(['^', '$']));
        vec![value]
    };
    names.into_iter()
}
