//! RFC 3665 §3.8 to §3.11: sessions that do not come about.

use offhook_tests::exchange::Exchange;
use offhook_tests::puppet::read;
use sim::HostId;
use sip::{Message, Method};

use crate::check;
use crate::towns::{Towns, Trust, call, two_towns};

/// Alice acknowledges a refusal.
fn acknowledge(exchange: &mut Exchange, alice: HostId, invite: &Message, status: u16) {
    let refusal = exchange.look(alice).last_response(status);
    exchange.say(alice, |alice| alice.ack(invite, &refusal));
    exchange.live(20);
}

#[test]
fn flow_3_8_unsuccessful_no_answer() {
    let Towns { mut exchange, alice, bob } = two_towns(Trust::Neighbour);
    let invite = call(&mut exchange, alice, "sip:bob@biloxi.test");
    let heard = exchange.look(bob).last_request(Method::Invite);
    exchange.answer(bob, &heard, |bob, invite| read(bob.reply(invite, 180)));
    exchange.live(5000);
    exchange.say(alice, |alice| alice.cancel(&invite));
    exchange.live(20);
    let cancel = exchange.look(bob).last_request(Method::Cancel);
    exchange.answer(bob, &cancel, |bob, cancel| read(bob.reply(cancel, 200)));
    exchange.answer(bob, &heard, |bob, invite| read(bob.reply(invite, 487)));
    exchange.live(20);
    acknowledge(&mut exchange, alice, &invite, 487);
    let server = exchange.server;
    check(&mut exchange, &[alice, server], "3.8_no_answer");
}

#[test]
fn flow_3_9_unsuccessful_busy() {
    let Towns { mut exchange, alice, bob } = two_towns(Trust::Neighbour);
    let invite = call(&mut exchange, alice, "sip:bob@biloxi.test");
    let heard = exchange.look(bob).last_request(Method::Invite);
    exchange.answer(bob, &heard, |bob, invite| read(bob.reply(invite, 486)));
    exchange.live(20);
    acknowledge(&mut exchange, alice, &invite, 486);
    let server = exchange.server;
    check(&mut exchange, &[alice, server], "3.9_busy");
}

/// Bob's phone is there, and says nothing.
#[test]
fn flow_3_10_unsuccessful_no_response_from_user_agent() {
    let Towns { mut exchange, alice, bob } = two_towns(Trust::Neighbour);
    let invite = call(&mut exchange, alice, "sip:bob@biloxi.test");
    exchange.live(33_000);
    let invites = exchange.look(bob).statuses().iter().filter(|word| *word == "INVITE").count();
    assert_eq!(invites, 7, "timer A doubles until timer B");
    let status = exchange.look(alice).heard.last().unwrap().1.status().unwrap().code();
    acknowledge(&mut exchange, alice, &invite, status);
    let server = exchange.server;
    check(&mut exchange, &[alice, server], "3.10_no_response");
}

#[test]
fn flow_3_11_unsuccessful_temporarily_unavailable() {
    let Towns { mut exchange, alice, bob } = two_towns(Trust::Neighbour);
    let invite = call(&mut exchange, alice, "sip:bob@biloxi.test");
    let heard = exchange.look(bob).last_request(Method::Invite);
    exchange.answer(bob, &heard, |bob, invite| read(bob.reply(invite, 180)));
    exchange.live(3000);
    exchange.answer(bob, &heard, |bob, invite| read(bob.reply(invite, 480)));
    exchange.live(20);
    acknowledge(&mut exchange, alice, &invite, 480);
    let server = exchange.server;
    check(&mut exchange, &[alice, server], "3.11_temporarily_unavailable");
}
