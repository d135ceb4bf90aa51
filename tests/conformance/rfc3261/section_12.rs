//! §12: dialogs, as their state and their requests.

use protocol::Transport;
use protocol::dialog::{Dialog, DialogId, Fault, Order, Privacy, Stage, Tag};
use sip::header::{CSeq, From, Route, To};
use sip::{Header as _, Message, Method, Name, Status};

const INVITE: &str = "INVITE sip:bob@biloxi.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
    Max-Forwards: 70\r\nFrom: \"Alice\" <sip:alice@atlanta.example>;tag=a1\r\nTo: Bob <sip:bob@biloxi.example>\r\n\
    Call-ID: 3848276298220188511@atlanta.example\r\nCSeq: 314 INVITE\r\nContact: <sip:alice@192.0.2.1>\r\n\
    Record-Route: <sip:p1.example;lr;x=\"1;2\">, <sip:p2.example;lr>;unknown=y\r\n\r\n";

fn message(wire: &str) -> Message {
    Message::parse(wire.to_owned()).unwrap()
}

fn answer(status: u16, tag: &str, rows: &str) -> Message {
    let wire = format!(
        "SIP/2.0 {status} X\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
         From: \"Alice\" <sip:alice@atlanta.example>;tag=a1\r\nTo: Bob <sip:bob@biloxi.example>{tag}\r\n\
         Call-ID: 3848276298220188511@atlanta.example\r\nCSeq: 314 INVITE\r\n{rows}\r\n"
    );
    message(&wire)
}

fn caller(status: u16, rows: &str) -> Dialog {
    Dialog::of_caller(&message(INVITE), &answer(status, ";tag=b1", rows), Transport::Udp).unwrap()
}

fn callee(invite: &str) -> Dialog {
    Dialog::of_callee(&message(invite), Tag::of(b"b1"), Transport::Udp).unwrap()
}

fn bye(dialog: &mut Dialog) -> Message {
    Message::parse(dialog.request(Method::Bye).wire()).unwrap()
}

fn routes(request: &Message) -> Vec<String> {
    request.all::<Route>().map(|route| route.unwrap().text()).collect()
}

fn uri(request: &Message) -> String {
    String::from_utf8_lossy(request.request_uri().unwrap()).into_owned()
}

const CONTACT: &str = "Contact: <sip:bob@192.0.2.4>\r\n";

/// A caller's dialog: names, numbers, target, and the route set in reverse order.
/// Proves: rfc3261-12.1-1, rfc3261-12.1.2-4, rfc3261-12.1.2-6, rfc3261-12.1.2-7, rfc3261-12.1.2-8, rfc3261-12.1.2-9,
/// rfc3261-12.1.2-10, rfc3261-12.1.2-12, rfc3261-8.1.1.4-1.
#[test]
fn a_caller_s_dialog_has_the_state_of_12_1_2() {
    let record = "Record-Route: <sip:p2.example;lr;y>, <sip:p1.example;lr>\r\nRecord-Route: <sip:p0;lr>;z=1\r\n";
    let mut dialog = caller(180, &format!("{CONTACT}{record}"));
    assert_eq!(dialog.stage(), Stage::Early);
    let DialogId { call_id, local, remote } = dialog.id();
    assert_eq!(call_id.as_bytes(), b"3848276298220188511@atlanta.example");
    assert_eq!((local.as_bytes(), remote.as_bytes()), (&b"a1"[..], &b"b1"[..]));
    assert_eq!(dialog.local_cseq(), Some(314));
    let bye = bye(&mut dialog);
    assert_eq!(routes(&bye), ["<sip:p0;lr>;z=1", "<sip:p1.example;lr>", "<sip:p2.example;lr;y>"]);
    assert_eq!(uri(&bye), "sip:bob@192.0.2.4");
    assert_eq!(bye.get::<CSeq>().unwrap().number, 315);
    assert_eq!(bye.get::<From>().unwrap().text(), "<sip:alice@atlanta.example>;tag=a1");
    assert_eq!(bye.get::<To>().unwrap().text(), "<sip:bob@biloxi.example>;tag=b1");
    // The remote number is empty: whatever comes first is in order.
    assert_eq!(dialog.receive(&their(1, "BYE")), Ok(Order::Next));
}

