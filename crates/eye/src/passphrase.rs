//! A backup's passphrase on its way to the command that needs it: from the environment or the terminal of whoever calls,
//! to the command's stdin, for a running server has neither.
use crate::arguments::{Command, Passphrase};
use crate::node::Problem;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use zeroize::Zeroizing;

/// Read by the process that is called, never by the server.
const VARIABLE: &str = "EYE_BACKUP_PASSPHRASE";
/// How a command is told that its passphrase stands on stdin.
pub const WORD: &str = "--passphrase-stdin";
/// A line longer than this is none.
const LONGEST: u64 = 4_096;

/// The passphrase that the command needs and that its words do not name.
pub fn wanted(command: &Command, cwd: &Path) -> Result<Option<Zeroizing<String>>, Problem> {
    match command {
        Command::Backup { recipient, passphrase, .. } if recipient.is_empty() && passphrase.is_absent() => {
            let how = "how are the node's keys to be sealed? Give --recipient KEY (`eye recovery-key` makes one), \
                       --passphrase-file FILE, --passphrase-stdin, or EYE_BACKUP_PASSPHRASE";
            asked("Passphrase for the node's keys in this backup: ", Some("The same again: "), how).map(Some)
        }
        Command::Restore { from, recovery_key: None, passphrase } if passphrase.is_absent() => {
            // What is no backup is said by the restore.
            match ledger::backed_up(&cwd.join(from)) {
                Ok(Some(manifest)) if manifest.wants_passphrase() => {
                    let how = "the backup's keys are under a passphrase: give --passphrase-file FILE, \
                               --passphrase-stdin, or EYE_BACKUP_PASSPHRASE";
                    asked("Passphrase of the backup: ", None, how).map(Some)
                }
                _ => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

/// From the environment, else from the terminal, unseen.
fn asked(prompt: &str, again: Option<&str>, how: &str) -> Result<Zeroizing<String>, Problem> {
    if let Ok(given) = std::env::var(VARIABLE) {
        return Ok(Zeroizing::new(given));
    }
    let terminal = console::Term::stderr();
    if !terminal.is_term() || !std::io::IsTerminal::is_terminal(&std::io::stdin()) {
        return Err(Problem::other(how));
    }
    let line = |prompt: &str| -> Result<Zeroizing<String>, Problem> {
        terminal.write_str(prompt)?;
        Ok(Zeroizing::new(terminal.read_secure_line()?))
    };
    let first = line(prompt)?;
    match again.map(line).transpose()? {
        Some(second) if second != first => Err(Problem::other("the two passphrases differ; nothing was copied")),
        _ => Ok(first),
    }
}

impl Passphrase {
    fn is_absent(&self) -> bool {
        self.passphrase_file.is_none() && !self.passphrase_stdin
    }

    /// The passphrase that the words name; `None` when they name none.
    pub fn read(&self, cwd: &Path, stdin: &mut dyn Read) -> Result<Option<Zeroizing<String>>, Problem> {
        match &self.passphrase_file {
            Some(file) => {
                let path = cwd.join(file);
                let unread = |e| Problem::other(format!("the passphrase in {}: {e}", path.display()));
                let mut file = std::fs::File::open(&path).map_err(unread)?;
                line(&mut file).map(Some)
            }
            None if self.passphrase_stdin => line(stdin).map(Some),
            None => Ok(None),
        }
    }
}

fn line(from: &mut dyn Read) -> Result<Zeroizing<String>, Problem> {
    let mut text = Zeroizing::new(String::new());
    BufReader::new(from.take(LONGEST)).read_line(&mut text)?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use clap::Parser;

    fn command(words: &str) -> Command {
        Arguments::try_parse_from(words.split(' ')).unwrap().command
    }

    #[test]
    fn a_passphrase_is_asked_for_only_where_nothing_else_seals_or_opens() {
        for given in [
            "eye backup --to B --recipient eyerecovery1x",
            "eye backup --to B --passphrase-stdin",
            "eye backup --to B --passphrase-file F",
            "eye restore --from nowhere",
            "eye verify",
        ] {
            assert!(matches!(wanted(&command(given), Path::new("/nowhere")), Ok(None)), "{given}");
        }
        for wrong in
            ["--recipient k --passphrase-stdin", "--passphrase-stdin --passphrase-file F", "--passphrase words"]
        {
            assert!(Arguments::try_parse_from(format!("eye backup --to B {wrong}").split(' ')).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_passphrase_is_the_first_line_whole() {
        let read = |words: &str, text: &str| match command(words) {
            Command::Backup { passphrase, .. } => passphrase.read(Path::new("/"), &mut text.as_bytes()).unwrap(),
            other => panic!("{other:?}"),
        };
        let stdin = "eye backup --to B --passphrase-stdin";
        assert_eq!(read(stdin, " EXERCISE four words \r\nmore").unwrap().as_str(), " EXERCISE four words ");
        assert!(read("eye backup --to B --recipient eyerecovery1x", "EXERCISE").is_none());
    }
}
