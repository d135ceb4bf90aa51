//! What must be true of every message before a role looks at it (RFC 3261 §8.1.1, §8.2, §16.3, §18.3, §20).

use crate::core::{Core, Place};
use crate::header::{CSeq, CallId, MaxForwards, NameAddr, Via};
use crate::scan::elements;
use crate::{Header, Message, Method, Name, ParseError, Scan, Uri};

/// The first thing that is wrong with a message that could be indexed: a header that is missing, doubled, or cannot be read, or a
/// CSeq that names another method. Each row is read once.
pub fn check(message: &Message) -> Result<(), ParseError> {
    read_core(message).map(drop)
}

/// Checks a message; what everybody will ask of it is read here.
pub(crate) fn read_core(message: &Message) -> Result<Core, ParseError> {
    request_uri(message)?;
    let mut seen = Seen::default();
    for (row, at) in message.head().rows.iter().enumerate() {
        seen.row(message, at.name, Place { row, value: message.value(at) })?;
    }
    seen.all(message)?;
    Ok(seen.core)
}

/// How often what may be there once, or must be there, was; and what was read.
#[derive(Default)]
struct Seen {
    from: usize,
    to: usize,
    call_id: usize,
    cseq: usize,
    max_forwards: usize,
    vias: usize,
    contacts: usize,
    all_contacts: usize,
    core: Core,
}

impl Seen {
    /// Reads a row as its name says.
    fn row(&mut self, message: &Message, name: Name, place: Place<'_>) -> Result<(), ParseError> {
        let value = place.value;
        let here = |error: ParseError| error.shifted(message.offset(value));
        match name {
            // What stands in requests only says nothing in a response, however it is written (RFC 3261 §20).
            Name::MaxForwards | Name::Route | Name::Authorization | Name::ProxyAuthorization
                if !message.is_request() =>
            {
                Ok(())
            }
            Name::Via => {
                elements(value, name.grammar()).try_for_each(|via| self.via(message, via, place))
            }
            Name::From => {
                once(&mut self.from, message, (name, value))?;
                self.core.note_from(place, &address(message, (name, value))?);
                Ok(())
            }
            Name::To => {
                once(&mut self.to, message, (name, value))?;
                self.core.note_to(place, &address(message, (name, value))?);
                Ok(())
            }
            Name::CallId => {
                once(&mut self.call_id, message, (name, value))?;
                CallId::parse(value).map(drop).map_err(here)
            }
            Name::CSeq => {
                once(&mut self.cseq, message, (name, value))?;
                let read = CSeq::parse(value).map_err(here)?;
                self.core.note_cseq(place, &read);
                cseq(message, &read, value)
            }
            Name::MaxForwards => {
                once(&mut self.max_forwards, message, (name, value))?;
                MaxForwards::parse(value).map(drop).map_err(here)
            }
            Name::Contact => elements(value, name.grammar())
                .try_for_each(|contact| self.contact(message, contact)),
            Name::Route | Name::RecordRoute => elements(value, name.grammar())
                .try_for_each(|at| address(message, (name, at)).map(drop)),
            Name::Authorization | Name::ProxyAuthorization => credentials(message, value),
            _ => Ok(()),
        }
    }

    fn via(&mut self, message: &Message, value: &[u8], place: Place<'_>) -> Result<(), ParseError> {
        let via = Via::parse(value).map_err(|error| error.shifted(message.offset(value)))?;
        self.vias += 1;
        if self.vias > 1 {
            return Ok(());
        }
        // One branch: of two, somebody might take the other, and find another transaction (RFC 3261 §7.3.1).
        let marks = via.marks();
        if let Some(second) = marks.second {
            return Err(ParseError { what: "Via", at: message.offset(second) });
        }
        self.core.note_via(place, &via, &marks);
        Ok(())
    }

    fn contact(&mut self, message: &Message, value: &[u8]) -> Result<(), ParseError> {
        self.contacts += 1;
        if value == b"*" {
            self.all_contacts += 1;
            return Ok(());
        }
        address(message, (Name::Contact, value)).map(drop)
    }

