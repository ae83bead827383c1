//! The fuzzer's door to [`quotree_fuzz::scenario`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| quotree_fuzz::scenario(data));
