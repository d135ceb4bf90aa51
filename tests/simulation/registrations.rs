//! Everybody registers at once, and would again and again; phones with two ways lose one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use offhook_tests::exchange::Exchange;
use offhook_tests::puppet::{contacts, read};
use protocol::Transport;
use sim::{Change, HostId, Outage, Weather};
use sip::{Method, Name};

/// A house of so many phones comes back after a power cut, all within one tenth of a second, and each registers again as soon as its time is
/// up: how many do so in the busiest second of the fifth hour.
fn busiest_second(jitter: u8) -> usize {
    const PHONES: u32 = 100;
    let mut exchange = Exchange::with(3, Weather::FAIR, 2, |settings| {
        settings.challenge = Vec::new();
        settings.registrar.jitter = jitter;
    });
    let phones: Vec<_> =
        (0..PHONES).map(|n| exchange.puppet(&format!("p{n}"), Transport::Udp)).collect();
    let mut due: BTreeSet<(u64, usize, Deed)> =
        (0..phones.len()).map(|n| (n as u64, n, Deed::Register)).collect();
    let (mut now, mut seconds, mut cseq) = (0, BTreeMap::<u64, usize>::new(), 0);
    while let Some((at, n, deed)) = due.pop_first().filter(|(at, ..)| *at < 6 * HOUR) {
        exchange.live(at - now);
        now = at;
        if deed == Deed::Listen {
            let again = granted(&exchange, phones[n]) * 1000;
            due.insert((at - ANSWERED + again, n, Deed::Register));
            continue;
        }
        if at >= 5 * HOUR {
            *seconds.entry(at / 1000).or_default() += 1;
        }
        cseq += 1;
        exchange.say(phones[n], |phone| phone.register(1, cseq, 3600));
        due.insert((at + ANSWERED, n, Deed::Listen));
    }
    seconds.into_values().max().unwrap_or(0)
}

const HOUR: u64 = 3_600_000;

/// Milliseconds after which a REGISTER has been answered.
const ANSWERED: u64 = 200;

/// What a phone does next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    Register,
    Listen,
}

/// The seconds that a phone got.
fn granted(exchange: &Exchange, phone: HostId) -> u64 {
    let contact = contacts(&exchange.look(phone).last_response(200)).remove(0);
    contact.split("expires=").nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_storm_of_registrations_does_not_come_back() {
    let (together, spread) = (busiest_second(0), busiest_second(10));
    assert_eq!(together, 100, "without jitter they stay together");
    assert!(spread <= 10, "{spread} in one second");
}

/// One phone with two ways to the server: over its cable and over its radio. Its calls ring both, if they ring both.
fn two_ways(exchange: &mut Exchange) -> [HostId; 2] {
    [1, 2].map(|reg_id| {
        let way = exchange.puppet("102", Transport::Tcp);
        exchange.say(way, |phone| {
            let aor = phone.aor();
            let flow = format!(
                "<sip:102@10.0.0.1;transport=tcp;ob>;+sip.instance=\"<urn:uuid:1>\";reg-id={reg_id};expires=3600"
            );
            let draft = phone.draft(Method::Register, &aor, reg_id, 1);
            read(draft.raw(Name::Supported, b"path, outbound").raw(Name::Contact, flow.as_bytes()))
        });
        exchange.live(100);
        let ok = exchange.look(way).last_response(200);
        assert_eq!(ok.rows(Name::Require).next(), Some(&b"outbound"[..]));
        way
    })
}

fn trusting(seed: u64) -> Exchange {
    Exchange::with(seed, Weather::FAIR, 2, |settings| settings.challenge = Vec::new())
}

/// Calls 102; which of its ways have heard an INVITE since they had heard so much, after so many milliseconds.
fn call(exchange: &mut Exchange, ways: [HostId; 2], millis: u64) -> [usize; 2] {
    let invites = |exchange: &Exchange, way| {
        exchange.look(way).statuses().iter().filter(|word| *word == "INVITE").count()
    };
    let before = ways.map(|way| invites(exchange, way));
    let caller = exchange.puppet("103", Transport::Udp);
    exchange.say(caller, |caller| caller.invite("sip:102@example.test", 1, 1));
    exchange.live(millis);
    [0, 1].map(|at| invites(exchange, ways[at]) - before[at])
}

#[test]
fn a_phone_with_two_ways_gets_one_call() {
    let mut exchange = trusting(1);
    let ways = two_ways(&mut exchange);
    assert_eq!(call(&mut exchange, ways, 1000), [0, 1], "by the way refreshed last");
}

/// The way ends with an end: the server knows at once, and the next call goes by the other.
#[test]
fn a_way_that_is_closed_is_not_tried() {
    let mut exchange = trusting(2);
    let ways = two_ways(&mut exchange);
    exchange.world.change(&Change::Down(ways[1], Outage::Program));
    exchange.live(1000);
    assert_eq!(call(&mut exchange, ways, 1000), [1, 0]);
}

/// The way falls silent, and nobody says so: the call finds out, and goes by the other after three and a half seconds.
#[test]
fn a_way_that_is_silent_costs_a_few_seconds() {
    let mut exchange = trusting(4);
    let ways = two_ways(&mut exchange);
    let server = exchange.server;
    exchange.world.change(&Change::Part(vec![server], vec![ways[1]]));
    assert_eq!(call(&mut exchange, ways, 3000), [0, 0]);
    exchange.live(1000);
    let heard = exchange.look(ways[0]).statuses();
    assert_eq!(heard.last().map(String::as_str), Some("INVITE"), "{heard:?}");
}

/// After a restart the server knows nobody; as soon as one way has registered again the phone is called, and with both it is called once.
#[test]
fn after_a_restart_of_the_server_one_way_is_enough() {
    let mut exchange = trusting(5);
    let first = two_ways(&mut exchange);
    exchange.restart_server(9);
    exchange.live(1000);
    assert_eq!(call(&mut exchange, first, 1000), [0, 0]);
    let again = two_ways(&mut exchange);
    let rung = call(&mut exchange, again, Duration::from_secs(2).as_millis() as u64);
    assert_eq!(rung.iter().sum::<usize>(), 1);
}
