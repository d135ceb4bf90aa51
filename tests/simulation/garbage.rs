//! Malformed and hostile messages in the middle of good calls (RELIABILITY R11): no panic, no call harmed, nothing kept.

use std::collections::BTreeSet;

use offhook_tests::attendant::{Habits, Wish};
use offhook_tests::corpus::{Sample, samples};
use offhook_tests::exchange::{Exchange, SERVER, address};
use offhook_tests::puppet::{Puppet, read};
use offhook_tests::seeds::seeds;
use protocol::Transport;
use sim::{Connection, HostId, Parcel, Realm, Segment, Weather};
use sip::{Bytes, Message, Method, check};

const FOLDERS: [&str; 6] =
    ["cve-sip", "sip-rfc4475", "sip-rfc5118", "sip-fuzz", "sip-messages", "sip-captured"];

const STRANGER: &str = "203.0.113.9";

/// Two puppets, a call between them through the server, and its INVITE and answer.
fn in_a_call(shards: u16) -> (Exchange, HostId, HostId) {
    let mut exchange = Exchange::with(3, Weather::FAIR, shards, |_| {});
    let (alice, bob) =
        (exchange.puppet("101", Transport::Udp), exchange.puppet("102", Transport::Tcp));
    exchange.register(alice, 1);
    exchange.register(bob, 2);
    let first = exchange.say(alice, |alice| alice.invite("sip:102@example.test", 3, 1));
    exchange.live(20);
    let challenge = exchange.look(alice).last_response(407);
    exchange.say(alice, |alice| alice.ack(&first, &challenge));
    let invite = exchange.say(alice, |alice| alice.again_with_credentials(&first, &challenge));
    exchange.live(20);
    let heard = exchange.look(bob).last_request(Method::Invite);
    exchange.answer(bob, &heard, Puppet::accept);
    exchange.live(20);
    let answer = exchange.look(alice).last_response(200);
    exchange.say_in_call(alice, |alice| alice.ack(&invite, &answer));
    exchange.live(20);
    exchange.look(bob).last_request(Method::Ack);
    (exchange, alice, bob)
}

/// The call is still there, and can be ended.
fn hang_up(exchange: &mut Exchange, alice: HostId, bob: HostId) {
    let bye = exchange.say_in_call(alice, Puppet::bye);
    exchange.live(20);
    let heard = exchange.look(bob).last_request(Method::Bye);
    assert_eq!(heard.1.call_id(), bye.call_id());
    exchange.answer(bob, &heard, |bob, bye| read(bob.reply(bye, 200)));
    exchange.live(20);
    let answer = exchange.look(alice).last_response(200);
    assert_eq!(answer.call_id(), bye.call_id());
}

fn inject(exchange: &mut Exchange, port: u16, octets: &[u8]) {
    let from = format!("{STRANGER}:{port}");
    let parcel = Parcel::datagram(address(&from), address(SERVER), octets.to_vec());
    exchange.world.inject(Realm::INTERNET, parcel);
}

/// The statuses of what was sent back to the stranger since the tap was cleared.
fn answers_of(exchange: &mut Exchange, who: &[HostId], before: &mut BTreeSet<Vec<u8>>) -> Vec<u16> {
    let to_stranger = exchange.world.tap().sightings().filter(|one| {
        one.from.is_some_and(|from| who.contains(&from))
            && one.parcel.to.ip().to_string() == STRANGER
    });
    // What is repeated of an earlier answer does not count.
    let fresh = to_stranger.filter(|one| before.insert(one.parcel.payload().to_vec()));
    fresh
        .filter_map(|one| Message::parse(one.parcel.payload().to_vec()).ok()?.status())
        .map(sip::Status::code)
        .collect()
}

/// What the index of the corpus says of a sample, as far as the answers of a server can show it.
fn disagreement(sample: &Sample, answers: &[u16]) -> Option<String> {
    let parsed = Message::parse(sample.octets.clone());
    let well_formed = parsed.as_ref().is_ok_and(|message| check(message).is_ok());
    let is_request = parsed.as_ref().map_or(true, Message::is_request);
    let wrong = match sample.class.as_str() {
        "accept" if well_formed => answers.iter().any(|status| matches!(status, 400 | 505)),
        "reject" => {
            answers.iter().any(|status| *status < 400) || (!is_request && !answers.is_empty())
        }
        _ => !is_request && !answers.is_empty(),
    };
    wrong.then(|| format!("{} ({}): answered {answers:?}", sample.name, sample.class))
}

