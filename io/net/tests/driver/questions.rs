//! Questions: names, other shards, media sockets.

use std::net::UdpSocket;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use offhook_net::{Keeper, Plan, Program, Reply, Resolver, limits};
use protocol::doors::{Answer, Asker, Question, Ticket, Warning};
use protocol::locate::{Domain, Failure, Hop, Means, Target, Unlocated};
use protocol::{Input, Output, Record, Transport};
use sip::Uri;

use crate::echo::{Echo, House, PATIENCE};

fn house(shards: u16, program: Program<Echo>) -> House {
    let plan = Plan::new().on(Transport::Udp, "127.0.0.1:0".parse().unwrap()).shards(shards);
    House::open(plan, program)
}

fn target(address: &str) -> Target {
    let address = address.parse().unwrap();
    Target { transport: Transport::Tcp, address, domain: "a.example".into() }
}

fn answer(house: &House) -> (u16, Ticket, Answer) {
    match house.input() {
        (shard, Input::Answered(ticket, answer)) => (shard, ticket, answer),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_number_is_answered_at_once_and_a_name_by_the_resolver() {
    struct Book;
    impl Resolver for Book {
        fn resolve(&self, hop: Hop, means: Means, reply: Reply) {
            assert_eq!(&*hop.domain, "a.example");
            assert_eq!(means.transports, [Transport::Tcp]);
            reply.give(Answer::Targets(vec![target("192.0.2.1:7")]));
        }
    }
    let plan = Plan::new().on(Transport::Tcp, "127.0.0.1:0".parse().unwrap());
    let house = House::open(plan, Program::new().resolver(Book));
    let ask = |uri: &str| {
        let hop = Hop::of_uri(Uri::parse(uri.as_bytes()).unwrap().sip().unwrap()).unwrap();
        house.put(0, Output::Ask(Ticket(3), Question::Resolve(hop)));
        answer(&house)
    };
    let number = Target { domain: "192.0.2.9".into(), ..target("192.0.2.9:7") };
    assert_eq!(ask("sip:192.0.2.9:7"), (0, Ticket(3), Answer::Targets(vec![number])));
    let named = Answer::Targets(vec![target("192.0.2.1:7")]);
    assert_eq!(ask("sip:a.example:7"), (0, Ticket(3), named));
    // What the listeners cannot send by is answered at once too.
    let unusable = Answer::Unlocated(Unlocated::Unusable);
    assert_eq!(ask("sip:[::1]:7"), (0, Ticket(3), unusable));
}

#[test]
fn a_resolver_that_does_not_answer_is_not_asked_without_end_and_blocks_nobody() {
    /// Keeps the replies.
    struct Slow(Mutex<Sender<Reply>>);
    impl Resolver for Slow {
        fn resolve(&self, _: Hop, _: Means, reply: Reply) {
            self.0.lock().unwrap().send(reply).unwrap();
        }
    }
    let (keep, kept) = channel();
    let house = house(1, Program::new().resolver(Slow(Mutex::new(keep))));
    let ask = |_: &mut Echo, _, out: &mut Vec<Output>| {
        let hop = Hop::of_uri(Uri::parse(b"sip:a.example").unwrap().sip().unwrap()).unwrap();
        let question = Question::Resolve(hop);
        out.extend((0..=limits::LOOKUPS).map(|_| Output::Ask(Ticket(1), question.clone())));
    };
    house.handle.tell(0, ask).unwrap();
    let nobody = (0, Ticket(1), Answer::Unlocated(Unlocated::NoAnswer));
    assert_eq!(answer(&house), nobody, "one is too many");
    // They are all answered on the shard's own thread, while it does something else.
    let answer_all = move |_: &mut Echo, _, _: &mut Vec<Output>| kept.try_iter().for_each(drop);
    house.handle.tell(0, answer_all).unwrap();
    for _ in 0..limits::LOOKUPS {
        assert_eq!(answer(&house), nobody);
    }
    house.settle(0);
}

#[test]
fn the_services_of_a_name_are_asked_for_and_silence_is_an_answer() {
    struct Knows;
    impl Resolver for Knows {
        fn resolve(&self, _: Hop, _: Means, _: Reply) {}
        fn services(&self, name: Domain, reply: Reply) {
            if name.as_str() == "8.4.4.e164.test" {
                reply.give(Answer::Services(Vec::new()));
            }
        }
    }
    let house = house(1, Program::new().resolver(Knows));
    let ask = |name: &str| {
        let question = Question::Services(Domain::of(name).unwrap());
        house.put(0, Output::Ask(Ticket(4), question));
        answer(&house)
    };
    assert_eq!(ask("8.4.4.e164.test"), (0, Ticket(4), Answer::Services(Vec::new())));
    let nobody = Answer::Unlocated(Unlocated::NoAnswer);
    assert_eq!(ask("9.4.4.e164.test"), (0, Ticket(4), nobody));
    house.settle(0);
}

#[test]
fn another_shard_is_asked_and_answers() {
    let place = |question: &Question| match question {
        Question::Locate(aor) => aor.first().map(|digit| u16::from(digit - b'0')),
        _ => None,
    };
    let house = house(2, Program::new().place(place));
    for shard in 0..2 {
        house.put(0, Output::Ask(Ticket(5), Question::Locate([b'0' + shard].into())));
        let (asked, Input::Asked(asker, Question::Locate(aor))) = house.input() else { panic!() };
        assert_eq!((asked, &*aor), (u16::from(shard), &[b'0' + shard][..]));
        assert_eq!(asker, Asker { shard: 0, ticket: Ticket(5) });
        house.put(asked, Output::Tell(asker, Answer::Bindings(Vec::new())));
        assert_eq!(answer(&house), (0, Ticket(5), Answer::Bindings(Vec::new())));
    }
    // Nobody there, or nobody at all.
    for aor in [&b"7"[..], b""] {
        house.put(1, Output::Ask(Ticket(6), Question::Locate(aor.into())));
        assert_eq!(answer(&house), (1, Ticket(6), Answer::Nothing));
    }
}

#[test]
fn a_warning_reaches_all_other_shards() {
    let house = house(3, Program::new());
    let address = "192.0.2.1:5060".parse().unwrap();
    let failure = Failure::RetryAfter(Duration::from_secs(9));
    let warning = Warning { transport: Transport::Udp, address, failure: Some(failure) };
    house.put(1, Output::Warn(warning));
    let mut heard: Vec<u16> = (0..2)
        .map(|_| match house.input() {
            (shard, Input::Warned(warned)) if warned == warning => shard,
            other => panic!("{other:?}"),
        })
        .collect();
    heard.sort_unstable();
    assert_eq!(heard, [0, 2]);
}

#[test]
fn media_goes_in_and_out_of_a_pair_of_sockets() {
    let house = house(1, Program::new());
    house.put(0, Output::Ask(Ticket(1), Question::MediaSockets));
    let (_, _, Answer::MediaSockets { rtp, rtcp }) = answer(&house) else { panic!() };
    assert_eq!(rtp.1.port() % 2, 0);
    assert_eq!(rtcp.1.port(), rtp.1.port() + 1);
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    for ((socket, address), sound) in [(rtp, b"sound"), (rtcp, b"notes")] {
        for _ in 0..100 {
            peer.send_to(sound, address).unwrap();
            let (_, Input::Media(at, from, octets)) = house.input() else { panic!() };
            assert_eq!((at, from, &octets[..]), (socket, peer.local_addr().unwrap(), &sound[..]));
            let mut buffer = [0; 64];
            let (count, from) = peer.recv_from(&mut buffer).unwrap();
            assert_eq!((&buffer[..count], from), (&sound[..], address));
        }
    }
    assert_eq!(house.count(|counters| &counters.media_in), 200);
    house.put(0, Output::Ask(Ticket(2), Question::CloseMedia(rtp.0, rtcp.0)));
    house.put(0, Output::Media(rtp.0, peer.local_addr().unwrap(), "late".into()));
    house.settle(0);
    // Both ports are free again.
    assert!(UdpSocket::bind(rtp.1).is_ok() && UdpSocket::bind(rtcp.1).is_ok());
    assert_eq!(house.count(|counters| &counters.media_unsent), 1);
}

#[test]
fn records_go_to_the_keeper_and_its_word_comes_back() {
    /// Has room for one.
    struct Drawer(Mutex<Option<Arc<Record>>>);
    impl Keeper for Drawer {
        fn keep(&self, record: Arc<Record>, reply: Reply) {
            if self.0.lock().unwrap().replace(record).is_none() {
                reply.give(Answer::Kept);
            }
        }
    }
    let house = house(1, Program::new().keeper(Drawer(Mutex::default())));
    assert_eq!(keep(&house, 1), (0, Ticket(1), Answer::Kept));
    assert_eq!(keep(&house, 2), (0, Ticket(2), Answer::NotKept));
}

#[test]
fn without_a_keeper_nothing_is_said_to_be_kept() {
    assert_eq!(keep(&house(1, Program::new()), 1), (0, Ticket(1), Answer::NotKept));
}

fn keep(house: &House, ticket: u64) -> (u16, Ticket, Answer) {
    let record = Record { key: [1].into(), value: [2].into(), until: machine::Time::NEVER };
    house.put(0, Output::Ask(Ticket(ticket), Question::Keep(record.into())));
    answer(house)
}
