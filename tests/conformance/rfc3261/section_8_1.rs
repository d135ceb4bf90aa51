//! §8.1: what a user agent asks.

use std::collections::BTreeSet;

use phone::{Account, PhoneEvent};
use protocol::doors::{Answer, Input, Question};
use protocol::locate::{Hop, Target};
use protocol::{Flow, Listener, Ticket, Transport};
use sip::header::{Contact, From, To, Via};
use sip::{Header as _, Message, Method, Name, Uri};

use crate::handset::{Bench, account, flow, number, picked_up, reply, rows, uri};

const BOB: &str = "sip:bob@biloxi.example";

/// Every kind of request that the phone sends of itself.
pub(super) fn requests() -> Vec<Message> {
    let mut bench = Bench::new();
    bench.act(|phone, now, out| phone.register(now, out));
    let register = bench.only();
    bench.tell(reply(&register, 200, "r", ("", "")));
    let (call, invite, ack) = bench.up();
    bench.hold(call);
    let reinvite = bench.only();
    bench.tell(picked_up(&reinvite));
    let reack = bench.only();
    bench.hang_up(call);
    let bye = bench.only();
    let (second, other) = bench.calls(BOB);
    bench.tell(reply(&other, 180, "x", ("", "")));
    bench.hang_up(second);
    let cancel = bench.only();
    vec![register, invite, ack, reinvite, reack, bye, other, cancel]
}

/// Proves: rfc3261-8.1.1-1, rfc3261-8.1.1.6-1, rfc3261-8.1.1.5-1, rfc3261-8.1.1.7-1, rfc3261-8.1.1.7-2, rfc3261-8.1.1.7-3,
/// rfc3261-8.1.1.7-5, rfc3261-8.1.1.2-1.
#[test]
fn every_request_has_what_a_request_must_have() {
    for request in requests() {
        assert_eq!(sip::check(&request), Ok(()), "{request:?}");
        assert_eq!(rows(&request, Name::MaxForwards), ["70"]);
        assert!(uri(&request).starts_with("sip:"));
        let vias: Vec<_> = request.all::<Via<'_>>().map(Result::unwrap).collect();
        assert_eq!(vias.len(), 1);
        assert!(
            vias[0].text().starts_with("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK"),
            "{}",
            vias[0].text()
        );
        assert_eq!(vias[0].rport(), Some(None));
    }
}

