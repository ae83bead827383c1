//! Runs [`quotree_fuzz::quantity`] under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| quotree_fuzz::quantity(data));
