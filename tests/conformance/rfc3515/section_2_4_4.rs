//! §2.4.4, §2.4.5, §2.4.7, §3: what the transferor is told.

use sip::{Message, Method, Name};

use super::{CAROL, news, obedient, of, refer};
use crate::handset::{Bench, picked_up, reply, rows, titles, within};

/// Bob's yes to each NOTIFY that was sent; what they said.
fn heard(bench: &mut Bench) -> Vec<(String, String, String)> {
    let notifies = of(&bench.sent(), Method::Notify);
    for notify in &notifies {
        bench.tell(reply(notify, 200, "", ("", "")));
    }
    notifies.iter().map(news).collect()
}

/// A REFER that is followed: the INVITE, with everything answered so far.
fn followed() -> (Bench, Message, Message) {
    let (mut bench, _, ok) = obedient();
    bench.tell(refer(&ok, 2, CAROL));
    let sent = bench.sent();
    let first = &of(&sent, Method::Notify)[0];
    bench.tell(reply(first, 200, "", ("", "")));
    (bench, ok, of(&sent, Method::Invite).remove(0))
}

/// "the recipient MUST create a subscription and send notifications"; "MUST contain an Event header field with a value of refer"; "MUST contain a
/// body of type "message/sipfrag"", beginning "with a SIP Response Status-Line"; "The final NOTIFY … MUST indicate the subscription has been
/// "terminated" with a reason of "noresource"".
/// Proves: rfc3515-A-7, rfc3515-2.4.4-1, rfc3515-2.4.4-2, rfc3515-2.4.4-3, rfc3515-2.4.5-1, rfc3515-2.4.5-2, rfc3515-2.4.7-1.
#[test]
fn the_transferor_hears_how_it_goes() {
    let (mut bench, _, ok) = obedient();
    bench.tell(refer(&ok, 2, CAROL));
    let sent = bench.sent();
    let first = of(&sent, Method::Notify).remove(0);
    let (event, state, body) = news(&first);
    assert_eq!((&*event, &*body), ("refer", "SIP/2.0 100 Trying\r\n"));
    assert_eq!(state, "active;expires=240");
    assert_eq!(rows(&first, Name::ContentType), ["message/sipfrag;version=2.0"]);
    bench.tell(reply(&first, 200, "", ("", "")));
    let invite = of(&sent, Method::Invite).remove(0);
    bench.wait(2000);
    bench.tell(reply(&invite, 180, "carol", ("Contact: <sip:carol@192.0.2.9>", "")));
    assert_eq!(heard(&mut bench)[0].2, "SIP/2.0 180 Ringing\r\n");
    bench.wait(2000);
    bench.tell(picked_up(&invite));
    let told = heard(&mut bench);
    assert_eq!(told.len(), 1);
    assert_eq!((&*told[0].1, &*told[0].2), ("terminated;reason=noresource", "SIP/2.0 200 OK\r\n"));
}

/// "The duration SHOULD be chosen to be longer than the time the referenced request will be given to complete": a proxy gives it three minutes
/// (RFC 3261 §16.6). "NOTIFYs to event refer SHOULD NOT be sent more frequently than once per second."
/// Proves: rfc3515-3.4-1, rfc3515-3.10-1.
#[test]
fn news_come_one_a_second_and_the_last_is_never_left_out() {
    let (mut bench, _, invite) = followed();
    let contact = "Contact: <sip:carol@192.0.2.9>";
    bench.tell(reply(&invite, 180, "carol", (contact, "")));
    bench.tell(reply(&invite, 183, "carol", (contact, "")));
    bench.tell(picked_up(&invite));
    assert_eq!(heard(&mut bench).len(), 0, "a second has not passed");
    bench.wait(1000);
    let told = heard(&mut bench);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].2, "SIP/2.0 200 OK\r\n");
}

/// There is one NOTIFY under way at a time: what changes meanwhile is told by the next.
#[test]
fn news_do_not_overtake_each_other() {
    let (mut bench, _, ok) = obedient();
    bench.tell(refer(&ok, 2, CAROL));
    let sent = bench.sent();
    let first = of(&sent, Method::Notify).remove(0);
    let invite = of(&sent, Method::Invite).remove(0);
    bench.wait(1200);
    bench.tell(reply(&invite, 486, "carol", ("", "")));
    assert!(of(&bench.sent(), Method::Notify).iter().all(|again| news(again).2.contains("100")));
    bench.tell(reply(&first, 200, "", ("", "")));
    let told = heard(&mut bench);
    assert_eq!(told[0].2, "SIP/2.0 486 Busy Here\r\n");
}

/// "SHOULD NOT issue a CANCEL to any referenced SIP requests because the agent sending the REFER terminated its subscription"; "If a SUBSCRIBE request
/// for event refer is received for a subscription that does not already exist, it MUST be rejected with a 403."
/// Proves: rfc3515-2.4.4-5, rfc3515-2.4.4-6.
#[test]
fn who_listens_no_more_does_not_stop_the_call() {
    let (mut bench, ok, invite) = followed();
    bench.tell(reply(&invite, 100, "", ("", "")));
    bench.wait(1500);
    bench.tell(within(&ok, "SUBSCRIBE", 3, "Event: refer\r\nExpires: 60\r\n", ""));
    let sent = bench.sent();
    assert_eq!(titles(&sent), ["200", "NOTIFY"]);
    assert_eq!(rows(&sent[0], Name::Expires), ["60"]);
    bench.tell(reply(&sent[1], 481, "", ("", "")));
    bench.wait(1500);
    assert_eq!(bench.titles(), [""; 0], "it is over, and nothing is cancelled");

    let (_, _, ok) = bench.taken();
    bench.tell(within(&ok, "SUBSCRIBE", 4, "Event: refer\r\n", ""));
    assert_eq!(bench.titles(), ["403"]);
    let outside = bench.request("SUBSCRIBE", "Event: refer\r\n", "");
    bench.tell(outside);
    assert_eq!(bench.titles(), ["403"]);
    let other = bench.request("SUBSCRIBE", "Event: presence\r\n", "");
    bench.tell(other);
    let no = bench.only();
    assert_eq!(
        (no.status().unwrap().code(), rows(&no, Name::AllowEvents)),
        (489, vec!["refer, conference, dialog".into()])
    );
}

/// The transferor hangs up at once, as many do: it is told all the same, in the dialog that was.
#[test]
fn a_transferor_that_has_hung_up_is_told() {
    let (mut bench, ok, invite) = followed();
    bench.tell(within(&ok, "BYE", 3, "", ""));
    assert_eq!(bench.titles(), ["200"]);
    bench.wait(1500);
    bench.tell(picked_up(&invite));
    let told = heard(&mut bench);
    assert_eq!(told[0].2, "SIP/2.0 200 OK\r\n");
    bench.wait(40_000);
    assert_eq!(bench.act(|phone, _, _| phone.calls().count()), 1);
}
