//! Loading a dump into a chain: see [`crate::chain::load`].
use super::dump::{Dump, fakes};
use super::{Joiner, Profile};
use crate::chain::{Loaded, Options, Progress, Result};
use crate::columns::Accounts;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Loads the files of a dump.
pub fn load_dump(
    chain: &mut Accounts,
    profile: &Profile,
    paths: &[PathBuf],
    options: &Options,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Loaded> {
    let dump = Dump::open(paths)?;
    let folder = chain.store().dir().to_owned();
    let bytes_total = 2 * dump.bytes;
    let report = std::cell::RefCell::new((progress, Progress { bytes_total, ..Progress::default() }));
    let mut joiner = Joiner::new(chain, profile, options);
    joiner.fakes = fakes(&dump.tokens()?, profile);
    let mut reading = |bytes: u64| {
        let (progress, report) = &mut *report.borrow_mut();
        report.bytes = bytes;
        progress(report)
    };
    let done = dump.blocks(&folder, &mut reading, &mut |block, bytes| {
        joiner.block(&block)?;
        let (progress, report) = &mut *report.borrow_mut();
        (report.bytes, report.height) = (bytes, block.height);
        (report.blocks, report.rows) = (joiner.loaded.blocks, joiner.loaded.rows);
        Ok(progress(report))
    });
    let (mut loaded, skipped) = (std::mem::take(&mut joiner.loaded), joiner.skipped);
    chain.commit(true)?;
    loaded.stopped = done?.is_break();
    (loaded.nfts, loaded.misshapen) = (skipped.nfts, skipped.misshapen);
    Ok(loaded)
}
