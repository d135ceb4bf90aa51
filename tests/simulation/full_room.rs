//! So many strangers wait for their turn that there is no room for more: who calls from home, where somebody is registered, is served next
//! all the same.

use std::net::SocketAddr;

use offhook_tests::office::{Office, Phone, Request, answers, trusting};
use protocol::doors::Backlog;
use protocol::{Flow, Input, Transport};
use server::Settings;
use server::settings::Overload;

/// More than the room of a shard holds.
const STRANGERS: u32 = 5_000;

/// A server that has no time for more than it has begun, and at which so many wait.
fn full() -> Office {
    let overload = Overload { per_source: 0, ..Overload::default() };
    let mut office = Office::new(Settings { overload, ..trusting() });
    office.register(&Phone::udp(101));
    office.tell(Input::Waited(Backlog { unread: true, ..Backlog::default() }));
    let mut refused = 0;
    for nth in 0..STRANGERS {
        let [_, a, b, c] = nth.to_be_bytes();
        let peer = SocketAddr::from(([10, a, b, c], 5060));
        let flow = Flow { peer, ..Phone::udp(109).flow };
        let phone = Phone { user: nth.to_string(), flow };
        let sent = office.receive(flow, phone.invite("sip:104@example.test").wire());
        refused += u32::from(sent.iter().any(|sent| sent.message.status().is_some()));
    }
    assert!(refused > 0, "the room is full: somebody was refused");
    office
}

/// A phone registers once more, without credentials.
fn renews(office: &mut Office, phone: &Phone) {
    let mut request = phone.register(&format!("Contact: <{}>\r\n", phone.contact()));
    request.cseq = 100;
    request.branch += "100";
    assert_eq!(answers(&office.receive(phone.flow, request.wire()), phone.flow), [0; 0]);
}

#[test]
fn who_renews_from_home_is_served_next_and_who_does_so_from_elsewhere_waits() {
    let mut office = full();
    let (home, elsewhere) = (Phone::udp(101), Phone::udp(102));
    renews(&mut office, &elsewhere);
    renews(&mut office, &home);
    let sent = office.turn_ends();
    assert_eq!(answers(&sent, home.flow), [200]);
    assert_eq!(answers(&sent, elsewhere.flow), [0; 0]);
}

/// A neighbour asks whether we live: it is told, however many wait. But a flood of such questions waits too.
#[test]
fn who_asks_whether_we_live_waits_for_nobody() {
    let (mut office, neighbour) = (full(), Phone::udp(103));
    let mut told = |uri: &str, nth: u32| {
        let request = neighbour.request("OPTIONS", uri).call(&format!("{nth}-{uri}"));
        answers(&office.receive(neighbour.flow, request.wire()), neighbour.flow)
    };
    assert_eq!(told("sip:104@example.test", 0), [0; 0], "that is not for us");
    let all: Vec<_> = (0..1000).map(|nth| told("sip:example.test", nth)).collect();
    assert!(all.iter().take(200).all(|told| told == &[200]));
    assert!(all.iter().skip(300).all(|told| told != &[200]));
}

/// A whole street renews at once, and more come than the room holds: of those from home nobody is sent away for a stranger.
#[test]
fn no_phone_from_home_has_to_go_for_a_stranger() {
    let mut office = full();
    let home = Phone::udp(101);
    for nth in 0..100 {
        let phone = Phone { user: format!("{}", 101 + nth % 8), ..home.clone() };
        let mut request = phone.register("").call(&format!("home-{nth}"));
        request.cseq = 100;
        assert_eq!(answers(&office.receive(home.flow, request.wire()), home.flow), [0; 0]);
    }
    let mut served = Vec::new();
    for _ in 0..20 {
        served.extend(answers(&office.turn_ends(), home.flow));
    }
    assert_eq!(served, [200; 100]);
}

/// Streams bring many in one turn: whoever registers is answered in it, for to refuse it later would take as much.
#[test]
fn all_registrations_that_a_turn_brings_by_streams_are_answered_in_it() {
    let mut office = Office::new(Settings {
        overload: Overload { per_source: 0, ..Overload::default() },
        ..trusting()
    });
    office.tell(Input::Waited(Backlog { unread: true, ..Backlog::default() }));
    let mut told = Vec::new();
    for nth in 0..700 {
        let phone = Phone { user: nth.to_string(), ..Phone::udp(101) };
        let flow = Flow { transport: Transport::Tcp, ..phone.flow };
        let request = phone.register("").call(&nth.to_string());
        told.extend(answers(&office.receive(flow, request.wire()), flow));
    }
    told.extend(answers(
        &office.turn_ends(),
        Flow { transport: Transport::Tcp, ..Phone::udp(101).flow },
    ));
    assert_eq!(told, [200; 700]);
}

/// How many of so many are answered in the turn in which they come, from one source or from as many.
fn answered(settings: Settings, sources: u32, change: impl Fn(Request) -> Vec<u8>) -> usize {
    let mut office = Office::new(settings);
    office.tell(Input::Waited(Backlog { unread: true, ..Backlog::default() }));
    let mut answered = 0;
    for nth in 0..STRANGERS {
        let [_, a, b, c] = (nth % sources).to_be_bytes();
        let flow = Flow { peer: SocketAddr::from(([10, a, b, c], 5060)), ..Phone::udp(109).flow };
        let phone = Phone { user: nth.to_string(), flow };
        let sent = office.receive(flow, change(phone.request("OPTIONS", "sip:example.test")));
        answered += sent.iter().filter(|sent| sent.message.status().is_some()).count();
    }
    answered
}

/// A tag and a Route anybody can write: what looks as if it belonged to a call waits with the others.
#[test]
fn what_only_looks_as_if_it_belonged_to_a_call_waits() {
    let overload = Overload { per_source: 0, ..Overload::default() };
    let answered = answered(Settings { overload, ..trusting() }, STRANGERS, |mut request| {
        request.to += ";tag=x";
        request.row("Route: <sip:example.test;lr>").wire().into()
    });
    assert!(answered < 1_000, "{answered} of {STRANGERS}");
}

/// What is only told that it is wrong is counted like everything else: no source has more of it answered than it may send.
#[test]
fn who_is_told_what_is_wrong_is_counted() {
    let overload = Overload { at_once: 300, ..Overload::default() };
    let settings = Settings { overload, ..trusting() };
    let cancel = |mut request: Request| {
        request.method = "CANCEL".into();
        request.wire().into()
    };
    let broken = |mut request: Request| {
        request.cseq = 1;
        request.method = "INVITE".into();
        request.wire().replace("1 INVITE", "1 BYE").into()
    };
    let unreadable = |request: Request| request.wire().replace("Length: 0", "Length: 9").into();
    for (what, answered) in [
        ("CANCEL", answered(settings.clone(), 1, cancel)),
        ("broken", answered(settings.clone(), 1, broken)),
        ("unreadable", answered(settings, 1, unreadable)),
    ] {
        // And those that are told that they are too fast.
        assert!((300..=330).contains(&answered), "{what}: {answered} of {STRANGERS}");
    }
}
