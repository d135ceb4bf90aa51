//! A phone is registered at one node; the other has a copy of that, and somebody there who watches it (RFC 3680). What is true of it is told there, and
//! nothing else.

use std::time::Duration;

use offhook_tests::office::{Phone, Request, answers, reply, requests};
use protocol::Input;
use protocol::doors::Event;

use super::Pair;

/// A phone of 101 registers at an address of its own, for a minute.
fn register(phone: &Phone, nth: u32) -> Request {
    let mut request = phone.register(&format!("Contact: <{}>;expires=60\r\n", phone.contact()));
    request.cseq = nth;
    request.call_id += &phone.flow.peer.ip().to_string();
    request.branch += &format!("{}-{nth}", phone.flow.peer.ip());
    request
}

fn of_101(phone: Phone) -> Phone {
    Phone { user: "101".into(), ..phone }
}

fn registers(pair: &mut Pair, number: usize, phone: &Phone, nth: u32) {
    let sent = pair.hear(number, phone, &register(phone, nth));
    assert_eq!(answers(&sent, phone.flow), [200]);
}

/// Somebody watches 101 at node 1, and has heard how it is.
fn watches(pair: &mut Pair) -> Phone {
    let phone = of_101(Phone::udp(190));
    let rows = format!(
        "Event: reg\r\nContact: <{}>\r\nAccept: application/reginfo+xml\r\nExpires: 3600",
        phone.contact()
    );
    let request = phone.request("SUBSCRIBE", "sip:101@example.test").row(&rows);
    let mut sent = pair.hear(1, &phone, &request);
    assert_eq!(answers(&sent, phone.flow), [200]);
    sent.extend(pair.sent(1));
    for notify in requests(&sent, "NOTIFY") {
        pair.offices[1].receive(phone.flow, reply(&notify.message, 200, ""));
    }
    phone
}

/// Time passes; what the watcher is told meanwhile, and whose end node 1 has reported.
fn passes(pair: &mut Pair, watcher: &Phone, seconds: u64) -> (Vec<String>, usize) {
    pair.offices[1].events.clear();
    let mut told = Vec::new();
    for _ in 0..seconds {
        pair.wait(Duration::from_secs(1));
        for notify in requests(&pair.sent(1), "NOTIFY") {
            told.push(String::from_utf8_lossy(notify.message.body()).into_owned());
            pair.offices[1].receive(watcher.flow, reply(&notify.message, 200, ""));
        }
    }
    let is_end = |event: &&Event| matches!(event, Event::Unregistered { .. });
    (told, pair.offices[1].events.iter().filter(is_end).count())
}

#[test]
fn who_has_refreshed_at_the_other_node_has_not_expired() {
    let mut pair = Pair::new(|settings| settings);
    let phone = of_101(Phone::udp(110));
    registers(&mut pair, 0, &phone, 1);
    let watcher = watches(&mut pair);
    passes(&mut pair, &watcher, 40);
    registers(&mut pair, 0, &phone, 2);
    let (told, ends) = passes(&mut pair, &watcher, 50);
    assert!(!told.concat().contains("expired"), "{told:?}");
    assert_eq!(ends, 0, "its time was over in a copy alone");
    // And then it has.
    let (told, ends) = passes(&mut pair, &watcher, 30);
    assert!(told.concat().contains("event=\"expired\""), "{told:?}");
    assert_eq!(ends, 1);
    assert_eq!(pair.offices[0].node.registered() + pair.offices[1].node.registered(), 0);
}

/// The one has refreshed, the other has not.
#[test]
fn of_two_phones_the_one_that_has_not_refreshed_expires() {
    let mut pair = Pair::new(|settings| settings);
    let (phone, other) = (of_101(Phone::udp(110)), of_101(Phone::udp(111)));
    registers(&mut pair, 0, &phone, 1);
    registers(&mut pair, 0, &other, 1);
    let watcher = watches(&mut pair);
    passes(&mut pair, &watcher, 40);
    registers(&mut pair, 0, &phone, 2);
    let (told, ends) = passes(&mut pair, &watcher, 30);
    let told = told.concat();
    assert_eq!((told.matches("event=\"expired\"").count(), ends), (1, 1), "{told}");
    let contact = told.split("<contact ").find(|contact| contact.contains("expired"));
    assert!(contact.is_some_and(|contact| contact.contains(&other.contact())), "{told}");
}

/// Nobody knows better than the copy.
#[test]
fn a_copy_expires_where_the_store_cannot_be_reached() {
    let mut pair = Pair::new(|settings| settings);
    registers(&mut pair, 0, &of_101(Phone::udp(110)), 1);
    let watcher = watches(&mut pair);
    pair.cut = [false, true];
    let (told, ends) = passes(&mut pair, &watcher, 70);
    assert_eq!((told.concat().matches("event=\"expired\"").count(), ends), (1, 1), "{told:?}");
}

/// "hears when a device registers, expires or loses its connection"
#[test]
fn who_loses_its_connection_to_the_other_node_or_is_taken_away_there_is_told_of() {
    let mut pair = Pair::new(|settings| settings);
    let phone = of_101(Phone::tcp(110, 7));
    registers(&mut pair, 0, &phone, 1);
    let watcher = watches(&mut pair);
    pair.tell(0, Input::Failed(phone.flow));
    let (told, _) = passes(&mut pair, &watcher, 7);
    assert!(told.concat().contains("event=\"deactivated\""), "{told:?}");
    registers(&mut pair, 0, &of_101(Phone::udp(111)), 1);
    let (told, _) = passes(&mut pair, &watcher, 7);
    assert!(told.concat().contains("event=\"registered\""), "{told:?}");
    let (office, mut out) = (&mut pair.offices[0], Vec::new());
    assert_eq!(office.node.unregister(office.now, b"101", None, &mut out), 1);
    office.take(out);
    let (told, _) = passes(&mut pair, &watcher, 7);
    assert!(told.concat().contains("event=\"unregistered\""), "{told:?}");
}
