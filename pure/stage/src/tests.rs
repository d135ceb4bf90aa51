//! What an actor carries, and what a ladder shows of it.

use std::net::SocketAddr;
use std::time::Duration;

use ladder::Look;
use machine::{Machine, Time};
use protocol::doors::{Asker, Event, Input, Output, Reach, Socket, Warning};
use protocol::locate::{Failure, Hop, Target};
use protocol::{Answer, Flow, Identity, Listener, Question, Ticket, Transport};
use sim::{Cut, HostId, Outage, Realm, Weather, World};
use sip::{Bytes, Draft, Message, Method, Name, Status, Uri};

use super::*;

/// A machine that writes down what it is told; it answers requests, questions of other shards, and octets that are none.
#[derive(Default)]
struct Scribe {
    heard: Vec<Input>,
}

impl Machine for Scribe {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, _: Time, input: Input, out: &mut Vec<Output>) {
        match &input {
            Input::Received(flow, message) if message.method() == Some(Method::Options) => {
                out.push(Output::Send(*flow, message.reply(Status::OK).wire()));
            }
            Input::Malformed(flow, _) => {
                out.push(Output::Send(*flow, bytes("SIP/2.0 400 No\r\n\r\n")))
            }
            Input::Asked(asker, _) => {
                out.push(Output::Tell(*asker, Answer::Bindings(vec![reach()])))
            }
            Input::Media(socket, from, octets) if octets == "ping" => {
                out.push(Output::Media(*socket, *from, bytes("pong")));
            }
            _ => {}
        }
        self.heard.push(input);
    }

    fn wake(&mut self, _: Time, _: &mut Vec<Output>) {}

    fn deadline(&self) -> Option<Time> {
        None
    }
}

impl Scribe {
    /// What it heard, in a word each.
    fn words(&self) -> Vec<String> {
        let word = |input: &Input| match input {
            Input::Received(flow, message) => format!("{} {}", flow.connection, message.title()),
            Input::Malformed(flow, _) => format!("{} malformed", flow.connection),
            Input::Failed(flow) => format!("{} failed {}", flow.connection, flow.peer),
            Input::Untrusted(flow, distrust) => format!("{} {distrust}", flow.connection),
            Input::Media(_, _, octets) => String::from_utf8_lossy(octets).into_owned(),
            Input::Answered(ticket, Answer::Targets(targets)) => {
                let words = |target: &Target| target.to_string();
                let words: Vec<String> = targets.iter().map(words).collect();
                format!("{} {}", ticket.0, words.join(", "))
            }
            Input::Answered(ticket, _) => format!("{} answered", ticket.0),
            Input::Asked(asker, _) => format!("asked by {}", asker.shard),
            Input::Warned(warning) => format!("warned of {}", warning.address),
            Input::Announced(_) => "announced".to_owned(),
            Input::Cautioned(_) => "cautioned".to_owned(),
            Input::Waited(_) => "waited".to_owned(),
            Input::Alive(flow, _) => format!("{} alive", flow.connection),
            Input::Followed(followed) => format!("followed: {followed}"),
        };
        self.heard.iter().map(word).collect()
    }
}

fn reach() -> Reach {
    Reach::to(b"sip:101@192.0.2.9")
}

