//! §4.4 and §4.5: what is said of events, and how subscriptions share dialogs and find their way.

use std::time::Duration;

use offhook_tests::office::{Phone, requests, rows, status};
use sip::{Name, Uri};

use crate::rfc3680::{Watcher, attribute, office, subscribe};

/// "Any user agent that can act as a notifier for one or more event packages SHOULD include an appropriate "Allow-Events" header field …
/// in all methods which initiate dialogs and their responses … and OPTIONS responses."
/// Proves: rfc6665-4.4.4-2.
#[test]
fn we_say_what_can_be_watched() {
    let (mut office, phone) = (office(), Phone::udp(101));
    let options = phone.request("OPTIONS", "sip:example.test").call("o");
    let sent = office.receive(phone.flow, options.wire());
    assert_eq!(rows(&sent, Name::AllowEvents), ["reg"]);
    assert!(rows(&sent, Name::Allow)[0].contains("SUBSCRIBE"));
    let sent = office.receive(phone.flow, subscribe(&phone, "").wire());
    assert_eq!(rows(&sent, Name::AllowEvents), ["reg"]);
}

/// "Note that "Allow-Events" header fields MUST NOT be inserted by proxies." "If a proxy wishes to see all of the SUBSCRIBE and NOTIFY requests
/// for a given dialog, it MUST add a "Record-Route" header field to the initial SUBSCRIBE request and all NOTIFY requests."
/// Proves: rfc6665-4.4.4-3, rfc6665-4.3-1, rfc6665-4.3-2.
#[test]
fn what_we_pass_on_we_stay_on_the_path_of_and_add_nothing_to() {
    let (mut office, phone) = (office(), Phone::udp(101));
    office.register(&Phone::udp(102));
    for method in ["SUBSCRIBE", "NOTIFY"] {
        let request = phone.request(method, "sip:102@example.test").call(method);
        let request = request.row("Event: presence").row("Subscription-State: active;expires=9");
        let sent = requests(&office.receive(phone.flow, request.wire()), method);
        assert!(!sent[0].message.has(Name::AllowEvents));
        assert_eq!(rows(&sent, Name::RecordRoute).len(), 1, "{method}");
    }
}

/// "Notifiers MUST implement the Globally Routable User Agent URI (GRUU) extension defined in [RFC5627], and MUST use a GRUU as their local
/// target."
/// Proves: rfc6665-4.5.1-1.
#[test]
fn our_target_is_good_from_everywhere() {
    let (mut office, phone) = (office(), Phone::udp(101));
    let sent = office.receive(phone.flow, subscribe(&phone, "").wire());
    for message in &sent {
        let contact = rows(std::slice::from_ref(message), Name::Contact).remove(0);
        let uri = contact.trim_matches(['<', '>']).to_owned();
        let Ok(Uri::Sip(uri)) = Uri::parse(uri.as_bytes()) else { panic!("{contact}") };
        assert!(uri.params.has("gr") && uri.host.to_string() == "192.0.2.10", "{contact}");
    }
}

/// "If an "id" parameter is present in the SUBSCRIBE request used to establish a subscription, that "id" parameter MUST also be present in all
/// corresponding NOTIFY requests." Two ids are two subscriptions, in one dialog too.
/// Proves: rfc6665-4.5.2-3.
#[test]
fn an_id_names_a_subscription() {
    let (mut office, phone) = (office(), Phone::udp(101));
    let mut request = subscribe(&phone, "");
    request.rows = request.rows.replace("Event: reg", "Event: reg;id=7");
    let sent = office.receive(phone.flow, request.wire());
    assert_eq!(rows(&sent[1..], Name::Event), ["reg;id=7"]);
    let mut other = request.again();
    other.to = rows(&sent, Name::To).remove(0);
    other.uri = rows(&sent, Name::Contact)[0].trim_matches(['<', '>']).to_owned();
    let mut wrong = other.again();
    wrong.rows = wrong.rows.replace("id=7", "id=8");
    assert_eq!(status(&office.receive(phone.flow, wrong.wire())), 481);
    let mut right = other.again().again();
    right.rows = right.rows.replace("id=8", "id=7");
    assert_eq!(status(&office.receive(phone.flow, right.wire())), 200);
}

/// "Any event package that supports delta changes to states MUST include a version number that increases by exactly one for each NOTIFY
/// transaction in a subscription."
/// Proves: rfc6665-5.3.2-1.
#[test]
fn versions_rise_by_one() {
    let mut office = office();
    let mut watcher = Watcher::new(&mut office);
    for version in 1..5 {
        office.wait(Duration::from_secs(6));
        let phone = Phone::udp(101);
        let mut request = phone.register(&format!("Contact: <sip:{version}@b.example>\r\n"));
        request.cseq = version;
        request.branch += &version.to_string();
        let sent = office.receive(phone.flow, request.wire());
        let body = watcher.hear(&mut office, &sent);
        assert_eq!(attribute(&body, "reginfo", "version"), version.to_string());
    }
}
