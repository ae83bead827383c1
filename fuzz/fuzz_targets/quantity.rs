//! The fuzzer's door to [`quotree_fuzz::quantity`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| quotree_fuzz::quantity(data));
