//! RFC 5764: keys for SRTP from a DTLS handshake, as our phone makes them.

mod section_5_1;
mod section_8;
