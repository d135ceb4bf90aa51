//! §4: a phone that keeps flows open, and forms them anew.

use std::net::SocketAddr;

use phone::PhoneEvent;
use protocol::doors::{Alive, Input};
use protocol::{Flow, Transport};
use sip::{Message, Name};

use crate::handset::{Bench, account, flow, picked_up, reply, rows, titles};

const INSTANCE: &str = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
const PROXIES: [&str; 4] =
    ["sip:192.0.2.9;lr", "sip:192.0.2.19;lr", "sip:192.0.2.29;lr", "sip:192.0.2.39;lr"];
const KEPT: &str = "Require: outbound\nSupported: path, outbound";

/// A phone with flows by so many proxies over this transport, and its REGISTERs, with the ways they went.
fn with_flows(count: usize, transport: Transport) -> (Bench, Vec<(Flow, Message)>) {
    let account = account().instance(INSTANCE).by(transport);
    let parameter = if transport == Transport::Udp { "" } else { ";transport=tcp" };
    let account = PROXIES[..count]
        .iter()
        .fold(account, |account, proxy| account.flow(&format!("{proxy}{parameter}")).unwrap());
    let mut bench = Bench::with(account);
    bench.act(phone::Phone::register);
    let sent = bench.sent_with_times();
    (bench, sent.into_iter().map(|(_, flow, register)| (flow, register)).collect())
}

/// The registrar's yes, with more rows.
fn yes(register: &Message, more: &str) -> Message {
    let contact = rows(register, Name::Contact).concat();
    let own = contact.split('>').next().unwrap();
    reply(register, 200, "r", (&format!("Contact: {own}>;expires=360000\n{more}"), ""))
}

/// A phone with one flow that is kept.
fn kept(transport: Transport, more: &str) -> (Bench, Flow) {
    let (mut bench, asked) = with_flows(1, transport);
    let (way, register) = &asked[0];
    bench.tell(yes(register, &format!("{KEPT}\n{more}")));
    bench.events();
    (bench, *way)
}

/// Waits for a sign of life: when it came, and what it was.
fn sign(bench: &mut Bench) -> (u64, Vec<u8>) {
    for _ in 0..400_000 {
        bench.wait(500);
        if let Some((at, _, octets)) = bench.signs().into_iter().next() {
            return (at, octets);
        }
    }
    panic!("nothing is said");
}

/// Where a STUN request was seen to come from is told.
fn seen(bench: &mut Bench, way: Flow, question: &[u8], at: &str) {
    let answer = stun::answer(question, at.parse().unwrap()).unwrap();
    let (transaction, mapped) = stun::mapped(&answer).unwrap();
    bench.input(Input::Alive(way, Alive::Mapped(transaction, mapped)));
}

/// Sets "with at least two outbound proxy URIs", and "up to four URIs": to each goes a REGISTER, with the tags `outbound` and `path`, the instance, and a
/// `reg-id` of its own, which is the same after a restart; each has its own Call-ID, and the proxy in Route. The instance is what the program says it is, whatever address the phone has.
/// Proves: rfc5626-4.1-1, rfc5626-4.1-2, rfc5626-4.1-3, rfc5626-4.2.1-1, rfc5626-4.2.1-2, rfc5626-4.2.1-3, rfc5626-4.2.1-4, rfc5626-4.2.1-5,
/// rfc5626-A-2, rfc5626-A-3, rfc5627-4.1-9.
#[test]
fn each_proxy_is_asked_by_a_flow_of_its_own() {
    let contacts = |asked: &[(Flow, Message)]| -> Vec<String> {
        asked.iter().map(|(_, register)| rows(register, Name::Contact).concat()).collect()
    };
    let (_, asked) = with_flows(4, Transport::Udp);
    let peers: Vec<_> = asked.iter().map(|(way, _)| way.peer.ip().to_string()).collect();
    assert_eq!(peers, ["192.0.2.9", "192.0.2.19", "192.0.2.29", "192.0.2.39"]);
    for (at, (_, register)) in asked.iter().enumerate() {
        let supported = rows(register, Name::Supported).concat();
        assert!(supported.contains("outbound") && supported.contains("path"), "{supported}");
        assert_eq!(rows(register, Name::Route), [format!("<{}>", PROXIES[at])]);
        let contact = rows(register, Name::Contact).concat();
        let marks = format!(";+sip.instance=\"<{INSTANCE}>\";reg-id={}", at + 1);
        assert!(contact.contains(&marks), "{contact}");
        let others = asked.iter().filter(|(_, other)| other.call_id() == register.call_id());
        assert_eq!(others.count(), 1);
    }
    let (mut bench, again) = with_flows(4, Transport::Udp);
    assert_eq!(contacts(&again), contacts(&asked), "after a restart");
    // It has moved: the same instance, the same flows.
    for (_, register) in &again {
        bench.tell(yes(register, KEPT));
    }
    bench.act(|phone, now, out| phone.moved(now, "198.51.100.7".parse().unwrap(), out));
    let moved = bench.sent();
    assert_eq!(titles(&moved), ["REGISTER"; 4]);
    for (at, register) in moved.iter().enumerate() {
        let marks = format!(";+sip.instance=\"<{INSTANCE}>\";reg-id={}", at + 1);
        assert!(rows(register, Name::Contact).concat().contains(&marks));
    }
}

