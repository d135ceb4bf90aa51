//! See src/rtp_rtcp.rs.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| offhook_fuzz::rtp_rtcp::run(octets));
