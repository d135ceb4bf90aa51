//! §4: what a server does with `rport`.

use std::net::SocketAddr;

use offhook_tests::exchange::{Exchange, SERVER, address};
use protocol::{Listener, Transport};
use sim::{Parcel, Realm, Weather};
use sip::Message;
use sip::header::Via;

const OTHER: &str = "192.0.2.10:5080";

/// Asks the server at `to` from `from` with this Via: from where, to where, and what was answered.
fn ask(via: &str, from: &str, to: &str) -> (SocketAddr, SocketAddr, Message) {
    let mut exchange = Exchange::with(1, Weather::FAIR, 1, |settings| {
        settings.listeners.push(Listener::new(2, Transport::Udp, address(OTHER)));
    });
    let wire = format!(
        "OPTIONS sip:{to} SIP/2.0\r\nVia: {via};branch=z9hG4bKrport\r\nMax-Forwards: 70\r\n\
         From: <sip:a@elsewhere.test>;tag=1\r\nTo: <sip:{to}>\r\nCall-ID: rport\r\nCSeq: 1 OPTIONS\r\n\r\n"
    );
    let parcel = Parcel::datagram(address(from), address(to), wire);
    exchange.world.inject(Realm::INTERNET, parcel);
    exchange.live(100);
    let answer = exchange.world.tap().sightings().find(|one| one.from == Some(exchange.server));
    let parcel = answer.expect("an answer").parcel.clone();
    (parcel.from, parcel.to, Message::parse(parcel.payload().to_vec()).unwrap())
}

/// Proves: rfc3581-4-1, rfc3581-4-2, rfc3581-4-3.
#[test]
fn rport_is_filled_in_and_followed() {
    for sent_by in ["10.0.0.1:5060", "203.0.113.9:40404", "203.0.113.9", "phone.example:9"] {
        let via = format!("SIP/2.0/UDP {sent_by};rport");
        let (_, to, answer) = ask(&via, "203.0.113.9:40404", SERVER);
        assert_eq!(to, address("203.0.113.9:40404"), "{sent_by}");
        let via = answer.get::<Via>().unwrap();
        assert_eq!(via.rport(), Some(Some(40_404)), "{sent_by}");
        assert_eq!(via.received(), Some(address("203.0.113.9:0").ip()), "{sent_by}");
    }
}

/// Without it the answer goes to the port of the sent-by, as RFC 3261 has it.
#[test]
fn without_rport_the_sent_by_names_the_port() {
    let (_, to, answer) = ask("SIP/2.0/UDP 10.0.0.1:7777", "203.0.113.9:40404", SERVER);
    assert_eq!(to, address("203.0.113.9:7777"));
    assert_eq!(answer.get::<Via>().unwrap().rport(), None);
}

/// Proves: rfc3581-4-4.
#[test]
fn an_answer_leaves_from_where_its_request_came_to() {
    for to in [SERVER, OTHER] {
        let (from, ..) = ask("SIP/2.0/UDP 10.0.0.1;rport", "203.0.113.9:40404", to);
        assert_eq!(from, address(to));
    }
}