    /// Is everything there? `*` stands alone, and only in a REGISTER (RFC 3261 §20.10).
    fn all(&self, message: &Message) -> Result<(), ParseError> {
        let there = [
            (self.from, Name::From),
            (self.to, Name::To),
            (self.call_id, Name::CallId),
            (self.cseq, Name::CSeq),
            (self.vias, Name::Via),
        ];
        if let Some((_, name)) = there.into_iter().find(|(count, _)| *count == 0) {
            return Err(ParseError { what: name.as_str(), at: message.head().body });
        }
        let alone = self.contacts == 1 && message.method() == Some(Method::Register);
        if self.all_contacts == 0 || alone {
            return Ok(());
        }
        let at = message.rows(Name::Contact).next().map_or(0, |row| message.offset(row));
        Err(ParseError { what: "Contact (* among others)", at })
    }
}

/// A header that may be there once.
fn once(count: &mut usize, message: &Message, row: (Name, &[u8])) -> Result<(), ParseError> {
    let (name, value) = row;
    if std::mem::replace(count, 1) == 1 {
        return Err(ParseError { what: name.as_str(), at: message.offset(value) });
    }
    Ok(())
}

/// The CSeq names the method of its request (RFC 3261 §8.1.1.5).
fn cseq(message: &Message, cseq: &CSeq<'_>, value: &[u8]) -> Result<(), ParseError> {
    if message.method().is_none_or(|method| method == cseq.method) {
        return Ok(());
    }
    let at = message.offset(value);
    Err(ParseError { what: "CSeq (method is not the request's)", at })
}

/// An address can be read, and its URI is one.
fn address<'a>(
    message: &Message,
    (name, value): (Name, &'a [u8]),
) -> Result<NameAddr<'a>, ParseError> {
    let wrong = |part: &[u8], error: ParseError| ParseError {
        what: name.as_str(),
        at: message.offset(part) + error.at,
    };
    let address = NameAddr::read(value, name.as_str()).map_err(|error| wrong(value, error))?;
    Uri::check(address.uri).map_err(|error| wrong(address.uri, error))?;
    Ok(address)
}

/// A scheme that we know must be written as its grammar says; any other is the router's to judge.
fn request_uri(message: &Message) -> Result<(), ParseError> {
    let Some(uri) = message.request_uri() else { return Ok(()) };
    let wrong =
        |error: ParseError| ParseError { what: "Request-URI", at: message.offset(uri) + error.at };
    Uri::check(uri).map_err(wrong)
}

/// Every quote that is opened in credentials is closed: what follows would be read as something else by the next server.
fn credentials(message: &Message, row: &[u8]) -> Result<(), ParseError> {
    let mut scan = Scan::new(row, "credentials (open quote)");
    while !scan.rest().is_empty() {
        scan.take_until(b'"');
        if scan.peek().is_some() {
            scan.quoted().map_err(|error| error.shifted(message.offset(row)))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
                        To: <sip:b@h>\r\nCall-ID: x@y\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\r\n";

    fn verdict(from: &str, to: &str) -> Result<(), ParseError> {
        check(&Message::parse(GOOD.replace(from, to)).unwrap())
    }

    #[test]
    fn a_good_message_passes_and_each_fault_is_named() {
        assert_eq!(verdict("", ""), Ok(()));
        for (from, to, what) in [
            ("CSeq: 1 OPTIONS", "CSeq: 1 INVITE", "CSeq (method is not the request's)"),
            ("To: <sip:b@h>\r\n", "", "To"),
            ("To: <sip:b@h>\r\n", "To: <sip:b@h>\r\nt: <sip:c@h>\r\n", "To"),
            ("x@y", "x y", "Call-ID"),
            ("Max-Forwards: 70", "Max-Forwards: 700", "Max-Forwards"),
            ("Max-Forwards: 70", "Contact: *", "Contact (* among others)"),
            ("Via: SIP/2.0/UDP h", "Via: SIP/2.0/UDP", "Via"),
            ("branch=z9hG4bK1", "branch=z9hG4bK1;branch=z9hG4bK2", "Via"),
            ("OPTIONS sip:b@h", "OPTIONS sip:2001:db8::10", "Request-URI"),
            ("Max-Forwards: 70", "Authorization: Digest username=\"a", "credentials (open quote)"),
        ] {
            assert_eq!(verdict(from, to).map_err(|error| error.what), Err(what), "{to}");
        }
    }
}
