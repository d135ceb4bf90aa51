//! `Unable`: why a command of the program around the phone was not carried out.

use std::fmt;

/// Why a command was not carried out. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unable {
    /// There is no such call (any more).
    NoSuchCall,
    /// There are as many calls as the phone can have.
    TooManyCalls,
    /// The call is not in a state for that: what it would have to be.
    NotNow(&'static str),
    /// Nobody can be called by that: what is wrong with it.
    BadTarget(String),
    /// A status that does not refuse a call: 300 to 699 do.
    BadStatus(u16),
    /// No key of a telephone: `0`–`9`, `*`, `#`, `A`–`D`.
    BadKey(char),
    /// Too many keys, messages or things that are watched.
    TooFast,
    /// The text is too long for a message.
    TooLong,
    /// Nobody has been called yet.
    NobodyCalled,
    /// A conference has two members at least, and at most [`CONFERENCE`](crate::limits::CONFERENCE).
    NotSoMany,
    /// Nothing of that number is watched.
    NoSuchWatch,
}

impl fmt::Display for Unable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchCall => f.write_str("there is no such call"),
            Self::TooManyCalls => f.write_str("no line is free: hang up a call first"),
            Self::NotNow(wanted) => write!(f, "this works only for a call that {wanted}"),
            Self::BadTarget(why) => write!(f, "nobody can be called by that: {why}"),
            Self::BadStatus(status) => {
                write!(f, "{status} does not refuse a call; 486, 480 and 603 do")
            }
            Self::BadKey(key) => write!(f, "{key:?} is no key of a telephone"),
            Self::TooFast => f.write_str("too much of that is under way"),
            Self::TooLong => f.write_str("the text is too long for one message"),
            Self::NobodyCalled => f.write_str("nobody has been called yet"),
            Self::NotSoMany => {
                write!(f, "a conference has 2 to {} calls", crate::limits::CONFERENCE)
            }
            Self::NoSuchWatch => f.write_str("that is not watched"),
        }
    }
}

impl std::error::Error for Unable {}
