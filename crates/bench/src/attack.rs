//! ATT&CK enterprise as an endless supply of objects: each round with every id replaced, or each round a new version.
use crate::Failure;
use std::path::{Path, PathBuf};

/// What fills a node in process, and where.
#[derive(Debug, clap::Args)]
pub struct Filling {
    /// A STIX 2.1 bundle (ATT&CK enterprise).
    pub bundle: PathBuf,
    /// Objects to store.
    #[arg(long, default_value_t = 1_000_000)]
    pub objects: u64,
    /// Where the data folder is made; removed afterwards.
    #[arg(long)]
    pub folder: Option<PathBuf>,
}

impl Filling {
    /// A folder of this run's own.
    pub fn place(&self, what: &str) -> PathBuf {
        self.folder.clone().unwrap_or_else(std::env::temp_dir).join(format!("bench-{what}-{}", std::process::id()))
    }
}

/// One object and the places of the UUIDs in it.
pub struct Template {
    /// Its id.
    pub id: String,
    /// Its JSON.
    pub body: String,
    uuids: Vec<usize>,
    modified: Option<usize>,
}

/// Reads a STIX 2.1 bundle.
pub fn templates(bundle: &Path) -> Result<Vec<Template>, Failure> {
    #[derive(serde::Deserialize)]
    struct Bundle {
        objects: Vec<Box<serde_json::value::RawValue>>,
    }
    #[derive(serde::Deserialize)]
    struct Header {
        id: String,
        modified: Option<String>,
    }
    let text = std::fs::read_to_string(bundle).map_err(|e| format!("{}: {e}", bundle.display()))?;
    let bundle: Bundle = serde_json::from_str(&text)?;
    let mut out = Vec::with_capacity(bundle.objects.len());
    for object in bundle.objects {
        // One line: as an envelope carries it.
        let body = serde_json::from_str::<serde_json::Value>(object.get())?.to_string();
        let Header { id, modified } = serde_json::from_str(&body)?;
        let uuids =
            body.match_indices("--").map(|(at, _)| at + 2).filter(|at| is_uuid(body.get(*at..*at + 36))).collect();
        let modified = modified.and_then(|m| body.find(&format!("\"modified\":\"{m}\"")).map(|at| at + 12));
        out.push(Template { id, body, uuids, modified });
    }
    Ok(out)
}

fn is_uuid(text: Option<&str>) -> bool {
    text.is_some_and(|t| uuid::Uuid::try_parse(t).is_ok())
}

fn round_of(uuid: &str, round: u64) -> String {
    let id = uuid::Uuid::try_parse(uuid).unwrap_or_default().as_u128();
    // SipHash-free and reversible: an odd multiplier spreads the rounds over the whole id, version and variant stay.
    let spread = u128::from(round).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    const KEPT: u128 = 0xffff_ffff_ffff_0fff_3fff_ffff_ffff_ffff;
    uuid::Uuid::from_u128(id ^ (spread & KEPT)).to_string()
}

impl Template {
    /// The id in this round.
    pub fn id(&self, round: u64) -> String {
        match self.id.split_once("--") {
            Some((kind, uuid)) => format!("{kind}--{}", round_of(uuid, round)),
            None => self.id.clone(),
        }
    }

    /// The object with every id in it replaced, so that it is new and refers to what is new.
    pub fn renamed(&self, round: u64) -> String {
        let mut body = self.body.clone();
        if round == 0 {
            return body;
        }
        for at in &self.uuids {
            let new = self.body.get(*at..*at + 36).map(|u| round_of(u, round)).unwrap_or_default();
            // The markings stay what they are: the node knows those by id.
            if self.body.get(..*at).is_some_and(|before| before.ends_with("marking-definition--")) {
                continue;
            }
            body.replace_range(*at..*at + 36, &new);
        }
        body
    }

    /// The object as a later version of itself: `modified` moves on by a millisecond a round. `None`: it has no versions.
    pub fn newer(&self, round: u64) -> Option<String> {
        let at = self.modified?;
        let mut body = self.body.clone();
        let (day, rest) = (round / 86_400_000, round % 86_400_000);
        let (h, m, s, ms) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60, rest % 1_000);
        let end = body.get(at..)?.find('"')? + at;
        body.replace_range(at..end, &format!("2026-02-{:02}T{h:02}:{m:02}:{s:02}.{ms:03}Z", day + 1));
        Some(body)
    }
}
