//! §5.3: what a registrar does with a Path, and §5.4 what the proxy beside it does.

use offhook_tests::office::{Office, Phone, requests, rows, status, trusting, uri};
use sip::Name;

/// The Path is kept, told in the 200, and becomes the Route of requests to the phone, topmost first.
#[test]
fn a_phone_is_called_by_the_path_that_it_registered_through() {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    let path = "<sip:203.0.113.1;lr>, <sip:edge.example;lr>";
    let rows_ = format!("Supported: path\r\nPath: {path}\r\nContact: <{}>\r\n", bob.contact());
    let sent = office.receive(bob.flow, bob.register(&rows_).wire());
    assert_eq!((status(&sent), rows(&sent, Name::Path)), (200, vec![path.to_owned()]));
    let invite = requests(
        &office.receive(alice.flow, alice.invite("sip:102@example.test").wire()),
        "INVITE",
    );
    assert_eq!(rows(&invite, Name::Route), [path]);
    assert_eq!(
        (uri(&invite[0]), invite[0].flow.peer.to_string()),
        (bob.contact(), "203.0.113.1:5060".into())
    );
}

/// A phone that does not know what a Path is gets none: nobody could tell it.
#[test]
fn without_support_a_path_is_not_kept() {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    let rows_ = format!("Path: <sip:203.0.113.1;lr>\r\nContact: <{}>\r\n", bob.contact());
    let sent = office.receive(bob.flow, bob.register(&rows_).wire());
    assert!(!sent[0].message.has(Name::Path));
    let invite = requests(
        &office.receive(alice.flow, alice.invite("sip:102@example.test").wire()),
        "INVITE",
    );
    assert!(!invite[0].message.has(Name::Route));
    assert_eq!(invite[0].flow, bob.flow);
}

/// A value may go on in the next line; and more of them than are kept are not kept in part: the phone would be called by another way.
#[test]
fn a_path_is_kept_whole_or_not_at_all() {
    let registered = |path: &str| {
        let mut office = Office::new(trusting());
        let (alice, bob) = (Phone::udp(101), Phone::udp(102));
        let rows_ = format!("Supported: path\r\nPath: {path}\r\nContact: <{}>\r\n", bob.contact());
        let answer = status(&office.receive(bob.flow, bob.register(&rows_).wire()));
        let invite = alice.invite("sip:102@example.test");
        let sent = requests(&office.receive(alice.flow, invite.wire()), "INVITE");
        (answer, if sent.is_empty() { Vec::new() } else { rows(&sent, Name::Route) })
    };
    let folded = "\"an\r\n edge\" <sip:203.0.113.1;lr>;x=y";
    assert_eq!(registered(folded), (200, vec![folded.replace("\r\n", "  ")]));
    let many = |count: usize| vec!["<sip:203.0.113.1;lr>"; count].join(", ");
    assert_eq!(registered(&many(32)), (200, vec![many(32)]));
    assert_eq!(registered(&many(33)), (400, Vec::new()));
}
