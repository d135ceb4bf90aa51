//! §6: what a registrar does with flows.

use offhook_tests::office::{Office, Phone, rows, status, trusting};
use sip::Name;

use super::{contacts, invited, register, two_flows};

fn office() -> Office {
    Office::new(trusting())
}

/// "registrars … MUST support the Path header mechanism" "Provided that the UAC had included an outbound option-tag … in a Supported
/// header field value in the REGISTER request, the registrar MUST include the outbound option-tag in a Require header field value in
/// its response"
/// Proves: rfc5626-6-1, rfc5626-6-2, rfc5626-A-14, rfc5626-A-15.
#[test]
fn the_200_says_that_the_flow_is_kept_and_tells_all_that_the_contact_said() {
    let (mut office, phone) = (office(), Phone::tcp(102, 7));
    let wire = register(&phone, (1, 1), "").replace("reg-id=1", "reg-id=1;video;x=\"y\"");
    let sent = office.receive(phone.flow, wire);
    assert_eq!((status(&sent), rows(&sent, Name::Require)), (200, vec!["outbound".to_owned()]));
    let [contact] = &contacts(&sent)[..] else { panic!("{sent:?}") };
    for part in [";ob>", "+sip.instance=\"<urn:uuid:102>\"", ";reg-id=1;video;x=\"y\"", ";expires="]
    {
        assert!(contact.contains(part), "{contact}");
    }
    let mut options = phone.request("OPTIONS", "sip:example.test");
    options.branch += "o";
    let supported = rows(&office.receive(phone.flow, options.wire()), Name::Supported);
    assert!(supported[0].contains("path") && supported[0].contains("outbound"), "{supported:?}");
}

/// "If the Contact header did not contain a "reg-id" Contact header field parameter or if that parameter was ignored …, the registrar
/// MUST NOT include the outbound option-tag in the Require header field of its response."
/// Proves: rfc5626-A-12.
#[test]
fn without_a_flow_of_its_own_a_phone_is_told_nothing_of_outbound() {
    let (mut office, phone) = (office(), Phone::tcp(102, 7));
    let plain = register(&phone, (1, 1), "");
    for (at, wire) in [
        plain.replace(";reg-id=1", ""),
        plain.replace("reg-id=1", "reg-id=0"),
        plain.replace("+sip.instance", "+x.instance"),
        plain.replace("path, outbound", "path"),
    ]
    .iter()
    .enumerate()
    {
        let wire = wire.replace("branch=", &format!("branch=z9hG4bK{at}"));
        let sent =
            office.receive(phone.flow, wire.replace("CSeq: 1", &format!("CSeq: {}", at + 2)));
        assert_eq!((status(&sent), rows(&sent, Name::Require).len()), (200, 0), "{wire}");
    }
}

/// "If the registrar is not the first hop, it MUST examine the Path header of the request. If the Path header field is missing or …
/// the first URI does not have an "ob" URI parameter, then outbound processing MUST NOT be applied" "if the REGISTER request contains
/// the reg-id and the outbound option tag in a Supported header field, then the registrar MUST respond … with a 439"
/// "Proxies MUST NOT send a 439 response to any requests that do not contain a "reg-id" parameter and an outbound option tag"
/// Proves: rfc5626-6-3, rfc5626-6-4, rfc5626-6-5, rfc5626-6-6, rfc5626-11.4-2.
#[test]
fn behind_a_first_hop_that_knows_no_flows_a_phone_is_told_so_or_its_reg_id_is_passed_over() {
    let phone = Phone::tcp(102, 7);
    let behind = |rows: &str| {
        register(&phone, (1, 1), rows)
            .replace("Max-Forwards", "Via: SIP/2.0/TCP 10.0.0.1;branch=z9hG4bKz\r\nMax-Forwards")
    };
    for (rows, expected) in [
        ("", 439),
        ("Path: <sip:p.example;lr>\r\n", 439),
        ("Path: <sip:far.example;lr>, <sip:near.example;lr>\r\n", 439),
        ("Path: <sip:token@edge.example;lr;ob>\r\n", 200),
        ("Path: <sip:core.example;lr>, <sip:token@edge.example;lr;ob>\r\n", 200),
    ] {
        let sent = office().receive(phone.flow, behind(rows));
        assert_eq!(status(&sent), expected, "{rows}");
    }
    for wire in [behind("").replace("path, outbound", "path"), behind("").replace(";reg-id=1", "")]
    {
        let sent = office().receive(phone.flow, wire);
        assert_eq!(status(&sent), 200, "{sent:?}");
        assert!(!contacts(&sent)[0].contains("reg-id") && rows(&sent, Name::Require).is_empty());
    }
}

