//! §7: what the proxy beside the registrar does: one flow of a phone at a time, and the next when it fails.

use std::time::Duration;

use offhook_tests::office::{Office, Phone, Sent, answers, method, reply, requests, trusting};
use protocol::Input;

use super::{invited, register, two_flows};

fn call(office: &mut Office) -> (Phone, Vec<Sent>) {
    let caller = Phone::udp(103);
    let sent = office.receive(caller.flow, caller.invite("sip:102@example.test").wire());
    (caller, requests(&sent, "INVITE"))
}

/// "The proxy MUST NOT populate the target set with more than one contact with the same AOR and instance-id at a time." "the proxy MUST
/// send the request over the same 'logical flow' saved with the binding"
/// Proves: rfc5626-7-1, rfc5626-7-4.
#[test]
fn a_phone_with_two_flows_gets_one_call() {
    let mut office = Office::new(trusting());
    let [_, second] = two_flows(&mut office);
    let (_, rings) = call(&mut office);
    assert_eq!(invited(&rings), [second.flow]);
}

/// "If a request for a particular AOR and instance-id fails with a 430 (Flow Failed) response, the proxy SHOULD replace the failed
/// branch with another target (if one is available) with the same AOR and instance-id, but a different reg-id."
/// Proves: rfc5626-7-2, rfc5626-11.4-1.
#[test]
fn what_an_edge_cannot_deliver_goes_by_another_flow() {
    for code in [430, 408] {
        let mut office = Office::new(trusting());
        let [first, second] = two_flows(&mut office);
        let (caller, rings) = call(&mut office);
        let sent = office.receive(second.flow, reply(&rings[0].message, code, ""));
        assert_eq!(invited(&sent), [first.flow], "{code}");
        assert!(answers(&sent, caller.flow).is_empty());
        let ring = requests(&sent, "INVITE");
        let sent = office.receive(first.flow, reply(&ring[0].message, 200, ""));
        assert_eq!(answers(&sent, caller.flow), [200]);
    }
}

/// "If the proxy receives a final response from a branch other than a 408 (Request Timeout) or a 430 (Flow Failed) response, the proxy
/// MUST NOT forward the same request to another target representing the same AOR and instance-id."
/// Proves: rfc5626-7-3.
#[test]
fn a_phone_that_has_said_no_is_not_asked_by_its_other_flow() {
    for code in [486, 480, 500, 503, 603] {
        let mut office = Office::new(trusting());
        let [_, second] = two_flows(&mut office);
        let (caller, rings) = call(&mut office);
        let sent = office.receive(second.flow, reply(&rings[0].message, code, ""));
        assert!(invited(&sent).is_empty(), "{code}");
        assert_eq!(answers(&sent, caller.flow).len(), 1, "{code}");
    }
}

/// A connection that breaks under a call, and a phone that says nothing by one flow, have not heard of it.
#[test]
fn a_flow_that_is_dead_or_silent_gives_way_to_the_other() {
    let mut office = Office::new(trusting());
    let [first, second] = two_flows(&mut office);
    let _ = call(&mut office);
    let sent = office.tell(Input::Failed(second.flow));
    assert_eq!(invited(&sent), [first.flow]);

    let mut office = Office::new(trusting());
    let [first, _] = two_flows(&mut office);
    let _ = call(&mut office);
    let sent = office.wait(Duration::from_millis(3500));
    assert_eq!(invited(&sent), [first.flow], "after 3.5 s, not after timer B");
}

/// "If a proxy or registrar receives information from the network that indicates that no future messages will be delivered on a specific
/// flow, then the proxy MUST invalidate all the bindings in the target set that use that flow (regardless of AOR)." "Similarly, if a
/// proxy closes a file descriptor"
/// Proves: rfc5626-7-5, rfc5626-7-6.
#[test]
fn the_end_of_a_connection_ends_all_its_bindings_though_their_contacts_could_be_called() {
    let mut office = Office::new(trusting());
    let mut shared = Phone::tcp(102, 7);
    shared.flow.peer = "203.0.113.2:5060".parse().unwrap();
    for user in ["102", "104"] {
        let phone = Phone { user: user.into(), ..shared.clone() };
        let wire = register(&phone, (1, 1), "").replace("10.0.0.1:5060", "203.0.113.2:5060");
        office.receive(phone.flow, wire);
    }
    assert_eq!(office.node.registered(), 2);
    office.tell(Input::Failed(shared.flow));
    assert_eq!(office.node.registered(), 0);
    let (caller, rings) = call(&mut office);
    assert!(rings.is_empty(), "{rings:?}");
    assert_eq!(
        method(
            &office.receive(caller.flow, caller.invite("sip:104@example.test").call("x").wire())[0]
        ),
        ""
    );
}
