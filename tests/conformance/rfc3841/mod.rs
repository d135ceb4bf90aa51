//! RFC 3841, Caller Preferences for SIP, as a proxy keeps it.

mod section_5;
mod section_7;
mod section_9;
