//! `bench links`: precision and recall of links between reports, against the truth of EXERCISE worlds.
//!
//! A world's files, each agency's in its own format and in a collection of its own, go through the importers of a real
//! node. The links are read as a viewer sees them (`Intel::links`: what is suppressed links nothing) and each holder is
//! turned into the reports that it stands for: itself, or the reports that refer to it (an observable whose id follows
//! from its value belongs to many). What counts as right is written in `world::score`.
use crate::Failure;
use crate::exercise::{Exercise, Times};
use intel::{Hit, ImportJob, Link};
use reference::{Library, ListKind};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use world::score::{Score, Truth, score_groups};
use world::truth::{Line, Role};

/// Reports of an observable that are asked for.
const MOST: usize = 2_000;

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Seeds, `1-5` or `7`.
    #[arg(long, default_value = "1-5")]
    pub seeds: String,
    /// Objects of each world.
    #[arg(long, default_value_t = 10_000)]
    pub objects: usize,
    /// Agencies.
    #[arg(long, default_value_t = 6)]
    pub agencies: usize,
    /// Months.
    #[arg(long, default_value_t = 12)]
    pub months: usize,
    /// Where folders are made; removed afterwards.
    #[arg(long)]
    pub folder: Option<PathBuf>,
}

/// Runs; one JSON line a seed and one for their mean.
///
/// # Errors
/// What a node answers.
pub fn run(args: &Args) -> Result<(), Failure> {
    let parent = args.folder.clone().unwrap_or_else(std::env::temp_dir);
    let mut scores = Vec::new();
    for seed in seeds(&args.seeds)? {
        let (score, line) = one(args, seed, &parent)?;
        println!("{line}");
        scores.push(score);
    }
    let band = |of: &dyn Fn(&Score) -> f64| {
        let values: Vec<f64> = scores.iter().map(of).collect();
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(0.0, f64::max);
        serde_json::json!({"mean": round(mean), "low": round(low), "high": round(high)})
    };
    let line = serde_json::json!({
        "bench": "links", "seeds": args.seeds, "objects": args.objects,
        "precision": band(&|s| s.direct.precision), "recall": band(&|s| s.direct.recall),
        "joined_precision": band(&|s| s.joined.precision), "joined_recall": band(&|s| s.joined.recall),
    });
    println!("{line}");
    Ok(())
}

fn round(x: f64) -> f64 {
    (x * 1e5).round() / 1e5
}

fn seeds(text: &str) -> Result<Vec<u64>, Failure> {
    Ok(match text.split_once('-') {
        Some((from, to)) => (from.parse()?..=to.parse()?).collect(),
        None => vec![text.parse()?],
    })
}

fn one(args: &Args, seed: u64, parent: &Path) -> Result<(Score, serde_json::Value), Failure> {
    let folder = parent.join(format!("bench-world-{seed}-{}", std::process::id()));
    let plan = world::Plan {
        seed,
        agencies: args.agencies,
        months: args.months,
        objects: args.objects,
        ..world::Plan::default()
    };
    world::write(&plan, &folder, &mut |_, _| ())?;
    let read = read(&folder, seed, parent);
    std::fs::remove_dir_all(&folder)?;
    read
}

