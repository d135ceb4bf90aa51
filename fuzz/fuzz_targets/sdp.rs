//! See src/sdp.rs.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| offhook_fuzz::sdp::run(octets));
