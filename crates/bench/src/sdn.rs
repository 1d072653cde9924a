//! `bench sdn FILE`: OFAC's SDN list, unpacked, read by a bare quick-xml, read to records, and taken whole by a node.
use crate::Failure;
use crate::exercise::Exercise;
use crate::machine::{cpu_seconds, load, memory_mb};
use formats::{Format, Item, KeyedIds, Options};
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// `sdn_advanced.xml`, packed or not.
    pub file: PathBuf,
    /// Times each reading is done; the least counts.
    #[arg(long, default_value_t = 5)]
    pub repeat: usize,
    /// Leaves the node out: readings alone.
    #[arg(long)]
    pub reading: bool,
    /// Where the node is made; removed afterwards.
    #[arg(long)]
    pub folder: Option<PathBuf>,
}

/// Every event and attribute of the XML, and nothing done with them: the floor. Counts them.
fn bare(xml: &[u8]) -> Result<u64, Failure> {
    let mut reader = Reader::from_reader(xml);
    let (mut buffer, mut seen) = (Vec::new(), 0);
    loop {
        match reader.read_event_into(&mut buffer)? {
            Event::Eof => return Ok(seen),
            Event::Start(tag) | Event::Empty(tag) => {
                for attribute in tag.attributes() {
                    seen += u64::from(!attribute?.value.is_empty());
                }
            }
            _ => {}
        }
        seen += 1;
        buffer.clear();
    }
}

/// As an import reads it; the objects go nowhere.
fn records(xml: &[u8]) -> Result<u64, Failure> {
    let ids = KeyedIds::new([7; 32]);
    let mut objects = 0;
    formats::read(Format::OfacSdn, Box::new(xml), &Options::new("sdn", &ids), &mut |item| {
        objects += u64::from(matches!(item, Item::Object(_)));
        ControlFlow::Continue(())
    })?;
    Ok(objects)
}

/// The least CPU seconds of several runs, and what one counted.
fn least(repeat: usize, run: impl Fn() -> Result<u64, Failure>) -> Result<(f64, u64), Failure> {
    let (mut least, mut counted) = (f64::MAX, 0);
    for _ in 0..repeat.max(1) {
        let before = cpu_seconds()?;
        counted = run()?;
        least = least.min(cpu_seconds()? - before);
    }
    Ok((least, counted))
}

/// Runs; one JSON line.
///
/// # Errors
/// What the file or a node answers.
pub fn run(args: &Args) -> Result<(), Failure> {
    let before = cpu_seconds()?;
    let mut xml = Vec::new();
    formats::decompress(Box::new(std::io::BufReader::new(std::fs::File::open(&args.file)?)))?.read_to_end(&mut xml)?;
    let unpacked = cpu_seconds()? - before;
    let (floor, events) = least(args.repeat, || bare(&xml))?;
    let (reading, objects) = least(args.repeat, || records(&xml))?;
    let mut told = serde_json::Map::new();
    let mut tell = |what: &str, value: serde_json::Value| drop(told.insert(what.to_owned(), value));
    tell("bench", "sdn".into());
    tell("mb", (xml.len() >> 20).into());
    tell("unpack_cpu_s", unpacked.into());
    tell("events", events.into());
    tell("bare_cpu_s", floor.into());
    tell("read_cpu_s", reading.into());
    tell("times_bare", (reading / floor).into());
    tell("objects", objects.into());
    if !args.reading {
        let node = Exercise::make(&args.folder.clone().unwrap_or_else(std::env::temp_dir), "sdn")?;
        let job = intel::ImportJob { source: "sdn_advanced.xml".into(), ..intel::ImportJob::default() };
        let before = cpu_seconds()?;
        let report = node.intel.import(&node.me, &job, Box::new(xml.as_slice()), &mut |_| {})?;
        node.level()?;
        let whole = cpu_seconds()? - before;
        tell("whole_cpu_s", whole.into());
        tell("added", report.added.into());
        tell("objects_a_cpu_s", (report.added as f64 / whole).into());
    }
    tell("peak_mb", memory_mb("self", "VmHWM")?.into());
    tell("load", load().into());
    println!("{}", serde_json::Value::Object(told));
    Ok(())
}