/// "if the Contact header field contains more than one header field value with a non-zero expiration and any of these header field
/// values contain a "reg-id" Contact header field parameter, the entire registration SHOULD be rejected with a 400"
/// Proves: rfc5626-A-11.
#[test]
fn one_register_makes_one_flow_and_may_end_others() {
    let (mut office, phone) = (office(), Phone::tcp(102, 7));
    let both = register(&phone, (1, 1), "Contact: <sip:102@10.0.0.2>\r\n");
    assert_eq!(status(&office.receive(phone.flow, both)), 400);
    assert_eq!(office.node.registered(), 0);
    let old = phone.register("Contact: <sip:102@10.0.0.2>\r\n");
    office.receive(phone.flow, old.wire());
    let instead = register(&phone, (1, 2), "Contact: <sip:102@10.0.0.2>;expires=0\r\n");
    let left = contacts(&office.receive(phone.flow, instead));
    assert!(left.len() == 1 && left[0].contains("reg-id=1"), "{left:?}");
}

/// "The registrar MUST be prepared to receive, simultaneously for the same AOR, some registrations that use instance-id and reg-id and
/// some registrations that do not."
/// Proves: rfc5626-A-13.
#[test]
fn phones_with_flows_and_phones_without_share_an_address() {
    let mut office = office();
    two_flows(&mut office);
    office.register(&Phone::udp(102));
    let caller = Phone::udp(103);
    let sent = office.receive(caller.flow, caller.invite("sip:102@example.test").wire());
    let rung: Vec<_> = invited(&sent).iter().map(|flow| flow.connection).collect();
    assert_eq!(rung, [8, 0], "each phone once");
}

/// "the corresponding binding is between an AOR and the combination of the instance-id … and the value of "reg-id"" "If the UAC has a
/// direct flow with the registrar, the registrar MUST store enough information to uniquely identify the network flow" "If the registrar
/// receives a re-registration for a specific combination of AOR, and instance-id and reg-id values, the registrar MUST update any
/// information that uniquely identifies the network flow … and SHOULD update the time the binding was last updated."
/// Proves: rfc5626-A-16, rfc5626-A-17.
#[test]
fn a_new_flow_takes_the_place_of_the_old_one_of_its_number_wherever_its_contact_points() {
    let mut office = office();
    let [first, _] = two_flows(&mut office);
    let moved = Phone::tcp(102, 9);
    let wire = register(&moved, (1, 2), "").replace("10.0.0.1:5060", "172.16.0.9:5060");
    let left = contacts(&office.receive(moved.flow, wire));
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left[0].contains("reg-id=2") && left[1].contains("172.16.0.9"), "{left:?}");
    let caller = Phone::udp(103);
    let sent = office.receive(caller.flow, caller.invite("sip:102@example.test").wire());
    assert_eq!(invited(&sent), [moved.flow], "the flow refreshed last");
    assert_ne!(first.flow, moved.flow);
}

/// A datagram has no connection that could end, but its flow is kept all the same: the NAT between us knows only this one.
#[test]
fn a_flow_of_datagrams_is_kept_though_its_contact_could_be_called() {
    let (mut office, mut phone) = (office(), Phone::udp(102));
    phone.flow.peer.set_port(40_000);
    let wire = register(&phone, (1, 1), "").replace(":40000;ob", ":5060;ob");
    assert_eq!(status(&office.receive(phone.flow, wire)), 200);
    let caller = Phone::udp(103);
    let sent = office.receive(caller.flow, caller.invite("sip:102@example.test").wire());
    assert_eq!(invited(&sent), [phone.flow]);
}
