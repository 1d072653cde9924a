#![no_main]
// `eye` is no library: what is fuzzed stands alone.
#[path = "../../src/frames.rs"]
mod frames;
#[path = "../targets.rs"]
mod targets;
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::frames(bytes));
