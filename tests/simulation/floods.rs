//! More than anybody can answer, and senders who do not exist (RELIABILITY R10): memory stays bounded, nobody else notices.

use machine::Machine as _;
use offhook_tests::attendant::{Habits, Wish};
use offhook_tests::exchange::{Exchange, SERVER, address};
use offhook_tests::puppet::read;
use protocol::Transport;
use sim::{HostId, Parcel, Realm, Weather};
use sip::Method;

/// A request of somebody who was never seen before, from an address of its own.
fn stranger(nth: u32, method: &str) -> (String, String) {
    let [_, a, b, c] = nth.to_be_bytes();
    let from = format!("10.{a}.{b}.{c}:{}", 1024 + nth % 60_000);
    let wire = format!(
        "{method} sip:102@example.test SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKf{nth}\r\nMax-Forwards: 70\r\n\
         From: <sip:{nth}@example.test>;tag=t{nth}\r\nTo: <sip:{nth}@example.test>\r\nCall-ID: flood-{nth}\r\n\
         CSeq: 1 {method}\r\nContact: <sip:{nth}@{from}>\r\nContent-Length: 0\r\n\r\n"
    );
    (from, wire)
}

fn inject(exchange: &mut Exchange, (from, wire): (String, String)) {
    let parcel = Parcel::datagram(address(&from), address(SERVER), wire);
    exchange.world.inject(Realm::INTERNET, parcel);
}

fn transactions(exchange: &Exchange) -> usize {
    exchange.nodes().iter().map(server::Node::transactions).sum()
}

/// Nothing is kept of a request before its sender has proven who it is: thousands of each kind leave no trace, and calls go on.
#[test]
fn requests_of_strangers_leave_no_state() {
    for method in ["INVITE", "REGISTER", "MESSAGE", "SUBSCRIBE", "OPTIONS", "CANCEL", "FOO"] {
        let mut exchange = Exchange::new(1, Weather::FAIR);
        let alice = exchange.phone("101", Transport::Udp, Habits::POLITE);
        let bob = exchange.phone("102", Transport::Udp, Habits::POLITE);
        exchange.sign_on(&[alice, bob]);
        exchange.live(60_000);
        exchange.world.tap_on();
        let call = exchange.dial(alice, "102", Wish::default());
        for nth in 0..4000 {
            inject(&mut exchange, stranger(nth, method));
            if nth % 500 == 0 {
                exchange.live(200);
                // The call's own: its INVITE, ACKs, lingering.
                assert!(transactions(&exchange) < 10, "{method}: {}", transactions(&exchange));
            }
        }
        exchange.live(1000);
        assert!(exchange.attendant(alice).was_up(call), "{method}");
        exchange.by_hand(alice, |phone, now, out| phone.hang_up(now, call, out)).unwrap();
        exchange.live(1000);
        assert_eq!(exchange.attendant(alice).end_of(call), Some(200));
        exchange.sign_off(&[alice, bob]);
    }
}

/// What strangers can make the server keep, they can only for so long: CANCELs and ACKs for nothing, responses to nothing.
#[test]
fn what_answers_nothing_of_ours_is_forgotten() {
    let mut exchange = Exchange::new(1, Weather::FAIR);
    for method in ["CANCEL", "ACK", "BYE"] {
        for nth in 0..5000 {
            inject(&mut exchange, stranger(nth, method));
        }
        exchange.live(1000);
    }
    for nth in 0..5000 {
        let (from, wire) = stranger(nth, "INVITE");
        let wire = wire.replacen("INVITE sip:102@example.test SIP/2.0", "SIP/2.0 200 OK", 1);
        inject(&mut exchange, (from, wire));
    }
    exchange.live(40_000);
    exchange.assert_nothing_is_left();
}

/// One user who means harm: it registers a thousand contacts, and calls itself a thousand times.
#[test]
fn one_user_has_no_more_than_its_share() {
    let mut exchange = Exchange::new(1, Weather::FAIR);
    let mallory = exchange.puppet("101", Transport::Udp);
    let mut refused = 0;
    for nth in 0..100 {
        let contact = format!("<sip:{nth}@203.0.113.{nth}:5060>;expires=3600");
        let first = exchange.say(mallory, |mallory| {
            let register = mallory.register(1, 1 + 2 * nth, 3600);
            register.edit().replace_raw(sip::Name::Contact, contact.as_bytes()).finish().unwrap()
        });
        exchange.live(20);
        let challenge = exchange.look(mallory).last_response(401);
        exchange.say(mallory, |mallory| mallory.again_with_credentials(&first, &challenge));
        exchange.live(20);
        let status = exchange.look(mallory).heard.last().unwrap().1.status().unwrap().code();
        refused += usize::from(status >= 400);
    }
    assert!(refused > 50, "{refused} of 100 contacts were refused");
    let last = exchange.look(mallory).last(|one| one.status().is_some_and(|s| s.code() == 200));
    let listed = last.unwrap().1.all::<sip::header::Contact>().count();
    assert!(listed <= 10, "{listed} contacts");
}

fn phone_alone() -> (Exchange, HostId) {
    let mut exchange = Exchange::new(1, Weather::FAIR);
    let phone = exchange.lone_phone(
        "alice",
        Habits { then: offhook_tests::attendant::Pickup::Never, ..Habits::POLITE },
    );
    (exchange, phone)
}

/// A phone on the open Internet is called by everybody at once: it takes so many calls, refuses the others, and forgets them all.
#[test]
fn a_phone_takes_no_more_calls_than_it_can_keep() {
    let (mut exchange, phone) = phone_alone();
    let at = "198.51.100.2:5060";
    for nth in 0..3000 {
        let (from, wire) = stranger(nth, "INVITE");
        let wire = wire.replace("sip:102@example.test", "sip:alice@198.51.100.2");
        let parcel = Parcel::datagram(address(&from), address(at), wire);
        exchange.world.inject(Realm::INTERNET, parcel);
        if nth % 100 == 0 {
            exchange.live(20);
        }
    }
    exchange.live(100);
    let calls = exchange.attendant(phone).phone.calls().count();
    assert!((1..=::phone::limits::CALLS).contains(&calls), "{calls}");
    exchange.live(600_000);
    assert_eq!(exchange.attendant(phone).phone.calls().count(), 0);
    assert!(exchange.attendant(phone).phone.is_quiet());
    assert!(exchange.attendant(phone).deadline().is_none());
}

/// A peer that opens streams and says nothing, or never ends what it says, keeps nothing but its streams.
#[test]
fn silent_streams_keep_nothing_but_themselves() {
    let mut exchange = Exchange::new(1, Weather::FAIR);
    let mallory = exchange.puppet("106", Transport::Tcp);
    let alice = exchange.puppet("101", Transport::Udp);
    for nth in 0..500 {
        let stream = sim::Connection(1_000_000 + nth);
        let (from, to) = (address("0.0.0.0:0"), address(SERVER));
        exchange.world.act(mallory, |_, _, out| {
            out.push(Parcel::stream(from, to, stream, sim::Segment::Open));
            let half = sip::Bytes::from_static(b"OPTIONS sip:192.0.2.10 SIP/2.0\r\nVia: ");
            out.push(Parcel::stream(from, to, stream, sim::Segment::Data(half)));
        });
    }
    exchange.live(1000);
    assert_eq!(transactions(&exchange), 0);
    exchange.say(alice, |alice| read(alice.draft(Method::Options, &format!("sip:{SERVER}"), 1, 1)));
    exchange.live(100);
    assert!(!exchange.look(alice).heard.is_empty());
}
