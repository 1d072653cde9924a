//! Any file installed as a list of any kind, and any value asked for.
use crate::{Library, ListKind};

/// Installs the bytes and asks what was installed.
pub fn install(bytes: &[u8]) {
    let folder = std::env::temp_dir().join(format!("eye-fuzz-install-{}", std::process::id()));
    let _absent = std::fs::remove_dir_all(&folder);
    for kind in [ListKind::Block, ListKind::Warning, ListKind::Galaxy] {
        let _any = Library::install(&folder, kind, "fuzz", "fuzz", Box::new(bytes));
    }
    let library = Library::open(&folder).expect("what was installed opens");
    for kind in ["domain", "url", "ipv4", "email", "btc", "?"] {
        let _any = library.listed(kind, &String::from_utf8_lossy(bytes));
    }
    let _any = library.galaxy(&String::from_utf8_lossy(bytes));
    let _absent = std::fs::remove_dir_all(&folder);
}

#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    #[test]
    fn no_seed_and_nothing_a_fuzzer_found_breaks_a_rule() {
        super::replay::replay(env!("CARGO_MANIFEST_DIR"), &[("install", super::install)]);
    }
}
