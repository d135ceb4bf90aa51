//! How questions travel: servers in turn, by UDP and TCP, with and without EDNS.

use domain::base::iana::Rcode;

use super::sea::{Habit, Sea};
use super::zone::Zone;
use crate::limits;

fn zone() -> Zone {
    Zone::of(
        r#"
        a.test 60 NAPTR 10 10 "s" "SIP+D2U" "" _sip._udp.a.test
        _sip._udp.a.test 60 SRV 0 0 5060 one.a.test
        _sip._udp.a.test 60 SRV 1 0 5070 two.a.test
        one.a.test 60 A 198.51.100.1
        two.a.test 60 A 198.51.100.2
        host.test 60 A 198.51.100.9
    "#,
    )
}

const FOUND: &str = "UDP 198.51.100.1:5060, UDP 198.51.100.2:5070";
const HOST: &str = "sip:host.test:5060";
const HOST_FOUND: &str = "UDP 198.51.100.9:5060";

#[test]
fn a_domain_is_located_step_by_step() {
    let mut sea = Sea::new(&[Habit::Good(zone(), 20)]);
    assert_eq!(sea.find("sip:a.test"), (60, FOUND.into()));
    assert_eq!(
        sea.asked,
        ["0 1 a.test NAPTR", "20 1 _sip._udp.a.test SRV", "40 1 one.a.test A", "40 1 two.a.test A"]
    );
    sea.settle();
}

#[test]
fn a_dead_server_costs_one_wait_and_is_asked_last_from_then_on() {
    let mut sea = Sea::new(&[Habit::Dead, Habit::Good(zone(), 1)]);
    assert_eq!(sea.find("sip:a.test"), (803, FOUND.into()));
    assert_eq!(sea.find(HOST), (1, HOST_FOUND.into()));
    assert_eq!(sea.counts.silent.get(), 1);
    sea.settle();
}

#[test]
fn a_server_that_came_back_is_asked_again() {
    let mut sea = Sea::new(&[Habit::Dead, Habit::Good(zone(), 1)]);
    sea.find("sip:a.test");
    let first = *sea.habits.keys().next().unwrap();
    sea.habits.insert(first, Habit::Good(zone(), 5));
    sea.pass(std::time::Duration::from_secs(31));
    assert_eq!(sea.find(HOST), (5, HOST_FOUND.into()));
}

/// RFC 6116: what a number is called is asked for like any name: once, and kept; a name without records is an answer.
#[test]
fn the_services_of_a_number_are_found_and_kept() {
    let number = Zone::of(
        r#"
        8.4.4.e164.test 60 CNAME far.test
        far.test 60 NAPTR 10 10 "u" "E2U+sip" "!^.*$!sip:a@h.test!" .
        far.test 60 NAPTR 10 20 "u" "E2U+sip" "!^(.*)$!sip:\1@h.test!" .
        "#,
    );
    let mut sea = Sea::new(&[Habit::Good(number, 20)]);
    sea.services(1, "8.4.4.e164.test");
    sea.settle();
    assert_eq!(sea.told[&1].1, "!^.*$!sip:a@h.test!, !^(.*)$!sip:\\1@h.test!");
    sea.services(2, "8.4.4.E164.test");
    sea.services(3, "9.4.4.e164.test");
    sea.settle();
    assert_eq!((sea.told[&2].1.clone(), sea.told[&3].1.as_str()), (sea.told[&1].1.clone(), ""));
    assert_eq!(sea.asked.len(), 2, "{:?}", sea.asked);
    let mut dead = Sea::new(&[Habit::Dead]);
    dead.services(1, "8.4.4.e164.test");
    dead.settle();
    assert_eq!(dead.told[&1].1, "NoAnswer");
}

#[test]
fn an_unreachable_server_costs_nothing() {
    let mut sea = Sea::new(&[Habit::Unreachable, Habit::Good(zone(), 1)]);
    assert_eq!(sea.find(HOST), (1, HOST_FOUND.into()));
    sea.settle();
}

#[test]
fn a_lost_question_is_asked_again() {
    let mut sea = Sea::new(&[Habit::Dead]);
    sea.locate(1, HOST);
    sea.pass(std::time::Duration::from_millis(900));
    let only = *sea.habits.keys().next().unwrap();
    sea.habits.insert(only, Habit::Good(zone(), 1));
    sea.settle();
    assert_eq!(sea.told[&1], (2_401, HOST_FOUND.into()));
    let times: Vec<&str> = sea.asked.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(times, ["0", "800", "2400"]);
}

