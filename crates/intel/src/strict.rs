//! `--strict`: the whole input is kept in a file without a name, read once to judge it, and a second time to take it. So
//! memory stays bounded, nothing can change between the two readings, and a refused file has appended nothing.
use crate::import::{Place, bad_record};
use crate::{Error, ImportJob, Intel, Result};
use formats::{Format, Item, Options};
use people::Viewer;
use std::fs::File;
use std::io::{BufRead, Read, Seek};
use std::ops::ControlFlow;

impl Intel {
    /// Copies the input into a file that has no name and is gone with this process.
    pub(crate) fn spool(&self, job: &ImportJob, input: &mut dyn Read) -> Result<File> {
        let most = self.inner.limits.file.max_input_bytes;
        let mut file = tempfile::tempfile_in(&self.inner.root)?;
        let copied = std::io::copy(&mut input.take(most.saturating_add(1)), &mut file)
            .map_err(|e| Error::Bad(format!("{}: {e}", job.source)))?;
        if copied > most {
            return Err(Error::Bad(format!("{}: more than {most} bytes (import.file_bytes); split it", job.source)));
        }
        file.rewind()?;
        Ok(file)
    }

    /// Reads everything and refuses at the first record that would be set aside.
    pub(crate) fn judge(
        &self,
        viewer: &Viewer,
        job: &ImportJob,
        format: Format,
        input: Box<dyn BufRead + '_>,
        options: &Options<'_>,
        places: &[Place],
    ) -> Result<()> {
        let mut bad = None;
        let summary = formats::read(format, input, options, &mut |item| {
            bad = match &item {
                Item::Skipped(b) => Some(bad_record(b).to_string()),
                Item::Object(r) => self
                    .place_for(viewer, places, &r.body, None, job.marking)
                    .err()
                    .map(|why| format!("{} ({}): {why}", r.at, r.id)),
            };
            if bad.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match (bad, summary) {
            (Some(why), _) => Err(Error::Bad(format!("{}: {why}; nothing was imported", job.source))),
            (None, Err(e)) => Err(Error::Bad(format!("{}: {e}; nothing was imported", job.source))),
            (None, Ok(_)) => Ok(()),
        }
    }
}