/// A callee's dialog, and the route set in the order of the request, with every parameter.
/// Proves: rfc3261-12.1.1-7, rfc3261-12.1.1-9, rfc3261-12.1.1-10, rfc3261-12.1.1-11, rfc3261-12.1.1-12, rfc3261-12.1.1-13,
/// rfc3261-12.1.1-15, rfc3261-12.2.1.1-9.
#[test]
fn a_callee_s_dialog_has_the_state_of_12_1_1() {
    let mut dialog = callee(INVITE);
    let DialogId { call_id, local, remote } = dialog.id();
    assert_eq!(call_id.as_bytes(), b"3848276298220188511@atlanta.example");
    assert_eq!((local.as_bytes(), remote.as_bytes()), (&b"b1"[..], &b"a1"[..]));
    assert_eq!(dialog.local_cseq(), None);
    assert_eq!(dialog.receive(&their(313, "BYE")), Err(Fault::StaleCSeq { got: 313, seen: 314 }));
    let bye = bye(&mut dialog);
    assert_eq!(routes(&bye), ["<sip:p1.example;lr;x=\"1;2\">", "<sip:p2.example;lr>;unknown=y"]);
    assert_eq!(uri(&bye), "sip:alice@192.0.2.1");
    assert_eq!(bye.get::<From>().unwrap().text(), "<sip:bob@biloxi.example>;tag=b1");
    assert_eq!(bye.get::<To>().unwrap().text(), "<sip:alice@atlanta.example>;tag=a1");
    assert!(bye.get::<CSeq>().unwrap().number < 1 << 31);
}

/// Proves: rfc3261-12.1.1-8, rfc3261-12.1.2-5, rfc3261-12.2.1.1-11, rfc3261-12.2.1.1-12.
#[test]
fn without_record_route_requests_go_to_the_target_itself() {
    let direct = INVITE.split("Record-Route").next().unwrap().to_owned() + "\r\n";
    for dialog in [&mut callee(&direct), &mut caller(200, CONTACT)] {
        let bye = bye(dialog);
        assert!(!bye.has(Name::Route));
        assert_eq!(dialog.next_hop(), dialog.target());
        assert_eq!(bye.request_uri().unwrap(), dialog.target());
    }
}

/// A peer of RFC 2543 has no tags: null on our side, and absent from what we write.
/// Proves: rfc3261-12.1.1-14, rfc3261-12.1.2-11, rfc3261-12.2.1.1-5.
#[test]
fn a_peer_without_a_tag_has_the_null_tag() {
    let mut ours = callee(&INVITE.replace(";tag=a1", ""));
    assert!(ours.id().remote.is_null());
    assert_eq!(bye(&mut ours).get::<To>().unwrap().text(), "<sip:alice@atlanta.example>");
    let mut theirs =
        Dialog::of_caller(&message(INVITE), &answer(200, "", CONTACT), Transport::Udp).unwrap();
    assert!(theirs.id().remote.is_null());
    let bye = bye(&mut theirs);
    assert_eq!(bye.get::<To>().unwrap().text(), "<sip:bob@biloxi.example>");
    // And its requests find the dialog again.
    let request = their(1, "BYE")
        .edit()
        .replace_raw(Name::From, b"<sip:bob@biloxi.example>")
        .finish()
        .unwrap();
    assert_eq!(DialogId::of_request(&request).as_ref(), Some(theirs.id()));
}

