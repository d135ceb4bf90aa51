//! What names a dialog: Call-ID, local tag, remote tag (RFC 3261 §12).

use std::fmt;

use machine::Dice;
use sip::Message;
use sip::header::{From, To};

macro_rules! octets {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<[u8]>);

        impl $name {
            /// As it stands on the wire.
            pub fn of(octets: &[u8]) -> Self {
                Self(octets.into())
            }

            /// As it stands on the wire.
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&String::from_utf8_lossy(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

octets! {
    /// A Call-ID (RFC 3261 §20.8): compared octet by octet.
    CallId,
    /// The tag of a From or To (RFC 3261 §19.3). Empty is the null tag of an RFC 2543 peer (§12.1.1, §12.1.2).
    Tag,
}

impl CallId {
    /// A new one: 128 random bits (RFC 3261 §8.1.1.4).
    pub fn throw(dice: &mut Dice) -> Self {
        Self(format!("{:032x}", dice.seed()).into_bytes().into())
    }

    /// The one of a message.
    pub fn in_message(message: &Message) -> Self {
        Self::of(message.call_id())
    }
}

impl Tag {
    /// A new one: 64 random bits; the RFC asks for 32 (§19.3).
    pub fn throw(dice: &mut Dice) -> Self {
        Self(format!("{:016x}", dice.roll()).into_bytes().into())
    }

    /// True for the null tag.
    pub fn is_null(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag of a message's From.
    pub fn in_from(message: &Message) -> Option<Self> {
        Some(Self::of(message.get::<From>()?.tag().unwrap_or_default()))
    }

    /// The tag of a message's To.
    pub fn in_to(message: &Message) -> Option<Self> {
        Some(Self::of(message.get::<To>()?.tag().unwrap_or_default()))
    }
}

/// Names a dialog, as one of its two sides sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialogId {
    /// The same on both sides.
    pub call_id: CallId,
    /// Ours.
    pub local: Tag,
    /// The other side's.
    pub remote: Tag,
}

impl DialogId {
    /// The dialog that a request from the other side belongs to: To holds our tag.
    pub fn of_request(request: &Message) -> Option<Self> {
        let (local, remote) = (Tag::in_to(request)?, Tag::in_from(request)?);
        Some(Self { call_id: CallId::in_message(request), local, remote })
    }

    /// The dialog that a response to a request of ours belongs to: From holds our tag.
    pub fn of_response(response: &Message) -> Option<Self> {
        let (local, remote) = (Tag::in_from(response)?, Tag::in_to(response)?);
        Some(Self { call_id: CallId::in_message(response), local, remote })
    }
}
