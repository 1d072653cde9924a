//! Strings that no page asks for any more: whoever translates would translate them, and a reader would look for their page.
use std::path::Path;

const FILES: [&str; 4] =
    ["web/i18n/en/hall.ftl", "web/i18n/en/terms.ftl", "intel/i18n/en/intel.ftl", "office/i18n/en/office.ftl"];

/// Every Rust file and template below a folder.
fn sources(folder: &Path, all: &mut Vec<String>) {
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let source = path.extension().is_some_and(|end| end == "rs" || end == "html");
        if path.is_dir() {
            sources(&path, all);
        } else if source {
            all.push(std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_string_is_on_some_page() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut all = Vec::new();
    for room in ["web", "gate", "office", "intel", "eye"] {
        for part in ["src", "templates"].map(|part| crates.join(room).join(part)).iter().filter(|part| part.is_dir()) {
            sources(part, &mut all);
        }
    }
    assert!(all.len() > 100, "{}", all.len());
    for file in FILES {
        let ftl = std::fs::read_to_string(crates.join(file)).unwrap();
        assert_eq!(web::i18n::unused_keys(&ftl, &all), Vec::<&str>::new(), "{file}");
    }
}
