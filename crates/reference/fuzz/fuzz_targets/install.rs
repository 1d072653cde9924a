#![no_main]
use reference::{Library, ListKind};
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(folder) = tempfile::tempdir() else { return };
    for kind in [ListKind::Block, ListKind::Warning, ListKind::Galaxy] {
        let _any = Library::install(folder.path(), kind, "fuzz", "fuzz", Box::new(data));
    }
    let library = Library::open(folder.path()).expect("an empty folder opens");
    for kind in ["domain", "url", "ipv4", "email", "btc", "?"] {
        let _any = library.listed(kind, &String::from_utf8_lossy(data));
    }
});
