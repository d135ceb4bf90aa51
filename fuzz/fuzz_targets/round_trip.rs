//! See src/round_trip.rs.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| offhook_fuzz::round_trip::run(octets));
