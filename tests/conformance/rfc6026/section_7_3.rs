//! §6, §7.3: what a proxy does with responses and ACKs that belong to no transaction, or to one that was answered.

use offhook_tests::exchange::{Exchange, SERVER, address};
use offhook_tests::puppet::Puppet;
use protocol::Transport;
use sim::{HostId, Parcel, Realm, Weather};
use sip::{Message, Method};

fn exchange() -> (Exchange, HostId, HostId) {
    let mut exchange = Exchange::with(1, Weather::FAIR, 1, |settings| {
        settings.challenge = vec!["REGISTER".into()];
    });
    let (alice, bob) =
        (exchange.puppet("101", Transport::Udp), exchange.puppet("102", Transport::Udp));
    exchange.register(bob, 1);
    (exchange, alice, bob)
}

/// Statuses that Alice has heard for her INVITE.
fn heard(exchange: &Exchange, alice: HostId) -> Vec<String> {
    exchange.look(alice).statuses()
}

/// A response whose branch is not of ours, or not of now, goes nowhere, whatever its Vias say.
/// Proves: rfc6026-6-3, rfc6026-6-4, rfc6026-7.3-1, rfc6026-7.3-2, rfc6026-7.3-3, rfc6026-7.3-26, rfc3261-18.1.2-1,
/// rfc3261-18.1.2-3.
#[test]
fn a_response_without_a_transaction_is_not_forwarded() {
    let (mut exchange, alice, _) = exchange();
    let home = exchange.look(alice).home;
    for own in [
        format!("SIP/2.0/UDP {SERVER};branch=z9hG4bKnothing"),
        "SIP/2.0/UDP 192.0.2.99:5060;branch=z9hG4bKnothing".to_owned(),
        format!("SIP/2.0/UDP {SERVER}"),
    ] {
        for status in [180, 200, 486] {
            let wire = format!(
                "SIP/2.0 {status} Forged\r\nVia: {own}, SIP/2.0/UDP {home};branch=z9hG4bKalice\r\n\
                 From: <sip:101@example.test>;tag=1\r\nTo: <sip:102@example.test>;tag=2\r\nCall-ID: forged\r\n\
                 CSeq: 1 INVITE\r\nContact: <sip:x@203.0.113.9>\r\nContent-Length: 0\r\n\r\n"
            );
            let parcel = Parcel::datagram(address("203.0.113.9:5060"), address(SERVER), wire);
            exchange.world.inject(Realm::INTERNET, parcel);
            exchange.live(1000);
            assert!(heard(&exchange, alice).is_empty(), "{own} {status}");
        }
    }
}

/// Bob repeats his 200, and each copy reaches Alice, until 64*T1 are over.
/// Proves: rfc6026-7.3-25, rfc3261-18.1.2-2.
#[test]
fn every_2xx_of_a_known_transaction_is_forwarded() {
    let (mut exchange, alice, bob) = exchange();
    exchange.say(alice, |alice| alice.invite("sip:102@example.test", 2, 1));
    exchange.live(20);
    let invite = exchange.look(bob).last_request(Method::Invite);
    for at in [0, 500, 1000, 31_000] {
        exchange.live(at);
        exchange.answer(bob, &invite, Puppet::accept);
        exchange.live(20);
        if at == 31_000 {
            break;
        }
    }
    let answers = heard(&exchange, alice).iter().filter(|word| *word == "200").count();
    assert_eq!(answers, 3, "the last one came after timer M");
}

/// An ACK of an RFC 2543 phone, without the magic cookie, for a call that was answered: it goes to Bob, and does not end
/// in the transaction.
/// Proves: rfc6026-6-5.
#[test]
fn an_ack_without_the_magic_cookie_finds_the_answered_call() {
    let (mut exchange, alice, bob) = exchange();
    let old = |message: Message| {
        let text = String::from_utf8(message.wire().to_vec()).unwrap();
        Message::parse(text.replace(";branch=z9hG4bK1011", "").replace(";branch=z9hG4bK1012", ""))
            .unwrap()
    };
    let invite = exchange.say(alice, |alice| old(alice.invite("sip:102@example.test", 2, 1)));
    exchange.live(20);
    let heard = exchange.look(bob).last_request(Method::Invite);
    exchange.answer(bob, &heard, Puppet::accept);
    exchange.live(20);
    let answer = exchange.look(alice).last_response(200);
    exchange.say_in_call(alice, |alice| old(alice.ack(&invite, &answer)));
    exchange.live(20);
    exchange.look(bob).last_request(Method::Ack);
}
