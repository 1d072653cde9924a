#![no_main]
libfuzzer_sys::fuzz_target!(|text: &str| drop(formats::Mapping::parse(text)));
