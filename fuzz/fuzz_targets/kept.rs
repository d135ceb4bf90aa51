//! See src/kept.rs.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| offhook_fuzz::kept::run(octets));