#[test]
fn when_all_are_dead_the_answer_still_comes_in_time() {
    let mut sea = Sea::new(&[Habit::Dead, Habit::Dead, Habit::Unreachable]);
    let (took, outcome) = sea.find("sip:a.test");
    assert_eq!(outcome, "NoAnswer");
    assert_eq!(u128::from(took), limits::SEARCH.as_millis());
    // And the next one need not wait for what is known to fail.
    let (took, outcome) = sea.find("sip:a.test;transport=udp");
    assert_eq!(outcome, "NoAnswer");
    assert!(took <= limits::QUESTION.as_millis() as u64 * 2);
    sea.settle();
}

#[test]
fn a_server_that_cannot_answer_is_passed_over_and_nothing_is_held_against_it() {
    for rcode in [Rcode::SERVFAIL, Rcode::REFUSED, Rcode::NOTIMP] {
        let mut sea = Sea::new(&[Habit::Refusing(rcode), Habit::Good(zone(), 1)]);
        assert_eq!(sea.find(HOST), (2, HOST_FOUND.into()), "{rcode}");
        assert_eq!(sea.find("sip:a.test"), (6, FOUND.into()), "{rcode}");
        assert_eq!(sea.counts.useless.get(), 5);
    }
    let mut sea = Sea::new(&[Habit::Refusing(Rcode::SERVFAIL), Habit::Refusing(Rcode::SERVFAIL)]);
    assert_eq!(sea.find(HOST), (2, "NoAnswer".into()));
    sea.settle();
}

#[test]
fn a_truncated_answer_is_asked_for_by_tcp() {
    let mut small = zone();
    small.payload = 60;
    let mut sea = Sea::new(&[Habit::Good(small.clone(), 1)]);
    assert_eq!(sea.find("sip:a.test;transport=udp").1, FOUND);
    assert_eq!(sea.asked[1], "1 1 _sip._udp.a.test SRV by TCP");
    sea.settle();
    // Without TCP another server must know it.
    let mut sea = Sea::new(&[Habit::NoTcp(small), Habit::Good(zone(), 1)]);
    assert_eq!(sea.find("sip:a.test;transport=udp"), (2_003, FOUND.into()));
    sea.settle();
}

#[test]
fn a_server_that_does_not_know_edns_is_asked_without() {
    let mut sea = Sea::new(&[Habit::Old(zone())]);
    assert_eq!(sea.find(HOST), (2, HOST_FOUND.into()));
    assert_eq!(sea.asked.len(), 2);
    sea.settle();
}

#[test]
fn a_question_that_is_under_way_is_not_asked_twice() {
    let mut sea = Sea::new(&[Habit::Good(zone(), 20)]);
    (0..100).for_each(|number| sea.locate(number, HOST));
    sea.settle();
    assert_eq!(sea.asked.len(), 1);
    assert!(sea.told.values().all(|told| told == &(20, HOST_FOUND.into())));
    assert_eq!(sea.told.len(), 100);
}

#[test]
fn sockets_and_searches_are_bounded_and_everybody_is_told() {
    let text: String = (0..2_000)
        .map(|at| format!("h{at}.test 60 A 198.51.{}.{}\n", at / 200, at % 200 + 1))
        .collect();
    let mut sea = Sea::new(&[Habit::Good(Zone::of(&text), 50)]);
    (0..2_000).for_each(|number| sea.locate(number, &format!("sip:h{number}.test:5060")));
    sea.settle();
    assert_eq!(sea.most_open, limits::SOCKETS);
    assert!(sea.told.values().all(|(_, outcome)| outcome.starts_with("UDP 198.51.")));
    // While nobody answers: those that fit wait, the others are told at once.
    let mut sea = Sea::new(&[Habit::Dead]);
    let many = limits::SEARCHES as u32 + 100;
    (0..many).for_each(|number| sea.locate(number, &format!("sip:h{number}.test:5060")));
    assert_eq!(sea.told.len(), 100);
    assert_eq!(sea.counts.refused.get(), 100);
    sea.settle();
    assert_eq!(sea.told.len(), many as usize);
}

#[test]
fn the_same_seed_lives_the_same_life() {
    let life = || {
        let mut sea =
            Sea::new(&[Habit::Dead, Habit::Refusing(Rcode::SERVFAIL), Habit::Good(zone(), 30)]);
        (0..20).for_each(|number| {
            sea.locate(number, if number % 2 == 0 { "sip:a.test" } else { HOST })
        });
        sea.settle();
        (sea.asked, sea.told)
    };
    assert_eq!(life(), life());
}

#[test]
fn without_servers_nobody_is_known_but_the_table_of_hosts() {
    let mut sea = Sea::new(&[]);
    assert_eq!(sea.find("sip:a.test"), (0, "NoAnswer".into()));
    sea.desk.hosts = crate::system::Hosts::read("198.51.100.7 a.test");
    assert_eq!(sea.find("sip:a.test"), (0, "UDP 198.51.100.7:5060".into()));
    assert_eq!(sea.find("sip:localhost"), (0, "UDP 127.0.0.1:5060".into()));
}
