//! §6: where a request to a GRUU goes.

use std::time::Duration;

use offhook_tests::office::{
    Office, Phone, Request, Sent, reply, requests, rows, status, trusting, uri,
};
use protocol::Input;
use protocol::doors::Asker;
use server::settings::Redirect;
use sip::Name;

use super::{call, register, sign_on};

const A: &str = "aaaa";

/// Two bindings of one phone: it has restarted at another address, without taking the first back.
fn restarted(office: &mut Office) -> (String, [Phone; 2]) {
    let [mut old, mut new] = [Phone::udp(102), Phone::udp(102)];
    old.flow.peer = "198.51.100.20:5060".parse().unwrap();
    new.flow.peer = "198.51.100.30:5060".parse().unwrap();
    sign_on(office, &old, A, 1);
    let (public, _) = sign_on(office, &new, A, 2);
    (public, [old, new])
}

/// "If it contains the "gr" URI parameter but is not equivalent … to a currently valid GRUU within the domain, it SHOULD be rejected with a
/// 404"
/// Proves: rfc5627-6.1-1.
#[test]
fn junk_with_gr_is_nobody() {
    let mut office = Office::new(trusting());
    let (public, temporary) = sign_on(&mut office, &Phone::udp(102), A, 1);
    let mut forged = public.clone().into_bytes();
    if let Some(last) = forged.last_mut() {
        *last = if *last == b'0' { b'1' } else { b'0' };
    }
    for junk in [
        "sip:102@example.test;gr".to_owned(),
        "sip:102@example.test;gr=urn:uuid:aaaa".to_owned(),
        String::from_utf8(forged).unwrap(),
        public.replace("102@", "104@"),
        temporary.replace("gr-", "gr-0"),
        temporary.replace("gr-", ""),
    ] {
        assert_eq!(call(&mut office, &junk), Err(404), "{junk}");
    }
}

/// "a GRUU resolves only to those contacts whose instance ID matches the one associated with the GRUU" "The proxy MUST select the most
/// recently refreshed contact. … if a request to this target fails with a 408 (Request Timeout) or 430 (Flow Failed) response, the proxy
/// SHOULD retry with the next most recently refreshed contact. Furthermore, if the request fails with any other response, the proxy MUST NOT
/// retry on any other contacts for this instance."
/// Proves: rfc5627-2-2, rfc5627-2-3, rfc5627-2-4.
#[test]
fn the_contact_refreshed_last_is_called_and_then_the_one_before() {
    for (code, again) in [(408, true), (430, true), (486, false), (500, false)] {
        let mut office = Office::new(trusting());
        let (gruu, [old, new]) = restarted(&mut office);
        sign_on(&mut office, &Phone::udp(102), "another", 9);
        let caller = Phone::udp(103);
        let sent = office.receive(caller.flow, caller.invite(&gruu).wire());
        let ring = requests(&sent, "INVITE");
        assert_eq!((ring.len(), ring[0].flow, uri(&ring[0])), (1, new.flow, new.contact()));
        let sent = office.receive(new.flow, reply(&ring[0].message, code, ""));
        let next: Vec<_> = requests(&sent, "INVITE").iter().map(|ring| ring.flow).collect();
        assert_eq!(next, if again { vec![old.flow] } else { vec![] }, "{code}");
    }
}

fn with_path(phone: &Phone) -> Request {
    let mut request = register(phone, A, 1).row("Path: <sip:203.0.113.9;lr>");
    request.rows = request.rows.replace("Supported: gruu", "Supported: gruu, path");
    request
}

/// "If the received request has Route header field values beyond the one pointing to the authoritative proxy itself (this will happen when
/// the request is a mid-dialog request), the Path URI MUST be discarded."
/// Proves: rfc5627-2-6.
#[test]
fn within_a_dialog_the_path_is_not_gone_twice() {
    for (route, expected) in [
        ("", vec!["<sip:203.0.113.9;lr>"]),
        ("Route: <sip:192.0.2.10;lr>, <sip:203.0.113.5;lr>", vec!["<sip:203.0.113.5;lr>"]),
    ] {
        let (mut office, phone) = (Office::new(trusting()), Phone::udp(102));
        let sent = office.receive(phone.flow, with_path(&phone).wire());
        let (gruu, _) = super::gruus(&sent, A);
        let caller = Phone::udp(103);
        let mut invite = caller.invite(&gruu);
        if !route.is_empty() {
            invite = invite.row(route);
        }
        let ring = requests(&office.receive(caller.flow, invite.wire()), "INVITE");
        assert_eq!(rows(&ring, Name::Route), expected);
    }
}

