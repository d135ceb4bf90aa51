//! `Wish`: what a SUBSCRIBE asks for, and how long it may get it (RFC 6665 §3.1, §4.2.1).

use std::time::Duration;

use sip::header::{Accept, Event, Expires, MediaType};
use sip::{Message, Name};

use crate::Fault;

/// What a SUBSCRIBE asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The event package.
    pub package: Box<str>,
    /// For how long; `None`: as the package says.
    pub expires: Option<Duration>,
}

/// How long subscriptions to a package may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Shorter wishes are refused with 423.
    pub min: Duration,
    /// For watchers that wish nothing.
    pub default: Duration,
    /// Longer wishes are shortened to this.
    pub max: Duration,
}

impl Wish {
    /// Reads it. Without a readable Event there is nothing to watch (§4.2.3).
    pub fn read(request: &Message) -> Result<Self, Fault> {
        let event = request.first::<Event<'_>>().and_then(Result::ok).ok_or(Fault::BadEvent)?;
        let expires = match request.first::<Expires>() {
            Some(Ok(Expires(seconds))) => Some(Duration::from_secs(seconds.into())),
            Some(Err(error)) => return Err(Fault::Malformed(error)),
            None => None,
        };
        Ok(Self { package: event.package.into(), expires })
    }

    /// How long it gets what it asks for: never longer than it wishes; nothing for one that wishes to end it.
    pub fn granted(&self, bounds: &Bounds) -> Result<Duration, Fault> {
        let wish = self.expires.unwrap_or(bounds.default);
        if !wish.is_zero() && wish < bounds.min {
            let seconds = u32::try_from(bounds.min.as_secs()).unwrap_or(u32::MAX);
            return Err(Fault::IntervalTooBrief(seconds));
        }
        Ok(wish.min(bounds.max))
    }

    /// True when its sender can read bodies of this type: one that names none reads that of the package (§3.1.3).
    pub fn accepts(request: &Message, kind: &str, subtype: &str) -> bool {
        let wanted = MediaType { kind, subtype };
        let mut ranges = request.all::<Accept<'_>>().flatten();
        !request.has(Name::Accept) || ranges.any(|range| range.media.covers(&wanted))
    }
}
