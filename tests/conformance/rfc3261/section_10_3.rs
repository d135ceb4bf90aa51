//! §10.3: processing REGISTER requests.

use std::time::Duration;

use offhook_tests::office::{Office, Phone, Request, Sent, method, status, trusting};
use sip::Name;

const HOUR: u64 = 3600;

fn contacts(sent: &[Sent]) -> Vec<String> {
    let rows = sent[0].message.elements(Name::Contact);
    rows.map(|row| String::from_utf8_lossy(row).into_owned()).collect()
}

/// What the server says to a REGISTER with these rows.
fn say(office: &mut Office, request: &Request, cseq: u32, rows: &str) -> Vec<Sent> {
    let mut request = request.clone();
    request.cseq = cseq;
    request.branch += &format!("-{cseq}-{}", request.call_id);
    request.rows = rows.into();
    office.receive(Phone::udp(101).flow, request.wire())
}

fn fixture() -> (Office, Request) {
    (Office::new(trusting()), Phone::udp(101).register(""))
}

/// "Registrars MUST ignore the Record-Route header field if it is included in a REGISTER request. Registrars MUST NOT include a
/// Record-Route header field in any response"
/// Proves: rfc3261-10.2-1, rfc3261-10.3-2, rfc3261-10.3-3.
#[test]
fn a_record_route_means_nothing() {
    let (mut office, register) = fixture();
    let rows = "Record-Route: <sip:p.example;lr>\r\nContact: <sip:101@198.51.100.1>\r\n";
    let sent = say(&mut office, &register, 1, rows);
    assert_eq!(status(&sent), 200);
    assert!(!sent[0].message.has(Name::RecordRoute));
}

/// "REGISTER requests MUST be processed by a registrar in the order that they are received."
/// "If the value is higher than that of the existing binding, it MUST update or remove the binding as above. If not, the update MUST
/// be aborted and the request fails."
/// Proves: rfc3261-10.3-4, rfc3261-10.3-24, rfc3261-10.3-25.
#[test]
fn trap_37_within_a_call_id_only_a_higher_cseq_changes_a_binding() {
    let (mut office, register) = fixture();
    let contact = "Contact: <sip:101@198.51.100.1>;expires=";
    assert_eq!(status(&say(&mut office, &register, 5, &format!("{contact}600\r\n"))), 200);
    for (cseq, expires) in [(4, 0), (4, 900), (5, 0)] {
        // Any sooner, it would be taken for a request that came on two paths (§8.2.2.2).
        office.wait(Duration::from_secs(33));
        let mut again = register.clone();
        again.branch += &format!("again-{expires}");
        assert_eq!(
            status(&say(&mut office, &again, cseq, &format!("{contact}{expires}\r\n"))),
            500
        );
    }
    let left = contacts(&say(&mut office, &register, 6, ""));
    assert_eq!(left, [format!("<sip:101@198.51.100.1>;expires={}", 600 - 3 * 33)]);
    let updated = contacts(&say(&mut office, &register, 7, &format!("{contact}900\r\n")));
    assert_eq!(updated, ["<sip:101@198.51.100.1>;expires=900"]);
    assert!(contacts(&say(&mut office, &register, 8, &format!("{contact}0\r\n"))).is_empty());
}

/// "REGISTER requests MUST also be processed atomically, meaning that a particular REGISTER request is either processed completely or
/// not at all." "The binding updates MUST be committed … if and only if all binding updates and additions succeed. If any one of them
/// fails …, the request MUST fail with a 500 … and all tentative binding updates MUST be removed."
/// Proves: rfc3261-10.3-5, rfc3261-10.3-26, rfc3261-10.3-27, rfc3261-8.2-1, rfc3261-8.2-2.
#[test]
fn trap_37_all_bindings_change_or_none() {
    let (mut office, register) = fixture();
    let first = say(&mut office, &register, 5, "Contact: <sip:old@198.51.100.1>;expires=600\r\n");
    assert_eq!(status(&first), 200);
    for (rows, expected) in [
        // The second is older than what is known.
        ("Contact: <sip:new@198.51.100.1>, <sip:old@198.51.100.1>;expires=900\r\n", 500),
        ("Contact: <sip:new@198.51.100.1>\r\nContact: <sip:other@198.51.100.1>;expires=1\r\n", 423),
    ] {
        office.wait(Duration::from_secs(33));
        let mut again = register.clone();
        again.branch += &expected.to_string();
        assert_eq!(status(&say(&mut office, &again, 5, rows)), expected);
        let mut fetch = again.clone();
        fetch.branch += "f";
        let left = contacts(&say(&mut office, &fetch, 6, ""));
        assert_eq!(left.len(), 1);
        assert!(left[0].starts_with("<sip:old@198.51.100.1>;expires=5"), "{left:?}");
    }
}