/// Requests that are no REGISTER say `outbound`, and go by the flow that stands; the Contact of what makes a dialog says `ob`. Over TLS, who is at the other
/// end is told with the flow, and a flow to another identity is another flow.
/// Proves: rfc5626-4.3-1, rfc5626-4.3-2, rfc5626-4.3-4.
#[test]
fn what_is_sent_goes_by_the_flow_that_stands() {
    let (mut bench, asked) = with_flows(2, Transport::Tcp);
    bench.tell(reply(&asked[0].1, 503, "r", ("", "")));
    bench.tell(yes(&asked[1].1, KEPT));
    let call = |phone: &mut phone::Phone, now, out: &mut _| {
        phone.call(now, "sip:bob@biloxi.example", Box::new(media::Silence), out)
    };
    let call = bench.act(call).unwrap();
    let (_, way, invite) = bench.sent_with_times().remove(0);
    assert_eq!(way, asked[1].0, "any open connection there, or a new one");
    assert!(rows(&invite, Name::Supported).concat().contains("outbound"));
    assert_eq!(rows(&invite, Name::Contact), ["<sip:alice@192.0.2.1:5060;transport=tcp;ob>"]);
    bench.tell(picked_up(&invite));
    bench.sent();
    bench.hang_up(call);
    assert_eq!(bench.titles(), ["BYE"]);
}

/// A flow of which the registrar says nothing is kept open by line ends that nobody answers, and never by STUN.
/// Proves: rfc5626-A-19, rfc5626-4.4.1-1.
#[test]
fn who_has_not_said_to_know_flows_gets_no_stun() {
    let (mut bench, asked) = with_flows(1, Transport::Udp);
    bench.tell(yes(&asked[0].1, ""));
    for _ in 0..5 {
        assert_eq!(sign(&mut bench).1, b"\r\n\r\n");
    }
    assert_eq!(bench.titles(), [""; 0], "and nothing is thought of their silence");
}

/// Over streams a double CRLF, between 95 and 120 s after the last, thrown anew each time; a pong within 10 s, or the flow is dead: its connection is closed,
/// and a new one is formed at once with the same `reg-id`.
/// Proves: rfc5626-A-4, rfc5626-A-5, rfc5626-A-6, rfc5626-A-7, rfc5626-4.4-3, rfc5626-4.5-1.
#[test]
fn a_stream_is_pinged_and_dead_without_a_pong() {
    let (mut bench, way) = kept(Transport::Tcp, "");
    let (mut last, mut pauses) = (0, Vec::new());
    for _ in 0..20 {
        let (at, octets) = sign(&mut bench);
        assert_eq!(octets, b"\r\n\r\n");
        pauses.push(at - last);
        bench.input(Input::Alive(way, Alive::Pong));
        last = at;
        bench.sent();
    }
    let (least, most) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
    assert!(*least >= 95_000 && *most <= 120_000 && most - least > 5_000, "{pauses:?}");
    sign(&mut bench);
    bench.sent();
    bench.wait(9_400);
    assert_eq!((bench.titles(), bench.left()), (vec![], vec![]));
    bench.wait(600);
    assert_eq!(bench.left(), [way]);
    let register = bench.only();
    assert!(rows(&register, Name::Contact).concat().contains(";reg-id=1"));
}

/// "the interval between each keep-alive is randomly distributed between 80% and 100% of the server-provided time".
/// Proves: rfc5626-4.4-1, rfc5626-4.4-2.
#[test]
fn the_server_says_how_often() {
    let (mut bench, way) = kept(Transport::Tcp, "Flow-Timer: 50");
    let mut last = 0;
    for _ in 0..20 {
        let (at, _) = sign(&mut bench);
        assert!((40_000..=50_000).contains(&(at - last)), "{}", at - last);
        bench.input(Input::Alive(way, Alive::Pong));
        last = at;
    }
}

/// Over datagrams STUN, and never CRLF, 24 to 29 s after the last. An answer that says the same as before is good; another address in it is a failure of the
/// flow; so are seven requests without an answer.
/// Proves: rfc5626-4.4.2-1, rfc5626-A-8, rfc5626-A-9, rfc5626-A-10.
#[test]
fn datagrams_are_kept_open_by_stun() {
    let (mut bench, way) = kept(Transport::Udp, "");
    let mut last = 0;
    for _ in 0..10 {
        let (at, question) = sign(&mut bench);
        assert!((24_000..=29_500).contains(&(at - last)), "{}", at - last);
        assert!(stun::looks_like_stun(&question));
        seen(&mut bench, way, &question, "198.51.100.1:4000");
        last = at;
    }
    // An answer to what nobody asked says nothing.
    seen(&mut bench, way, &stun::ask(b"transaction!"), "198.51.100.1:4001");
    assert_eq!(bench.titles(), [""; 0]);
    let (_, question) = sign(&mut bench);
    seen(&mut bench, way, &question, "198.51.100.1:4001");
    let register = bench.only();
    bench.tell(yes(&register, KEPT));
    let (first, _) = sign(&mut bench);
    bench.wait(39_000);
    let times: Vec<_> = bench.signs().iter().map(|(at, ..)| at - first).collect();
    assert_eq!(times, [500, 1500, 3500, 7500, 15_500, 31_500]);
    assert_eq!(bench.titles(), [""; 0]);
    bench.wait(500);
    assert_eq!(bench.titles(), ["REGISTER"]);
}

