//! §2.4.1, §2.4.4: how the phone transfers a call.

use phone::{Call, PhoneEvent};
use sip::{Message, Method, Name};

use crate::handset::{Bench, SDP, number, reply, rows, titles, uri};

const BOB: &str = "sip:bob@biloxi.example";

/// A call through a proxy that Bob has picked up, and our REFER in it.
fn referring() -> (Bench, Call, Message, Message) {
    let mut bench = Bench::new();
    let (call, invite) = bench.calls(BOB);
    let rows = "Contact: <sip:bob@192.0.2.9>\r\nRecord-Route: <sip:192.0.2.77;lr>";
    bench.tell(reply(&invite, 200, "bob", (rows, SDP)));
    let ack = bench.only();
    bench.act(|phone, now, out| phone.transfer(now, call, "carol", out)).unwrap();
    let refer = bench.only();
    bench.events();
    (bench, call, ack, refer)
}

fn notify(ack: &Message, sequence: u32, rows: &str, body: &str) -> Message {
    let kind = "Event: refer\r\nContent-Type: message/sipfrag;version=2.0\r\n";
    let plain = crate::handset::back(ack, "NOTIFY", sequence, &format!("{kind}{rows}"), "");
    let wire = [plain.wire(), body.as_bytes()].concat();
    Message::parse(wire).unwrap()
}

fn transfers(bench: &mut Bench) -> Vec<u16> {
    let status = |event: PhoneEvent| match event {
        PhoneEvent::Transfer { status, .. } => Some(status),
        _ => None,
    };
    bench.events().into_iter().filter_map(status).collect()
}

/// "A REFER request MUST contain exactly one Refer-To header field value"; it "MUST contain a single Contact header field value", and one within a
/// dialog "MUST follow the Route/Record-Route logic of that dialog".
/// Proves: rfc3515-2.4.1-1, rfc3515-A-1, rfc3515-A-2, rfc3892-A-1, rfc3892-3-2.
#[test]
fn a_refer_names_whom_to_call_and_who_asks() {
    let (_, _, ack, refer) = referring();
    assert_eq!(refer.method(), Some(Method::Refer));
    assert_eq!(rows(&refer, Name::ReferTo), ["<sip:carol@atlanta.example>"]);
    assert_eq!(rows(&refer, Name::ReferredBy), ["<sip:alice@atlanta.example>"]);
    assert_eq!(rows(&refer, Name::Contact).len(), 1);
    assert_eq!(rows(&refer, Name::Route), ["<sip:192.0.2.77;lr>"]);
    assert_eq!(uri(&refer), "sip:bob@192.0.2.9");
    assert_eq!(number(&refer), number(&ack) + 1);
}

/// "the agent that issued the REFER MUST be prepared to receive a NOTIFY before the REFER transaction completes"; what it says is told, and when
/// somebody has picked up there, the call is hung up.
/// Proves: rfc3515-2.4.4-4.
#[test]
fn what_a_notify_says_is_told_and_the_end_of_it_hangs_up() {
    let (mut bench, _, ack, refer) = referring();
    bench.tell(notify(
        &ack,
        1,
        "Subscription-State: active;expires=60\r\n",
        "SIP/2.0 100 Trying\r\n",
    ));
    assert_eq!((bench.titles(), transfers(&mut bench)), (vec!["200".into()], vec![100]));
    bench.tell(reply(&refer, 202, "", ("Contact: <sip:bob@192.0.2.9>", "")));
    bench.tell(notify(
        &ack,
        2,
        "Subscription-State: active;expires=60\r\n",
        "SIP/2.0 180 Ringing\r\n",
    ));
    assert_eq!(bench.titles(), ["200"]);
    let last = "Subscription-State: terminated;reason=noresource\r\n";
    bench.tell(notify(&ack, 3, last, "SIP/2.0 200 OK\r\n"));
    assert_eq!(bench.titles(), ["200", "BYE"]);
    assert_eq!(transfers(&mut bench), [180, 200]);
    bench.tell(notify(&ack, 4, last, "SIP/2.0 200 OK\r\n"));
    assert_eq!(bench.titles(), ["481"], "nothing more is waited for");
}

/// A no is told, and the call stays; so it does when nobody tells anything.
#[test]
fn a_transfer_that_fails_leaves_the_call() {
    let (mut bench, call, _, refer) = referring();
    bench.tell(reply(&refer, 603, "", ("", "")));
    assert_eq!(transfers(&mut bench), [603]);
    let (mut other, _, ack, refer) = referring();
    other.tell(reply(&refer, 202, "", ("Contact: <sip:bob@192.0.2.9>", "")));
    other.tell(notify(&ack, 1, "Subscription-State: terminated;reason=timeout\r\n", ""));
    assert_eq!(transfers(&mut other), [408]);
    let (mut silent, _, _, refer) = referring();
    silent.tell(reply(&refer, 202, "", ("Contact: <sip:bob@192.0.2.9>", "")));
    silent.wait(301_000);
    assert_eq!(transfers(&mut silent), [408]);
    assert!(bench.act(|phone, _, _| phone.calls().any(|up| up == call)));
}

/// Asked who we are, we answer; what is told then bears the number of the second REFER (§2.4.6).
#[test]
fn a_refer_proves_itself() {
    let (mut bench, _, ack, refer) = referring();
    let challenge = "Proxy-Authenticate: Digest realm=\"biloxi\", nonce=\"n\", qop=\"auth\"";
    bench.tell(reply(&refer, 407, "", (challenge, "")));
    let again = bench.only();
    assert!(again.has(Name::ProxyAuthorization));
    let named = format!("Event: refer;id={}\r\n", number(&again));
    let message = notify(&ack, 1, "Subscription-State: active\r\n", "SIP/2.0 180 Ringing\r\n");
    let message = message.edit().replace_raw(Name::Event, named[7..].trim().as_bytes()).finish();
    bench.tell(message.unwrap());
    assert_eq!((bench.titles(), transfers(&mut bench)), (vec!["200".into()], vec![180]));
}

/// The other side hangs up while it calls: what it tells afterwards is still heard.
#[test]
fn news_come_after_the_call_too() {
    let (mut bench, call, ack, refer) = referring();
    bench.tell(reply(&refer, 202, "", ("Contact: <sip:bob@192.0.2.9>", "")));
    bench.tell(crate::handset::back(&ack, "BYE", 1, "", ""));
    assert_eq!(bench.titles(), ["200"]);
    assert!(!bench.act(|phone, _, _| phone.calls().any(|up| up == call)));
    bench.tell(notify(
        &ack,
        2,
        "Subscription-State: terminated;reason=noresource\r\n",
        "SIP/2.0 200 OK\r\n",
    ));
    let sent = bench.sent();
    assert_eq!(titles(&sent), ["200"]);
    assert_eq!(transfers(&mut bench), [200]);
    bench.tell(crate::handset::back(&ack, "INFO", 3, "", ""));
    assert_eq!(bench.titles(), ["481"]);
}
