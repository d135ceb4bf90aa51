//! SIP over WebSocket.

mod section_5;
mod section_5_phone;
mod section_9;
