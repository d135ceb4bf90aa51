//! RFC 3665 §3.1 to §3.7: sessions that succeed.

use std::time::Duration;

use media::Silence;
use offhook_tests::attendant::{Habits, Pickup, Wish};
use offhook_tests::exchange::{Exchange, address};
use offhook_tests::puppet::{Puppet, read};
use phone::{Call, Phone};
use protocol::Transport;
use sim::{HostId, Weather};
use sip::{Method, Name};
use stage::Names;

use crate::check;
use crate::towns::{BILOXI, Towns, Trust, call, two_towns};

/// Bob answers the INVITE that he has heard: 180, and 200 after a second.
fn ring_and_answer(exchange: &mut Exchange, bob: HostId) {
    let invite = exchange.look(bob).last_request(Method::Invite);
    exchange.answer(bob, &invite, |bob, invite| read(bob.reply(invite, 180)));
    exchange.live(1000);
    exchange.answer(bob, &invite, Puppet::accept);
    exchange.pull(bob, |bob, _| bob.join(&invite.1));
    exchange.live(20);
}

/// Bob hangs up, and Alice agrees.
fn bob_hangs_up(exchange: &mut Exchange, alice: HostId, bob: HostId) {
    exchange.live(2000);
    exchange.say_in_call(bob, Puppet::bye);
    exchange.live(20);
    let bye = exchange.look(alice).last_request(Method::Bye);
    exchange.answer(alice, &bye, |alice, bye| read(alice.reply(bye, 200)));
    exchange.live(20);
    exchange.look(bob).last_response(200);
}

/// Two phones of ours, and no server between them.
fn neighbours() -> (Exchange, HostId, HostId) {
    let mut exchange = Exchange::new(1, Weather::FAIR);
    let by_hand = Habits { ring: Some(Duration::ZERO), then: Pickup::Never, talk: None };
    let alice = exchange.lone_phone("alice", by_hand);
    let bob = exchange.lone_phone("bob", by_hand);
    (exchange, alice, bob)
}

/// Alice calls Bob's address itself, and he answers.
fn neighbours_talk() -> (Exchange, (HostId, Call), (HostId, Call)) {
    let (mut exchange, alice, bob) = neighbours();
    let ours = exchange.dial(alice, "sip:bob@198.51.100.3", Wish::default());
    exchange.live(1000);
    let theirs = exchange.attendant(bob).incoming().unwrap();
    let answer = |phone: &mut Phone, now, out: &mut Vec<_>| {
        phone.answer(now, theirs, Box::new(Silence), out)
    };
    exchange.by_hand(bob, answer).unwrap();
    exchange.live(2000);
    (exchange, (alice, ours), (bob, theirs))
}

#[test]
fn flow_3_1_successful_session_establishment() {
    let (mut exchange, (alice, ours), (bob, theirs)) = neighbours_talk();
    exchange.by_hand(bob, |phone, now, out| phone.hang_up(now, theirs, out)).unwrap();
    exchange.live(40_000);
    assert_eq!(exchange.attendant(alice).end_of(ours), Some(200));
    exchange.assert_nothing_is_left();
    check(&mut exchange, &[alice], "3.1_session_between_two_phones");
}

#[test]
fn flow_3_2_session_establishment_through_two_proxies() {
    let Towns { mut exchange, alice, bob } = two_towns(Trust::Neighbour);
    let invite = call(&mut exchange, alice, "sip:bob@biloxi.test");
    ring_and_answer(&mut exchange, bob);
    let answer = exchange.look(alice).last_response(200);
    exchange.say_in_call(alice, |alice| alice.ack(&invite, &answer));
    exchange.live(20);
    exchange.look(bob).last_request(Method::Ack);
    bob_hangs_up(&mut exchange, alice, bob);
    let server = exchange.server;
    check(&mut exchange, &[alice, server], "3.2_session_through_two_proxies");
}

/// Proxy 2 asks too: its house trusts nobody from elsewhere, and Alice has a password there.
#[test]
fn flow_3_3_session_with_multiple_proxy_authentication() {
    let Towns { mut exchange, alice, bob } = two_towns(Trust::Password);
    let first = call(&mut exchange, alice, "sip:bob@biloxi.test");
    let challenge = exchange.look(alice).last_response(407);
    exchange.say(alice, |alice| alice.ack(&first, &challenge));
    let invite = exchange.say(alice, |alice| alice.again_with_credentials(&first, &challenge));
    exchange.live(20);
    ring_and_answer(&mut exchange, bob);
    let answer = exchange.look(alice).last_response(200);
    exchange.say_in_call(alice, |alice| alice.ack(&invite, &answer));
    exchange.live(20);
    bob_hangs_up(&mut exchange, alice, bob);
    let server = exchange.server;
    check(&mut exchange, &[alice, server], "3.3_multiple_proxy_authentication");
}

