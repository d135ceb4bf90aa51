//! Digest in SIP with better hashes. The rules that it shares with RFC 7616 are proven in rfc7616.

mod section_2;