fn bytes(text: &str) -> Bytes {
    Bytes::from(text.to_owned())
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn listeners(home: &str) -> Vec<Listener> {
    [Transport::Udp, Transport::Tcp]
        .into_iter()
        .zip(0..)
        .map(|(transport, number)| Listener::new(number, transport, at(home)))
        .collect()
}

const ALICE: &str = "192.0.2.1:5060";
const BOB: &str = "192.0.2.2:5060";

fn pair(weather: Weather) -> (World<Actor<Scribe>>, HostId, HostId) {
    let mut world = World::new(1, weather);
    let mut add = |name: &str, home: &str| {
        let actor = Actor::new(Scribe::default(), listeners(home));
        world.add(name, actor, &[(Realm::INTERNET, at(home).ip())])
    };
    let (alice, bob) = (add("alice", ALICE), add("bob", BOB));
    world.tap_on();
    (world, alice, bob)
}

fn options() -> Bytes {
    let draft = Draft::request(Method::Options, b"sip:bob@192.0.2.2");
    draft.raw(Name::Via, b"SIP/2.0/UDP a").raw(Name::CSeq, b"1 OPTIONS").wire()
}

fn tell(world: &mut World<Actor<Scribe>>, id: HostId, output: Output) {
    world.act(id, |actor, now, out| actor.command(now, out, |_, _, said| said.push(output)));
    world.run_for(Duration::from_secs(5));
}

fn heard(world: &World<Actor<Scribe>>, id: HostId) -> Vec<String> {
    world.host(id).and_then(Actor::machine).unwrap().words()
}

fn to(transport: Transport, peer: &str) -> Flow {
    let listener = u16::from(transport.is_reliable());
    Flow { transport, listener, connection: 0, peer: at(peer), identity: Identity::NONE }
}

#[test]
fn a_datagram_goes_to_a_listener_and_its_answer_comes_back() {
    let (mut world, alice, bob) = pair(Weather::FAIR);
    tell(&mut world, alice, Output::Send(to(Transport::Udp, BOB), options()));
    assert_eq!(heard(&world, bob), ["0 OPTIONS"]);
    assert_eq!(heard(&world, alice), ["0 200 OK (OPTIONS)"]);
    tell(&mut world, alice, Output::Send(to(Transport::Udp, BOB), bytes("\r\n\r\n")));
    tell(&mut world, alice, Output::Send(to(Transport::Udp, BOB), bytes("nonsense\r\n\r\n")));
    assert_eq!(heard(&world, bob), ["0 OPTIONS", "0 malformed"]);
}

#[test]
fn a_stream_is_opened_once_and_used_both_ways_however_it_is_cut() {
    let (mut world, alice, bob) = pair(Weather { cut: Cut::Octets, ..Weather::FAIR });
    for _ in 0..2 {
        tell(&mut world, alice, Output::Send(to(Transport::Tcp, BOB), options()));
    }
    assert_eq!(heard(&world, bob), ["1 OPTIONS"; 2]);
    assert_eq!(heard(&world, alice), ["1 200 OK (OPTIONS)"; 2]);
    assert_eq!(world.host(alice).unwrap().connections(), 1);
}

#[test]
fn a_ping_is_answered_on_its_stream() {
    let (mut world, alice, bob) = pair(Weather::FAIR);
    tell(&mut world, alice, Output::Send(to(Transport::Tcp, BOB), bytes("\r\n\r\n")));
    let pong = world.tap().sightings().last().unwrap().parcel.payload().to_vec();
    assert_eq!(pong, b"\r\n");
    assert_eq!(heard(&world, alice), ["1 alive"]);
    assert!(heard(&world, bob).is_empty());
}

#[test]
fn octets_that_are_no_message_are_answered_and_end_their_stream() {
    let (mut world, alice, bob) = pair(Weather::FAIR);
    tell(&mut world, alice, Output::Send(to(Transport::Tcp, BOB), bytes("nonsense\r\n\r\n")));
    assert_eq!(heard(&world, bob), ["1 malformed", "1 failed 192.0.2.1:49152"]);
    assert_eq!(world.streams(), 0);
    assert_eq!(world.host(bob).unwrap().connections(), 0);
}

#[test]
fn what_cannot_be_sent_fails() {
    let (mut world, alice, bob) = pair(Weather::FAIR);
    tell(&mut world, alice, Output::Send(to(Transport::Udp, "192.0.2.2:9"), options()));
    tell(&mut world, alice, Output::Send(to(Transport::Tcp, "192.0.2.2:9"), options()));
    let gone = Flow { connection: 7, ..to(Transport::Tcp, BOB) };
    tell(&mut world, alice, Output::Send(gone, options()));
    let failed = ["0 failed 192.0.2.2:9", "0 failed 192.0.2.2:9", "7 failed 192.0.2.2:5060"];
    assert_eq!(heard(&world, alice), failed);
    tell(&mut world, alice, Output::Send(to(Transport::Tcp, BOB), options()));
    world.replace(bob, Actor::new(Scribe::default(), listeners(BOB)), Outage::Program);
    world.run_for(Duration::from_secs(1));
    assert_eq!(heard(&world, alice).last().unwrap(), "2 failed 192.0.2.2:5060");
}

#[test]
fn a_connection_that_is_another_peers_now_fails() {
    let (mut world, alice, _) = pair(Weather::FAIR);
    tell(&mut world, alice, Output::Send(to(Transport::Tcp, BOB), options()));
    let theirs = Flow { connection: 1, ..to(Transport::Tcp, "192.0.2.9:5060") };
    tell(&mut world, alice, Output::Send(theirs, options()));
    assert_eq!(heard(&world, alice).last().unwrap(), "1 failed 192.0.2.9:5060");
}

#[test]
fn media_sockets_are_lent_and_given_back() {
    let (mut world, alice, bob) = pair(Weather::FAIR);
    tell(&mut world, bob, Output::Ask(Ticket(5), Question::MediaSockets));
    tell(&mut world, alice, Output::Ask(Ticket(5), Question::MediaSockets));
    assert_eq!(heard(&world, bob), ["5 answered"]);
    tell(&mut world, alice, Output::Media(Socket(1), at("192.0.2.2:20000"), bytes("ping")));
    assert_eq!(heard(&world, bob).last().unwrap(), "ping");
    assert_eq!(heard(&world, alice).last().unwrap(), "pong");
    tell(&mut world, bob, Output::Ask(Ticket(6), Question::CloseMedia(Socket(1), Socket(2))));
    tell(&mut world, alice, Output::Media(Socket(1), at("192.0.2.2:20000"), bytes("late")));
    assert_eq!(world.host(bob).unwrap().media_sockets(), 0);
    assert_eq!(heard(&world, bob).last().unwrap(), "ping");
}

/// A world in which both speak TLS at port 5061, and prove to be these domains.
fn secured(alice: Papers, bob: Papers) -> (World<Actor<Scribe>>, HostId, HostId) {
    let (mut world, first, second) = pair(Weather::FAIR);
    for (id, home, papers) in [(first, "192.0.2.1:5061", alice), (second, "192.0.2.2:5061", bob)] {
        let listener = Listener::new(0, Transport::Tls, at(home));
        let actor = Actor::new(Scribe::default(), vec![listener]).showing(papers);
        world.replace(id, actor, Outage::Program);
    }
    (world, first, second)
}

fn papers(names: &[&str]) -> Papers {
    Papers::Of(names.iter().map(|name| (*name).into()).collect())
}

fn tell_by_tls(world: &mut World<Actor<Scribe>>, id: HostId, domain: &str, peer: &str) {
    let flow = Flow { listener: 0, ..to(Transport::Tls, peer) }.proving(domain);
    world.act(id, |actor, now, out| {
        actor.command(now, out, |_, _, said| {
            said.extend([Output::Introduce(domain.into()), Output::Send(flow, options())]);
        })
    });
    world.run_for(Duration::from_secs(5));
}

#[test]
fn over_tls_the_peer_must_be_whom_we_want() {
    let (mut world, alice, bob) = secured(papers(&["a.example"]), papers(&["b.example"]));
    tell_by_tls(&mut world, alice, "B.example", "192.0.2.2:5061");
    tell_by_tls(&mut world, alice, "b.example", "192.0.2.2:5061");
    assert_eq!(heard(&world, bob), ["1 OPTIONS", "1 OPTIONS"]);
    assert_eq!(heard(&world, alice), ["1 200 OK (OPTIONS)", "1 200 OK (OPTIONS)"]);
    let Input::Received(flow, _) = &world.host(bob).unwrap().machine().unwrap().heard[0] else {
        panic!()
    };
    assert_eq!(flow.identity, Identity::of("a.example"));
    // The same address as somebody else: another line, and nothing is said on it.
    tell_by_tls(&mut world, alice, "c.example", "192.0.2.2:5061");
    let words = "0 the certificate of 192.0.2.2 is for b.example, not for c.example";
    assert_eq!(heard(&world, alice)[2..], [words]);
    assert_eq!(heard(&world, bob).len(), 3, "{:?}", heard(&world, bob));
    assert_eq!(heard(&world, bob)[2], "2 failed 192.0.2.1:49153");
}

#[test]
fn an_alias_is_for_the_one_who_has_proven_who_it_is() {
    let (mut world, alice, bob) = secured(papers(&["a.example"]), papers(&["b.example"]));
    tell_by_tls(&mut world, alice, "b.example", "192.0.2.2:5061");
    let Input::Received(flow, _) = world.host(bob).unwrap().machine().unwrap().heard[0] else {
        panic!()
    };
    tell(&mut world, bob, Output::Alias(flow, at("192.0.2.1:5061")));
    tell_by_tls(&mut world, bob, "a.example", "192.0.2.1:5061");
    assert_eq!(world.host(alice).unwrap().connections(), 1, "the same line, the other way round");
    tell_by_tls(&mut world, bob, "x.example", "192.0.2.1:5061");
    let words = "0 the certificate of 192.0.2.1 is for a.example, not for x.example";
    assert_eq!(heard(&world, bob).last().unwrap(), words);
}

#[test]
fn names_are_looked_up_now_late_or_never() {
    let (mut world, alice, _) = pair(Weather::FAIR);
    let names = Names::default().with("Bob.Example", &[at(BOB).ip()]);
    let ask = |ticket, host: &str| {
        let uri = format!("sip:{host}:5080");
        let hop = Hop::of_uri(Uri::parse(uri.as_bytes()).unwrap().sip().unwrap()).unwrap();
        Output::Ask(Ticket(ticket), Question::Resolve(hop))
    };
    for (ticket, speed) in [(1, 0), (2, 7), (3, 0)] {
        let speed = Speed::After(Duration::from_secs(speed));
        *world.host_mut(alice).unwrap().names_mut() = names.clone().at(speed);
        tell(&mut world, alice, ask(ticket, "bob.example"));
    }
    *world.host_mut(alice).unwrap().names_mut() = names.at(Speed::Never);
    tell(&mut world, alice, ask(4, "bob.example"));
    let found = |ticket: u8| format!("{ticket} UDP 192.0.2.2:5080");
    assert_eq!(heard(&world, alice), [found(1), found(3), found(2)]);
    assert_eq!(world.host(alice).unwrap().questions(), 4);
}

#[test]
fn one_shard_asks_another() {
    let (mut world, alice, _) = pair(Weather::FAIR);
    let shards = vec![Scribe::default(), Scribe::default()];
    let steer = |what: Steered<'_>| match what {
        Steered::Message(message) => u64::from(message.call_id() == b"odd"),
        Steered::Aor(aor) => u64::from(aor == b"sip:101@x"),
    };
    let actor = Actor::sharded(shards, listeners(ALICE), steer);
    world.replace(alice, actor, Outage::Program);
    tell(&mut world, alice, Output::Ask(Ticket(9), Question::Locate(b"sip:101@x"[..].into())));
    let shards = world.host(alice).unwrap().shards();
    assert_eq!(shards[0].words(), ["9 answered"]);
    assert_eq!(shards[1].words(), ["asked by 0"]);
    let asker = Asker { shard: 0, ticket: Ticket(9) };
    assert!(matches!(shards[1].heard[..], [Input::Asked(who, _)] if who == asker));
}