/// Alice asks a redirect server first, and offers nothing: Bob offers, and she answers in the ACK.
#[test]
fn flow_3_6_session_via_redirect_and_proxy_with_sdp_in_ack() {
    let mut exchange = Exchange::with(1, Weather::FAIR, 1, |settings| {
        settings.challenge = vec!["REGISTER".into()];
        settings.redirects =
            vec![server::settings::Redirect::new("sales", &["sip:102@example.test"])];
    });
    let (alice, bob) =
        (exchange.puppet("101", Transport::Udp), exchange.puppet("102", Transport::Udp));
    exchange.register(bob, 1);
    let ask = |alice: &mut Puppet, to: &str, cseq: u32| {
        let contact = alice.contact();
        let draft = alice.draft(Method::Invite, to, 2, cseq);
        read(draft.raw(Name::Contact, contact.as_bytes()))
    };
    let first = exchange.say(alice, |alice| ask(alice, "sip:sales@example.test", 1));
    exchange.live(20);
    let moved = exchange.look(alice).last_response(302);
    exchange.say(alice, |alice| alice.ack(&first, &moved));
    let target = moved.get::<sip::header::Contact>().unwrap().address().unwrap().uri.to_vec();
    let target = String::from_utf8(target).unwrap();
    let invite = exchange.say(alice, |alice| ask(alice, &target, 2));
    exchange.live(20);
    ring_and_answer(&mut exchange, bob);
    let answer = exchange.look(alice).last_response(200);
    exchange.say_in_call(alice, |alice| {
        let sdp = alice.sdp("a=sendrecv");
        let ack = alice.ack(&invite, &answer);
        let mut edit = ack.edit();
        edit.append_raw("Content-Type", b"application/sdp").body(sdp.as_bytes());
        edit.finish().unwrap()
    });
    exchange.live(20);
    assert!(!exchange.look(bob).last_request(Method::Ack).1.body().is_empty());
    bob_hangs_up(&mut exchange, alice, bob);
    check(&mut exchange, &[alice], "3.6_redirect_and_sdp_in_ack");
}

/// Alice puts Bob on hold with a re-INVITE and takes him back. (In the RFC Bob's phone moves; ours stays where it is.)
#[test]
fn flow_3_7_session_with_re_invite() {
    let (mut exchange, (alice, ours), (bob, theirs)) = neighbours_talk();
    exchange.by_hand(alice, |phone, now, out| phone.hold(now, ours, out)).unwrap();
    exchange.live(2000);
    exchange.by_hand(alice, |phone, now, out| phone.resume(now, ours, out)).unwrap();
    exchange.live(2000);
    exchange.by_hand(bob, |phone, now, out| phone.hang_up(now, theirs, out)).unwrap();
    exchange.live(40_000);
    exchange.assert_nothing_is_left();
    check(&mut exchange, &[alice], "3.7_re_invite");
}

/// The first address of Bob's proxy says nothing, and the second is tried, with another branch. (In the RFC it is Alice's phone that
/// knows two proxies; here it is her proxy.)
#[test]
fn flow_3_4_successful_session_with_proxy_failure() {
    let Towns { mut exchange, alice, bob } = two_towns(Trust::Neighbour);
    let silent = exchange.puppet("silent", Transport::Udp);
    let silent_ip = exchange.look(silent).home.ip();
    let names = Names::default().with("biloxi.test", &[silent_ip, address(BILOXI).ip()]);
    exchange.knows(exchange.server, names);
    let invite = call(&mut exchange, alice, "sip:bob@biloxi.test");
    exchange.live(4000);
    assert_eq!(exchange.look(silent).statuses().len(), 4, "3.5 s without a sign of life");
    ring_and_answer(&mut exchange, bob);
    let answer = exchange.look(alice).last_response(200);
    exchange.say_in_call(alice, |alice| alice.ack(&invite, &answer));
    exchange.live(20);
    bob_hangs_up(&mut exchange, alice, bob);
    let server = exchange.server;
    check(&mut exchange, &[alice, server, silent], "3.4_proxy_failure");
}
