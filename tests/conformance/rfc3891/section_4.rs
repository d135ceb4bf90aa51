//! §4: how the phone asks somebody to take the place of a call.

use phone::{Call, Referrals};
use sip::{Message, Method, Name};

use crate::handset::{Bench, SDP, account, reply, rows, within};

/// A call of ours to `target` that was picked up, with these rows; its ACK.
fn up(bench: &mut Bench, target: &str, rows: &str) -> (Call, Message) {
    let (call, invite) = bench.calls(target);
    bench.tell(reply(&invite, 200, "there", (rows, SDP)));
    (call, bench.only())
}

/// What the REFER of an attended transfer names when Carol has answered with these rows.
fn refer_to(answered: &str) -> (String, Message) {
    let mut bench = Bench::new();
    let (first, _) = up(&mut bench, "sip:bob@biloxi.example", "Contact: <sip:bob@192.0.2.9>");
    let (second, ack) = up(&mut bench, "sip:carol@chicago.example", answered);
    bench.act(|phone, now, out| phone.transfer_to(now, first, second, out)).unwrap();
    let refer = bench.only();
    assert_eq!(refer.method(), Some(Method::Refer));
    (rows(&refer, Name::ReferTo).concat(), ack)
}

/// "implementations SHOULD only address replacement requests … to the SIP Contact URI of the target": by its GRUU, and where it is reached without a
/// proxy. Elsewhere its Contact may lead nowhere, and its user's phones are asked: all but the right one say 481.
/// Proves: rfc3891-A-2.
#[test]
fn an_attended_transfer_leads_to_the_phone_that_has_the_call() {
    let route = "Record-Route: <sip:192.0.2.77;lr>\r\n";
    let gruu = "Contact: <sip:carol@chicago.example;gr=urn:uuid:1>";
    let (to, ack) = refer_to(&format!("{route}{gruu}"));
    let from = rows(&ack, Name::From).concat();
    let (call_id, ours) =
        (String::from_utf8_lossy(ack.call_id()).into_owned(), from.split(";tag=").nth(1).unwrap());
    let names = format!("{call_id}%3Bto-tag%3Dthere%3Bfrom-tag%3D{ours}");
    assert_eq!(to, format!("<sip:carol@chicago.example;gr=urn:uuid:1?Replaces={names}>"));
    let (to, _) = refer_to("Contact: <sip:carol@192.0.2.9>");
    assert!(to.starts_with("<sip:carol@192.0.2.9?Replaces="), "{to}");
    let (to, _) = refer_to(&format!("{route}Contact: <sip:carol@10.0.0.9>"));
    assert!(to.starts_with("<sip:carol@chicago.example?Replaces="), "{to}");
}

/// "A UAC MUST NOT send an INVITE with a Replaces header field that attempts to replace an early dialog which was not originated by the target": we
/// name only calls that stand.
/// Proves: rfc3891-A-1.
#[test]
fn a_call_that_rings_is_not_taken_over() {
    let mut bench = Bench::new();
    let (first, _) = up(&mut bench, "sip:bob@biloxi.example", "Contact: <sip:bob@192.0.2.9>");
    let (second, invite) = bench.calls("sip:carol@chicago.example");
    bench.tell(reply(&invite, 180, "there", ("Contact: <sip:carol@192.0.2.9>", "")));
    assert!(bench.act(|phone, now, out| phone.transfer_to(now, first, second, out)).is_err());
    assert_eq!(bench.titles(), [""; 0]);
}

/// The INVITE of whoever was asked says which call it replaces, and that it must be understood (RFC 5589 §7.2): who insists on an extension "MUST insert a
/// Require header field into the request".
/// Proves: rfc3261-8.1.1.9-3.
#[test]
fn the_replaces_of_a_refer_goes_into_the_invite() {
    let follow = account().server("192.0.2.9").unwrap().referrals(Referrals::Follow);
    let mut bench = Bench::with(follow);
    let (_, _, ok) = bench.taken();
    let to = "Refer-To: <sip:carol@chicago.example?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n";
    bench.tell(within(&ok, "REFER", 2, to, ""));
    let sent = bench.sent();
    let invite = sent.iter().find(|sent| sent.method() == Some(Method::Invite)).unwrap();
    assert_eq!(rows(invite, Name::Replaces), ["a@b;to-tag=1;from-tag=2"]);
    assert_eq!(rows(invite, Name::Require), ["replaces"]);
    assert_eq!(invite.request_uri(), Some(&b"sip:carol@chicago.example"[..]));
}
