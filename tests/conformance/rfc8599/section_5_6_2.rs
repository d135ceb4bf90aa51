//! §5.6.2: a request for a phone that sleeps.

use std::time::Duration;

use offhook_tests::office::{Office, Phone, Sent, answers, reply, requests, trusting, uri};
use protocol::{Answer, Input};

use super::{PN, answer, office, pushes, register, strict};

/// Phone 102 has registered over a connection, and fallen asleep.
fn asleep(office: &mut Office) -> Phone {
    let phone = Phone::tcp(102, 7);
    office.receive(phone.flow, register(&phone, 1, PN, "").wire());
    office.tell(Input::Failed(phone.flow));
    assert_eq!(office.node.registered(), 1, "who can be woken is still there");
    phone
}

fn call(office: &mut Office, caller: &Phone, name: &str) -> Vec<Sent> {
    office.receive(caller.flow, caller.invite("sip:102@example.test").call(name).wire())
}

/// "the proxy MUST store the Contact URI of the REGISTER request during the lifetime of the REGISTER transaction" "If there is a match, the proxy
/// MUST remove the SIP request from the bucket and forward it towards the UA."
/// Proves: rfc8599-5.6.2-1, rfc8599-5.6.2-2, rfc8599-1-1.
#[test]
fn a_call_waits_until_the_phone_is_awake_and_goes_where_it_is_then() {
    let mut office = office();
    asleep(&mut office);
    let caller = Phone::udp(103);
    let sent = call(&mut office, &caller, "a");
    assert_eq!(answers(&sent, caller.flow), [100], "and nothing to the old connection");
    assert_eq!(sent.len(), 1);
    let asked = pushes(&mut office);
    assert_eq!((asked.len(), &*asked[0].1.prid, &*asked[0].1.aor), (1, "phone-one", &b"102"[..]));
    assert!(answer(&mut office, asked[0].0, Answer::Pushed).is_empty());
    office.wait(Duration::from_secs(3));
    let awake = Phone::tcp(102, 8);
    let sent = office.receive(awake.flow, register(&awake, 2, PN, "").wire());
    let rings = requests(&sent, "INVITE");
    assert_eq!(
        (answers(&sent, awake.flow), rings.len(), rings[0].flow),
        (vec![200], 1, awake.flow)
    );
    assert!(uri(&rings[0]).contains("pn-prid"), "its own parameters come back to it");
    let sent = office.receive(awake.flow, reply(&rings[0].message, 200, ""));
    assert_eq!(answers(&sent, caller.flow), [200]);
    // Awake, it is called at once.
    assert_eq!(requests(&call(&mut office, &caller, "b"), "INVITE")[0].flow, awake.flow);
    assert!(pushes(&mut office).is_empty());
}

/// "If the push notification request fails …, the proxy MUST remove the SIP request from the bucket and send an error response" "either a 404 (Not
/// Found) response or a 480 (Temporarily Unavailable)"
/// Proves: rfc8599-5.6.2-5, rfc8599-5.6.2-6.
#[test]
fn when_the_service_refuses_the_caller_hears_it_at_once() {
    let mut office = office();
    asleep(&mut office);
    let caller = Phone::udp(103);
    call(&mut office, &caller, "a");
    let (ticket, _) = pushes(&mut office).remove(0);
    assert_eq!(answers(&answer(&mut office, ticket, Answer::Nothing), caller.flow), [480]);
}

/// "if the proxy does not receive a REGISTER response with a Contact URI that matches the Request-URI of the SIP request before the Bucket Timer …
/// times out, the proxy MUST remove the SIP request from the SIP Request Push Bucket and send a 480 (Temporarily Unavailable) response."
/// Proves: rfc8599-5.6.2-7.
#[test]
fn a_phone_that_does_not_wake_up_is_480() {
    let mut office = office();
    asleep(&mut office);
    let caller = Phone::udp(103);
    call(&mut office, &caller, "a");
    let (ticket, _) = pushes(&mut office).remove(0);
    answer(&mut office, ticket, Answer::Pushed);
    assert!(office.wait(Duration::from_millis(9_999)).is_empty());
    let sent = office.wait(Duration::from_millis(1));
    assert_eq!(answers(&sent, caller.flow), [480]);
    assert!(
        office.wait(Duration::from_secs(30)).iter().all(|sent| sent.message.status().is_some())
    );
}

