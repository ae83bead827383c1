//! The fuzzer's door to [`quotree_fuzz::replay`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| quotree_fuzz::replay(data));
