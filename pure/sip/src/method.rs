//! `Method`: what a request asks for (RFC 3261 §7.1). Case counts.

use std::fmt;

use crate::ParseError;
use crate::scan::{Scan, is_token};

macro_rules! methods {
    ($($variant:ident $wire:literal $rfc:literal),* $(,)?) => {
        /// A request method. Unknown ones are kept: a proxy forwards them, a server answers 405 or 501.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Method<'a> {
            $(#[doc = concat!("`", $wire, "` (RFC ", $rfc, ")")] $variant,)*
            /// Any other token.
            Other(&'a str),
        }

        impl<'a> Method<'a> {
            /// Every method that has a name here.
            pub const KNOWN: &'static [Method<'static>] = &[$(Method::$variant),*];

            /// The same as they stand on the wire.
            const TOKENS: &'static [&'static [u8]] = &[$($wire.as_bytes()),*];

            /// Recognises a method; any other token is `Other`.
            pub fn of(token: &'a str) -> Self {
                match token { $($wire => Self::$variant,)* _ => Self::Other(token) }
            }

            /// As it stands on the wire.
            pub const fn as_str(self) -> &'a str {
                match self { $(Self::$variant => $wire,)* Self::Other(token) => token }
            }
        }
    };
}

methods! {
    Invite "INVITE" "3261", Ack "ACK" "3261", Bye "BYE" "3261", Cancel "CANCEL" "3261",
    Register "REGISTER" "3261", Options "OPTIONS" "3261", Prack "PRACK" "3262", Update "UPDATE" "3311",
    Info "INFO" "6086", Refer "REFER" "3515", Subscribe "SUBSCRIBE" "6665", Notify "NOTIFY" "6665",
    Message "MESSAGE" "3428", Publish "PUBLISH" "3903",
}

impl Method<'static> {
    /// The place of the method that is written so, when it has a name here.
    pub(crate) fn place(token: &[u8]) -> Option<u8> {
        let place = Self::TOKENS.iter().position(|known| *known == token);
        place.and_then(|place| u8::try_from(place).ok())
    }

    /// The method at a place.
    pub(crate) fn at(place: u8) -> Option<Self> {
        Self::KNOWN.get(usize::from(place)).copied()
    }
}

impl<'a> Method<'a> {
    /// Reads one at the cursor.
    pub(crate) fn read(scan: &mut Scan<'a>) -> Result<Self, ParseError> {
        let mut ahead = *scan;
        let known = Method::place(ahead.take_while(is_token)).and_then(Method::at);
        let Some(known) = known else { return scan.token().map(Self::Other) };
        *scan = ahead;
        Ok(known)
    }
}

impl fmt::Display for Method<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trap_20_methods_are_case_sensitive() {
        assert_eq!(Method::of("INVITE"), Method::Invite);
        assert_eq!(Method::of("invite"), Method::Other("invite"));
    }
}
