//! What is believed of an answer, octet by octet.

use std::time::Duration;

use protocol::locate::{Domain, Found, Kind, Lookup};

use super::zone::Zone;
use crate::limits;
use crate::wire::{Edns, PAYLOAD, Reply, query, read};

fn lookup() -> Lookup {
    Lookup { name: Domain::of("host.test").unwrap(), kind: Kind::A }
}

fn question() -> Vec<u8> {
    query(7, &lookup(), Edns::No).unwrap()
}

/// The true answer: header 12, question 15 octets, one record: name 11, type 2, class 2, time 4, length 2, address 4.
fn truth() -> Vec<u8> {
    let answer = Zone::of("host.test 60 A 198.51.100.9").answer(&question());
    assert_eq!(answer.len(), 12 + 15 + 25);
    answer
}

/// What becomes of the true answer when octets of it are others.
fn changed(changes: &[(usize, u8)]) -> Reply {
    let mut answer = truth();
    changes.iter().for_each(|(at, octet)| answer[*at] = *octet);
    read(&answer, 7, &lookup())
}

fn time(reply: &Reply) -> Duration {
    match reply {
        Reply::Answer(Found::Records(records), ttl) if records.len() == 1 => *ttl,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_question_asks_for_recursion_and_says_what_fits() {
    let plain = question();
    assert_eq!(plain[..12], [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let more = query(7, &lookup(), Edns::Yes).unwrap();
    assert_eq!(more[11], 1);
    assert_eq!(more[plain.len()..][..5], [&[0, 0, 41][..], &PAYLOAD.to_be_bytes()].concat());
}

#[test]
fn the_answer_must_repeat_the_question() {
    assert_eq!(time(&changed(&[])), Duration::from_secs(60));
    let (name, kind, class) = (13, 24, 26);
    assert_eq!(time(&changed(&[(name, b'H')])), Duration::from_secs(60));
    for (at, octet) in [(name, b'g'), (kind, 28), (class, 3), (5, 0), (5, 2), (1, 8), (2, 0x01)] {
        assert_eq!(changed(&[(at, octet)]), Reply::Strange, "{at}");
    }
    assert_eq!(read(&truth(), 8, &lookup()), Reply::Strange);
}

#[test]
fn a_record_of_another_class_is_none() {
    // Chaos instead of Internet; the server says nothing else, but it could have.
    let Reply::Answer(found, ttl) = changed(&[(27 + 11 + 3, 3)]) else { panic!() };
    assert_eq!((found, ttl), (Found::Nothing, limits::FAILURE_TTL));
}

#[test]
fn times_are_taken_within_reason() {
    let ttl = 27 + 11 + 4;
    assert_eq!(time(&changed(&[(ttl, 0x80)])), Duration::ZERO);
    assert_eq!(time(&changed(&[(ttl, 0x7f)])), limits::LONGEST_TTL);
    assert_eq!(time(&changed(&[(ttl + 3, 0)])), Duration::ZERO);
}

#[test]
fn who_only_knows_somebody_else_is_of_no_use() {
    // No record, no SOA; first from a server that resolves, then from one that has the domain, then from one that does neither.
    let mut empty = question();
    for (flags, useless) in [([0x81, 0x80], false), ([0x85, 0x00], false), ([0x81, 0x00], true)] {
        empty[2..4].copy_from_slice(&flags);
        let reply = read(&empty, 7, &lookup());
        assert_eq!(reply == Reply::Useless, useless, "{flags:?} {reply:?}");
    }
}
