//! Digest, with SIP's differences (RFC 8760 §2.6). What was there before is proven in rfc3261/section_22.rs and section_22_2.rs.

mod section_3_3;
mod section_3_4;
mod section_3_5;
mod section_3_6;
mod section_4;
