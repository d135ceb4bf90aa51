//! §6.3: what a registrar says; §6.2: what a proxy leaves alone.

use offhook_tests::office::{Office, Phone, reply, requests, rows, status, trusting};
use sip::header::{Route, ServiceRoute};
use sip::{Header as _, Name, Uri};

const ROUTES: [&str; 2] = ["sip:edge.example.test;lr", "sip:192.0.2.10;transport=tcp;lr"];

fn office() -> Office {
    let mut settings = trusting();
    settings.registrar.service_route = ROUTES.map(Box::from).into();
    Office::new(settings)
}

/// "the inserted Service-Route element(s) MUST conform to the syntax of a Route element" "such route elements MUST include the
/// loose-routing indicator parameter ";lr"" The order is that of the settings, in the first 200 and in every other, also in that of a
/// REGISTER that only asks.
/// Proves: rfc3608-5-1, rfc3608-5-2, rfc3608-A-1, rfc3608-A-2, rfc3608-A-3.
#[test]
fn every_200_says_the_same_way_out() {
    let (mut office, phone) = (office(), Phone::udp(101));
    let contact = format!("Contact: <{}>\r\n", phone.contact());
    for (cseq, asks) in [(1, contact.as_str()), (2, ""), (3, "Contact: *\r\nExpires: 0\r\n")] {
        let mut request = phone.register(asks);
        request.cseq = cseq;
        request.branch += &cseq.to_string();
        let sent = office.receive(phone.flow, request.wire());
        assert_eq!(status(&sent), 200);
        let said: Vec<_> = sent[0].message.all::<ServiceRoute<'_>>().map(Result::unwrap).collect();
        let uris: Vec<_> = said.iter().map(|route| route.uri).collect();
        assert_eq!(uris, ROUTES.map(str::as_bytes));
        for row in sent[0].message.rows(Name::ServiceRoute) {
            let route = Route::parse(row).unwrap();
            assert!(matches!(Uri::parse(route.uri), Ok(Uri::Sip(uri)) if uri.is_loose()));
        }
    }
    let mut refused = phone.register("Contact: <mailto:x@y>\r\n").again().again();
    refused.cseq = 9;
    let sent = office.receive(phone.flow, refused.wire());
    assert_eq!((status(&sent), rows(&sent, Name::ServiceRoute).len()), (403, 0));
}

/// "intermediate proxies SHOULD NOT alter the value of Service-Route in REGISTER responses"
/// Proves: rfc3608-6.2-1.
#[test]
fn what_another_registrar_says_passes_as_it_is() {
    let (mut office, phone) = (office(), Phone::udp(101));
    let mut register = phone.register(&format!("Contact: <{}>\r\n", phone.contact()));
    register.uri = "sip:192.0.2.77".into();
    register.to = "<sip:101@192.0.2.77>".into();
    let sent = requests(&office.receive(phone.flow, register.wire()), "REGISTER");
    let theirs = "<sip:a@x.example;lr> , <sip:b@y.example;lr>;z=1";
    let wire = reply(&sent[0].message, 200, &format!("Service-Route: {theirs}\r\n"));
    let back = office.receive(sent[0].flow, wire);
    assert_eq!(rows(&back, Name::ServiceRoute), [theirs]);
}
