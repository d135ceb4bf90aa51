//! See src/packages.rs.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| offhook_fuzz::packages::run(octets));
