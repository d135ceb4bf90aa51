//! Traps 5 to 8, 12 and 44: several phones, several answers; requests that come twice, or come round.

use std::time::Duration;

use offhook_tests::attendant::{Habits, Pickup, Wish};
use offhook_tests::exchange::Exchange;
use offhook_tests::office::{
    Office, Phone, always_at, answers, method, requests, rows, status, trusting,
};
use protocol::Transport;
use sim::Weather;
use sip::{Method, Name};

use crate::ring::{ONE, Ring, THREE, TWO, branch};

/// Trap 5: three phones pick up at the same moment. The caller acknowledges each 2xx in its own dialog, keeps one, and hangs up on the
/// others.
#[test]
fn trap_5_three_answers_are_three_dialogs_and_one_call() {
    let mut exchange = Exchange::new(11, Weather::FAIR);
    let alice = exchange.phone("101", Transport::Udp, Habits::POLITE);
    let never = Habits { then: Pickup::Never, ..Habits::POLITE };
    exchange.phone("103", Transport::Udp, never);
    let callees: Vec<_> = (0..3).map(|_| exchange.puppet("102", Transport::Udp)).collect();
    for (nth, callee) in (1..).zip(&callees) {
        exchange.register(*callee, nth);
    }
    exchange.sign_on(&[alice]);
    let call = exchange.dial(alice, "102", Wish::default());
    exchange.live(100);
    let invites: Vec<_> =
        callees.iter().map(|id| exchange.look(*id).last_request(Method::Invite)).collect();
    for (id, invite) in callees.iter().zip(&invites) {
        exchange.answer(*id, invite, |puppet, invite| {
            let accepted = puppet.accept(invite);
            // Each has a tag of its own.
            let to = String::from_utf8_lossy(accepted.rows(Name::To).next().unwrap()).into_owned();
            let to = format!("{to}-{}", puppet.home.ip());
            accepted.edit().replace_raw(Name::To, to.as_bytes()).finish().unwrap()
        });
    }
    exchange.live(3000);
    let heard = |id: &sim::HostId, wanted: Method<'_>| {
        exchange.look(*id).heard.iter().filter(|(_, one)| one.method() == Some(wanted)).count()
    };
    for id in &callees {
        assert!(heard(id, Method::Ack) >= 1, "each is acknowledged");
    }
    let hung_up = callees.iter().filter(|id| heard(id, Method::Bye) > 0).count();
    assert_eq!(hung_up, 2, "one is the call");
    assert!(
        exchange.attendant(alice).was_up(call) && exchange.attendant(alice).end_of(call).is_none()
    );
}

/// Trap 6: a request that comes by two paths is served once; the second is told so.
#[test]
fn trap_6_the_same_request_by_another_path_is_482() {
    let mut office = Office::new(trusting());
    let alice = Phone::udp(101);
    let mut request = alice.request("OPTIONS", "sip:example.test");
    assert_eq!(status(&office.receive(alice.flow, request.wire())), 200);
    request.branch += "by-another-path";
    assert_eq!(status(&office.receive(alice.flow, request.wire())), 482);
    request.cseq += 1;
    assert_eq!(status(&office.receive(alice.flow, request.wire())), 200, "a new one");
}

/// Trap 7: what comes back unchanged is a loop, whatever its Max-Forwards still allows; what comes back for somebody else is a spiral.
#[test]
fn trap_7_a_loop_is_482_and_a_spiral_goes_on() {
    let circle = ["sip:103@192.0.2.10"];
    let onward = ["sip:103@203.0.113.3"];
    for (places, code) in [(&["sip:102@192.0.2.10"], Some(482)), (&circle, None)] {
        let settings = always_at("103", &onward, always_at("102", places, trusting()));
        let mut office = Office::new(settings);
        let alice = Phone::udp(101);
        let invite = alice.invite("sip:102@192.0.2.10");
        let copies = requests(&office.receive(alice.flow, invite.wire()), "INVITE");
        let mut flow = copies[0].flow;
        assert_eq!(flow.peer.to_string(), "192.0.2.10:5060", "it goes to ourselves");
        flow.peer = "192.0.2.10:5060".parse().unwrap();
        let sent = office.receive(flow, copies[0].message.wire().to_vec());
        match code {
            Some(code) => assert_eq!(status(&sent), code),
            None => {
                let on = requests(&sent, "INVITE");
                assert_eq!(on[0].message.request_uri(), Some(onward[0].as_bytes()));
                assert_ne!(branch(&on[0]), branch(&copies[0]));
            }
        }
    }
}

/// Trap 8: the breadth of a request is shared among its branches, so that forks of forks stay few.
#[test]
fn trap_8_a_fork_divides_the_breadth() {
    for (given, contacts, each) in
        [(60, THREE, 20), (3, THREE, 1), (7, TWO, 3), (1000, ONE, 60), (60, ONE, 60)]
    {
        let mut ring = Ring::at(contacts);
        let row = format!("Max-Breadth: {given}");
        let invite = ring.invite.clone().call(&row).row(&row);
        let copies = requests(&ring.office.receive(ring.alice.flow, invite.wire()), "INVITE");
        assert_eq!(copies.len(), contacts.split(',').count());
        for copy in &copies {
            let breadth = rows(std::slice::from_ref(copy), Name::MaxBreadth);
            assert_eq!(breadth, [each.to_string()], "{given} for {contacts}");
        }
    }
    let mut ring = Ring::at(TWO);
    let none = ring.invite.clone().call("none").row("Max-Breadth: 0");
    assert_eq!(status(&ring.office.receive(ring.alice.flow, none.wire())), 440);
}

/// Trap 12: the caller gets the best answer: a 6xx before all, then the lowest class, in it a challenge first; not whatever came last.
#[test]
fn trap_12_the_best_answer_is_the_answer() {
    for (codes, best) in [
        ([404, 486], &[404, 486][..]),
        ([503, 486], &[486]),
        ([486, 302], &[302]),
        ([404, 401], &[401]),
        ([407, 486], &[407]),
        ([500, 480], &[480]),
        ([486, 603], &[603]),
    ] {
        let mut ring = Ring::at(TWO);
        let mut told = answers(&ring.answer(0, codes[0]), ring.alice.flow);
        told.extend(answers(&ring.answer(1, codes[1]), ring.alice.flow));
        assert_eq!(told.len(), 1, "{codes:?}: {told:?}");
        assert!(best.contains(&told[0]), "{codes:?}: {told:?}");
    }
}

/// Trap 44: that one server is busy does not mean that we are: its 503 is a 500 to the caller, and its Retry-After is honoured.
#[test]
fn trap_44_a_503_of_others_is_not_ours() {
    let mut ring = Ring::at(ONE);
    let sent = ring.say(0, 503, "Retry-After: 60\r\n");
    let back: Vec<_> = sent.into_iter().filter(|sent| sent.flow == ring.alice.flow).collect();
    assert_eq!((status(&back), method(&back[0])), (500, ""));
    assert!(!back[0].message.has(Name::RetryAfter));
    ring.office.wait(Duration::from_secs(1));
}
