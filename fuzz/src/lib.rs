//! What must hold for any octets, one file for each door that strangers can knock at. `run` panics when it does not.

pub mod digest;
pub mod dns;
pub mod edits;
pub mod framing;
pub mod header;
pub mod kept;
pub mod message;
pub mod packages;
pub mod round_trip;
pub mod rtp_rtcp;
pub mod sdp;
pub mod sound;
pub mod store;
pub mod stun;
pub mod uri;
pub mod websocket;
