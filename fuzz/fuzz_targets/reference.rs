//! The fuzzer's door to [`quotree_fuzz::reference`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| quotree_fuzz::reference(data));