#[test]
fn one_shard_warns_the_others() {
    let (mut world, alice, _) = pair(Weather::FAIR);
    let shards = vec![Scribe::default(), Scribe::default(), Scribe::default()];
    let actor = Actor::sharded(shards, listeners(ALICE), |_| 0);
    world.replace(alice, actor, Outage::Program);
    let (transport, failure) = (Transport::Udp, Failure::Unanswered);
    tell(
        &mut world,
        alice,
        Output::Warn(Warning { transport, address: at(BOB), failure: Some(failure) }),
    );
    let heard: Vec<_> = world.host(alice).unwrap().shards().iter().map(Scribe::words).collect();
    let warned = vec![format!("warned of {BOB}")];
    assert_eq!(heard, [Vec::new(), warned.clone(), warned]);
}

#[test]
fn events_are_kept_with_their_time() {
    let (mut world, alice, _) = pair(Weather::FAIR);
    let event = Event::Ended { call_id: "x".into() };
    tell(&mut world, alice, Output::Report(event.clone()));
    let kept: Vec<_> = world.host(alice).unwrap().events().map(|(_, event)| event).collect();
    assert_eq!(kept, [&event]);
}

#[test]
fn a_ladder_shows_messages_losses_repeats_and_media() {
    let (mut world, alice, bob) = pair(Weather::FAIR);
    tell(&mut world, alice, Output::Send(to(Transport::Tcp, BOB), options()));
    tell(&mut world, alice, Output::Send(to(Transport::Tcp, BOB), options()));
    tell(&mut world, alice, Output::Send(to(Transport::Udp, "192.0.2.2:9"), options()));
    for id in [alice, bob] {
        world.act(id, |actor, now, out| {
            actor.command(now, out, |_, _, said| {
                said.push(Output::Ask(Ticket(1), Question::MediaSockets));
            })
        });
    }
    world.run_for(Duration::from_secs(1));
    for nth in 0..150 {
        let ends = [(alice, "192.0.2.2:20000"), (bob, "192.0.2.1:20000")];
        for (id, peer) in ends.into_iter().skip(usize::from(nth >= 75)) {
            let packet = Bytes::from_static(&[0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xFF]);
            let media = Output::Media(Socket(1), at(peer), packet);
            world.act(id, |actor, now, out| actor.command(now, out, |_, _, said| said.push(media)));
        }
        world.run_for(Duration::from_millis(20));
    }
    let text = ladder(&mut world, &[bob, alice]).text(Look { width: 70, ..Look::GOLDEN });
    assert_eq!(text, include_str!("golden/sights.txt"), "\n{text}");
}

#[test]
fn the_words_of_a_message() {
    let say = |text: &str| Message::parse(text.to_owned()).unwrap().title();
    assert_eq!(say("SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\n\r\n"), "180 Ringing (INVITE)");
    assert_eq!(say("INVITE sip:a@b SIP/2.0\r\n\r\n"), "INVITE");
}
