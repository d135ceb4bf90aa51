//! Classes 20, 23, 53 and 62: what is freed too soon, too late, or never.

use std::time::Duration;

use offhook_tests::office::{Office, Phone, Sent, reply, requests, settings, trusting};
use protocol::{Input, Transport};
use server::Settings;

/// A call from 101 to 102 over streams, step by step; `stop` is how many steps are done. What was sent last.
fn step(office: &mut Office, steps: usize) -> (Phone, Phone) {
    let (alice, bob) = (Phone::tcp(101, 3), Phone::tcp(102, 4));
    let mut copies: Vec<Sent> = Vec::new();
    let within = |method: &str| {
        let mut request = alice.request(method, &bob.contact());
        request.to = "<sip:102@example.test>;tag=to-tag".into();
        request
    };
    for step in 0..steps {
        match step {
            0 => office.register(&bob),
            1 => {
                let sent = office.receive(alice.flow, alice.invite("sip:102@example.test").wire());
                copies = requests(&sent, "INVITE");
            }
            2..=4 => {
                let code = [180, 183, 200][step - 2];
                let contact = format!("Contact: <{}>\r\n", bob.contact());
                office.receive(bob.flow, reply(&copies[0].message, code, &contact));
            }
            5 => drop(office.receive(alice.flow, within("ACK").wire())),
            6 => copies = requests(&office.receive(alice.flow, within("BYE").wire()), "BYE"),
            _ => drop(
                copies.first().map(|bye| office.receive(bob.flow, reply(&bye.message, 200, ""))),
            ),
        }
    }
    (alice, bob)
}

/// Class 20: a connection that ends while something still points to it (GHSA-8fj4): at each step of a call, either side or both.
#[test]
fn class_20_a_connection_that_ends_at_each_step() {
    for steps in 0..=8 {
        for ends in [&[3][..], &[4], &[3, 4], &[4, 3]] {
            let mut office = Office::new(trusting());
            let (alice, bob) = step(&mut office, steps);
            for connection in ends {
                let flow = if *connection == 3 { alice.flow } else { bob.flow };
                office.tell(Input::Failed(flow));
                office.tell(Input::Failed(flow));
            }
            // What comes on it now comes too late, and is served or dropped like anything else.
            office.receive(bob.flow, alice.invite("sip:102@example.test").call("late").wire());
            office.wait(Duration::from_secs(900));
            let node = &office.node;
            assert_eq!((node.transactions(), node.forwarding()), (0, 0), "{steps} {ends:?}");
        }
    }
}

/// Classes 23 and 53: floods that eat memory, transactions that are never freed: ten thousand calls of strangers, and of users who are
/// not answered, leave nothing when their time is over.
#[test]
fn class_53_everything_is_freed() {
    let mut office = Office::default();
    for user in [102, 103] {
        office.register(&Phone::udp(user));
    }
    for nth in 0..2_000_u32 {
        let stranger = Phone::udp(166);
        for method in ["INVITE", "REGISTER", "MESSAGE", "BYE", "CANCEL", "FOO"] {
            let request =
                stranger.request(method, "sip:102@example.test").call(&format!("{method}{nth}"));
            office.receive(stranger.flow, request.wire());
        }
        assert_eq!(office.node.transactions(), 2, "strangers leave nothing, at once");
        if nth == 0 {
            office.wait(Duration::ZERO);
        }
    }
    for nth in 0..300 {
        let alice = Phone::udp(101);
        let invite = alice.invite("sip:102@example.test").call(&format!("call{nth}"));
        office.converse(&alice, &invite);
    }
    assert!(office.node.transactions() > 300);
    office.wait(Duration::from_secs(600));
    assert_eq!((office.node.transactions(), office.node.forwarding()), (0, 0));
}

/// Class 62: places of users who are no users any more: without the user there is nobody to call, and its registrations cannot be
/// refreshed.
#[test]
fn class_62_a_user_who_is_gone_is_gone() {
    let without = Settings {
        users: settings().users.into_iter().filter(|user| &*user.name != "102").collect(),
        ..settings()
    };
    let mut office = Office::new(without);
    let (alice, gone) = (Phone::udp(101), Phone::udp(102));
    let refresh = gone.register(&format!("Contact: <{}>\r\n", gone.contact()));
    for nth in 0..1_000 {
        let sent = office.converse(&gone, &refresh.clone().call(&nth.to_string()));
        assert_eq!(offhook_tests::office::status(&sent), 401);
        office.wait(Duration::from_secs(61));
    }
    assert_eq!((office.node.registered(), office.node.transactions()), (0, 0));
    let sent = office.converse(&alice, &alice.invite("sip:102@example.test"));
    assert!(requests(&sent, "INVITE").is_empty());
    assert_eq!(gone.flow.transport, Transport::Udp);
}