/// "forwarding services, such as call forwarding, SHOULD NOT be provided for requests sent to a GRUU" "a request sent to a GRUU SHOULD NOT be
/// redirected"
/// Proves: rfc5627-2-8, rfc5627-2-10.
#[test]
fn a_gruu_is_not_redirected() {
    let mut settings = trusting();
    settings.redirects = vec![Redirect::new("102", &["sip:elsewhere@192.0.2.99"])];
    let mut office = Office::new(settings);
    let (gruu, _) = sign_on(&mut office, &Phone::udp(102), A, 1);
    assert_eq!(call(&mut office, "sip:102@example.test"), Err(302));
    assert_eq!(call(&mut office, &gruu), Ok(vec!["198.51.100.2".into()]));
}

/// "then the authoritative proxy MUST record-route"
/// Proves: rfc5627-6.2-1, rfc5627-6.2-3, rfc5627-6.2-4.
#[test]
fn we_stay_on_the_path_of_calls_from_and_to_gruus() {
    let mut office = Office::new(trusting());
    let caller = Phone::udp(103);
    let (from, _) = sign_on(&mut office, &caller, "cccc", 1);
    let (to, _) = sign_on(&mut office, &Phone::udp(102), A, 1);
    for target in [to.as_str(), "sip:b@203.0.113.77"] {
        let mut invite = caller.invite(target).call(target).row("Record-Route: <sip:10.0.0.9;lr>");
        invite.rows = invite.rows.replace(&caller.contact(), &from);
        office.wait(Duration::from_secs(1));
        let ring = requests(&office.receive(caller.flow, invite.wire()), "INVITE");
        let routes = rows(&ring, Name::RecordRoute);
        assert!(routes.len() == 2 && routes[0].contains("@192.0.2.10:5060;lr"), "{routes:?}");
    }
    // Within the call, the other side's requests to the GRUU find the phone.
    let mut bye = Phone::udp(102).request("BYE", &from);
    bye.to += ";tag=x";
    let sent = office.receive(Phone::udp(102).flow, bye.wire());
    assert_eq!((requests(&sent, "BYE").len(), status(&sent)), (1, 0));
}

/// "If all of these conditions are true, except that the GRUU is associated with an AOR that did not match the authenticated identity of the
/// requestor, it is RECOMMENDED that the proxy reject the request with a 403"
/// Proves: rfc5627-6.2-2.
#[test]
fn nobody_calls_with_the_gruu_of_somebody_else() {
    let mut office = Office::default();
    let (owner, thief) = (Phone::udp(102), Phone::udp(103));
    let sent = office.converse(&owner, &register(&owner, A, 1));
    let (public, temporary) = super::gruus(&sent, A);
    office.register(&Phone::udp(104));
    for (phone, gruu, expected) in
        [(&owner, &public, 100), (&thief, &public, 403), (&thief, &temporary, 403)]
    {
        let mut invite = phone.invite("sip:104@example.test").call(&format!("{gruu}{expected}"));
        invite.rows = invite.rows.replace(&phone.contact(), gruu);
        assert_eq!(status(&office.converse(phone, &invite)), expected, "{} {gruu}", phone.user);
    }
}

/// The question where a user is, which was just asked, is answered by the very shard that asked.
fn located(office: &mut Office) -> Vec<Sent> {
    let (ticket, question) = office.asked.pop().expect("a question");
    office.tell(Input::Asked(Asker { shard: 0, ticket }, question));
    let answer = office.told.pop().expect("an answer");
    office.tell(Input::Answered(ticket, answer))
}

/// Whoever answers with its GRUU gets the ACK of that answer, and all else of the call: where it has registered last, by the address that it
/// registered.
#[test]
fn a_call_to_a_phone_that_says_its_gruu_stands() {
    for (first, last) in
        [(Phone::udp(102), Phone::udp(102)), (Phone::tcp(102, 7), Phone::tcp(102, 8))]
    {
        let mut office = Office::new(trusting());
        let (gruu, _) = sign_on(&mut office, &first, A, 1);
        let caller = Phone::udp(103);
        let sent = office.receive(caller.flow, caller.invite("sip:102@example.test").wire());
        let ring = requests(&sent, "INVITE").remove(0);
        let contact = format!("Contact: <{gruu}>\r\n");
        let sent = office.receive(first.flow, reply(&ring.message, 200, &contact));
        // The phone moves before the ACK comes.
        sign_on(&mut office, &last, A, 2);
        let route = rows(&sent, Name::RecordRoute).remove(0);
        for method in ["ACK", "BYE"] {
            let mut within = caller.request(method, &gruu).row(&format!("Route: {route}"));
            within.to = "<sip:102@example.test>;tag=to-tag".into();
            let mut sent = office.receive(caller.flow, within.wire());
            if method == "ACK" {
                sent = located(&mut office);
            }
            let sent = requests(&sent, method);
            assert_eq!(sent.len(), 1, "{method} {first:?}");
            assert_eq!((sent[0].flow, uri(&sent[0])), (last.flow, last.contact()), "{method}");
        }
    }
}