fn read(folder: &Path, seed: u64, parent: &Path) -> Result<(Score, serde_json::Value), Failure> {
    let mut node = Exercise::make(parent, &format!("links-{seed}"))?;
    let (added, aside, cols) = load(&mut node, folder)?;
    let truth = Truth::open(folder)?;
    let lines = lines(folder, &cols)?;
    let mut reports = Reports { node: &node, truth: &truth, of: HashMap::new(), lines };
    let mut groups = Vec::new();
    let mut suppressed: BTreeMap<String, usize> = BTreeMap::new();
    let (mut next, mut pages) = (None, Times::default());
    loop {
        let page = pages.of(|| node.intel.links(&node.me, next, 200))?;
        for link in page.suppressed {
            let why = link.suppressed.map(|why| class(&why.to_string())).unwrap_or_default();
            *suppressed.entry(why).or_default() += 1;
        }
        for link in page.links {
            let whole = if link.more { node.intel.links_of_selector(&node.me, link.kind, &link.value)? } else { None };
            reports.groups(whole.as_ref().unwrap_or(&link), &mut groups)?;
        }
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    let score = score_groups(&truth, groups.clone());
    let causes = causes(folder, &truth, &groups)?;
    let line = serde_json::json!({
        "bench": "links", "seed": seed, "objects": added, "set_aside": aside, "score": score, "suppressed": suppressed,
        "causes": causes, "page_ms": {"p50": pages.quantile(0.5), "p99": pages.quantile(0.99)},
    });
    Ok((score, line))
}

/// A reason without its numbers and names.
fn class(why: &str) -> String {
    let cut: String = why.chars().filter(|c| !c.is_ascii_digit()).collect();
    cut.split('"').next().unwrap_or("").trim().to_owned()
}

/// Imports each agency's folder into a collection of its own, and the world's lists as reference data.
///
/// # Errors
/// What a node answers.
pub fn load(node: &mut Exercise, folder: &Path) -> Result<(u64, u64, BTreeMap<String, u32>), Failure> {
    let mut cols = BTreeMap::new();
    for list in files(&folder.join("reference"))? {
        let name = list.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let file = Box::new(std::io::BufReader::new(File::open(&list)?));
        Library::install(node.intel.reference_dir(), ListKind::Warning, &name, "", file)?;
    }
    node.intel.reload_library()?;
    let mut agencies: Vec<PathBuf> = std::fs::read_dir(folder)?.flatten().map(|e| e.path()).collect();
    agencies.retain(|p| p.is_dir() && !p.ends_with("reference"));
    agencies.sort();
    let (mut added, mut aside) = (0, 0);
    for agency in agencies {
        let title = agency.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (collection, col) = node.collection(&format!("EXERCISE {title}"))?;
        cols.insert(title, col);
        node.refresh()?;
        let mapping = std::fs::read_to_string(agency.join("mapping.toml")).ok();
        let mapping = mapping.map(|text| formats::Mapping::parse(&text)).transpose()?;
        for path in files(&agency)? {
            if path.ends_with("mapping.toml") {
                continue;
            }
            let source = path.strip_prefix(folder)?.to_string_lossy().into_owned();
            let job = ImportJob {
                source,
                collection: Some(collection),
                mapping: mapping.clone(),
                marking: Some(stix::Tlp::Amber),
                ..ImportJob::default()
            };
            let report = node.intel.import(&node.me, &job, Box::new(File::open(&path)?), &mut |_| ())?;
            added += report.added;
            aside += report.aside;
            if let Some(problem) = report.problems.first() {
                eprintln!("{}: {} set aside, first: {problem}", path.display(), report.aside);
            }
        }
    }
    node.level()?;
    Ok((added, aside, cols))
}

/// The reports that are one line of a plain list.
fn lines(folder: &Path, cols: &BTreeMap<String, u32>) -> Result<HashMap<(u32, String), String>, Failure> {
    let mut out = HashMap::new();
    for line in std::fs::read_to_string(folder.join("truth.jsonl"))?.lines() {
        let Ok(Line::Report(report)) = serde_json::from_str::<Line>(line) else { continue };
        let agency = report.file.split('/').next().unwrap_or_default();
        if let (Some(col), true) = (cols.get(agency), report.file.ends_with(".txt") && report.at.is_some()) {
            out.extend(report.names.into_iter().map(|n| ((*col, n.value.to_lowercase()), report.id.clone())));
        }
    }
    Ok(out)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { out.extend(files(&path)?) } else { out.push(path) }
    }
    out.sort();
    Ok(out)
}

/// Which reports an object stands for.
struct Reports<'a> {
    node: &'a Exercise,
    truth: &'a Truth,
    /// By id and collection: an observable is each agency's own statement.
    of: HashMap<(String, u32), Vec<String>>,
    /// A line of a plain list says nothing but its value: its report by collection and value.
    lines: HashMap<(u32, String), String>,
}

