#![no_main]
mod reader;
libfuzzer_sys::fuzz_target!(|data: &[u8]| reader::run(formats::Format::PhishingConfig, data, None));
