//! §3, §4: what a proxy says when the next hop says nothing, or says it too late.

use offhook_tests::exchange::Exchange;
use offhook_tests::puppet::read;
use protocol::Transport;
use sim::{HostId, Weather};
use sip::Method;

/// Alice sends Bob a MESSAGE; he has heard it and says nothing yet.
fn asked() -> (Exchange, HostId, HostId) {
    let mut exchange = Exchange::with(1, Weather::FAIR, 1, |settings| {
        settings.challenge = vec!["REGISTER".into()];
    });
    let (alice, bob) =
        (exchange.puppet("101", Transport::Udp), exchange.puppet("102", Transport::Udp));
    exchange.register(bob, 1);
    exchange.say(alice, |alice| {
        let draft = alice.draft(Method::Message, "sip:102@example.test", 2, 1);
        read(draft.body("text/plain", b"hello"))
    });
    exchange.live(20);
    (exchange, alice, bob)
}

/// Nobody gets a 408: when the proxy gives up, the caller has given up too. It hears the 100 of §4.1, and no more.
/// Proves: rfc4320-3-3, rfc4320-3-4.
#[test]
fn trap_11_a_silent_next_hop_is_no_408() {
    let (mut exchange, alice, _) = asked();
    exchange.live(60_000);
    assert_eq!(exchange.look(alice).statuses(), ["100"]);
    exchange.assert_nothing_is_left();
}

/// An answer that comes when the transaction is over goes nowhere; one that comes in time is passed on.
/// Proves: rfc4320-3-5.
#[test]
fn a_late_answer_is_not_forwarded() {
    for (millis, heard) in [(1000, &["200"][..]), (40_000, &["100"][..])] {
        let (mut exchange, alice, bob) = asked();
        let message = exchange.look(bob).last_request(Method::Message);
        exchange.live(millis);
        exchange.answer(bob, &message, |bob, message| read(bob.reply(message, 200)));
        exchange.live(1000);
        assert_eq!(exchange.look(alice).statuses(), heard, "after {millis} ms");
    }
}
