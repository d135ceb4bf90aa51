//! §19.1: SIP and SIPS URIs: read, escaped, compared, made into requests.

use sip::uri::{Formed, escape_header, escape_user, same, unescape};
use sip::{Draft, Message, Method, ParseError, Uri};

fn uri(text: &str) -> Uri<'_> {
    Uri::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &[u8]) -> bool {
    Uri::parse(text).is_err()
}

/// "If the @ sign is present in a SIP or SIPS URI, the user field MUST NOT be empty."
/// Proves: rfc3261-19.1.1-1.
#[test]
fn a_user_is_not_empty() {
    assert!(refused(b"sip:@h") && refused(b"sips:@h") && refused(b"sip::secret@h"));
    assert!(uri("sip:h").sip().is_some_and(|uri| uri.user.is_none()));
}

/// "SIP elements MUST silently ignore any uri-parameters that they do not understand."
/// Proves: rfc3261-19.1.1-8.
#[test]
fn parameters_that_nobody_understands_change_nothing() {
    let (plain, more) =
        (uri("sip:bob@h;transport=tcp"), uri("sip:bob@h;x=1;transport=tcp;Y;z=%41"));
    assert!(same(&plain, &more));
    let (plain, more) = (plain.sip().unwrap(), more.sip().unwrap());
    assert_eq!((plain.user, plain.transport()), (more.user, more.transport()));
    assert_eq!((plain.hostport(), plain.is_loose()), (more.hostport(), more.is_loose()));
}

/// "Excluded US-ASCII characters, such as space and control characters and characters used as URI delimiters, also MUST be
/// escaped. URIs MUST NOT contain unescaped space and control characters. … All other characters MUST be escaped."
/// Proves: rfc3261-19.1.2-1, rfc3261-19.1.2-2, rfc3261-19.1.2-3.
#[test]
fn what_cannot_stand_in_a_user_is_escaped() {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&octet);
    for octet in 0..=255_u8 {
        let escaped = escape_user(&[octet]);
        let expected = format!("%{octet:02X}").into_bytes();
        assert_eq!(escaped, if plain(octet) { vec![octet] } else { expected });
        let text = [b"sip:", &*escaped, b"@h"].concat();
        let read = Uri::parse(&text).unwrap();
        assert_eq!(*unescape(read.sip().unwrap().user.unwrap()), [octet]);
        if octet <= b' ' || octet == 0x7f {
            for place in
                [&b"sip:a"[..], b"sip:a@h", b"sip:a@h;x", b"sip:a@h?x=y", b"tel:1", b"urn:x"]
            {
                assert!(refused(&[place, &[octet]].concat()), "{octet}");
            }
        }
    }
}

/// "Expanding the hname and hvalue tokens in Section 25 show that all URI reserved characters in header field names and values MUST
/// be escaped."
/// Proves: rfc3261-19.1.2-4.
#[test]
fn what_is_reserved_is_escaped_in_a_header_of_a_uri() {
    let all: Vec<u8> = (0..=255).collect();
    let escaped = escape_header(&all);
    assert_eq!(unescape(&escaped), all);
    // `hnv-unreserved` takes these out of the reserved ones.
    let reserved = b";@&=,".iter().chain(b" \"<>#\\^`{|}\x7f");
    assert!(reserved.clone().all(|octet| !escaped.contains(octet)));
    let value = escape_header(b"1;to-tag=2&x=3 ?");
    let text = [b"sip:b@h?Replaces=", &*value, b"&Subject=s"].concat();
    let read = Uri::parse(&text).unwrap();
    let headers = read.sip().unwrap().headers.unwrap();
    assert_eq!(headers.split(|octet| *octet == b'&').count(), 2);
}

/// "Current implementations MUST NOT attempt to improve robustness by treating received escaped characters in the host component
/// as literally equivalent to their unescaped counterpart."
/// Proves: rfc3261-19.1.2-6.
#[test]
fn an_escape_in_a_host_is_not_undone() {
    assert!(refused(b"sip:a@%65xample.com") && refused(b"sip:a@example%2Ecom"));
    assert!(refused(b"sip:%65xample.com") && refused(b"sip:a@[2001:db8::%31]"));
}

