//! §12.1 and §12.2, as a phone lives them.

use phone::PhoneEvent;
use sip::header::{Contact, To};
use sip::{Header as _, Name};

use crate::handset::{Bench, SDP, back, picked_up, reply, rows, titles, uri, within};

/// Proves: rfc3261-12.1.1-1, rfc3261-12.1.1-2, rfc3261-12.1.1-3, rfc3261-12.1.1-5, rfc3261-13.3.1.1-1.
#[test]
fn answers_that_make_a_dialog_copy_record_route_and_say_where_we_are() {
    let mut bench = Bench::new();
    let record = "Record-Route: <sip:p2.example;lr;x=\"a,b\">;unknown=1, <sip:p1.example;lr>\r\n\
                  Record-Route: <sip:p0.example;lr;new-param=yes>\r\n";
    let invite = bench.request("INVITE", record, SDP);
    bench.tell(invite.clone());
    let call = bench.incoming();
    bench.ring(call);
    bench.answer(call);
    let answers = bench.sent();
    assert_eq!(titles(&answers), ["180", "200"]);
    for answer in &answers {
        assert_eq!(rows(answer, Name::RecordRoute), rows(&invite, Name::RecordRoute));
        let contact = answer.get::<Contact<'_>>().unwrap();
        assert_eq!(contact.text(), "<sip:alice@192.0.2.1:5060>");
        assert_eq!(rows(answer, Name::To), rows(&answers[0], Name::To));
    }
}

/// The state lasts as long as the dialog: after an hour a BYE still finds its way, both ways.
/// Proves: rfc3261-12.1.1-6, rfc3261-12.1.2-3.
#[test]
fn a_dialog_is_kept_as_long_as_the_call() {
    let mut bench = Bench::new();
    let (_, _, ack) = bench.up();
    let (call, _, ok) = bench.taken();
    bench.sent();
    bench.wait(3_600_000);
    assert!(bench.sent().is_empty());
    bench.tell(back(&ack, "BYE", 1, "", ""));
    assert_eq!(bench.titles(), ["200"]);
    bench.hang_up(call);
    let bye = bench.only();
    assert_eq!(bye.call_id(), ok.call_id());
    assert_eq!(uri(&bye), "sip:bob@192.0.2.9:5060");
}

/// Proves: rfc3261-12.2.2-1, rfc3261-15.1.2-1.
#[test]
fn what_belongs_to_no_call_of_ours_is_481() {
    let mut bench = Bench::new();
    let (_, _, ok) = bench.taken();
    for method in ["BYE", "INVITE", "INFO", "UPDATE", "OPTIONS"] {
        let stranger = within(&ok, method, 2, "", "");
        let stranger = stranger
            .edit()
            .replace_raw(Name::To, b"<sip:alice@atlanta.example>;tag=other")
            .finish()
            .unwrap();
        bench.tell(stranger);
        let no = bench.only();
        assert_eq!(titles(&[no]), ["481"], "{method}");
    }
    let outside = bench.request("BYE", "", "");
    bench.tell(outside);
    assert_eq!(bench.titles(), ["481"]);
    assert_eq!(bench.ended(), None);
}

/// Trap 41, by a phone.
/// Proves: rfc3261-12.2.2-3, rfc3261-12.2.2-4.
#[test]
fn trap_41_a_stale_request_is_500_and_a_gap_is_fine() {
    let mut bench = Bench::new();
    let (_, _, ok) = bench.taken();
    bench.tell(within(&ok, "OPTIONS", 50, "", ""));
    bench.tell(within(&ok, "BYE", 49, "", ""));
    assert_eq!(bench.titles(), ["200", "500"]);
    assert_eq!(bench.ended(), None);
    bench.tell(within(&ok, "BYE", 51, "", ""));
    assert_eq!((bench.titles(), bench.ended()), (vec!["200".into()], Some(200)));
}

/// Proves: rfc3261-12.2.1.2-2, rfc3261-12.2.1.2-3, rfc3261-12.2.1.1-17.
#[test]
fn a_call_that_the_other_side_has_forgotten_ends() {
    let mut bench = Bench::new();
    let (call, ..) = bench.up();
    bench.hold(call);
    let reinvite = bench.only();
    assert_eq!(rows(&reinvite, Name::Contact), ["<sip:alice@192.0.2.1:5060>"]);
    bench.tell(reply(&reinvite, 481, "", ("", "")));
    assert_eq!((bench.titles(), bench.ended()), (vec!["ACK".into()], Some(481)));
    let (call, ..) = bench.up();
    bench.hold(call);
    bench.wait(32_000);
    assert_eq!(bench.sent().last().unwrap().method(), Some(sip::Method::Bye));
    assert_eq!(bench.ended(), Some(408));
}

/// Trap 42: several early dialogs, and the one that picks up is the call.
#[test]
fn trap_42_one_of_several_early_dialogs_becomes_the_call() {
    let mut bench = Bench::new();
    let (call, invite) = bench.calls("sip:bob@biloxi.example");
    for (status, tag) in [(180, "x"), (183, "y"), (180, "z")] {
        bench.tell(reply(&invite, status, tag, (&format!("Contact: <sip:{tag}@192.0.2.9>"), "")));
    }
    bench.tell(reply(
        &invite,
        200,
        "y",
        ("Contact: <sip:y2@192.0.2.9>\nRecord-Route: <sip:192.0.2.9;lr>", SDP),
    ));
    let ack = bench.only();
    assert_eq!(
        (uri(&ack), rows(&ack, Name::Route)),
        ("sip:y2@192.0.2.9".into(), vec!["<sip:192.0.2.9;lr>".into()])
    );
    assert_eq!(ack.get::<To<'_>>().unwrap().tag(), Some(&b"y"[..]));
    assert_eq!(bench.events().last(), Some(&PhoneEvent::Established { call }));
}

/// A peer of RFC 2543 answers without a tag; the call stands and ends all the same.
#[test]
fn a_peer_without_a_tag_can_be_called() {
    let mut bench = Bench::new();
    let (call, invite) = bench.calls("sip:bob@biloxi.example");
    let untagged = picked_up(&invite)
        .edit()
        .replace_raw(Name::To, b"<sip:bob@biloxi.example>")
        .finish()
        .unwrap();
    bench.tell(untagged);
    let ack = bench.only();
    assert_eq!(ack.get::<To<'_>>().unwrap().tag(), None);
    bench.hang_up(call);
    let bye = bench.only();
    assert_eq!(
        (titles(std::slice::from_ref(&bye)), bye.get::<To<'_>>().unwrap().tag()),
        (vec!["BYE".into()], None)
    );
}
