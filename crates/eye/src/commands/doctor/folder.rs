//! Who may read the folder and its keys: whoever does is administrator of the node.
use super::Finding;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Files of another owner that are named; the rest is counted.
const NAMED: usize = 3;

pub fn all(data: &Path) -> Vec<Finding> {
    vec![folder(data), keys(data), owners(data)]
}

/// Rights of the group and of others.
fn open_to_others(about: &Metadata) -> u32 {
    about.mode() & 0o077
}

fn folder(data: &Path) -> Finding {
    match std::fs::metadata(data) {
        Err(e) => Finding::broken("folder", e.to_string(), "look at its rights and its disk"),
        Ok(about) if open_to_others(&about) != 0 => Finding::broken(
            "folder",
            format!("mode {:04o}: others on this machine may look into it", about.mode() & 0o7777),
            format!("chmod 700 {}", data.display()),
        ),
        Ok(_) => Finding::ok("folder", "its owner alone may look into it"),
    }
}

fn keys(data: &Path) -> Finding {
    let dir = data.join("keys");
    let open: Vec<PathBuf> = std::iter::once(dir.clone())
        .chain(inside(&dir))
        .filter(|path| path.symlink_metadata().is_ok_and(|about| !about.is_symlink() && open_to_others(&about) != 0))
        .collect();
    if !open.is_empty() {
        let names: Vec<String> = open.iter().map(|path| path.display().to_string()).collect();
        return Finding::broken(
            "keys",
            format!("others may read {}: who has read the keys can sign as this node", names.join(", ")),
            format!("chmod -R go= {}; if others were on the machine, take the keys as known", dir.display()),
        );
    }
    match ledger::Keys::open(&dir) {
        Ok(_) => Finding::ok("keys", "their owner alone may read them"),
        Err(e) => Finding::broken("keys", e.to_string(), "without them the node does not start: restore a backup"),
    }
}

fn inside(dir: &Path) -> Vec<PathBuf> {
    let mut inside: Vec<PathBuf> =
        std::fs::read_dir(dir).map(|dir| dir.flatten().map(|e| e.path()).collect()).unwrap_or_default();
    inside.sort();
    inside
}

/// A command run by another user, root above all, leaves files that the server cannot write.
fn owners(data: &Path) -> Finding {
    let Ok(owner) = std::fs::metadata(data).map(|about| about.uid()) else {
        return Finding::look("owner", "the folder's owner cannot be told", "look at its rights and its disk");
    };
    let files = [data.to_owned(), data.join("keys"), data.join("views"), data.join("reference")];
    let others: Vec<PathBuf> = files
        .iter()
        .flat_map(|dir| inside(dir))
        .filter(|path| path.symlink_metadata().is_ok_and(|about| about.uid() != owner))
        .collect();
    if !others.is_empty() {
        let named: Vec<String> = others.iter().take(NAMED).map(|path| path.display().to_string()).collect();
        return Finding::broken(
            "owner",
            format!("{} files belong to another user than the folder, such as {}", others.len(), named.join(", ")),
            format!("chown -R --reference={0} {0}; run commands as the server's user", data.display()),
        );
    }
    let me = rustix::process::geteuid().as_raw();
    if me != owner {
        return Finding::look(
            "owner",
            format!(
                "this runs as user {me}, the folder is user {owner}'s: commands without a server leave files of {me}"
            ),
            "run commands as the folder's user (`sudo -u`)",
        );
    }
    Finding::ok("owner", "every file is the folder's owner's")
}