impl Reports<'_> {
    fn groups(&mut self, link: &Link, groups: &mut Vec<(String, Vec<String>)>) -> Result<(), Failure> {
        let mut members = Vec::new();
        for holder in &link.holders {
            members.extend(self.of(holder)?);
            members.extend(self.lines.get(&(holder.row.col, link.value.to_lowercase())).cloned());
        }
        groups.push((format!("{} {}", link.kind.as_str(), link.value), members));
        Ok(())
    }

    fn of(&mut self, hit: &Hit) -> Result<Vec<String>, Failure> {
        if let Some(known) = self.of.get(&(hit.row.id.clone(), hit.row.col)) {
            return Ok(known.clone());
        }
        let mut found = self.own(hit)?;
        if found.is_empty() {
            for neighbour in self.node.intel.neighbours(&self.node.me, &hit.row.id, 0, MOST)?.0 {
                // Each agency's observable stands for what that agency wrote.
                if neighbour.outgoing || neighbour.hit.row.col != hit.row.col {
                    continue;
                }
                found.extend(self.own(&neighbour.hit)?);
                // A relationship leads on to the complaint at its other end.
                if neighbour.hit.row.object_type == "relationship" {
                    for end in self.node.intel.neighbours(&self.node.me, &neighbour.hit.row.id, 0, 10)?.0 {
                        if end.outgoing && end.hit.row.id != hit.row.id {
                            found.extend(self.own(&end.hit)?);
                        }
                    }
                }
            }
            found.sort_unstable();
            found.dedup();
        }
        self.of.insert((hit.row.id.clone(), hit.row.col), found.clone());
        Ok(found)
    }

    /// By its id, or by the reference in its own text.
    fn own(&self, hit: &Hit) -> Result<Vec<String>, Failure> {
        let uuid = hit.row.id.split_once("--").map_or("", |(_, uuid)| uuid);
        if let Some(report) = self.truth.report(&hit.row.id).or_else(|| self.truth.report(uuid)) {
            return Ok(vec![report.to_owned()]);
        }
        let mut found = Vec::new();
        self.node.intel.bodies(std::slice::from_ref(&hit.row), &mut |_, body| {
            found.extend(self.truth.reference_in(body).map(str::to_owned));
        })?;
        Ok(found)
    }
}

/// Why pairs are wrong or missing: the role a selector plays in the truth, and the pairs it alone decides.
fn causes(folder: &Path, truth: &Truth, groups: &[(String, Vec<String>)]) -> Result<serde_json::Value, Failure> {
    let text = std::fs::read_to_string(folder.join("truth.jsonl"))?;
    let (mut roles, mut whose): (HashMap<String, BTreeSet<String>>, HashMap<String, Option<String>>) =
        Default::default();
    let mut genuine: BTreeMap<(String, String, String), BTreeSet<String>> = BTreeMap::new();
    for line in text.lines() {
        let Ok(Line::Report(report)) = serde_json::from_str::<Line>(line) else { continue };
        for name in &report.names {
            let role = serde_json::to_value(name.role)?.as_str().unwrap_or_default().to_owned();
            roles.entry(name.value.to_lowercase()).or_default().insert(role);
            if name.role == Role::Genuine
                && let Some(syndicate) = &report.syndicate
            {
                let key = (syndicate.clone(), name.selector.clone(), name.value.clone());
                genuine.entry(key).or_default().insert(report.id.clone());
            }
        }
        whose.insert(report.id, report.syndicate);
    }
    let mut wrong: BTreeMap<String, u64> = BTreeMap::new();
    let mut joined: BTreeSet<(String, String)> = BTreeSet::new();
    for (label, names) in groups {
        let mut members: Vec<&str> = names.iter().filter_map(|n| truth.report(n)).collect();
        members.sort_unstable();
        members.dedup();
        let value = label.split_once(' ').map_or("", |(_, v)| v).to_lowercase();
        let why = match roles.get(&value) {
            Some(r) => r.iter().cloned().collect::<Vec<_>>().join("+"),
            None => format!("not in the truth: {label}"),
        };
        for (i, a) in members.iter().enumerate() {
            for b in members.iter().skip(i + 1) {
                joined.insert(((*a).to_owned(), (*b).to_owned()));
                let (x, y) = (whose.get(*a).cloned().flatten(), whose.get(*b).cloned().flatten());
                if x.is_none() || x != y {
                    *wrong.entry(why.clone()).or_default() += 1;
                }
            }
        }
    }
    let mut missing: BTreeMap<String, u64> = BTreeMap::new();
    for ((_, kind, value), members) in &genuine {
        let members: Vec<&String> = members.iter().collect();
        for (i, a) in members.iter().enumerate() {
            for b in members.iter().skip(i + 1) {
                if !joined.contains(&((*a).clone(), (*b).clone())) {
                    let side = |id: &str| id.split('-').next().unwrap_or("").to_owned();
                    let mut sides = [side(a), side(b)];
                    sides.sort();
                    let example = std::env::var_os("EYE_BENCH_VERBOSE").map(|_| format!(" {value} {a} {b}"));
                    let key = format!("{kind} {}{}", sides.join("/"), example.unwrap_or_default());
                    *missing.entry(key).or_default() += 1;
                }
            }
        }
    }
    let most = |map: BTreeMap<String, u64>| {
        let mut list: Vec<_> = map.into_iter().collect();
        list.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        list.truncate(if std::env::var_os("EYE_BENCH_VERBOSE").is_some() { 3_000 } else { 25 });
        list
    };
    Ok(serde_json::json!({"wrong": most(wrong), "missing": most(missing)}))
}
