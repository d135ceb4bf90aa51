//! RFC 3550: RTP and RTCP.

mod section_11;
mod section_5;
mod section_6_1;
mod section_6_2;
mod section_6_4;
mod section_6_5;
mod section_8;