/// "Each REGISTER message MUST be processed independently of any other registration or binding changes."
/// "If the Call-ID value in the existing binding differs from the Call-ID value in the request, the binding MUST be removed if the
/// expiration time is zero and updated otherwise."
/// Proves: rfc3261-10.3-6, rfc3261-10.3-23.
#[test]
fn another_call_id_updates_and_removes_whatever_its_cseq_is() {
    let (mut office, register) = fixture();
    let both = "Contact: <sip:a@198.51.100.1>;expires=600, <sip:b@198.51.100.1>;expires=600\r\n";
    assert_eq!(contacts(&say(&mut office, &register, 9, both)).len(), 2);
    let mut other = register;
    other.call_id = "after-a-restart".into();
    let rows = "Contact: <sip:a@198.51.100.1>;expires=900, <sip:b@198.51.100.1>;expires=0\r\n";
    let left = contacts(&say(&mut office, &other, 1, rows));
    assert_eq!(left, ["<sip:a@198.51.100.1>;expires=900"]);
}

/// "If not, and if the server also acts as a proxy server, the server SHOULD forward the request to the addressed domain"
/// Proves: rfc3261-10.3-7.
#[test]
fn a_register_for_another_domain_is_forwarded() {
    let (mut office, mut register) = fixture();
    register.uri = "sip:192.0.2.77".into();
    let sent = say(&mut office, &register, 1, "Contact: <sip:101@198.51.100.1>\r\n");
    assert_eq!(
        (method(&sent[0]), sent[0].flow.peer.to_string()),
        ("REGISTER", "192.0.2.77:5060".into())
    );
}

/// "the registrar MUST process the Require header field values as described for UASs in Section 8.2.2"
/// Proves: rfc3261-10.3-8, rfc3261-8.2.2.3-1, rfc3261-8.2.2.3-2.
#[test]
fn trap_47_an_extension_that_we_do_not_have_is_named() {
    let (mut office, register) = fixture();
    let sent = say(&mut office, &register, 1, "Require: path, 100rel, precondition\r\n");
    assert_eq!(status(&sent), 420);
    let rows: Vec<_> = sent[0].message.elements(Name::Unsupported).collect();
    assert_eq!(rows, [&b"100rel"[..], b"precondition"]);
}

/// "A registrar SHOULD authenticate the UAC." "If the authenticated user is not authorized to modify bindings, the registrar MUST
/// return a 403 (Forbidden) and skip the remaining steps."
/// Proves: rfc3261-10.3-9, rfc3261-10.3-10, rfc3261-10.3-11.
#[test]
fn trap_36_only_the_owner_of_an_address_changes_its_bindings() {
    let mut office = Office::default();
    let (owner, thief) = (Phone::udp(101), Phone::udp(102));
    office.register(&owner);
    let contact = format!("Contact: <{}>", thief.contact());
    let mut steal = thief.register("").row(&contact);
    steal.to = "<sip:101@example.test>".into();
    assert_eq!(status(&office.converse(&thief, &steal)), 403);
    let mut lie = steal.again().again();
    lie.from = "<sip:101@example.test>;tag=1".into();
    assert_eq!(status(&office.converse(&thief, &lie)), 403);
    let fetch = owner.register("").again().again();
    assert_eq!(contacts(&office.converse(&owner, &fetch)).len(), 1);
}

/// "If the address-of-record is not valid for the domain in the Request-URI, the registrar MUST send a 404 (Not Found)"
/// Proves: rfc3261-10.3-12.
#[test]
fn an_address_of_another_domain_is_not_found() {
    let (mut office, mut register) = fixture();
    register.to = "<sip:101@elsewhere.example>".into();
    assert_eq!(status(&say(&mut office, &register, 1, "Contact: <sip:a@b.example>\r\n")), 404);
}

