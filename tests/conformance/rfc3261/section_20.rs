//! §20 and §25.1: the headers, as far as a reader and a writer can keep the rules.

use sip::header::{CSeq, Contact, From, Header, MaxForwards, NameAddr, ReplyTo, To};
use sip::stream::Framer;
use sip::{Draft, Message, Method, Name, Params, Status, quote};

/// "A UA SHOULD ignore extension header parameters that are not understood."
/// Proves: rfc3261-20-9.
#[test]
fn parameters_that_nobody_understands_do_no_harm() {
    let from = From::parse(b"<sip:a@h>;x=\"1;tag=no\";y;tag=yes;z=").unwrap();
    assert_eq!((from.uri, from.tag()), (&b"sip:a@h"[..], Some(&b"yes"[..])));
}

/// "Even if the "display-name" is empty, the "name-addr" form MUST be used if the "addr-spec" contains a comma, semicolon, or
/// question mark."
/// Proves: rfc3261-20-10, rfc3261-20.10-1, rfc3261-20.20-2, rfc3261-20.31-2.
#[test]
fn an_address_is_always_written_in_brackets() {
    for uri in [&b"sip:a,b@h"[..], b"sip:a@h;transport=tcp", b"sip:a@h?subject=x", b"sip:a@h"] {
        let expected = [b"<", uri, b">;x=1"].concat();
        let address = NameAddr { params: Params::new(b";x=1"), ..NameAddr::of(uri) };
        let texts = [
            From(address).text(),
            To(address).text(),
            ReplyTo(address).text(),
            Contact::At(address).text(),
        ];
        for text in texts {
            assert_eq!(text.as_bytes(), expected);
            assert_eq!(From::parse(text.as_bytes()).map(|from| from.0), Ok(address));
        }
    }
    // Read without brackets, a parameter is the header's.
    assert_eq!(Contact::parse(b"sip:a@h;q=0.5").unwrap().address().unwrap().uri, b"sip:a@h");
}

/// "Applications SHOULD use this field to indicate the size of the message-body to be transferred. … If a stream-based protocol
/// (such as TCP) is used as transport, the header field MUST be used. If no body is present in a message, then the Content-Length
/// header field value MUST be set to zero."
/// Proves: rfc3261-20.14-1, rfc3261-20.14-2, rfc3261-20.14-3, rfc3261-20-3.
#[test]
fn what_we_write_says_how_long_its_body_is() {
    let length = |wire: sip::Bytes| {
        let message = Message::parse(wire).unwrap();
        let rows: Vec<_> = message.rows(Name::ContentLength).collect();
        String::from_utf8(rows.concat()).unwrap()
    };
    let draft = || Draft::request(Method::Info, b"sip:b@h");
    assert_eq!(length(draft().wire()), "0");
    assert_eq!(length(draft().body("text/plain", b"four").wire()), "4");
    let request = Message::parse("INFO sip:b@h SIP/2.0\r\nCSeq: 1 INFO\r\n\r\nthree").unwrap();
    assert_eq!(length(request.reply(Status::OK).wire()), "0");
    // From a datagram without it onto a stream.
    let forwarded = request.edit().measured().wire();
    assert_eq!(length(forwarded.clone()), "5");
    let cut = |wire: &[u8]| {
        let mut framer = Framer::default();
        framer.push(wire);
        framer.cut()
    };
    assert!(cut(&forwarded).is_ok_and(|frame| frame.is_some()));
    assert!(cut(request.wire()).is_err(), "a stream without it cannot be cut");
}

/// "The sequence number MUST be expressible as a 32-bit unsigned integer."
/// Proves: rfc3261-20.16-1.
#[test]
fn a_sequence_number_fits_into_32_bits() {
    assert!(CSeq::parse(b"2147483647 INVITE").is_ok());
    for bad in ["4294967296 INVITE", "99999999999999999999 INVITE", "-1 INVITE", "1.5 INVITE"] {
        assert!(CSeq::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    assert!(MaxForwards::parse(b"256").is_err());
}

/// "These special characters MUST be in a quoted string to be used within a parameter value."
/// Proves: rfc3261-25.1-1.
#[test]
fn special_characters_are_quoted() {
    let special = b"()<>@,;:\\\"/[]?={} \t";
    let quoted = quote(special);
    let params = [b";x=", &*quoted, b";y=1"].concat();
    let params = Params::new(&params);
    assert_eq!(params.unquoted("x").as_deref(), Some(&special[..]));
    assert_eq!(params.text("y"), Some("1"));
    let address = NameAddr { display: Some(&quoted), ..NameAddr::of(b"sip:a@h") };
    let text = From(address).text();
    assert_eq!(From::parse(text.as_bytes()).unwrap().display_text().unwrap().as_bytes(), special);
}
