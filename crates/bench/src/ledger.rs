//! `bench ledger`: the log and its index in process, on ATT&CK with every id replaced each round (or a new version).
//!
//! Counts the CPU of the whole process from the first append until the index is level; making the objects is not in it.
use ::ledger::{Append, INTAKE, IdSource, Kind, Ledger, NewEntry, Options, SameRule, Urgency};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

type Failure = Box<dyn std::error::Error>;

/// Entries of one append (LEDGER.md, "Append").
const BATCH: usize = 400;
/// Where the rate is told, in objects stored.
const AT: [u64; 4] = [25_000, 250_000, 1_000_000, 2_000_000];

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A STIX 2.1 bundle (ATT&CK enterprise).
    pub bundle: PathBuf,
    /// Objects to store.
    #[arg(long, default_value_t = 1_000_000)]
    pub objects: u64,
    /// Every round brings new versions of the same objects instead of new ids.
    #[arg(long)]
    pub versions: bool,
    /// Where the data folder is made; removed afterwards.
    #[arg(long)]
    pub folder: Option<PathBuf>,
}

/// One object and the places of the UUIDs in it.
struct Template {
    id: String,
    body: String,
    uuids: Vec<usize>,
}

/// Runs, prints one JSON line a measurement.
///
/// # Errors
/// What reading the bundle or the ledger answers.
pub fn run(args: &Args) -> Result<(), Failure> {
    let templates = templates(&args.bundle)?;
    let folder =
        args.folder.clone().unwrap_or_else(std::env::temp_dir).join(format!("bench-ledger-{}", std::process::id()));
    Ledger::create(&folder)?;
    let measured = measure(args, &templates, &folder);
    std::fs::remove_dir_all(&folder)?;
    measured
}

fn measure(args: &Args, templates: &[Template], folder: &Path) -> Result<(), Failure> {
    let ledger = Ledger::open(folder, Options::default(), Vec::new())?;
    let (mut stored, mut round, mut window) = (0u64, 0u64, Vec::new());
    while stored < args.objects {
        let entries: Vec<NewEntry> = templates.iter().map(|t| t.entry(round, args.versions)).collect();
        let count = entries.len() as u64;
        let (cpu, wall, mut slowest) = (cpu_seconds()?, Instant::now(), Duration::ZERO);
        for batch in entries.chunks(BATCH) {
            let since = Instant::now();
            ledger.append(Append { entries: batch.to_vec(), expect: Vec::new() }, Urgency::Bulk)?;
            slowest = slowest.max(since.elapsed());
        }
        ledger.level(Duration::from_secs(60))?;
        let cpu = cpu_seconds()? - cpu;
        let before = stored;
        stored += count;
        round += 1;
        window.push((count, cpu));
        let rate = |rounds: &[(u64, f64)]| {
            let (n, cpu) = rounds.iter().fold((0, 0.0), |(n, c), (m, d)| (n + m, c + d));
            (n as f64 / cpu).round()
        };
        if AT.iter().any(|at| before < *at && stored >= *at) || stored >= args.objects {
            let last: Vec<_> = window.iter().rev().take(250_000usize.div_ceil(templates.len())).copied().collect();
            let line = serde_json::json!({
                "bench": "ledger", "versions": args.versions, "stored": stored,
                "objects_per_cpu_s": rate(&[(count, cpu)]), "mean_of_last_250k": rate(&last),
                "round_wall_s": wall.elapsed().as_secs_f64(), "slowest_append_ms": slowest.as_millis() as u64,
                "peak_mb": peak_mb()?, "index_mb": size(&folder.join("views")) >> 20, "log_mb": size(folder) >> 20,
            });
            println!("{line}");
        }
    }
    ledger.close();
    Ok(())
}

fn templates(bundle: &Path) -> Result<Vec<Template>, Failure> {
    #[derive(serde::Deserialize)]
    struct Bundle {
        objects: Vec<Box<serde_json::value::RawValue>>,
    }
    #[derive(serde::Deserialize)]
    struct Header {
        id: String,
    }
    let text = std::fs::read_to_string(bundle)?;
    let bundle: Bundle = serde_json::from_str(&text)?;
    let mut out = Vec::with_capacity(bundle.objects.len());
    for object in bundle.objects {
        let body = object.get().to_owned();
        let id = serde_json::from_str::<Header>(&body)?.id;
        let uuids =
            body.match_indices("--").map(|(at, _)| at + 2).filter(|at| is_uuid(body.get(*at..*at + 36))).collect();
        out.push(Template { id, body, uuids });
    }
    Ok(out)
}

fn is_uuid(text: Option<&str>) -> bool {
    text.is_some_and(|t| uuid::Uuid::try_parse(t).is_ok())
}

impl Template {
    fn entry(&self, round: u64, versions: bool) -> NewEntry {
        let round_of = |uuid: &str| {
            let id = uuid::Uuid::try_parse(uuid).unwrap_or_default().as_u128();
            uuid::Uuid::from_u128(id ^ u128::from(round).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
        };
        let mut body = self.body.clone();
        let mut id = self.id.clone();
        if !versions {
            for at in &self.uuids {
                let new = self.body.get(*at..*at + 36).map(round_of).unwrap_or_default().to_string();
                body.replace_range(*at..*at + 36, &new);
            }
            if let Some((kind, uuid)) = self.id.split_once("--") {
                id = format!("{kind}--{}", round_of(uuid));
            }
        }
        let id: Arc<str> = id.into();
        NewEntry {
            collection: INTAKE,
            id: IdSource::Object { object: Arc::clone(&id), version: Some(round.cast_signed()) },
            same: SameRule::Refuse,
            subject: id,
            cause: None,
            author: 1,
            time: None,
            kind: Kind::new("stix"),
            version: 1,
            marking: "TLP:CLEAR".into(),
            body: body.into(),
        }
    }
}

/// User and system time of the process, s.
fn cpu_seconds() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    // Linux tells these in hundredths of a second (USER_HZ).
    Ok(ticks as f64 / 100.0)
}

fn peak_mb() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    Ok(line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024)
}

fn size(folder: &Path) -> u64 {
    let Ok(dir) = std::fs::read_dir(folder) else { return 0 };
    dir.flatten().filter_map(|f| f.metadata().ok()).filter(|m| m.is_file()).map(|m| m.len()).sum()
}
