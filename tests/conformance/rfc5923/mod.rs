//! RFC 5923: Connection Reuse in SIP. What becomes of real connections is proven where those are: `io/net/tests/driver/reuse.rs`.

mod section_8;
