//! Admission: what is refused before anything is kept or computed (RFC 3261 §8.2, §16.3).

mod class;
mod door;
pub(crate) mod feedback;
mod hush;
mod late;
mod merged;
mod pace;
mod ration;
mod room;
mod sources;
mod speed;
mod trial;
mod unreadable;
mod valve;
mod work;

use protocol::Fault;
use sip::header::{ContentDisposition, Handling, MaxForwards, ProxyRequire, Require};
use sip::{Header, Message, Method, Name};

pub(crate) use class::{Class, Whence};
pub use door::Tally;
pub(crate) use door::{Door, Verdict};
pub(crate) use merged::Merged;
pub(crate) use room::Arrival;
pub(crate) use speed::{Witnesses, spared};
pub(crate) use trial::Heard;
pub(crate) use unreadable::unreadable;

/// Whether new things are begun here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// They are.
    Open,
    /// Only what belongs to a call that is up: the server, or the listener, is about to stop.
    Draining,
}

impl Entry {
    /// A server that is about to stop begins nothing new: another one may take it, or this one after its restart.
    pub(crate) fn admits(self, request: &Message) -> Result<(), Fault> {
        if self == Self::Open {
            return Ok(());
        }
        let inside = request.to_tag().is_some();
        let passes = inside || matches!(request.method(), Some(Method::Ack | Method::Cancel));
        if passes { Ok(()) } else { Err(Fault::Leaving(RESTART)) }
    }
}

/// Seconds after which a server that was stopped is worth another try: a restart takes less.
const RESTART: u32 = 10;

/// Is it a message that can be understood at all (§16.3 step 1)? Then what everybody asks of it is known from here on.
pub(crate) fn well_formed(message: &mut Message) -> Result<(), Fault> {
    message.checked().map_err(Fault::Malformed)
}

/// How many hops a request may still go; 0 refuses it (§16.3 step 3). Without a Max-Forwards nothing is known against it.
pub(crate) fn hops(request: &Message) -> Result<Option<u8>, Fault> {
    match request.get::<MaxForwards>() {
        Some(MaxForwards(0)) => Err(Fault::TooManyHops),
        hops => Ok(hops.map(|MaxForwards(hops)| hops)),
    }
}

/// What a request wants a server to understand (§8.2.2.3). `SUPPORTED` lists what we have.
pub(crate) fn required(request: &Message) -> Result<(), Fault> {
    if !request.has(Name::Require) {
        return Ok(());
    }
    understood(request, request.all::<Require>().filter_map(Result::ok).map(|tag| tag.0))
}

/// What a request wants a proxy to understand (§16.3 step 5). It is nothing that we would have to do.
pub(crate) fn proxy_required(request: &Message) -> Result<(), Fault> {
    if !request.has(Name::ProxyRequire) {
        return Ok(());
    }
    understood(request, request.all::<ProxyRequire>().filter_map(Result::ok).map(|tag| tag.0))
}

/// ACK and CANCEL cannot be refused for it (§8.2.2.3).
fn understood<'a>(request: &Message, tags: impl Iterator<Item = &'a str>) -> Result<(), Fault> {
    if matches!(request.method(), Some(Method::Ack | Method::Cancel)) {
        return Ok(());
    }
    let unknown: Vec<_> =
        tags.filter(|tag| !SUPPORTED.iter().any(|known| known.eq_ignore_ascii_case(tag))).collect();
    if unknown.is_empty() { Ok(()) } else { Err(Fault::BadExtension(unknown.join(", ").into())) }
}

/// The option tags that we understand: what `Supported` lists.
pub(crate) const SUPPORTED: [&str; 3] = ["path", "outbound", "gruu"];

/// True when an option tag is listed in a header.
pub(crate) fn lists<'a, H: Header<'a> + AsToken<'a>>(request: &'a Message, tag: &str) -> bool {
    request.has(H::NAME)
        && request
            .all::<H>()
            .filter_map(Result::ok)
            .any(|header| header.token().eq_ignore_ascii_case(tag))
}

/// A header that is one token.
pub(crate) trait AsToken<'a> {
    fn token(&self) -> &'a str;
}

impl<'a> AsToken<'a> for sip::header::Supported<'a> {
    fn token(&self) -> &'a str {
        self.0
    }
}

impl<'a> AsToken<'a> for Require<'a> {
    fn token(&self) -> &'a str {
        self.0
    }
}

/// A body that we would have to read, and cannot (§8.2.3). Only REGISTER and OPTIONS come to us, and we read no body of theirs: one
/// that its sender calls optional may stay.
pub(crate) fn body(request: &Message) -> Result<(), Fault> {
    if request.body().is_empty() {
        return Ok(());
    }
    let optional = request
        .get::<ContentDisposition>()
        .is_some_and(|body| body.handling() == Handling::Optional);
    if optional { Ok(()) } else { Err(Fault::UnsupportedMediaType) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, rows: &str) -> Message {
        Message::parse(format!("{method} sip:h SIP/2.0\r\n{rows}\r\n\r\n")).unwrap()
    }

    #[test]
    fn a_server_that_drains_lets_calls_end_and_begins_none() {
        let (new, within) =
            (request("INVITE", "To: <sip:b@h>"), request("BYE", "To: <sip:b@h>;tag=1"));
        assert_eq!(Entry::Open.admits(&new), Ok(()));
        assert_eq!(Entry::Draining.admits(&new), Err(Fault::Leaving(RESTART)));
        assert_eq!(Entry::Draining.admits(&within), Ok(()));
        assert_eq!(Entry::Draining.admits(&request("ACK", "To: <sip:b@h>")), Ok(()));
    }

    #[test]
    fn trap_47_what_is_required_and_unknown_is_named_but_not_to_ack_and_cancel() {
        let rows = "Require: path, 100rel\r\nRequire: foo\r\nProxy-Require: sec-agree";
        let fault = |tags: &str| Err(Fault::BadExtension(tags.into()));
        assert_eq!(required(&request("REGISTER", rows)), fault("100rel, foo"));
        assert_eq!(proxy_required(&request("INVITE", rows)), fault("sec-agree"));
        for method in ["ACK", "CANCEL"] {
            assert_eq!(required(&request(method, rows)), Ok(()));
            assert_eq!(proxy_required(&request(method, rows)), Ok(()));
        }
    }

    #[test]
    fn trap_48_a_body_must_be_read_unless_it_is_optional() {
        let rows = "Content-Type: text/plain\r\nContent-Disposition: render;handling=";
        let with = |handling: &str| {
            Message::parse(format!("OPTIONS sip:h SIP/2.0\r\n{rows}{handling}\r\n\r\nx")).unwrap()
        };
        assert_eq!(body(&with("required")), Err(Fault::UnsupportedMediaType));
        assert_eq!(body(&with("optional")), Ok(()));
        assert_eq!(body(&request("OPTIONS", "X: y")), Ok(()));
    }
}
