//! RFC 3665 §2: registration.

use offhook_tests::attendant::Habits;
use offhook_tests::exchange::Exchange;
use offhook_tests::puppet::{Puppet, contacts, read};
use protocol::Transport;
use sim::{HostId, Weather};
use sip::{Message, Method, Name};

use crate::check;

fn bob() -> (Exchange, HostId) {
    let mut exchange = Exchange::new(1, Weather::FAIR);
    let bob = exchange.puppet("102", Transport::Udp);
    (exchange, bob)
}

/// Sends a request, and once more with the credentials that are asked for.
fn ask(exchange: &mut Exchange, bob: HostId, make: impl FnOnce(&mut Puppet) -> Message) {
    let request = exchange.say(bob, make);
    exchange.live(20);
    let challenge = exchange.look(bob).last_response(401);
    exchange.say(bob, |bob| bob.again_with_credentials(&request, &challenge));
    exchange.live(20);
}

/// What the last 200 lists.
fn listed(exchange: &Exchange, bob: HostId) -> Vec<String> {
    contacts(&exchange.look(bob).last_response(200))
}

#[test]
fn flow_2_1_successful_new_registration() {
    let (mut exchange, bob) = bob();
    ask(&mut exchange, bob, |bob| bob.register(1, 1, 3600));
    assert_eq!(listed(&exchange, bob), ["<sip:102@198.51.100.2:5060>;expires=3600"]);
    check(&mut exchange, &[bob], "2.1_new_registration");
}

/// The RFC adds a `mailto:`. Nobody can call that, so we refuse it, and here a second telephone is added.
#[test]
fn flow_2_2_update_of_contact_list() {
    let (mut exchange, bob) = bob();
    exchange.register(bob, 1);
    ask(&mut exchange, bob, |bob| {
        let aor = bob.aor();
        let draft = bob.draft(Method::Register, &aor, 1, 3);
        read(draft.raw(Name::Contact, b"<sip:bob@198.51.100.77>"))
    });
    let listed = listed(&exchange, bob);
    assert_eq!(listed.len(), 2, "{listed:?}");
    check(&mut exchange, &[bob], "2.2_update_of_contact_list");
}

#[test]
fn flow_2_3_request_for_current_contact_list() {
    let (mut exchange, bob) = bob();
    exchange.register(bob, 1);
    ask(&mut exchange, bob, |bob| {
        let aor = bob.aor();
        read(bob.draft(Method::Register, &aor, 1, 3))
    });
    assert_eq!(listed(&exchange, bob), ["<sip:102@198.51.100.2:5060>;expires=3600"]);
    check(&mut exchange, &[bob], "2.3_current_contact_list");
}

#[test]
fn flow_2_4_cancellation_of_registration() {
    let (mut exchange, bob) = bob();
    exchange.register(bob, 1);
    ask(&mut exchange, bob, |bob| {
        let aor = bob.aor();
        let draft = bob.draft(Method::Register, &aor, 1, 3);
        read(draft.raw(Name::Expires, b"0").raw(Name::Contact, b"*"))
    });
    assert!(listed(&exchange, bob).is_empty());
    check(&mut exchange, &[bob], "2.4_cancellation");
}

#[test]
fn flow_2_5_unsuccessful_registration() {
    let mut exchange = Exchange::new(1, Weather::FAIR);
    let stranger = exchange.puppet("102", Transport::Udp);
    let request = exchange.say(stranger, |stranger| stranger.register(1, 1, 3600));
    exchange.live(20);
    let challenge = exchange.look(stranger).last_response(401);
    exchange.say(stranger, |stranger| {
        let good = stranger.again_with_credentials(&request, &challenge);
        let row = good.rows(Name::Authorization).next().unwrap();
        let row = String::from_utf8(row.to_vec()).unwrap();
        let at = row.find("response=\"").unwrap() + "response=\"".len();
        let bad = format!("{}{}{}", &row[..at], "0".repeat(32), &row[at + 32..]);
        good.edit().replace_raw(Name::Authorization, bad.as_bytes()).finish().unwrap()
    });
    exchange.live(20);
    assert_eq!(exchange.look(stranger).statuses(), ["401", "401"]);
    check(&mut exchange, &[stranger], "2.5_unsuccessful_registration");
}

/// The same with a phone of ours, which does all of that by itself, and takes its registration back in the end.
#[test]
fn flow_2_1_and_2_4_by_our_phone() {
    let mut exchange = Exchange::new(1, Weather::FAIR);
    let bob = exchange.phone("102", Transport::Udp, Habits::POLITE);
    exchange.sign_on(&[bob]);
    exchange.sign_off(&[bob]);
    check(&mut exchange, &[bob], "2.1_by_our_phone");
}