/// §19.1.4: the user is compared with its case, the rest without; escapes are what they mean.
/// Proves: rfc3261-19.1.4-1.
#[test]
fn headers_in_both_must_match_and_a_default_is_not_an_absent_one() {
    for (a, b, equal) in [
        ("sip:a@h?x=1", "sip:a@h", false),
        ("sip:a@h?x=1", "sip:a@h?x=2", false),
        ("sip:a@h?x=1&y=2", "sip:a@h?y=2&X=1", true),
        ("sip:a@h", "sip:A@h", false),
        ("sip:a@h", "sip:a@H", true),
        ("sip:a:p@h", "sip:a:P@h", false),
        ("sip:a@h", "sip:a@h:5060", false),
        ("sip:a@h", "sip:a@h;transport=udp", false),
        ("sip:a@h;maddr=x", "sip:a@h", false),
        ("sip:a@h;ttl=1", "sip:a@h", false),
        ("sip:a@h;user=phone", "sip:a@h", false),
        ("sip:a@h;method=INVITE", "sip:a@h", false),
        ("sip:a@h;other=1", "sip:a@h", true),
        ("sip:a@h;other=1", "sip:a@h;other=2", false),
        ("sip:a@h", "sips:a@h", false),
        ("sip:%61@h", "sip:a@h", true),
        ("sip:a%40@h", "sip:a%40@h", true),
        ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]", true),
    ] {
        assert_eq!(same(&uri(a), &uri(b)), equal, "{a} {b}");
        assert_eq!(same(&uri(b), &uri(a)), equal, "{b} {a}");
    }
}

fn form(text: &str) -> Result<Formed<'_>, ParseError> {
    uri(text).sip().unwrap().form(&["replaces"])
}

/// "An implementation MUST include any provided transport, maddr, ttl, or user parameter in the Request-URI of the formed request.
/// If the URI contains a method parameter, its value MUST be used as the method of the request. The method parameter MUST NOT be
/// placed in the Request-URI. Unknown URI parameters MUST be placed in the message's Request-URI."
/// Proves: rfc3261-19.1.5-1, rfc3261-19.1.5-2, rfc3261-19.1.5-3, rfc3261-19.1.5-4.
#[test]
fn a_request_goes_to_the_uri_without_its_method() {
    let text =
        "sips:b@h:5071;transport=tcp;Method=MESSAGE;maddr=m;ttl=1;user=phone;x;y=%41?Subject=s";
    let formed = form(text).unwrap();
    assert_eq!(formed.method, Method::Message);
    assert_eq!(formed.uri, b"sips:b@h:5071;transport=tcp;maddr=m;ttl=1;user=phone;x;y=%41");
    assert_eq!(form("sip:h").unwrap().method, Method::Invite);
}

/// "An implementation SHOULD treat the presence of any headers or body parts in the URI as a desire to include them in the message,
/// and choose to honor the request on a per-component basis. An implementation SHOULD NOT honor these obviously dangerous header
/// fields: From, Call-ID, CSeq, Via, and Record-Route. … any requested Route header field values … header fields that may cause
/// it to falsely advertise its location or capabilities."
/// Proves: rfc3261-19.1.5-5, rfc3261-19.1.5-6, rfc3261-19.1.5-7, rfc3261-19.1.5-8.
#[test]
fn a_uri_may_say_what_the_call_is_about_but_not_who_we_are() {
    let dangerous = [
        "From",
        "f",
        "Call-ID",
        "i",
        "CSeq",
        "Via",
        "v",
        "Record-Route",
        "Route",
        "Accept",
        "Accept-Encoding",
        "Accept-Language",
        "Allow",
        "Contact",
        "m",
        "Organization",
        "Supported",
        "User-Agent",
        "uSER-aGENT",
    ];
    for name in dangerous {
        let text = format!("sip:b@h?{name}=%3Csip:x@y%3E&Subject=a%20call&body=hi%0D%0A&X-Y=1");
        let formed = form(&text).unwrap();
        let honoured =
            [("Subject".to_owned(), b"a call".to_vec()), ("X-Y".to_owned(), b"1".to_vec())];
        assert_eq!(formed.headers, honoured, "{name}");
        assert_eq!(formed.body.as_deref(), Some(&b"hi\r\n"[..]));
    }
}

/// "If the request formed from constructing a message from a given URI is not a valid SIP request, the URI is invalid. An
/// implementation MUST NOT proceed with transmitting the request. … An implementation MUST NOT send a request requiring an extension
/// that it does not support."
/// Proves: rfc3261-19.1.5-10, rfc3261-19.1.5-11, rfc3261-19.1.5-12.
#[test]
fn what_would_be_no_valid_request_is_not_formed() {
    for bad in [
        "sip:b@h?Subject=x%0D%0AEvil:1",
        "sip:b@h?Evil%0D%0A=1",
        "sip:b@h?a%20b=1",
        "sip:b@h?=1",
        "sip:b@h?Subject",
        "sip:b@h?Expires=soon",
        "sip:b@h?Replaces=no-tags",
        "sip:b@h?Require=100rel",
        "sip:b@h?Require=replaces,100rel",
        "sip:b@h?Proxy-Require=x",
        "sip:b@h;method=A/B",
    ] {
        assert!(form(bad).is_err(), "{bad}");
    }
    assert_eq!(form("sip:b@h?Require=Replaces").unwrap().headers.len(), 1);
    let formed = form("sip:b@h?Subject=x&body=y&Content-Type=text%2Fplain").unwrap();
    let draft = Draft::request(formed.method, &formed.uri);
    let draft = formed.headers.iter().fold(draft, |draft, (name, value)| draft.named(name, value));
    assert!(Message::parse(draft.wire()).is_ok());
}
