//! §5.1–§5.3: GRUUs are made with a registration, told in its 200, and end with it, or do not.

use std::time::Duration;

use offhook_tests::office::{Office, Phone, rows, status, trusting};
use sip::{Name, Uri};

use super::{call, gruus, register, sign_on};

const A: &str = "aaaa";

/// "If the contact URI is equivalent … to the AOR, the registrar MUST reject the request with a 403" "If the contact URI is a GRUU for
/// the AOR in the To header field of the REGISTER request, the registrar MUST reject the request with a 403" "If the contact is not a SIP
/// URI, the REGISTER request MUST be rejected with a 403."
/// Proves: rfc5627-A-8, rfc5627-A-9, rfc5627-A-10.
#[test]
fn a_contact_that_leads_in_a_circle_or_nowhere_is_refused() {
    let (mut office, phone) = (Office::new(trusting()), Phone::udp(102));
    let (public, temporary) = sign_on(&mut office, &phone, A, 1);
    let circles = ["sip:102@EXAMPLE.test", "sip:%31%302@example.test;x=y", &public, &temporary];
    for (at, contact) in circles.into_iter().chain(["mailto:a@b.example"]).enumerate() {
        let mut request = register(&phone, "bbbb", 10 + at as u32);
        request.rows = request.rows.replace(&phone.contact(), contact);
        assert_eq!(status(&office.receive(phone.flow, request.wire())), 403, "{contact}");
    }
    // Somebody else's is an address like any other.
    let mut other = register(&Phone::udp(104), "cccc", 1);
    other.rows = other.rows.replace(&Phone::udp(104).contact(), &public);
    assert_eq!(status(&office.receive(Phone::udp(104).flow, other.wire())), 200);
}

/// "the registrar SHOULD construct a public GRUU" "The public GRUU MUST be constructed by adding the "gr" URI parameter, with a value, to
/// the AOR." "the registrar MUST add a "temp-gruu" Contact header field parameter" "The value of the "temp-gruu" parameter is a quoted
/// string, and MUST contain the most recently created temporary GRUU" "the registrar MUST add a "pub-gruu" Contact header field parameter"
/// "the registrar SHOULD create a new temporary GRUU" "The quoted strings for temp-gruu and pub-gruu MUST contain a SIP URI."
/// Proves: rfc5627-A-11, rfc5627-A-12, rfc5627-A-15, rfc5627-5.2-1, rfc5627-5.2-2, rfc5627-5.2-3, rfc5627-7-1.
#[test]
fn a_phone_that_knows_gruus_is_told_its_own() {
    let (mut office, phone) = (Office::new(trusting()), Phone::udp(102));
    let first = sign_on(&mut office, &phone, A, 1);
    let second = sign_on(&mut office, &phone, A, 2);
    assert_eq!(first.0, second.0, "the public one stays");
    assert_ne!(first.1, second.1, "the temporary one is new each time");
    assert!(first.0.starts_with("sip:102@example.test;gr="), "{}", first.0);
    for uri in [&first.0, &first.1, &second.1] {
        let Ok(Uri::Sip(read)) = Uri::parse(uri.as_bytes()) else { panic!("{uri}") };
        assert!(read.params.has("gr") && read.host.to_string() == "example.test");
        assert_eq!(call(&mut office, uri), Ok(vec!["198.51.100.2".into()]), "{uri}");
    }
    assert!(!first.0.contains(A) && !first.1.contains("102"), "nobody learns what it is, or whose");
}

/// "If the REGISTER request contained a Supported header field that included the "gruu" option tag" "The registrar SHOULD NOT include the
/// "gruu" option tag in the Require or Supported header field of the response."
/// Proves: rfc5627-5.2-4.
#[test]
fn who_does_not_know_gruus_or_names_no_instance_is_told_none() {
    for (from, to) in [("Supported: gruu\r\n", ""), ("+sip.instance", "+x.instance")] {
        let (mut office, phone) = (Office::new(trusting()), Phone::udp(102));
        let wire = register(&phone, A, 1).wire().replace(from, to);
        let sent = office.receive(phone.flow, wire);
        assert_eq!(status(&sent), 200);
        let row = rows(&sent, Name::Contact).remove(0);
        assert!(!row.contains("gruu"), "{row}");
    }
    let (mut office, phone) = (Office::new(trusting()), Phone::udp(102));
    let wire = register(&phone, A, 1).wire().replace("Supported: gruu", "Require: gruu");
    let sent = office.receive(phone.flow, wire);
    gruus(&sent, A);
    for name in [Name::Require, Name::Supported] {
        assert!(!rows(&sent, name).iter().any(|row| row.contains("gruu")));
    }
}

