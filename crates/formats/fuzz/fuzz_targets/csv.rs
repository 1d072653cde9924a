#![no_main]
mod reader;
use std::sync::LazyLock;
static MAPPING: LazyLock<Option<formats::Mapping>> = LazyLock::new(|| {
    formats::Mapping::parse("header = false\n[object.a]\ntype = \"auto\"\ncolumns.1 = { to = \"value\" }\n").ok()
});
libfuzzer_sys::fuzz_target!(|data: &[u8]| reader::run(formats::Format::Csv, data, MAPPING.as_ref()));
