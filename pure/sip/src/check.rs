//! What must be true of every message before a role looks at it (RFC 3261 §8.1.1, §8.2, §16.3, §18.3, §20).

use crate::header::{
    CSeq, CallId, Contact, From, MaxForwards, NameAddr, RecordRoute, Route, To, Via,
};
use crate::{Header, Message, Method, Name, Param, ParseError, Scan, Uri};

/// The first thing that is wrong with a message that could be indexed: a header that is missing, doubled, or cannot be read, or a
/// CSeq that names another method.
pub fn check(message: &Message) -> Result<(), ParseError> {
    let from = only::<From<'_>>(message)?;
    let to = only::<To<'_>>(message)?;
    only::<CallId<'_>>(message)?;
    let cseq = only::<CSeq<'_>>(message)?;
    request_uri(message)?;
    credentials(message)?;
    address(message, &from, Name::From)?;
    address(message, &to, Name::To)?;
    if message.method().is_some_and(|method| method != cseq.method) {
        let at = message.rows(Name::CSeq).next().map_or(0, |row| message.offset(row));
        return Err(ParseError { what: "CSeq (method is not the request's)", at });
    }
    one_branch(message, &message.expect::<Via<'_>>()?)?;
    message.all::<Via<'_>>().skip(1).try_for_each(|via| via.map(drop))?;
    message.all::<MaxForwards>().try_for_each(|hops| hops.map(drop))?;
    message.all::<Route<'_>>().try_for_each(|route| address(message, &*route?, Name::Route))?;
    message
        .all::<RecordRoute<'_>>()
        .try_for_each(|route| address(message, &*route?, Name::RecordRoute))?;
    contacts(message)
}

/// A header that must be there once.
fn only<'a, H: Header<'a>>(message: &'a Message) -> Result<H, ParseError> {
    let mut rows = message.rows(H::NAME);
    let error = |at| ParseError { what: H::NAME.as_str(), at };
    if rows.next().is_none() {
        return Err(error(message.wire().len() - message.body().len()));
    }
    match rows.next() {
        Some(second) => Err(error(message.offset(second))),
        None => message.expect(),
    }
}

/// The URI of an address is one.
fn address(message: &Message, address: &NameAddr<'_>, name: Name) -> Result<(), ParseError> {
    let at = message.offset(address.uri);
    let wrong = |error: ParseError| ParseError { what: name.as_str(), at: at + error.at };
    address.parsed().map(drop).map_err(wrong)
}

/// The top Via has one branch: of two, somebody might take the other, and find another transaction (RFC 3261 §7.3.1).
fn one_branch(message: &Message, via: &Via<'_>) -> Result<(), ParseError> {
    let branch = |param: &Param<'_>| param.name.eq_ignore_ascii_case("branch");
    match via.params.iter().filter(branch).nth(1) {
        Some(param) => Err(ParseError { what: "Via", at: message.offset(param.name.as_bytes()) }),
        None => Ok(()),
    }
}

/// A scheme that we know must be written as its grammar says; any other is the router's to judge.
fn request_uri(message: &Message) -> Result<(), ParseError> {
    let Some(uri) = message.request_uri() else { return Ok(()) };
    let wrong =
        |error: ParseError| ParseError { what: "Request-URI", at: message.offset(uri) + error.at };
    Uri::parse(uri).map(drop).map_err(wrong)
}

/// Every quote that is opened in credentials is closed: what follows would be read as something else by the next server.
fn credentials(message: &Message) -> Result<(), ParseError> {
    let rows = [Name::Authorization, Name::ProxyAuthorization]
        .into_iter()
        .flat_map(|name| message.rows(name));
    for row in rows {
        let mut scan = Scan::new(row, "credentials (open quote)");
        while !scan.rest().is_empty() {
            scan.take_until(b'"');
            if scan.peek().is_some() {
                scan.quoted().map_err(|error| error.shifted(message.offset(row)))?;
            }
        }
    }
    Ok(())
}

/// Each is an address, or `*` stands alone, and only in a REGISTER (RFC 3261 §20.10).
fn contacts(message: &Message) -> Result<(), ParseError> {
    let (mut count, mut all) = (0, false);
    for contact in message.all::<Contact<'_>>() {
        count += 1;
        match contact? {
            Contact::All => all = true,
            Contact::At(there) => address(message, &there, Name::Contact)?,
        }
    }
    if !all || (count == 1 && message.method() == Some(Method::Register)) {
        return Ok(());
    }
    let at = message.rows(Name::Contact).next().map_or(0, |row| message.offset(row));
    Err(ParseError { what: "Contact (* among others)", at })
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