/// A refresh that is refused for a while leaves the connection as it is, and it is kept open.
/// Proves: rfc5626-4.2.2-1, rfc5626-4.2.2-2.
#[test]
fn a_refusal_for_a_while_closes_nothing() {
    let (mut bench, way) = kept(Transport::Tcp, "");
    bench.act(phone::Phone::register);
    let refresh = bench.only();
    bench.tell(reply(&refresh, 503, "r", ("Retry-After: 900", "")));
    for _ in 0..6 {
        assert_eq!(sign(&mut bench).1, b"\r\n\r\n");
        bench.input(Input::Alive(way, Alive::Pong));
    }
    assert_eq!((bench.left(), bench.titles()), (vec![], vec![]));
}

/// The next REGISTER to the first proxy, and when it came; the other flow is refreshed meanwhile.
fn tried_again(bench: &mut Bench) -> (u64, Message) {
    loop {
        bench.wait(1000);
        for (_, way, question) in bench.signs() {
            seen(bench, way, &question, "198.51.100.1:4000");
        }
        for (at, way, register) in bench.sent_with_times() {
            if way.peer == flow(Transport::Udp).peer {
                return (at, register);
            }
            bench.tell(yes(&register, KEPT));
        }
    }
}

/// W = min (max-time, (base-time * (2 ^ consecutive-failures))), and 50 to 100 % of that: with 30 s where no flow stands, with 90 s where another does.
/// Proves: rfc5626-4.5-2.
#[test]
fn a_proxy_that_fails_is_asked_ever_more_rarely() {
    for (others, base) in [(0, 30), (1, 90)] {
        let (mut bench, asked) = with_flows(1 + others, Transport::Udp);
        for (_, register) in &asked[1..] {
            bench.tell(yes(register, KEPT));
        }
        let mut register = asked[0].1.clone();
        for failures in 1..8 {
            bench.tell(reply(&register, 500, "r", ("", "")));
            let (before, most) = (bench.millis(), (base << failures).min(1800) * 1000);
            let (at, again) = tried_again(&mut bench);
            let pause = at - before;
            assert!((most / 2..=most).contains(&pause), "{pause} of {most} after {failures}");
            register = again;
        }
    }
}

/// The program hears of a flow that failed, and that it is not registered only when none is left.
#[test]
fn one_flow_is_enough() {
    let (mut bench, asked) = with_flows(2, Transport::Udp);
    bench.tell(reply(&asked[0].1, 500, "r", ("", "")));
    let lost = |event: &PhoneEvent| matches!(event, PhoneEvent::FlowFailed { flow: 1, .. });
    assert!(bench.events().iter().any(lost), "the other is being asked for");
    bench.tell(yes(&asked[1].1, KEPT));
    assert_eq!(bench.events(), [PhoneEvent::Registered { expires: 360_000 }]);
    assert!(bench.phone.is_registered() && bench.phone.flows() == 1);
    bench.act(phone::Phone::register);
    for register in bench.sent() {
        bench.tell(reply(&register, 500, "r", ("", "")));
    }
    let gone = |event: &PhoneEvent| matches!(event, PhoneEvent::NotRegistered { status: 500, .. });
    assert!(bench.events().iter().any(gone));
}

/// 439: the first hop knows no flows; then without one.
#[test]
fn a_first_hop_without_flows_is_registered_with_as_usual() {
    let (mut bench, asked) = with_flows(1, Transport::Udp);
    bench.tell(reply(&asked[0].1, 439, "r", ("", "")));
    let plain = bench.only();
    assert!(!rows(&plain, Name::Contact).concat().contains("reg-id"));
    assert!(!rows(&plain, Name::Supported).concat().contains("outbound"));
}

/// A stranger's pong is none, and a broken connection of another server is nothing to us.
#[test]
fn only_its_own_flow_counts() {
    let (mut bench, way) = kept(Transport::Tcp, "");
    let stranger: SocketAddr = "192.0.2.66:5060".parse().unwrap();
    bench.input(Input::Failed(Flow { peer: stranger, ..way }));
    sign(&mut bench);
    bench.input(Input::Alive(Flow { peer: stranger, ..way }, Alive::Pong));
    bench.wait(10_000);
    assert_eq!(bench.left(), [way]);
}
