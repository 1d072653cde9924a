//! Reads one file and prints its STIX objects as JSON lines; what was set aside and the counts go to stderr.
//!
//! `cargo run -p formats --example convert -- [--format F] [--mapping FILE] [--count] FILE`
#![allow(missing_docs)]

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::ops::ControlFlow;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut format, mut mapping, mut count, mut files) = (None, None, false, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--format" => format = Some(arguments.next().unwrap_or_default().parse::<formats::Format>()?),
            "--mapping" => {
                mapping =
                    Some(formats::Mapping::parse(&std::fs::read_to_string(arguments.next().unwrap_or_default())?)?)
            }
            "--count" => count = true,
            _ => files.push(argument),
        }
    }
    let ids = formats::KeyedIds::new([7; 32]);
    let mut stdout = std::io::BufWriter::new(std::io::stdout().lock());
    for file in files {
        let name = file.rsplit('/').next().unwrap_or_default();
        let mut input: Box<dyn BufRead> =
            formats::decompress(Box::new(BufReader::with_capacity(1 << 16, File::open(&file)?)))?;
        let format = match format {
            Some(format) => format,
            None => {
                let mut head = Vec::new();
                input.by_ref().take(65_536).read_to_end(&mut head)?;
                let format = formats::guess(name, &head)?;
                input = Box::new(BufReader::new(std::io::Cursor::new(head).chain(input)));
                format
            }
        };
        let mut options = formats::Options::new(name, &ids);
        options.mapping = mapping.as_ref();
        let mut kinds = std::collections::BTreeMap::<String, u64>::new();
        let outcome = formats::read(format, input, &options, &mut |item| {
            match item {
                formats::Item::Object(record) => {
                    let kind = record.id.split("--").next().unwrap_or_default();
                    match kinds.get_mut(kind) {
                        Some(known) => *known += 1,
                        None => {
                            kinds.insert(kind.to_owned(), 1);
                        }
                    }
                    if !count && writeln!(stdout, "{}", record.body).is_err() {
                        return ControlFlow::Break(());
                    }
                }
                formats::Item::Skipped(bad) => eprintln!("set aside: {}: {}", bad.at, bad.why),
            }
            ControlFlow::Continue(())
        });
        match outcome {
            Ok(summary) => eprintln!("{name}: {format}: {summary:?} {kinds:?}"),
            Err(error) => eprintln!("{name}: {format}: {error}"),
        }
    }
    Ok(())
}
