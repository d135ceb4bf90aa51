//! §5: what is told.

use std::time::Duration;

use offhook_tests::office::{Office, Phone};
use protocol::Input;

use super::{Watcher, attribute, body, office};

/// Registers one contact of 101; what is told then.
fn register(office: &mut Office, watcher: &mut Watcher, cseq: u32, contact: &str) -> String {
    office.wait(Duration::from_secs(6));
    let phone = Phone::udp(101);
    let mut request = phone.register(&format!("Contact: {contact}\r\n"));
    request.cseq = cseq;
    request.branch += &cseq.to_string();
    let sent = office.receive(phone.flow, request.wire());
    watcher.hear(office, &sent)
}

/// First all there is, then what has changed, each with the next version; a contact keeps its id through its life, and says what became
/// of it.
#[test]
fn the_life_of_a_contact_is_told() {
    let mut office = office();
    let mut watcher = Watcher::new(&mut office);
    let first = body(&watcher.last);
    assert_eq!(attribute(&first, "reginfo", "state"), "full");
    assert_eq!(attribute(&first, "registration", "state"), "init");
    assert_eq!(attribute(&first, "registration", "aor"), "sip:101@example.test");
    let mut ids = std::collections::BTreeSet::new();
    for (version, (contact, event, state)) in [
        ("<sip:a@b.example>;expires=600;q=0.5;video", "registered", "active"),
        ("<sip:a@b.example>;expires=900", "refreshed", "active"),
        ("<sip:a@b.example>;expires=100", "shortened", "active"),
        ("<sip:a@b.example>;expires=0", "unregistered", "terminated"),
    ]
    .into_iter()
    .enumerate()
    {
        let told = register(&mut office, &mut watcher, version as u32 + 1, contact);
        assert_eq!(attribute(&told, "reginfo", "version"), (version + 1).to_string());
        assert_eq!(attribute(&told, "reginfo", "state"), "partial");
        assert_eq!(attribute(&told, "registration", "state"), state, "{told}");
        assert_eq!(attribute(&told, "contact", "event"), event);
        assert_eq!(attribute(&told, "contact", "state"), state);
        assert_eq!(attribute(&told, "contact", "callid"), "registration-of-101");
        assert!(told.contains("<uri>sip:a@b.example</uri>"), "{told}");
        if event == "registered" {
            assert_eq!(attribute(&told, "contact", "q"), "0.500");
            assert!(told.contains("<unknown-param name=\"video\"></unknown-param>"));
        }
        ids.insert(attribute(&told, "contact", "id"));
    }
    assert_eq!(ids.len(), 1);
}

#[test]
fn a_contact_that_expires_or_loses_its_connection_is_told_as_such() {
    let mut office = office();
    let mut watcher = Watcher::new(&mut office);
    register(&mut office, &mut watcher, 1, "<sip:a@b.example>;expires=60");
    let told = office.wait(Duration::from_secs(61));
    let told = watcher.hear(&mut office, &told);
    assert_eq!(attribute(&told, "contact", "event"), "expired");
    office.wait(Duration::from_secs(6));
    let phone = Phone::tcp(101, 7);
    let sent = office
        .receive(phone.flow, phone.register("Contact: <sip:x@10.0.0.1>\r\n").call("x").wire());
    watcher.hear(&mut office, &sent);
    office.wait(Duration::from_secs(6));
    let sent = office.tell(Input::Failed(phone.flow));
    let told = watcher.hear(&mut office, &sent);
    assert_eq!(attribute(&told, "contact", "event"), "deactivated");
}

/// "If a registrar is supporting RFC 3680 and GRUU, it MUST also support RFC 5628."
/// Proves: rfc5627-5.5-1.
#[test]
fn gruus_are_told_with_their_contacts() {
    let mut office = office();
    let mut watcher = Watcher::new(&mut office);
    let phone = "<sip:101@198.51.100.1>;+sip.instance=\"<urn:uuid:1>\"";
    let told = register(&mut office, &mut watcher, 41, phone);
    let again = register(&mut office, &mut watcher, 42, phone);
    let public = attribute(&told, "gr:pub-gruu", "uri");
    assert!(public.starts_with("sip:101@example.test;gr="), "{public}");
    assert_eq!(attribute(&again, "gr:pub-gruu", "uri"), public);
    assert_ne!(attribute(&again, "gr:temp-gruu", "uri"), attribute(&told, "gr:temp-gruu", "uri"));
    assert_eq!(
        attribute(&again, "gr:temp-gruu", "first-cseq"),
        "41",
        "the first of this registration"
    );
    let gone = register(&mut office, &mut watcher, 43, &format!("{phone};expires=0"));
    assert!(!gone.contains("gruu uri"), "{gone}");
}

/// What wakes a phone is between it and us (RFC 8599 §13).
#[test]
fn push_parameters_are_not_told() {
    let mut office = office();
    let mut watcher = Watcher::new(&mut office);
    let contact = "<sip:a@b.example;pn-provider=x;pn-prid=secret;transport=tcp>";
    let told = register(&mut office, &mut watcher, 1, contact);
    assert!(told.contains("<uri>sip:a@b.example;transport=tcp</uri>"), "{told}");
    assert!(!told.contains("secret"));
}
