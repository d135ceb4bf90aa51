//! `Fault`: a rule of RFC 6455 or RFC 7118 that a peer broke, and the code with which we say goodbye.

use std::fmt;

/// What a peer did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A frame of no kind that there is (RFC 6455 §5.2).
    Opcode,
    /// A bit that only extensions use, and there are none (RFC 6455 §5.2).
    Reserved,
    /// A client that does not mask, or a server that does (RFC 6455 §5.1).
    Mask,
    /// A length that is written longer than it needs, or has its highest bit set (RFC 6455 §5.2).
    Length,
    /// A control frame in fragments, or with more than 125 octets (RFC 6455 §5.5).
    Control,
    /// A continuation of nothing, or a new message within another (RFC 6455 §5.4).
    Fragments,
    /// A goodbye of one octet, or with a code that nobody may send (RFC 6455 §5.5.1, §7.4).
    Close,
    /// A text that is not UTF-8 (RFC 6455 §8.1).
    NotText,
    /// Not exactly one SIP message (RFC 7118 §4.1, §5).
    NotSip,
    /// More octets than a message may have.
    TooLong,
    /// More pings than anybody needs.
    Flood,
}

impl Fault {
    /// The code of our goodbye (RFC 6455 §7.4.1).
    pub const fn code(self) -> u16 {
        match self {
            Self::Opcode
            | Self::Reserved
            | Self::Mask
            | Self::Length
            | Self::Control
            | Self::Fragments
            | Self::Close => 1002,
            Self::NotSip => 1003,
            Self::NotText => 1007,
            Self::Flood => 1008,
            Self::TooLong => 1009,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Opcode => "a frame of no kind that there is",
            Self::Reserved => "a reserved bit is set",
            Self::Mask => "a client masks its frames, a server does not",
            Self::Length => "a length is written longer than it needs",
            Self::Control => "a control frame is in fragments or longer than 125 octets",
            Self::Fragments => "fragments do not fit together",
            Self::Close => "a goodbye that cannot be",
            Self::NotText => "the text is not UTF-8",
            Self::NotSip => "not exactly one SIP message",
            Self::TooLong => "the message is too long",
            Self::Flood => "too many pings",
        }
    }

    /// What a close frame carries.
    pub(super) fn payload(self) -> Vec<u8> {
        [&self.code().to_be_bytes()[..], self.words().as_bytes()].concat()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl std::error::Error for Fault {}
