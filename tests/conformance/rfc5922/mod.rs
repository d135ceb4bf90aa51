//! RFC 5922: Domain Certificates in SIP. What certificates do to real connections is proven where those are: `io/net/tests/driver/tls.rs`.

mod section_7_1;
mod section_7_2;
mod section_7_5;

pub(crate) use section_7_5::{by_tls, with_tls};
