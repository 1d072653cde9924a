//! What the command line says of chains: structs to print as JSON, the pace of a load. The words and flags are the roof's.
use crate::chain::{ChainCode, Loaded, Mapping, Progress, Result, Room, Source};
use crate::columns::{Head, Inspection, hex};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What `inspect` prints of one chain.
#[derive(Debug, Serialize)]
pub struct InspectLine {
    /// The chain's code.
    pub chain: String,
    /// The last block, `null` when there is none.
    pub head: Option<HeadLine>,
    /// The first block's height.
    pub first: Option<u64>,
    /// How many blocks.
    pub blocks: u64,
    /// Bytes of all parts.
    pub bytes: u64,
    /// Columns, then what is derived.
    pub parts: Vec<PartLine>,
}

/// A block as the command line names it.
#[derive(Debug, Serialize)]
pub struct HeadLine {
    /// Height.
    pub height: u64,
    /// Hash in hex.
    pub hash: String,
}

/// A column or derived file.
#[derive(Debug, Serialize)]
pub struct PartLine {
    /// Its name.
    pub name: String,
    /// Rows or entries.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// Bytes a row in thousandths.
    pub milli_bytes_a_row: Option<u64>,
    /// Whether it can be built anew.
    pub derived: bool,
}

/// What `load` prints when it is done.
#[derive(Debug, Serialize)]
pub struct LoadLine {
    /// The chain's code.
    pub chain: String,
    /// Blocks appended.
    pub blocks: u64,
    /// Inputs and outputs, or transfers, appended.
    pub rows: u64,
    /// Blocks that were on record already.
    pub known: u64,
    /// Blocks that were unwound.
    pub unwound: u64,
    /// Blocks that lost to another branch.
    pub on_other_branches: u64,
    /// The head afterwards.
    pub head: Option<HeadLine>,
    /// Whether it was stopped before the end.
    pub stopped: bool,
    /// What kept files from being read to their end: then the exit code should not be 0.
    pub faults: Vec<String>,
}

impl From<Head> for HeadLine {
    fn from(head: Head) -> HeadLine {
        HeadLine { height: head.height, hash: hex(&head.hash) }
    }
}

impl InspectLine {
    /// The line of a chain.
    pub fn of(chain: &ChainCode, inspection: Inspection) -> InspectLine {
        let parts: Vec<PartLine> = inspection
            .parts
            .into_iter()
            .map(|part| PartLine {
                milli_bytes_a_row: part.milli_bytes_a_row(),
                name: part.name,
                rows: part.rows,
                bytes: part.bytes,
                derived: part.derived,
            })
            .collect();
        InspectLine {
            chain: chain.as_str().into(),
            head: inspection.head.map(HeadLine::from),
            first: inspection.first,
            blocks: inspection.blocks,
            bytes: parts.iter().map(|part| part.bytes).sum(),
            parts,
        }
    }
}

impl LoadLine {
    /// The line of a load.
    pub fn of(chain: &ChainCode, loaded: &Loaded) -> LoadLine {
        LoadLine {
            chain: chain.as_str().into(),
            blocks: loaded.blocks,
            rows: loaded.rows,
            known: loaded.known,
            unwound: loaded.unwound,
            on_other_branches: loaded.on_other_branches,
            head: loaded.head.map(HeadLine::from),
            stopped: loaded.stopped,
            faults: loaded.faults.iter().map(ToString::to_string).collect(),
        }
    }
}

/// The inspections of one chain, or of all that the room has.
pub fn inspect_lines(room: &Room, chain: Option<&ChainCode>) -> Result<Vec<InspectLine>> {
    let chains = chain.map_or_else(|| room.chains(), |chain| Ok(vec![chain.clone()]))?;
    chains.iter().map(|chain| Ok(InspectLine::of(chain, crate::chain::inspect(room, chain)?))).collect()
}

/// The source that files stand for: a table with its mapping (a TOML file), or blocks without one.
pub fn source(files: &[PathBuf], mapping: Option<&Path>) -> Result<Source> {
    let unknown = |why: String| crate::chain::Error::Unknown(why);
    match (files, mapping) {
        ([], _) => Err(unknown("name at least one file".into())),
        (files, None) => Ok(Source::Blocks(files.to_vec())),
        ([file], Some(path)) => {
            let text = std::fs::read_to_string(path).map_err(crate::chain::io(path))?;
            let mapping = Mapping::parse(&text).map_err(|error| unknown(format!("{}: {error}", path.display())))?;
            Ok(Source::Transfers { file: file.clone(), mapping: Box::new(mapping) })
        }
        _ => Err(unknown("a table is loaded alone: one file with one mapping".into())),
    }
}

/// Rate and time left of a load. The clock is the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Rows a second.
    pub rows_a_second: u64,
    /// Seconds left, when that can be said.
    pub seconds_left: Option<u64>,
}

impl Pace {
    /// The pace after `elapsed_ms` milliseconds.
    pub fn of(progress: &Progress, elapsed_ms: u64) -> Pace {
        let left = u128::from(progress.bytes_total.saturating_sub(progress.bytes)) * u128::from(elapsed_ms);
        let seconds = left.checked_div(u128::from(progress.bytes)).map(|ms| ms.div_ceil(1000));
        let rate = u128::from(progress.rows) * 1000;
        Pace {
            rows_a_second: rate.checked_div(u128::from(elapsed_ms)).and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
            seconds_left: seconds.and_then(|seconds| u64::try_from(seconds).ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::ControlFlow;

    #[test]
    fn the_pace_is_what_was_read_against_what_is_left() {
        let progress = Progress { rows: 3_000, bytes: 250, bytes_total: 1_000, ..Progress::default() };
        assert_eq!(Pace::of(&progress, 2_000), Pace { rows_a_second: 1_500, seconds_left: Some(6) });
        assert_eq!(Pace::of(&Progress::default(), 0), Pace { rows_a_second: 0, seconds_left: None });
    }

    #[test]
    fn what_inspect_prints_is_json_with_integers_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("t.csv");
        std::fs::write(&file, "from,to,amount,time\nana,ben,1,86400\n").unwrap();
        let mapping = dir.path().join("m.toml");
        std::fs::write(&mapping, "from = 'from'\nto = 'to'\namount = 'amount'\ntime = 'time'\nasset_is = 'USD'")
            .unwrap();
        let (room, chain) = (Room::open(dir.path()), ChainCode::parse("bank").unwrap());
        let source = source(&[file], Some(&mapping)).unwrap();
        let loaded =
            crate::chain::load(&room, &chain, &source, &Default::default(), &mut |_| ControlFlow::Continue(()))
                .unwrap();
        let line = serde_json::to_value(LoadLine::of(&chain, &loaded)).unwrap();
        assert_eq!((&line["blocks"], &line["head"]["height"]), (&1.into(), &1.into()));
        let lines = inspect_lines(&room, None).unwrap();
        let json = serde_json::to_string(&lines).unwrap();
        assert!(json.contains(r#""chain":"bank""#) && json.contains("transfer.amount"));
        assert_eq!(lines[0].parts.iter().map(|part| part.bytes).sum::<u64>(), lines[0].bytes);
    }
}
