//! Traps 29 and 30: names, and those who answer late or not at all.

use std::collections::BTreeSet;
use std::time::Duration;

use offhook_tests::office::{
    Office, Phone, Sent, answers, found, reply, requests, settings, status,
};
use protocol::locate::{Data, Domain, Families, Hop, Means, Naptr, Srv};
use protocol::{Answer, Input, Question, Transport};
use server::Settings;
use server::settings::Route;
use sip::Uri;
use stage::Names;

use crate::ring::{branch, via};

fn hop(uri: &str) -> Hop {
    Hop::of_uri(Uri::parse(uri.as_bytes()).unwrap().sip().unwrap()).unwrap()
}

fn srv(priority: u16, weight: u16, target: &str) -> Data {
    Data::Srv(Srv { priority, weight, port: 5070, target: Domain::of(target) })
}

/// A domain whose NAPTR wants TCP, with two servers for each transport.
fn zone() -> Names {
    let naptr = Data::Naptr(Naptr {
        order: 10,
        preference: 10,
        flags: "s".into(),
        service: "SIP+D2T".into(),
        regexp: "".into(),
        replacement: Domain::of("_sip._tcp.far.test"),
    });
    Names::default()
        .with_record("far.test", &naptr)
        .with_record("_sip._tcp.far.test", &srv(2, 0, "b.far.test"))
        .with_record("_sip._tcp.far.test", &srv(1, 0, "a.far.test"))
        .with_record("_sip._udp.far.test", &srv(1, 0, "b.far.test"))
        .with("a.far.test", &["203.0.113.1".parse().unwrap()])
        .with("b.far.test", &["203.0.113.2".parse().unwrap()])
        .with("far.test", &["203.0.113.9".parse().unwrap()])
}

/// Trap 29: NAPTR first, unless a transport or a port is given or the host is a number; a port means that no SRV is asked.
#[test]
fn trap_29_what_is_asked_of_the_dns_and_what_is_not() {
    let means =
        Means { transports: vec![Transport::Udp, Transport::Tcp], families: Families::Both };
    for (uri, expected) in [
        ("sip:far.test", "TCP 203.0.113.1:5070, TCP 203.0.113.2:5070"),
        ("sip:far.test;transport=udp", "UDP 203.0.113.2:5070"),
        ("sip:far.test:5060", "UDP 203.0.113.9:5060"),
        ("sip:far.test:5090;transport=tcp", "TCP 203.0.113.9:5090"),
        ("sip:203.0.113.5", "UDP 203.0.113.5:5060"),
        ("sip:203.0.113.5:5090;transport=tcp", "TCP 203.0.113.5:5090"),
    ] {
        let Answer::Targets(targets) = zone().resolve(hop(uri), means.clone()) else {
            panic!("{uri}")
        };
        let words: Vec<_> = targets.iter().map(ToString::to_string).collect();
        assert_eq!(words.join(", "), expected, "{uri}");
    }
}

/// Trap 29: among servers of one priority the weights decide how often each is first (RFC 2782).
#[test]
fn trap_29_weights_are_weighed() {
    let names = Names::default()
        .with_record("_sip._udp.far.test", &srv(1, 90, "a.far.test"))
        .with_record("_sip._udp.far.test", &srv(1, 10, "b.far.test"))
        .with("a.far.test", &["203.0.113.1".parse().unwrap()])
        .with("b.far.test", &["203.0.113.2".parse().unwrap()]);
    let mut names = names;
    let means = Means { transports: vec![Transport::Udp], families: Families::Both };
    let mut first = 0;
    for _ in 0..1000 {
        let Answer::Targets(targets) = names.resolve(hop("sip:far.test"), means.clone()) else {
            panic!()
        };
        assert_eq!(targets.len(), 2, "the other stays in reserve");
        first += usize::from(targets[0].address.ip().to_string() == "203.0.113.1");
    }
    assert!((850..950).contains(&first), "{first}");
}

fn far() -> (Office, Phone) {
    let routes = vec![Route::domain("far.test", None)];
    let office = Office::new(Settings { routes, challenge: Vec::new(), ..settings() });
    (office, Phone::udp(101))
}

/// Answers the open question with two servers.
fn located(office: &mut Office) -> Vec<Sent> {
    let (ticket, question) = office.asked.pop().unwrap();
    assert!(matches!(question, Question::Resolve(_)));
    let two = [(Transport::Udp, "203.0.113.1:5060"), (Transport::Udp, "203.0.113.2:5060")];
    office.tell(Input::Answered(ticket, found(&two)))
}

/// Trap 29: the next server is asked after a transport error, a 503, or silence, each time with a branch and a Via of its own; whoever has
/// failed is asked last from then on.
#[test]
fn trap_29_the_next_server_is_asked() {
    for trouble in ["error", "503", "silence"] {
        let (mut office, alice) = far();
        office.receive(alice.flow, alice.invite("sip:bob@far.test").wire());
        let first = requests(&located(&mut office), "INVITE").remove(0);
        let sent = match trouble {
            "error" => office.tell(Input::Failed(first.flow)),
            "503" => office.receive(first.flow, reply(&first.message, 503, "Retry-After: 60\r\n")),
            _ => office.wait(Duration::from_millis(3600)),
        };
        let again = requests(&sent, "INVITE");
        let second = again.iter().find(|sent| sent.flow != first.flow).expect(trouble);
        assert_eq!(second.flow.peer.to_string(), "203.0.113.2:5060");
        let branches: BTreeSet<_> = [branch(&first), branch(second)].into();
        assert_eq!(branches.len(), 2, "{trouble}: {}", via(second));
        office
            .receive(second.flow, reply(&second.message, 200, "Contact: <sip:b@203.0.113.2>\r\n"));
        office.receive(alice.flow, alice.invite("sip:bob@far.test").call("next").wire());
        let next = requests(&located(&mut office), "INVITE").remove(0);
        assert_eq!(next.flow.peer.to_string(), "203.0.113.2:5060", "{trouble}");
    }
}

/// Trap 30: while a name is looked up, others are served; a question that nobody answers ends its own request and no other.
#[test]
fn trap_30_a_name_that_never_comes_holds_up_nobody() {
    let (mut office, alice) = far();
    let bob = Phone::udp(102);
    office.register(&bob);
    assert_eq!(status(&office.receive(alice.flow, alice.invite("sip:bob@far.test").wire())), 100);
    let near = alice.invite("sip:102@example.test").call("near");
    let sent = office.receive(alice.flow, near.wire());
    assert_eq!(requests(&sent, "INVITE")[0].flow, bob.flow);
    let copy = requests(&sent, "INVITE").remove(0);
    assert_eq!(
        answers(&office.receive(bob.flow, reply(&copy.message, 200, "")), alice.flow),
        [200]
    );
    let later = office.wait(Duration::from_secs(40));
    let ended: Vec<_> =
        answers(&later, alice.flow).into_iter().filter(|code| *code >= 300).collect();
    assert!(!ended.is_empty() && ended.iter().all(|code| *code >= 480), "{ended:?}");
    office.wait(Duration::from_secs(600));
    assert_eq!((office.node.transactions(), office.node.forwarding()), (0, 0));
}
