//! Types of messages: class and method (RFC 8489 §5, RFC 8656 §17).

/// Where do I come from?
pub const BINDING: u16 = 0x0001;
/// From there.
pub const BINDING_SUCCESS: u16 = 0x0101;
/// Not understood.
pub const BINDING_ERROR: u16 = 0x0111;
/// An address at the relay, please.
pub const ALLOCATE: u16 = 0x0003;
/// Here it is.
pub const ALLOCATE_SUCCESS: u16 = 0x0103;
/// No, or not so.
pub const ALLOCATE_ERROR: u16 = 0x0113;
/// For longer, or no more.
pub const REFRESH: u16 = 0x0004;
/// Done.
pub const REFRESH_SUCCESS: u16 = 0x0104;
/// Not done.
pub const REFRESH_ERROR: u16 = 0x0114;
/// This one may talk to me.
pub const CREATE_PERMISSION: u16 = 0x0008;
/// They may.
pub const CREATE_PERMISSION_SUCCESS: u16 = 0x0108;
/// They may not.
pub const CREATE_PERMISSION_ERROR: u16 = 0x0118;
/// A short name for this one, please.
pub const CHANNEL_BIND: u16 = 0x0009;
/// It is theirs.
pub const CHANNEL_BIND_SUCCESS: u16 = 0x0109;
/// It is not.
pub const CHANNEL_BIND_ERROR: u16 = 0x0119;
/// Pass that on.
pub const SEND: u16 = 0x0016;
/// That came for you.
pub const DATA: u16 = 0x0017;