#[test]
fn the_corpus_as_datagrams_harms_no_call_and_leaves_nothing_behind() {
    let (mut exchange, alice, bob) = in_a_call(1);
    let (mut wrong, mut before) = (Vec::new(), BTreeSet::new());
    for (nth, sample) in samples(&FOLDERS).iter().enumerate() {
        exchange.world.tap_on();
        let port = 10_000 + u16::try_from(nth).unwrap();
        inject(&mut exchange, port, &sample.octets);
        exchange.live(5);
        let server = exchange.server;
        let said = answers_of(&mut exchange, &[server], &mut before);
        wrong.extend(disagreement(sample, &said));
        if nth % 50 == 0 {
            let options = exchange.say(alice, |alice| {
                let uri = format!("sip:{SERVER}");
                read(alice.draft(Method::Options, &uri, 1000 + u32::try_from(nth).unwrap(), 1))
            });
            exchange.live(200);
            let last = exchange.look(alice).heard.last().unwrap().1.clone();
            assert_eq!(last.call_id(), options.call_id(), "no answer after {}", sample.name);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    hang_up(&mut exchange, alice, bob);
    exchange.live(300_000);
    exchange.assert_nothing_is_left();
}

#[test]
fn the_corpus_on_streams_harms_no_call_and_leaves_nothing_behind() {
    let (mut exchange, alice, bob) = in_a_call(3);
    let stranger = exchange.puppet("106", Transport::Tcp);
    for (nth, sample) in samples(&FOLDERS).iter().enumerate() {
        let stream = Connection(1_000_000 + u64::try_from(nth).unwrap());
        let (from, to) = (address("0.0.0.0:0"), address(SERVER));
        exchange.world.act(stranger, |_, _, out| {
            out.push(Parcel::stream(from, to, stream, Segment::Open));
            let octets = Bytes::from(sample.octets.clone());
            out.push(Parcel::stream(from, to, stream, Segment::Data(octets)));
            out.push(Parcel::stream(from, to, stream, Segment::Close));
        });
        exchange.live(5);
    }
    hang_up(&mut exchange, alice, bob);
    exchange.live(300_000);
    exchange.assert_nothing_is_left();
}

/// A bit turned over in each message of a flood: what is left of a good message is no better than any other.
#[test]
fn messages_with_bits_turned_over_harm_no_call() {
    for seed in 0..4 {
        let (mut exchange, alice, bob) = in_a_call(1);
        let mut dice = machine::Dice::new(seed);
        let good: Vec<Bytes> =
            exchange.look(bob).heard.iter().map(|(_, one)| one.wire().clone()).collect();
        for nth in 0..2000_u16 {
            let pick = usize::try_from(dice.below(good.len() as u64)).unwrap();
            let mut octets = good[pick].to_vec();
            for _ in 0..=dice.below(4) {
                let at = usize::try_from(dice.below(octets.len() as u64)).unwrap();
                octets[at] ^= 1 << dice.below(8);
            }
            inject(&mut exchange, 20_000 + nth, &octets);
            if nth % 100 == 0 {
                exchange.live(10);
            }
        }
        exchange.live(1000);
        hang_up(&mut exchange, alice, bob);
        exchange.live(300_000);
        exchange.assert_nothing_is_left();
    }
}

/// The same at two phones in a call with each other: neither stumbles, the call goes on, and nothing is left.
#[test]
fn the_corpus_at_phones_in_a_call() {
    let mut exchange = Exchange::new(3, Weather::FAIR);
    let alice = exchange.phone("101", Transport::Udp, Habits::POLITE);
    let bob = exchange.phone("102", Transport::Udp, Habits::POLITE);
    exchange.sign_on(&[alice, bob]);
    let call = exchange.dial(alice, "102", Wish::default());
    exchange.live(3000);
    assert!(exchange.attendant(alice).was_up(call));
    let homes = ["198.51.100.2:5060", "198.51.100.3:5060"];
    let (mut wrong, mut before) = (Vec::new(), BTreeSet::new());
    for (nth, sample) in samples(&FOLDERS).iter().enumerate() {
        exchange.world.tap_on();
        let from = address(&format!("{STRANGER}:{}", 10_000 + nth));
        for home in homes {
            let parcel = Parcel::datagram(from, address(home), sample.octets.clone());
            exchange.world.inject(Realm::INTERNET, parcel);
        }
        exchange.live(5);
        let said = answers_of(&mut exchange, &[alice, bob], &mut before);
        wrong.extend(disagreement(sample, &said));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(exchange.attendant(alice).end_of(call), None);
    exchange.by_hand(alice, |phone, now, out| phone.hang_up(now, call, out)).unwrap();
    exchange.live(600_000);
    assert_eq!(exchange.attendant(alice).end_of(call), Some(200));
    for id in [alice, bob] {
        assert_eq!(exchange.attendant(id).phone.calls().count(), 0);
    }
    exchange.sign_off(&[alice, bob]);
}

/// Bits turned over in the phones' own messages to each other, from the address that they come from.
#[test]
fn phones_survive_their_own_messages_with_bits_turned_over() {
    for seed in seeds(0..3) {
        let mut exchange = Exchange::new(seed, Weather::FAIR);
        let alice = exchange.phone("101", Transport::Udp, Habits::POLITE);
        let bob = exchange.phone("102", Transport::Udp, Habits::POLITE);
        exchange.sign_on(&[alice, bob]);
        let call = exchange.dial(alice, "102", Wish::default());
        exchange.live(2000);
        let good: Vec<(std::net::SocketAddr, Bytes)> = exchange
            .world
            .tap()
            .sightings()
            .filter(|one| [Some(alice), Some(bob)].contains(&one.to))
            .map(|one| (one.parcel.to, Bytes::copy_from_slice(one.parcel.payload())))
            .collect();
        let mut dice = machine::Dice::new(u128::from(seed));
        for nth in 0..4000 {
            let (to, octets) = &good[usize::try_from(dice.below(good.len() as u64)).unwrap()];
            let mut octets = octets.to_vec();
            for _ in 0..=dice.below(3) {
                let at = usize::try_from(dice.below(octets.len() as u64)).unwrap();
                octets[at] ^= 1 << dice.below(8);
            }
            let parcel = Parcel::datagram(address(SERVER), *to, octets);
            exchange.world.inject(Realm::INTERNET, parcel);
            if nth % 50 == 0 {
                exchange.live(20);
            }
        }
        let _ = exchange.by_hand(alice, |phone, now, out| phone.hang_up(now, call, out));
        exchange.live(600_000);
        exchange.sign_off(&[alice, bob]);
    }
}