/// "The URI MUST then be converted to a canonical form. To do that, all URI parameters MUST be removed (including the user-param), and
/// any escaped characters MUST be converted to their unescaped form."
/// Proves: rfc3261-10.3-13, rfc3261-10.3-14.
#[test]
fn every_way_to_write_an_address_is_the_same_address() {
    let (mut office, mut register) = fixture();
    for (cseq, to) in [
        (1, "sip:101@example.test"),
        (2, "sip:%31%301@EXAMPLE.test;user=phone"),
        (3, "sips:101@example.test;x=y"),
    ] {
        register.to = format!("<{to}>");
        let rows = format!("Contact: <sip:{cseq}@198.51.100.1>\r\n");
        assert_eq!(contacts(&say(&mut office, &register, cseq, &rows)).len(), cseq as usize);
    }
    assert_eq!(office.node.registered(), 1);
}

/// "If the request has additional Contact fields or an expiration time other than zero, the request is invalid, and the server MUST
/// return a 400 (Invalid Request)"
/// Proves: rfc3261-10.3-15.
#[test]
fn trap_37_a_star_needs_expires_0_and_nothing_beside_it() {
    let (mut office, register) = fixture();
    say(&mut office, &register, 1, "Contact: <sip:a@198.51.100.1>\r\n");
    for (at, rows) in [
        "Contact: *\r\n",
        "Contact: *\r\nExpires: 1\r\n",
        "Contact: *\r\nExpires: x\r\n",
        "Contact: *, <sip:a@198.51.100.1>\r\nExpires: 0\r\n",
        "Contact: *\r\nContact: <sip:a@198.51.100.1>\r\nExpires: 0\r\n",
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(status(&say(&mut office, &register, 2 + at as u32, rows)), 400, "{rows}");
    }
    assert_eq!(contacts(&say(&mut office, &register, 9, "")).len(), 1);
}

/// "If not, it MUST remove the binding. If it does agree, it MUST remove the binding only if the CSeq in the request is higher than the
/// value stored for that binding. Otherwise, the update MUST be aborted and the request fails."
/// Proves: rfc3261-10.3-16, rfc3261-10.3-17, rfc3261-10.3-18.
#[test]
fn trap_37_a_star_removes_all_or_nothing() {
    let (mut office, register) = fixture();
    let mut other = register.clone();
    other.call_id = "another".into();
    say(&mut office, &register, 5, "Contact: <sip:a@198.51.100.1>\r\n");
    say(&mut office, &other, 50, "Contact: <sip:b@198.51.100.1>\r\n");
    let star = "Contact: *\r\nExpires: 0\r\n";
    office.wait(Duration::from_secs(33));
    let mut late = register.clone();
    late.branch += "late";
    assert_eq!(status(&say(&mut office, &late, 5, star)), 500);
    assert_eq!(contacts(&say(&mut office, &register, 6, "")).len(), 2);
    let gone = say(&mut office, &register, 7, star);
    assert_eq!((status(&gone), contacts(&gone).len()), (200, 0));
    assert_eq!(office.node.registered(), 0);
}

/// "If the field value has an "expires" parameter, that value MUST be taken as the requested expiration. If there is no such parameter,
/// but the request has an Expires header field, that value MUST be taken … If there is neither, a locally-configured default"
/// Proves: rfc3261-10.3-19, rfc3261-10.3-20, rfc3261-10.3-21, rfc3261-10.2-10.
#[test]
fn the_parameter_then_the_header_then_the_default() {
    for (rows, expected) in [
        ("Contact: <sip:a@b.example>;expires=120\r\nExpires: 240\r\n", 120),
        ("Contact: <sip:a@b.example>\r\nExpires: 240\r\n", 240),
        ("Contact: <sip:a@b.example>\r\n", 3600),
        ("Contact: <sip:a@b.example>\r\nExpires: soon\r\n", 3600),
        ("Contact: <sip:a@b.example>;expires=soon\r\n", 3600),
        ("Contact: <sip:a@b.example>;expires=999999\r\n", 7200),
    ] {
        let (mut office, register) = fixture();
        let sent = say(&mut office, &register, 1, rows);
        assert_eq!(contacts(&sent), [format!("<sip:a@b.example>;expires={expected}")], "{rows}");
    }
}

/// "This response MUST contain a Min-Expires header field that states the minimum expiration interval the registrar is willing to
/// honor."
/// Proves: rfc3261-10.3-22.
#[test]
fn trap_37_too_short_a_time_is_refused_with_the_shortest_that_we_take() {
    let (mut office, register) = fixture();
    let sent = say(&mut office, &register, 1, "Contact: <sip:a@b.example>;expires=59\r\n");
    assert_eq!(status(&sent), 423);
    assert_eq!(sent[0].message.rows(Name::MinExpires).next(), Some(&b"60"[..]));
}

