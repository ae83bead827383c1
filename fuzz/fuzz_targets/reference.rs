//! Runs [`quotree_fuzz::reference`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| quotree_fuzz::reference(data));
