//! Runs [`quotree_fuzz::replay`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| quotree_fuzz::replay(data));
