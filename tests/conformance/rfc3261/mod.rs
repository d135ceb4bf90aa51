//! SIP: Session Initiation Protocol.