/// "The response MUST contain Contact header field values enumerating all current bindings. Each Contact value MUST feature an
/// "expires" parameter indicating its expiration interval chosen by the registrar. The response SHOULD include a Date header field."
/// Proves: rfc3261-10.3-28, rfc3261-10.3-29, rfc3261-10.3-30.
#[test]
fn trap_37_the_200_lists_every_binding_with_the_time_that_it_has_left() {
    let (mut office, register) = fixture();
    say(&mut office, &register, 1, "Contact: <sip:a@b.example>;q=0.7;expires=600\r\n");
    office.wait(Duration::from_secs(100));
    let sent = say(&mut office, &register, 2, "Contact: <sip:c@b.example>;expires=300\r\n");
    let all = ["<sip:a@b.example>;q=0.700;expires=500", "<sip:c@b.example>;expires=300"];
    assert_eq!(contacts(&sent), all);
    assert_eq!(
        sent[0].message.rows(Name::Date).next(),
        Some(&b"Tue, 14 Nov 2023 22:15:00 GMT"[..])
    );
    office.wait(Duration::from_secs(301));
    assert_eq!(contacts(&say(&mut office, &register, 3, "")).len(), 1);
    office.wait(Duration::from_secs(HOUR));
    assert_eq!(
        office.node.registered(),
        0,
        "what has expired is forgotten without being asked for"
    );
}

/// "A registrar MUST not generate 6xx responses."
/// Proves: rfc3261-10.3-1.
#[test]
fn no_mistake_is_answered_with_a_6xx() {
    let (mut office, register) = fixture();
    let many: String = (0..20).map(|n| format!("Contact: <sip:{n}@b.example>\r\n")).collect();
    for (cseq, rows) in [
        "Contact: *\r\n",
        "Contact: <sip:a@b.example>;expires=1\r\n",
        "Require: x\r\n",
        "Contact: <\r\n",
        &many,
        "CSeq: 1 REGISTER\r\n",
    ]
    .iter()
    .enumerate()
    {
        let code = status(&say(&mut office, &register, cseq as u32 + 1, rows));
        assert!((400..600).contains(&code), "{rows}: {code}");
    }
}

/// A Contact is compared by the rules for URIs, so a phone that writes it in another way does not ring twice.
#[test]
fn trap_37_the_same_contact_written_differently_is_the_same_binding() {
    let (mut office, register) = fixture();
    say(&mut office, &register, 1, "Contact: <sip:%61@B.example;newparam=1>\r\n");
    assert_eq!(contacts(&say(&mut office, &register, 2, "m: sip:a@b.EXAMPLE\r\n")).len(), 1);
    assert_eq!(contacts(&say(&mut office, &register, 3, "m: <sip:a@b.example:5060>\r\n")).len(), 2);
}

/// More contacts than the settings allow are refused in words, and none of them is kept.
#[test]
fn too_many_contacts_are_refused() {
    let (mut office, register) = fixture();
    let many: String = (0..11).map(|n| format!("Contact: <sip:{n}@b.example>\r\n")).collect();
    let sent = say(&mut office, &register, 1, &many);
    assert_eq!(status(&sent), 403);
    assert!(sent[0].message.wire().starts_with(b"SIP/2.0 403 More Than 10 Contacts\r\n"));
    assert_eq!(office.node.registered(), 0);
}

/// A phone on a connection, with a Contact that leads nowhere, is gone when its connection is; one that can be called stays.
#[test]
fn a_binding_that_only_its_connection_reaches_ends_with_it() {
    let mut office = Office::new(trusting());
    let phone = Phone::tcp(101, 7);
    office.register(&phone);
    let mut reachable = Phone::tcp(102, 8);
    reachable.flow.peer = "203.0.113.2:5060".parse().unwrap();
    let register = reachable.register("Contact: <sip:102@203.0.113.2;transport=tcp>\r\n");
    assert_eq!(status(&office.receive(reachable.flow, register.wire())), 200);
    assert_eq!(office.node.registered(), 2);
    for flow in [phone.flow, reachable.flow] {
        office.tell(protocol::Input::Failed(flow));
    }
    assert_eq!(office.node.registered(), 1);
    let caller = Phone::udp(103);
    let sent = office.receive(caller.flow, caller.invite("sip:102@example.test").wire());
    assert_eq!((sent[1].flow.connection, sent[1].flow.peer.port()), (0, 5060));
}
