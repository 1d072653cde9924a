#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| drop(formats::guess("name", data)));
