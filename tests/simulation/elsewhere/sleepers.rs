//! A phone sleeps (RFC 8599), and is called at a node that it has no connection to.

use std::time::Duration;

use offhook_tests::office::{Phone, Request, Sent, answers, requests};
use protocol::{Answer, Input};
use server::settings::{Push, Settings};

use super::Pair;

fn wakes(settings: Settings) -> Settings {
    let push = Push { providers: vec!["fcm".into()], wait: Duration::from_secs(10) };
    Settings { push: Some(push), ..settings }
}

/// A REGISTER of a phone that can be woken, at the same URI each time.
fn register(phone: &Phone, cseq: u32) -> Request {
    const PN: &str = "pn-provider=fcm;pn-param=project;pn-prid=phone";
    let mut request =
        phone.register("").row(&format!("Contact: <{};{PN}>;expires=600", phone.contact()));
    request.cseq = cseq;
    request.branch += &cseq.to_string();
    request
}

fn call(pair: &mut Pair, caller: &Phone) -> Vec<Sent> {
    pair.hear(1, caller, &caller.invite("sip:102@example.test"))
}

/// The phone is called at node 1, is woken, and registers at node 0: the call goes out then.
fn wakes_up_elsewhere(pair: &mut Pair, awake: &Phone) {
    let caller = Phone::udp(103);
    let sent = call(pair, &caller);
    assert!(requests(&sent, "INVITE").is_empty(), "nobody is there who could hear it: {sent:?}");
    let asked: Vec<_> =
        pair.pushes.iter().map(|(node, _, sleeper)| (*node, &*sleeper.prid)).collect();
    assert_eq!(asked, [(1, "phone")], "{:?}", answers(&sent, caller.flow));
    let (node, ticket, _) = pair.pushes.remove(0);
    pair.tell(node, Input::Answered(ticket, Answer::Pushed));
    pair.wait(Duration::from_secs(3));
    pair.told.clear();
    let answer = pair.hear(0, awake, &register(awake, 2));
    assert_eq!(answers(&answer, awake.flow), [200]);
    assert_eq!(pair.told.len(), 1, "node 1 is told");
    let rings = requests(&pair.sent(1), "INVITE");
    assert_eq!(rings.len(), 1);
}

/// Nothing tells whether a phone that speaks in datagrams is awake. It registers at the URI at which it was registered before.
#[test]
fn a_phone_that_wakes_up_at_the_other_node_is_called() {
    let mut pair = Pair::new(wakes);
    let phone = Phone::udp(102);
    pair.hear(0, &phone, &register(&phone, 1));
    wakes_up_elsewhere(&mut pair, &phone);
}

/// Its connection to the other node is gone: that is known at both, and it is not called by that.
#[test]
fn a_phone_whose_connection_to_the_other_node_is_gone_is_woken() {
    let mut pair = Pair::new(wakes);
    let phone = Phone::tcp(102, 7);
    pair.hear(0, &phone, &register(&phone, 1));
    pair.tell(0, Input::Failed(phone.flow));
    assert_eq!(pair.offices[0].node.registered(), 1, "who can be woken is still there");
    assert!(
        pair.offices[0].events.iter().all(|event| !format!("{event:?}").contains("Unregistered"))
    );
    wakes_up_elsewhere(&mut pair, &Phone::tcp(102, 8));
}

/// The same where nobody is woken, and the phone can be called at its Contact.
#[test]
fn a_phone_whose_connection_is_gone_is_called_at_its_contact_from_the_other_node() {
    let mut pair = Pair::new(|settings| settings);
    let phone = Phone::tcp(102, 7);
    let at = format!("Contact: <sip:102@{}:5060;transport=tcp>\r\n", phone.flow.peer.ip());
    pair.hear(0, &phone, &phone.register(&at));
    pair.tell(0, Input::Failed(phone.flow));
    let rings = requests(&call(&mut pair, &Phone::udp(103)), "INVITE");
    let rings: Vec<_> = rings.iter().map(|sent| sent.flow.peer.to_string()).collect();
    assert_eq!(rings, [format!("{}:5060", phone.flow.peer.ip())]);
}

/// A phone that cannot be woken and only refreshes is told to nobody: who calls it asks the store.
#[test]
fn a_phone_that_is_awake_is_not_told_of_each_time_that_it_registers() {
    let mut pair = Pair::new(wakes);
    let phone = Phone::udp(102);
    for cseq in 1..4 {
        let mut request = phone.register(&format!("Contact: <{}>\r\n", phone.contact()));
        request.cseq = cseq;
        request.branch += &cseq.to_string();
        assert_eq!(answers(&pair.hear(0, &phone, &request), phone.flow), [200]);
    }
    assert_eq!(pair.told.len(), 1, "the first time");
}

/// A phone that does not wake up by itself is reminded before its registration ends: not by the one that it had before.
#[test]
fn who_has_refreshed_at_the_other_node_is_not_reminded() {
    let mut pair = Pair::new(wakes);
    let phone = Phone::udp(102);
    pair.hear(0, &phone, &register(&phone, 1));
    call(&mut pair, &Phone::udp(103));
    pair.pushes.clear();
    pair.wait(Duration::from_secs(400));
    pair.hear(0, &phone, &register(&phone, 2));
    pair.wait(Duration::from_secs(300));
    assert!(pair.pushes.is_empty(), "{:?}", pair.pushes);
    pair.wait(Duration::from_secs(300));
    assert!(!pair.pushes.is_empty(), "now it is");
}
