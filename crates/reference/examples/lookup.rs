//! Installs warninglists, galaxies and block lists into a folder, then measures look-ups and resident memory.
//!
//! `cargo run -p reference --example lookup -- DIR [warning|galaxy|block NAME FILE]... -- KIND VALUE...`
#![allow(missing_docs)]

use reference::{Library, ListKind};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut words = arguments.iter().map(String::as_str);
    let dir = Path::new(words.next().unwrap_or("."));
    let start = Instant::now();
    while let Some(word) = words.next() {
        let kind = match word {
            "warning" => ListKind::Warning,
            "galaxy" => ListKind::Galaxy,
            "block" => ListKind::Block,
            _ => break,
        };
        let (name, file) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match Library::install(dir, kind, name, "example", Box::new(BufReader::new(File::open(file)?))) {
            Ok(made) if made.left_out > 0 => {
                eprintln!("{name}: {} entries, {} left out", made.list.entries, made.left_out)
            }
            Ok(_) => {}
            Err(error) => eprintln!("{error}"),
        }
    }
    eprintln!("installed in {:?}, memory {}", start.elapsed(), memory());
    let start = Instant::now();
    let library = Library::open(dir)?;
    let lists = library.lists();
    let entries: u64 = lists.iter().map(|list| list.entries).sum();
    eprintln!("{} lists, {entries} entries opened in {:?}, memory {}", lists.len(), start.elapsed(), memory());
    let rest: Vec<&str> = words.collect();
    for pair in rest.chunks_exact(2) {
        let [kind, value] = pair else { continue };
        let start = Instant::now();
        const ROUNDS: u32 = 1_000;
        for _ in 0..ROUNDS {
            std::hint::black_box(library.listed(kind, value));
        }
        eprintln!("{kind} {value}: {:?} a look-up", start.elapsed() / ROUNDS);
        for hit in library.listed(kind, value) {
            println!("  {:?} {} ({}): {}", hit.what, hit.list, hit.title, hit.matched);
        }
        for hit in library.galaxy(value) {
            println!("  galaxy {}: {} {:?}", hit.galaxy, hit.value, hit.synonyms);
        }
    }
    eprintln!("memory {}", memory());
    Ok(())
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join(", ")
}
