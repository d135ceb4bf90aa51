//! What is asked again and what is not.

use std::time::Duration;

use super::sea::{Habit, Sea};
use super::zone::Zone;
use crate::limits;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn set(sea: &mut Sea, habit: Habit) {
    let only = *sea.habits.keys().next().unwrap();
    sea.habits.insert(only, habit);
}

const HOST: &str = "sip:host.test:5060";

#[test]
fn an_answer_is_kept_as_long_as_it_says() {
    let mut sea = Sea::new(&[Habit::Good(Zone::of("host.test 60 A 198.51.100.9"), 1)]);
    for (after, asked) in [(0, 1), (59, 1), (1, 2)] {
        sea.pass(secs(after));
        sea.find(HOST);
        assert_eq!(sea.asked.len(), asked);
    }
}

#[test]
fn an_answer_for_no_time_is_used_once_and_asked_for_each_time() {
    let mut sea = Sea::new(&[Habit::Good(Zone::of("host.test 0 A 198.51.100.9"), 1)]);
    for asked in 1..=3 {
        assert_eq!(sea.find(HOST).1, "UDP 198.51.100.9:5060");
        assert_eq!(sea.asked.len(), asked);
    }
}

#[test]
fn that_there_is_nothing_is_kept_for_the_minimum_of_the_soa() {
    let mut zone = Zone::of("other.test 60 A 198.51.100.9");
    zone.minimum = 30;
    let mut sea = Sea::new(&[Habit::Good(zone, 1)]);
    for (after, asked) in [(0, 1), (29, 1), (1, 2)] {
        sea.pass(secs(after));
        assert_eq!(sea.find(HOST).1, "Unknown");
        assert_eq!(sea.asked.len(), asked);
    }
}

#[test]
fn a_failure_is_kept_for_a_moment() {
    let refusing = Habit::Refusing(domain::base::iana::Rcode::SERVFAIL);
    let mut sea = Sea::new(&[refusing]);
    for (after, asked) in [(0, 1), (4, 1), (1, 2)] {
        sea.pass(secs(after));
        assert_eq!(sea.find(HOST).1, "NoAnswer");
        assert_eq!(sea.asked.len(), asked);
    }
}

#[test]
fn an_outdated_answer_is_used_when_the_dns_is_silent() {
    let zone = Zone::of("host.test 60 A 198.51.100.9");
    let mut sea = Sea::new(&[Habit::Good(zone.clone(), 1)]);
    sea.find(HOST);
    set(&mut sea, Habit::Dead);
    sea.pass(secs(61));
    let patience = limits::STALE_AFTER.as_millis() as u64;
    assert_eq!(sea.find(HOST), (patience, "UDP 198.51.100.9:5060".into()));
    // The question has failed meanwhile: the old answer is good for a while, without waiting.
    sea.pass(secs(10));
    assert_eq!(sea.find(HOST).0, 0);
    // The DNS is back.
    set(&mut sea, Habit::Good(Zone::of("host.test 60 A 198.51.100.10"), 1));
    sea.pass(secs(31));
    assert_eq!(sea.find(HOST), (1, "UDP 198.51.100.10:5060".into()));
    // A day of silence is too long.
    set(&mut sea, Habit::Dead);
    sea.pass(limits::STALE + secs(61));
    assert_eq!(sea.find(HOST).1, "NoAnswer");
    sea.settle();
}

#[test]
fn an_outdated_answer_is_used_when_the_dns_cannot_answer() {
    let mut sea = Sea::new(&[Habit::Good(Zone::of("host.test 60 A 198.51.100.9"), 1)]);
    sea.find(HOST);
    set(&mut sea, Habit::Refusing(domain::base::iana::Rcode::SERVFAIL));
    sea.pass(secs(61));
    assert_eq!(sea.find(HOST), (1, "UDP 198.51.100.9:5060".into()));
    assert_eq!(sea.counts.stale.get(), 1);
}

#[test]
fn a_domain_that_hides_its_tls_is_reported() {
    let secure = r#"
        a.test 60 NAPTR 1 1 "s" "SIPS+D2T" "" _sips._tcp.a.test
        _sips._tcp.a.test 60 SRV 0 0 5061 host.test
        host.test 60 A 198.51.100.9"#;
    let mut sea = Sea::new(&[Habit::Good(Zone::of(secure), 1)]);
    assert_eq!(sea.find("sip:a.test").1, "TLS 198.51.100.9:5061");
    set(&mut sea, Habit::Good(Zone::of("a.test 60 A 198.51.100.66"), 1));
    sea.pass(secs(61));
    assert_eq!(sea.find("sip:a.test").1, "UDP 198.51.100.66:5060");
    assert_eq!(sea.withdrawn, ["a.test"]);
    assert_eq!(sea.counts.withdrawn.get(), 1);
}
