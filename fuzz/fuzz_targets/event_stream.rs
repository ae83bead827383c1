//! The fuzzer's door to [`quotree_fuzz::event_stream`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| quotree_fuzz::event_stream(data));
