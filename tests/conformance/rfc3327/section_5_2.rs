//! §5.2: what an intermediate proxy does with a Path.

use offhook_tests::office::{Office, Phone, Request, reply, requests, rows, status, trusting};
use sip::Name;

/// A REGISTER at another domain.
fn register(phone: &Phone, rows: &str) -> Request {
    let mut request = phone.register(&format!("Contact: <{}>\r\n{rows}", phone.contact()));
    request.uri = "sip:203.0.113.50".into();
    request
}

/// "Intermediate proxies SHOULD NOT add a Path header field to a request unless the UA has indicated support" "If the UA has indicated support
/// and the proxy requires the registrar to support the Path extension, then the proxy SHOULD insert a Requires header field value"
/// Proves: rfc3327-5.2-1, rfc3327-5.2-2.
#[test]
fn a_path_is_written_for_who_knows_it_and_must_be_kept_then() {
    for (said, paths, required) in [
        ("", 0, vec![]),
        ("Supported: gruu\r\n", 0, vec![]),
        ("Supported: path\r\n", 1, vec!["path"]),
        ("Supported: path\r\nRequire: path\r\n", 1, vec!["path"]),
        ("Supported: path\r\nRequire: gruu\r\n", 1, vec!["gruu", "path"]),
    ] {
        let (mut office, phone) = (Office::new(trusting()), Phone::udp(102));
        let sent = office.receive(phone.flow, register(&phone, said).wire());
        let sent = requests(&sent, "REGISTER");
        assert_eq!(rows(&sent, Name::Path).len(), paths, "{said}");
        assert_eq!(rows(&sent, Name::Require), required, "{said}");
    }
}

/// "If the UA has not indicated support for the extension and the proxy requires support for it in the registrar, the proxy SHOULD reject the
/// request with a 421 response indicating a requirement for the extension."
/// Proves: rfc3327-5.2-3.
#[test]
fn a_phone_that_counts_on_its_flow_must_know_the_path_to_it() {
    let (mut office, phone) = (Office::new(trusting()), Phone::udp(102));
    let mut request = register(&phone, "Supported: outbound\r\n");
    let contact = "Contact: <sip:102@198.51.100.2:5060>";
    let flow = format!("{contact};+sip.instance=\"<urn:x>\";reg-id=1");
    request.rows = request.rows.replace(contact, &flow);
    let sent = office.receive(phone.flow, request.wire());
    assert_eq!((status(&sent), rows(&sent, Name::Require)), (421, vec!["path".to_owned()]));
}

/// "Proxies processing a REGISTER response SHOULD NOT alter any Path header field values that may be present in the response."
/// Proves: rfc3327-5.2-4, rfc3327-5.2-5.
#[test]
fn the_path_in_a_response_passes_as_it_is() {
    let (mut office, phone) = (Office::new(trusting()), Phone::udp(102));
    let sent = office.receive(phone.flow, register(&phone, "Supported: path\r\n").wire());
    let sent = requests(&sent, "REGISTER");
    let path = rows(&sent, Name::Path).remove(0);
    let theirs = format!("Path: {path} , <sip:x.example;lr>\r\n");
    let back = office.receive(sent[0].flow, reply(&sent[0].message, 200, &theirs));
    assert_eq!(rows(&back, Name::Path), [theirs.trim_end().strip_prefix("Path: ").unwrap()]);
}
