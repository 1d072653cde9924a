//! Makes sure `ui/dist` exists, so that the binary builds on a machine without Node: it then serves
//! tables, forms and SVG with the small built-in style sheet (`assets/plain.css`) and no scripts.

use std::{env, fs, path::PathBuf};

fn main() {
    let crate_dir = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dist = crate_dir.join("../../ui/dist");
    println!("cargo:rerun-if-changed={}", dist.display());
    if let Err(e) = fs::create_dir_all(&dist) {
        println!("cargo:warning=cannot create {}: {e}", dist.display());
    }
}
