//! SIP: Session Initiation Protocol.

mod section_12;