/// "when a SIP proxy compares the Contact header field URI … the 'pn-prid', 'pn-provider', and 'pn-param' SIP URI parameters MUST also match."
/// Proves: rfc8599-5.3-1.
#[test]
fn another_phone_that_registers_is_not_the_one_that_was_woken() {
    let mut office = office();
    asleep(&mut office);
    let caller = Phone::udp(103);
    call(&mut office, &caller, "a");
    pushes(&mut office);
    for (n, params) in
        [(2, PN.replace("one", "two")), (3, PN.replace("=project", "=other")), (4, "x=y".into())]
    {
        let mut other = Phone::tcp(102, 20 + n);
        other.flow.peer.set_port(41_000);
        let wire = register(&other, n, &params, "").call(&n.to_string()).wire();
        let wire = wire.replace("10.0.0.1:5060", &format!("10.0.0.{n}:5060"));
        assert!(requests(&office.receive(other.flow, wire), "INVITE").is_empty(), "{params}");
    }
    let awake = Phone::tcp(102, 8);
    let sent = office.receive(awake.flow, register(&awake, 2, PN, "").wire());
    assert_eq!(requests(&sent, "INVITE").len(), 1);
}

/// "If there is a match, the proxy SHOULD remove the associated request from the bucket and send an error response": the phone takes its binding
/// back instead of refreshing it.
/// Proves: rfc8599-5.6.2-3, rfc8599-5.6.2-4.
#[test]
fn a_phone_that_wakes_up_to_leave_is_480() {
    let mut office = office();
    let phone = asleep(&mut office);
    let caller = Phone::udp(103);
    call(&mut office, &caller, "a");
    let sent = office.receive(phone.flow, register(&phone, 2, PN, ";expires=0").wire());
    assert_eq!(answers(&sent, caller.flow), [480]);
}

/// Several callers wait for one notification; each gets through, and who hangs up waits no longer.
#[test]
fn many_who_wait_for_one_phone_wake_it_once() {
    let mut office = office();
    asleep(&mut office);
    let callers = [103, 104, 105].map(Phone::udp);
    for caller in &callers {
        call(&mut office, caller, &caller.user);
    }
    assert_eq!(pushes(&mut office).len(), 1);
    let cancel =
        callers[0].invite("sip:102@example.test").call("103").wire().replace("INVITE", "CANCEL");
    let sent = office.receive(callers[0].flow, cancel);
    assert_eq!(answers(&sent, callers[0].flow), [200, 487]);
    let awake = Phone::tcp(102, 8);
    let sent = office.receive(awake.flow, register(&awake, 2, PN, "").wire());
    assert_eq!(requests(&sent, "INVITE").len(), 2);
}

/// Nothing says whether a phone that speaks in datagrams is awake, so it is always woken; a phone beside it that is awake rings meanwhile.
#[test]
fn a_phone_on_datagrams_is_always_woken_and_others_need_not_wait() {
    let mut office = office();
    let sleepy = Phone::udp(102);
    office.receive(sleepy.flow, register(&sleepy, 1, PN, "").wire());
    let desk = Phone::tcp(102, 9);
    office.receive(
        desk.flow,
        desk.register(&format!("Contact: <{}>\r\n", desk.contact())).call("desk").wire(),
    );
    let caller = Phone::udp(103);
    let rings = requests(&call(&mut office, &caller, "a"), "INVITE");
    assert_eq!((rings.len(), rings[0].flow), (1, desk.flow));
    assert_eq!(pushes(&mut office).len(), 1);
    let sent = office.receive(sleepy.flow, register(&sleepy, 2, PN, "").wire());
    assert_eq!(requests(&sent, "INVITE")[0].flow, sleepy.flow);
}

/// "Operators MUST ensure that the PNS-related SIP URI parameters conveyed by a user in the Contact URI of a REGISTER request are not sent to other
/// users": they are in no answer to a caller, and only their user may ask what is registered.
/// Proves: rfc8599-4.1-3, rfc8599-13-3, rfc8599-13-4.
#[test]
fn nobody_else_learns_how_to_wake_a_phone() {
    let mut office = strict();
    let phone = Phone::tcp(102, 7);
    office.converse(&phone, &register(&phone, 1, PN, ""));
    let caller = Phone::udp(103);
    let sent = office.converse(&caller, &caller.invite("sip:102@example.test"));
    let ring = requests(&sent, "INVITE").remove(0);
    let heard = office.receive(phone.flow, reply(&ring.message, 180, "")).into_iter().chain(sent);
    for sent in heard.filter(|sent| sent.flow == caller.flow) {
        assert!(!String::from_utf8_lossy(sent.message.wire()).contains("phone%2Done"));
    }
    let mut nosy = caller.register("").call("nosy");
    nosy.to = "<sip:102@example.test>".into();
    assert_eq!(offhook_tests::office::status(&office.converse(&caller, &nosy)), 403);
}

/// Without a service a connection that is gone takes the phone with it.
#[test]
fn where_nobody_is_woken_nobody_sleeps() {
    let mut office = Office::new(trusting());
    let phone = Phone::tcp(102, 7);
    office.receive(phone.flow, register(&phone, 1, PN, "").wire());
    office.tell(Input::Failed(phone.flow));
    assert_eq!(office.node.registered(), 0);
}
