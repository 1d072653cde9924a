#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| selectors::fuzzing::of_object(bytes));