/// Proves: rfc3261-12.2.1.1-1, rfc3261-12.2.1.1-2, rfc3261-12.2.1.1-3, rfc3261-12.2.1.1-4, rfc3261-12.2.1.1-6,
/// rfc3261-12.2.1.1-7, rfc3261-12.2.1.1-8, rfc3261-12.2.1.1-10, rfc3261-8.1.1.5-1, rfc3261-8.1.1.6-1.
#[test]
fn requests_within_a_dialog_are_numbered_one_by_one() {
    let mut dialog = caller(200, CONTACT);
    let mut numbers = Vec::new();
    for method in [Method::Info, Method::Invite, Method::Bye] {
        let request = Message::parse(dialog.request(method).wire()).unwrap();
        let cseq = request.get::<CSeq>().unwrap();
        assert_eq!((cseq.method, request.method()), (method, Some(method)));
        assert_eq!(request.get::<To>().unwrap().uri, dialog.remote_uri());
        assert_eq!(DialogId::of_response(&request).as_ref(), Some(dialog.id()));
        assert_eq!(request.rows(Name::MaxForwards).next(), Some(&b"70"[..]));
        numbers.push(cseq.number);
    }
    assert_eq!(numbers, [315, 316, 317]);
}

/// The ACK has the number of its INVITE, not a new one.
/// Proves: rfc3261-13.2.2-5, rfc3261-13.2.2-6.
#[test]
fn an_ack_has_the_number_and_the_credentials_of_its_invite() {
    let invite =
        message(&INVITE.replace("Max-Forwards", "Proxy-Authorization: Digest a=b\r\nMax-Forwards"));
    let mut dialog = caller(200, CONTACT);
    let _info = dialog.request(Method::Info);
    let ack = Message::parse(dialog.ack(&invite).wire()).unwrap();
    let cseq = ack.get::<CSeq>().unwrap();
    assert_eq!((cseq.number, cseq.method), (314, Method::Ack));
    assert_eq!(ack.rows(Name::ProxyAuthorization).next(), Some(&b"Digest a=b"[..]));
    assert_eq!(dialog.local_cseq(), Some(315));
}

/// Proves: rfc3261-12.2.1.1-13.
#[test]
fn a_loose_router_gets_the_target_and_every_route() {
    let mut dialog =
        caller(200, &format!("{CONTACT}Record-Route: <sip:p2>, <sip:p1;lr=on;x=y>;h=1\r\n"));
    let bye = bye(&mut dialog);
    assert_eq!(uri(&bye), "sip:bob@192.0.2.4");
    assert_eq!(routes(&bye), ["<sip:p1;lr=on;x=y>;h=1", "<sip:p2>"]);
    assert_eq!(dialog.next_hop(), b"sip:p1;lr=on;x=y");
}

/// Trap 26, our direction: a strict router finds itself in the Request-URI and the target at the end of the Routes.
/// Proves: rfc3261-12.2.1.1-14, rfc3261-12.2.1.1-15, rfc3261-12.2.1.1-16, rfc3261-8.1.2-2.
#[test]
fn a_strict_router_gets_itself_and_the_target_last() {
    let record =
        "Record-Route: <sip:p2;lr;z>;h=2, <sip:p1;method=BYE;maddr=192.0.2.9?subject=x>;h=1\r\n";
    let mut dialog = caller(200, &format!("{CONTACT}{record}"));
    let bye = bye(&mut dialog);
    assert_eq!(uri(&bye), "sip:p1;maddr=192.0.2.9");
    assert_eq!(routes(&bye), ["<sip:p2;lr;z>;h=2", "<sip:bob@192.0.2.4>"]);
    assert!(dialog.next_hop().starts_with(b"sip:p1"));
}

/// Proves: rfc3261-12.2.1.2-1, rfc3261-12.2.2-6.
#[test]
fn a_target_refresh_moves_the_target_and_never_the_routes() {
    let mut dialog = caller(200, &format!("{CONTACT}Record-Route: <sip:p1;lr>\r\n"));
    dialog.refresh(&answer(
        200,
        ";tag=b1",
        "Contact: <sip:bob@192.0.2.5>\r\nRecord-Route: <sip:p9;lr>\r\n",
    ));
    assert_eq!(dialog.target(), b"sip:bob@192.0.2.5");
    dialog.refresh(&answer(200, ";tag=b1", ""));
    let bye = bye(&mut dialog);
    assert_eq!((uri(&bye), routes(&bye)), ("sip:bob@192.0.2.5".into(), vec!["<sip:p1;lr>".into()]));
}

