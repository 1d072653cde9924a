//! The machine and the process: room on the disk, the sort of its file system, open files, bounds.
use super::Finding;
use crate::node::Node;
use crate::settings::{FILE, Settings};
use indicatif::BinaryBytes;
use rustix::process::{Resource, getrlimit};
use std::fs::{File, TryLockError};
use std::path::Path;

/// Less room than this and commits soon fail, bytes.
const LEAST: u64 = 256 << 20;
/// Of the whole disk this part should be free: one in.
const PART: u64 = 5;
/// File names that should be free.
const NAMES: u64 = 10_000;
/// SQLite maps an index of pages as large as this beside each write-ahead log. Where a file system hands out less at once, a
/// full disk ends the process in the middle of such a page (SIGBUS) instead of answering that it is full.
const PAGE: u64 = 4_096;
/// File systems over a network, by the number that statfs(2) gives: SQLite's write-ahead log needs shared memory.
const OVER_NETWORK: [(u64, &str); 6] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB2"),
    (0x0102_1997, "9P"),
    (0x00c3_6400, "Ceph"),
];

/// Whether some process owns the folder.
pub fn is_locked(data: &Path) -> bool {
    File::open(data.join("lock")).is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

pub fn server(answers: bool, served: bool) -> Finding {
    match (answers, served) {
        (true, _) => Finding::ok("server", "a server runs and answers"),
        (false, false) => Finding::ok("server", "no server runs"),
        (false, true) => Finding::look(
            "server",
            "another `eye` works on the folder and answers no commands",
            "wait until it has ended or started; if it stays so, stop it",
        ),
    }
}

/// Room, and the sort of file system.
pub fn disk(data: &Path) -> Vec<Finding> {
    let (room, sort) = match (rustix::fs::statvfs(data), rustix::fs::statfs(data)) {
        (Ok(room), Ok(sort)) => (room, sort),
        (Err(e), _) | (_, Err(e)) => {
            return vec![Finding::look("disk", format!("the file system cannot be asked: {e}"), "ask it with `df`")];
        }
    };
    let (free, whole) = (room.f_bavail.saturating_mul(room.f_frsize), room.f_blocks.saturating_mul(room.f_frsize));
    let largest = views(data).into_iter().max().unwrap_or(0);
    let mut found = vec![free_of(free, whole, largest)];
    if room.f_files > 0 && room.f_favail < NAMES {
        let says = format!("only {} more files fit on the file system, whatever their size", room.f_favail);
        found.push(Finding::look("disk", says, "remove small files, or use another file system"));
    }
    if room.f_frsize < PAGE {
        let says = format!(
            "the file system hands out blocks of {} bytes: with less than {PAGE} a full disk may end the process",
            room.f_frsize
        );
        found.push(Finding::look("disk", says, "move the folder to one with larger blocks"));
    }
    let number = u64::try_from(sort.f_type).unwrap_or(0) & 0xffff_ffff;
    if let Some((_, name)) = OVER_NETWORK.iter().find(|(known, _)| *known == number) {
        let says = format!("the folder is on {name}: databases there can be damaged");
        found.push(Finding::broken("disk", says, "keep the folder on a local disk"));
    }
    found
}

/// Bytes of each view's file.
fn views(data: &Path) -> Vec<u64> {
    let Ok(dir) = std::fs::read_dir(data.join("views")) else { return Vec::new() };
    dir.flatten().filter_map(|file| file.metadata().ok()).map(|about| about.len()).collect()
}

fn free_of(free: u64, whole: u64, largest: u64) -> Finding {
    let says = format!("{} of {} are free", BinaryBytes(free), BinaryBytes(whole));
    let make_room = "free some, or move the folder to a larger disk (`eye backup`, `eye restore`)";
    if free < LEAST {
        Finding::broken("disk", format!("{says}: soon nothing is taken any more"), make_room)
    } else if free < largest {
        let needs = BinaryBytes(largest);
        Finding::look("disk", format!("{says}: a rebuild needs {needs} beside what stands"), make_room)
    } else if free < whole / PART {
        Finding::look("disk", format!("{says}, less than a fifth"), make_room)
    } else {
        Finding::ok("disk", says)
    }
}

/// `eye.toml` and the country beside the log; with a server, whether that is what it runs with.
pub fn settings(data: &Path, node: Option<&Node>) -> Vec<Finding> {
    let mut found = Vec::new();
    let defaults = Settings::default().values();
    let changed = |settings: &Settings| -> Vec<String> {
        let values = settings.values();
        let moved = values.iter().zip(&defaults).filter(|(now, default)| now != default);
        moved.map(|((key, value), (_, default))| format!("{key} = {value} (default {default})")).collect()
    };
    found.push(match Settings::read(data) {
        Err(e) => Finding::broken("settings", format!("{e}: the node does not start with it"), format!("mend {FILE}")),
        Ok(settings) if node.is_some_and(|node| node.settings.values() != settings.values()) => {
            Finding::look("settings", format!("{FILE} was changed since the server started"), "start it anew")
        }
        Ok(settings) => match changed(&settings) {
            moved if moved.is_empty() => Finding::ok("settings", "every bound is the default"),
            moved => Finding::ok("settings", moved.join(", ")),
        },
    });
    let country = std::fs::read_to_string(data.join("country")).unwrap_or_default();
    if let Err(e) = country.parse::<stix::Country>() {
        let says = format!("{e}; national telephone numbers are not read");
        found.push(Finding::look("country", says, "write the code into DATA/country, start anew, `eye rebuild`"));
    }
    found
}

/// Open files: each connection takes two.
pub fn open_files(connections: u64) -> Finding {
    let most = getrlimit(Resource::Nofile).current;
    match most.filter(|most| most / 2 < connections) {
        None => Finding::ok("open files", "enough for server.connections"),
        Some(most) => Finding::look(
            "open files",
            format!("the system allows {most}: {} connections at a time, not {connections}", most / 2),
            "raise LimitNOFILE of the service, or lower server.connections",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Standing;
    use super::*;

    #[test]
    fn little_room_is_told_before_commits_fail() {
        let gib = 1 << 30;
        let states =
            [(100 << 20, 10 * gib, 0), (gib, 10 * gib, 0), (3 * gib, 10 * gib, 4 * gib), (3 * gib, 10 * gib, gib)]
                .map(|(free, whole, largest)| free_of(free, whole, largest).state);
        assert_eq!(states, [Standing::Broken, Standing::Look, Standing::Look, Standing::Ok]);
    }
}
