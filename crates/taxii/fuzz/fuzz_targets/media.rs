#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| taxii::fuzzing::media(bytes));