/// "If the contact contained a "pub-gruu" Contact header field parameter, the header field parameter MUST be ignored by the registrar."
/// "If the contact contained a "temp-gruu" Contact header field parameter, the header field parameter MUST be ignored"
/// Proves: rfc5627-A-13, rfc5627-2-1.
#[test]
fn a_phone_cannot_choose_its_gruus() {
    let (mut office, phone) = (Office::new(trusting()), Phone::udp(102));
    let mine = ";pub-gruu=\"sip:102@example.test;gr=mine\";temp-gruu=\"sip:mine@example.test;gr\"";
    let mut request = register(&phone, A, 1);
    request.rows = request.rows.replace(">\"\r\n", &format!(">\"{mine}\r\n"));
    let sent = office.receive(phone.flow, request.wire());
    assert!(!rows(&sent, Name::Contact)[0].contains("mine"));
    assert_eq!(call(&mut office, "sip:102@example.test;gr=mine"), Err(404));
    assert_eq!(call(&mut office, "sip:mine@example.test;gr"), Err(404));
}

/// "If it differs from the one in the REGISTER request, the registrar MUST invalidate all previously generated temporary GRUUs for the AOR
/// and instance ID. … requests addressed to those GRUUs will be rejected by the domain with a 404"
/// Proves: rfc5627-A-14, rfc5627-5.4-4.
#[test]
fn with_another_call_id_all_earlier_temporary_gruus_end() {
    let (mut office, phone) = (Office::new(trusting()), Phone::udp(102));
    let other = sign_on(&mut office, &Phone::udp(102), "bbbb", 1);
    let first = sign_on(&mut office, &phone, A, 1);
    office.wait(Duration::from_secs(60));
    let second = sign_on(&mut office, &phone, A, 2);
    for gruu in [&first.1, &second.1] {
        assert!(call(&mut office, gruu).is_ok(), "all of one registration are good");
    }
    office.wait(Duration::from_secs(60));
    let mut anew = register(&phone, A, 1);
    anew.call_id = "after-a-restart".into();
    anew.branch += "anew";
    let third = gruus(&office.receive(phone.flow, anew.wire()), A);
    assert_eq!(call(&mut office, &first.1), Err(404));
    assert_eq!(call(&mut office, &second.1), Err(404));
    for gruu in [&third.1, &third.0, &first.0] {
        assert!(call(&mut office, gruu).is_ok());
    }
    // The other phone of the user took over the same Contact, and with it nothing else.
    assert_eq!(call(&mut office, &other.0), Err(480));
}

/// "If, as a consequence of the expiration of the contact, a particular GRUU no longer has any registered contacts bound to it, and the
/// GRUU is a temporary GRUU, the GRUU MUST be invalidated." "If, however, the GRUU was a public GRUU, the registrar SHOULD continue to treat
/// the GRUU as valid." "requests targeted to the GRUU, prior to re-registration of a contact to the GRUU, SHOULD return a 480"
/// Proves: rfc5627-5.3-1, rfc5627-5.3-2, rfc5627-5.3-3, rfc5627-5.4-5, rfc5627-6.1-2.
#[test]
fn when_a_phone_is_gone_its_public_gruu_waits_for_it_and_its_temporary_ones_are_over() {
    for expires in [true, false] {
        let (mut office, phone) = (Office::new(trusting()), Phone::udp(102));
        let (public, temporary) = sign_on(&mut office, &phone, A, 1);
        if expires {
            office.wait(Duration::from_secs(3601));
        } else {
            office.wait(Duration::from_secs(1));
            let wire = register(&phone, A, 2).row("Expires: 0").wire();
            assert_eq!(status(&office.receive(phone.flow, wire)), 200);
        }
        assert_eq!(call(&mut office, &public), Err(480));
        assert_eq!(call(&mut office, &temporary), Err(404));
        office.wait(Duration::from_secs(1));
        let again = sign_on(&mut office, &phone, A, 3);
        assert_eq!(again.0, public);
        assert!(call(&mut office, &public).is_ok() && call(&mut office, &again.1).is_ok());
        assert_eq!(
            call(&mut office, &temporary),
            Err(404),
            "the same Call-ID does not bring it back"
        );
    }
}

/// A user who is called by a number, and writes it with what separates its digits: the GRUUs are of the address under which it is registered.
#[test]
fn the_gruus_of_a_number_lead_to_who_has_registered_it() {
    let (mut office, phone) = (Office::new(trusting()), Phone::udp(102));
    let mut request = register(&phone, A, 1);
    request.to = "<sip:+1-201-555@example.test;user=phone>".into();
    let (public, temporary) = gruus(&office.receive(phone.flow, request.wire()), A);
    for uri in [public, temporary] {
        assert_eq!(call(&mut office, &uri), Ok(vec!["198.51.100.2".into()]), "{uri}");
    }
}
