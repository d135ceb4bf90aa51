//! SIP: Session Initiation Protocol.

mod section_12;
mod section_22_2;