/// A CANCEL and an ACK of a refusal share the branch of their INVITE; nothing else shares one.
/// Proves: rfc3261-8.1.1.7-4.
#[test]
fn no_two_requests_have_one_branch() {
    let branches: Vec<_> = requests()
        .iter()
        .filter(|request| request.method() != Some(Method::Cancel))
        .map(|request| request.get::<Via<'_>>().unwrap().branch().unwrap().to_vec())
        .collect();
    assert_eq!(branches.iter().collect::<BTreeSet<_>>().len(), branches.len());
}

/// Proves: rfc3261-8.1.1.2-3, rfc3261-8.1.1.3-2, rfc3261-8.1.1.4-3, rfc3261-8.1.1.4-4, rfc3261-8.1.1.1-1.
#[test]
fn a_new_call_has_a_new_call_id_and_tag_and_no_to_tag() {
    let mut bench = Bench::new();
    let invites: Vec<_> = (0..20).map(|_| bench.calls(BOB).1).collect();
    let ids: BTreeSet<_> = invites.iter().map(|invite| invite.call_id().to_vec()).collect();
    let tags: BTreeSet<_> =
        invites.iter().map(|invite| invite.get::<From<'_>>().unwrap().tag().unwrap()).collect();
    assert_eq!((ids.len(), tags.len()), (20, 20));
    assert!(ids.iter().all(|id| id.len() >= 32));
    for invite in &invites {
        let to = invite.get::<To<'_>>().unwrap();
        assert_eq!((to.tag(), to.uri), (None, BOB.as_bytes()));
        assert_eq!(uri(invite), BOB);
    }
}

/// Proves: rfc3261-8.1.1.8-1, rfc3261-12.1.2-1.
#[test]
fn an_invite_has_one_contact_and_it_is_a_sip_uri() {
    for invite in requests().iter().filter(|request| request.method() == Some(Method::Invite)) {
        let contacts: Vec<_> =
            invite.all::<Contact<'_>>().map(|contact| contact.unwrap().text()).collect();
        assert_eq!(contacts, ["<sip:alice@192.0.2.1:5060>"]);
    }
}

/// The Contact of a call is good for requests that belong to no call.
/// Proves: rfc3261-8.1.1.8-2.
#[test]
fn our_contact_answers_outside_of_calls_too() {
    let mut bench = Bench::new();
    let (_, invite, _) = bench.up();
    let contact = invite.get::<Contact<'_>>().unwrap().address().unwrap().uri.to_vec();
    let options = bench.request("OPTIONS", "", "");
    let options = options.edit().request_uri(&contact).finish().unwrap();
    bench.tell(options);
    assert_eq!(bench.titles(), ["200"]);
}

/// No extension of ours needs anybody's help, and each that we name is of a standards-track RFC (`path`: RFC 3327, `100rel`: RFC 3262,
/// `timer`: RFC 4028, `replaces`: RFC 3891, `join`: RFC 3911, `norefersub`: RFC 4488, `gruu`: RFC 5627,
/// `outbound`: RFC 5626).
/// Proves: rfc3261-8.1.1.9-2, rfc3261-8.1.1.9-5, rfc3261-8.2.2.3-5, rfc3261-8.2.2.3-3.
#[test]
fn nothing_is_required_of_anybody() {
    for request in requests() {
        assert!(!request.has(Name::Require) && !request.has(Name::ProxyRequire));
        let tags = rows(&request, Name::Supported).concat();
        for tag in tags.split(", ").filter(|tag| !tag.is_empty()) {
            assert!(
                ["path", "100rel", "timer", "replaces", "join", "norefersub", "gruu", "outbound"]
                    .contains(&tag),
                "{tag}"
            );
        }
    }
}

/// It is a route set of one, and not a way around the Request-URI.
/// Proves: rfc3261-8.1.1.1-3, rfc3261-8.1.2-6, rfc3261-8.1.2-7, rfc3261-8.1.1.1-2, rfc3261-8.1.2-5.
#[test]
fn an_outbound_proxy_is_a_route() {
    let mut bench = Bench::with(account().through("sip:192.0.2.77:5070;lr").unwrap());
    bench.act(|phone, now, out| phone.call(now, BOB, Box::new(media::Silence), out)).unwrap();
    let sent = bench.sent_with_times();
    let (_, flow, invite) = &sent[0];
    assert_eq!(flow.peer.to_string(), "192.0.2.77:5070");
    assert_eq!(
        (uri(invite), rows(invite, Name::Route)),
        (BOB.into(), vec!["<sip:192.0.2.77:5070;lr>".into()])
    );
    // A strict router finds itself in the Request-URI.
    let mut bench = Bench::with(account().through("sip:192.0.2.77:5070").unwrap());
    let (_, invite) = bench.calls(BOB);
    assert_eq!(uri(&invite), "sip:192.0.2.77:5070");
    assert_eq!(rows(&invite, Name::Route), [format!("<{BOB}>")]);
}

/// Without a server of the account, the Request-URI says where to; a name is looked up, and every address is tried with a branch of
/// its own.
/// Proves: rfc3261-8.1.2-1, rfc3261-8.1.2-8.
#[test]
fn a_name_is_looked_up_and_every_address_is_tried() {
    let mut bench = Bench::with(account());
    bench.act(|phone, now, out| phone.call(now, BOB, Box::new(media::Silence), out)).unwrap();
    assert!(bench.sent().is_empty());
    let Ok(Uri::Sip(bob)) = Uri::parse(BOB.as_bytes()) else { panic!() };
    assert_eq!(bench.questions(), [Question::Resolve(Hop::of_uri(&bob).unwrap())]);
    let targets = ["192.0.2.50:5060", "192.0.2.51:5060"].map(|at| Target {
        transport: Transport::Udp,
        address: at.parse().unwrap(),
        domain: "biloxi.example".into(),
    });
    bench.input(Input::Answered(Ticket(2), Answer::Targets(targets.into())));
    bench.wait(33_000);
    let sent = bench.sent_with_times();
    let peers: BTreeSet<_> = sent.iter().map(|(_, flow, _)| flow.peer.to_string()).collect();
    assert_eq!(peers.len(), 2);
    let branches: BTreeSet<_> =
        sent.iter().map(|(.., invite)| invite.get::<Via<'_>>().unwrap().text()).collect();
    assert_eq!(branches.len(), 2);
}

/// Proves: rfc3261-8.1.3.1-1, rfc3261-8.1.3.1-2.
#[test]
fn silence_is_408_and_what_cannot_be_sent_is_503_and_both_say_why() {
    let why = |bench: &mut Bench| {
        let ended = bench.events().into_iter().find_map(|event| match event {
            PhoneEvent::Ended { status, reason, .. } => Some((status, reason.into_string())),
            _ => None,
        });
        ended.unwrap()
    };
    let mut bench = Bench::new();
    bench.calls(BOB);
    bench.wait(31_999);
    assert!(bench.events().is_empty());
    bench.wait(1);
    let (status, reason) = why(&mut bench);
    assert_eq!(status, 408);
    assert!(reason.contains("no answer from 192.0.2.9:5060 by UDP within 32 s"), "{reason}");
    bench.sent();
    bench.calls(BOB);
    bench.input(Input::Failed(flow(Transport::Udp)));
    let (status, reason) = why(&mut bench);
    assert_eq!(status, 503);
    assert!(reason.contains("192.0.2.9:5060 cannot be reached by UDP: it was refused"), "{reason}");
    // A connection that is refused, one that never comes about, and one that breaks are not the same.
    for (after, connection, said) in [
        (100, 0, "192.0.2.9:5060 cannot be reached by TCP: it was refused; nobody listens there"),
        (
            20_000,
            0,
            "192.0.2.9:5060 cannot be reached by TCP: no connection came about within 20 s",
        ),
        (20_000, 7, "the connection to 192.0.2.9:5060 by TCP broke before an answer came"),
    ] {
        let mut bench = Bench::with(account().by(Transport::Tcp).server("192.0.2.9").unwrap());
        bench.calls(BOB);
        bench.wait(after);
        bench.input(Input::Failed(Flow { connection, ..flow(Transport::Tcp) }));
        let (status, reason) = why(&mut bench);
        assert!(status == 503 && reason.contains(said), "{reason}");
    }
}

/// Proves: rfc3261-8.1.3.2-1.
#[test]
fn a_final_status_that_nobody_knows_counts_as_the_x00_of_its_class() {
    for status in [399, 499, 599, 699, 300, 400, 500, 600] {
        let mut bench = Bench::new();
        let (_, invite) = bench.calls(BOB);
        bench.tell(reply(&invite, status, "x", ("", "")));
        assert_eq!(bench.titles(), ["ACK"]);
        assert_eq!(bench.ended(), Some(status));
    }
    let mut bench = Bench::new();
    let (_, invite) = bench.calls(BOB);
    bench.tell(reply(&invite, 299, "x", ("Contact: <sip:bob@192.0.2.9>", crate::handset::SDP)));
    assert_eq!(bench.titles(), ["ACK"]);
    assert!(bench.events().iter().any(|event| matches!(event, PhoneEvent::Established { .. })));
}

/// Proves: rfc3261-8.1.3.2-2, rfc3261-8.1.3.2-3.
#[test]
fn a_provisional_status_that_nobody_knows_is_progress() {
    let mut bench = Bench::new();
    let (call, invite) = bench.calls(BOB);
    for (status, tag) in [(100, ""), (183, "x"), (177, "x")] {
        bench.tell(reply(&invite, status, tag, ("", "")));
        assert_eq!(bench.events(), [PhoneEvent::Progress { call, status }]);
    }
    // It has made the dialog as a 183 would: the INVITE is not repeated, and a CANCEL may go.
    bench.wait(60_000);
    assert!(bench.sent().is_empty());
}

/// Proves: rfc3261-8.1.3.3-1.
#[test]
fn a_response_with_two_vias_is_not_for_us() {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls(BOB);
    let lost = picked_up(&invite)
        .edit()
        .append_raw("Via", b"SIP/2.0/UDP 192.0.2.3;branch=z9hG4bKx")
        .finish()
        .unwrap();
    bench.tell(lost);
    assert!(bench.sent().is_empty() && bench.events().is_empty());
}

/// Proves: rfc3261-8.1.3.4-1, rfc3261-8.1.3.4-2, rfc3261-8.1.3.4-5, rfc3261-8.1.3.4-6, rfc3261-8.1.3.4-7, rfc3261-8.1.3.4-8,
/// rfc3261-8.1.3.4-9, rfc3261-8.1.3.4-4.
#[test]
fn a_redirected_call_goes_to_each_contact_once_best_first() {
    let mut bench = Bench::new();
    let (_, first) = bench.calls(BOB);
    let contacts = format!(
        "Contact: <sip:b@192.0.2.11;x=y;method=BYE?Subject=z>;q=0.5, <sip:a@192.0.2.10>;q=0.9\n\
         Contact: <sip:a@192.0.2.10>;q=0.1, <{BOB}>, <sips:c@192.0.2.12>, <mailto:d@e>"
    );
    bench.tell(reply(&first, 302, "x", (&contacts, "")));
    let sent = bench.sent();
    let second = &sent[1];
    assert_eq!(uri(second), "sip:a@192.0.2.10");
    assert_eq!(
        (second.call_id(), rows(second, Name::From), rows(second, Name::To)),
        (first.call_id(), rows(&first, Name::From), rows(&first, Name::To))
    );
    assert_eq!((second.body(), number(second)), (first.body(), number(&first) + 1));
    let branch = |message: &Message| message.get::<Via<'_>>().unwrap().branch().unwrap().to_vec();
    assert_ne!(branch(second), branch(&first));
    bench.tell(reply(second, 404, "y", ("", "")));
    let third = bench.sent().remove(1);
    assert_eq!(uri(&third), "sip:b@192.0.2.11;x=y");
    bench.tell(reply(&third, 404, "z", (&contacts, "")));
    assert_eq!(bench.titles(), ["ACK"]);
    assert_eq!(bench.ended(), Some(404));
}

#[test]
fn a_secure_call_is_led_to_secure_addresses_alone() {
    let contacts = "Contact: <sip:a@192.0.2.10>, <sips:c@192.0.2.12>;q=0.5, <tel:+49301>";
    let at =
        |number, transport, port| Listener::new(number, transport, ([192, 0, 2, 1], port).into());
    let listeners = || vec![at(0, Transport::Udp, 5060), at(1, Transport::Tls, 5061)];
    let account =
        || Account::new("sips:alice@atlanta.example").unwrap().server("192.0.2.9").unwrap();
    for (callee, next) in [
        ("sips:bob@biloxi.example", "sips:c@192.0.2.12"),
        ("sip:bob@biloxi.example", "sip:a@192.0.2.10"),
    ] {
        let mut bench = Bench::on(account(), listeners());
        let (_, first) = bench.calls(callee);
        bench.tell(reply(&first, 302, "x", (contacts, "")));
        assert_eq!(bench.sent().get(1).map(uri).as_deref(), Some(next), "{callee}");
    }
}

/// "If a 416 (Unsupported URI Scheme) response is received, the client SHOULD retry the request, this time, using a SIP URI"; "any characters allowed there
/// that are not allowed in the user part of the SIP URI MUST be escaped".
/// Proves: rfc3261-8.1.3.5-4, rfc3261-25.1-2.
#[test]
fn a_number_that_is_not_understood_as_tel_is_called_as_a_sip_uri() {
    let mut bench = Bench::new();
    let (_, first) = bench.calls("tel:+49-30-1234;x=y");
    assert_eq!(uri(&first), "tel:+49-30-1234;x=y");
    bench.tell(reply(&first, 416, "x", ("", "")));
    let second = bench.sent().remove(1);
    assert_eq!(uri(&second), "sip:+49-30-1234;x=y@atlanta.example;user=phone");
    assert_eq!(number(&second), number(&first) + 1);
    bench.tell(reply(&second, 416, "y", ("", "")));
    assert_eq!((bench.titles(), bench.ended()), (vec!["ACK".into()], Some(416)));
    let (_, first) = bench.calls("tel:+49-30;ext=[a:b]%20c");
    bench.tell(reply(&first, 416, "x", ("", "")));
    let user = "+49-30;ext=%5Ba%3Ab%5D%20c";
    assert_eq!(uri(&bench.sent().remove(1)), format!("sip:{user}@atlanta.example;user=phone"));
}

/// "Implementers SHOULD make the User-Agent header field a configurable option."
/// Proves: rfc3261-20.41-1.
#[test]
fn the_phone_calls_itself_what_its_owner_wants() {
    for (name, row) in [("Desk/7", vec!["Desk/7".to_owned()]), ("", vec![])] {
        let account = account().server("192.0.2.9").unwrap().user_agent(name);
        let mut bench = Bench::with(account);
        let (_, invite) = bench.calls(BOB);
        assert_eq!(rows(&invite, Name::UserAgent), row);
        let options = bench.request("OPTIONS", "", "");
        bench.tell(options);
        assert_eq!(rows(&bench.only(), Name::Server), row);
    }
}

/// One registration has one Call-ID, and names the extension that its answer may use.
/// Proves: rfc3261-8.1.1.4-2, rfc3261-8.1.1.9-1.
#[test]
fn every_registration_of_a_phone_has_one_call_id() {
    let mut bench = Bench::new();
    bench.act(|phone, now, out| phone.register(now, out));
    let first = bench.only();
    assert_eq!(rows(&first, Name::Supported), ["path"]);
    bench.tell(reply(&first, 200, "r", ("", "")));
    bench.wait(4_000_000);
    let later = bench.sent();
    assert!(!later.is_empty());
    for register in later {
        assert_eq!(register.method(), Some(Method::Register));
        assert_eq!(register.call_id(), first.call_id());
    }
}

/// Proves: rfc3261-8.1.3.5-1, rfc3261-8.1.3.5-6, rfc3261-22.2-2, rfc3261-22.2-4, rfc3261-22.3-4.
#[test]
fn a_challenged_call_is_tried_again_with_the_next_number() {
    for (status, asks, answers) in [
        (401, "WWW-Authenticate", Name::Authorization),
        (407, "Proxy-Authenticate", Name::ProxyAuthorization),
    ] {
        let mut bench = Bench::new();
        let (_, first) = bench.calls(BOB);
        let challenge = format!(r#"{asks}: Digest realm="r", nonce="1", qop="auth""#);
        bench.tell(reply(&first, status, "x", (&challenge, "")));
        let sent = bench.sent();
        let second = &sent[1];
        assert_eq!(number(second), number(&first) + 1);
        assert_eq!(
            (second.call_id(), rows(second, Name::From)),
            (first.call_id(), rows(&first, Name::From))
        );
        assert_eq!((rows(second, Name::To), second.body()), (rows(&first, Name::To), first.body()));
        assert!(rows(second, answers)[0].contains("username=\"alice\""));
        // Refused again: the password is wrong, and nobody tries it a third time.
        bench.tell(reply(second, status, "y", (&challenge, "")));
        assert_eq!(bench.titles(), ["ACK"]);
        assert_eq!(bench.ended(), Some(status));
    }
}

/// Trap 15: what is too large for one datagram goes by TCP, with a Via that says so; and by UDP after all when nobody takes it.
/// Proves: rfc3261-18.1.1-1, rfc3261-18.1.1-2, rfc3261-18.1.1-4.
#[test]
fn trap_15_a_large_request_goes_by_tcp_and_comes_back_to_udp() {
    let mut bench = Bench::new();
    let long = format!("sip:{}@biloxi.example", "b".repeat(600));
    bench.act(|phone, now, out| phone.call(now, &long, Box::new(media::Silence), out)).unwrap();
    let sent = bench.sent_with_times();
    let (_, way, invite) = &sent[0];
    assert_eq!(way.transport, Transport::Tcp);
    assert!(invite.get::<Via<'_>>().unwrap().text().starts_with("SIP/2.0/TCP "));
    // A connection that its peer closes was taken all the same: what crossed its end goes by another.
    bench.input(Input::Failed(Flow { connection: 7, ..*way }));
    let again = bench.sent_with_times();
    assert_eq!((again[0].1, again[0].2.wire()), (*way, invite.wire()));
    // One that breaks after that is no reason to avoid TCP.
    bench.input(Input::Failed(Flow { connection: 8, ..*way }));
    assert_eq!(bench.sent_with_times()[0].1.transport, Transport::Udp);
    bench.act(|phone, now, out| phone.call(now, &long, Box::new(media::Silence), out)).unwrap();
    let sent = bench.sent_with_times();
    let (_, way, _) = &sent[0];
    assert_eq!(way.transport, Transport::Tcp);
    bench.input(Input::Failed(*way));
    let sent = bench.sent_with_times();
    let (_, way, invite) = &sent[0];
    assert_eq!(way.transport, Transport::Udp);
    assert!(invite.get::<Via<'_>>().unwrap().text().starts_with("SIP/2.0/UDP "));
    // And it is remembered that nobody takes it there.
    bench.act(|phone, now, out| phone.call(now, &long, Box::new(media::Silence), out)).unwrap();
    assert_eq!(bench.sent_with_times()[0].1.transport, Transport::Udp);
}