/// Proves: rfc3261-13.2.2-2.
#[test]
fn a_2xx_confirms_an_early_dialog_with_its_own_routes() {
    let mut dialog = caller(180, &format!("{CONTACT}Record-Route: <sip:p1;lr>\r\n"));
    dialog.confirmed_by(&answer(
        200,
        ";tag=b1",
        "Contact: <sip:bob@192.0.2.6>\r\nRecord-Route: <sip:p2;lr>\r\n",
    ));
    assert_eq!(dialog.stage(), Stage::Confirmed);
    let bye = bye(&mut dialog);
    assert_eq!((uri(&bye), routes(&bye)), ("sip:bob@192.0.2.6".into(), vec!["<sip:p2;lr>".into()]));
}

/// Trap 41: gaps are fine, older is 500, and the number moves.
/// Proves: rfc3261-12.2.2-2, rfc3261-12.2.2-3, rfc3261-12.2.2-4, rfc3261-12.2.2-5.
#[test]
fn trap_41_gaps_are_fine_and_what_is_older_is_refused() {
    let mut dialog = caller(200, CONTACT);
    assert_eq!(dialog.receive(&their(7, "INFO")), Ok(Order::Next));
    assert_eq!(dialog.receive(&their(9, "INFO")), Ok(Order::Next));
    assert_eq!(dialog.receive(&their(9, "INFO")), Ok(Order::Again));
    let stale = dialog.receive(&their(8, "BYE")).unwrap_err();
    assert_eq!(stale, Fault::StaleCSeq { got: 8, seen: 9 });
    assert_eq!(stale.status(), Status::SERVER_INTERNAL_ERROR);
    assert_eq!(dialog.receive(&their(2_147_483_647, "BYE")), Ok(Order::Next));
}

/// Trap 42: each To tag is a dialog of its own.
#[test]
fn trap_42_every_to_tag_is_another_early_dialog() {
    let by = Transport::Udp;
    let first = Dialog::of_caller(&message(INVITE), &answer(180, ";tag=x", ""), by).unwrap();
    let second = Dialog::of_caller(&message(INVITE), &answer(183, ";tag=y", ""), by).unwrap();
    assert_ne!(first.id(), second.id());
    assert_eq!(first.id().local, second.id().local);
    assert!(Dialog::of_caller(&message(INVITE), &answer(100, "", ""), by).is_none());
}

#[test]
fn secure_is_what_was_asked_for_with_sips_and_came_by_tls() {
    let sips = INVITE.replace("INVITE sip:bob", "INVITE sips:bob");
    let over =
        |wire: &str, by| Dialog::of_callee(&message(wire), Tag::of(b"t"), by).unwrap().privacy();
    assert_eq!(over(&sips, Transport::Tls), Privacy::Secure);
    assert_eq!(over(&sips, Transport::Udp), Privacy::Plain);
    assert_eq!(over(INVITE, Transport::Tls), Privacy::Plain);
    let ours =
        Dialog::of_caller(&message(&sips), &answer(200, ";tag=b", ""), Transport::Tls).unwrap();
    assert_eq!(ours.privacy(), Privacy::Secure);
}

#[test]
fn an_invite_that_does_not_say_where_its_sender_is_makes_no_dialog() {
    let by = Transport::Udp;
    for contact in ["", "Contact: <tel:+1234>\r\n"] {
        let invite = INVITE.replace("Contact: <sip:alice@192.0.2.1>\r\n", contact);
        let fault = Dialog::of_callee(&message(&invite), Tag::of(b"b1"), by).unwrap_err();
        assert_eq!((fault, fault.status()), (Fault::NoContact, Status::BAD_REQUEST));
    }
}

/// A request of the other side within the dialog.
fn their(number: u32, method: &str) -> Message {
    message(&format!(
        "{method} sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK2\r\n\
         From: <sip:bob@biloxi.example>;tag=b1\r\nTo: <sip:alice@atlanta.example>;tag=a1\r\n\
         Call-ID: 3848276298220188511@atlanta.example\r\nCSeq: {number} {method}\r\n\r\n"
    ))
}
