//! The life of shards: timers, commands, drain, panics, what is tapped.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use machine::{Machine, Time};
use offhook_net::{Carry, Heard as Told, NotGiven, Notice, Plan, Program, Sink, Way, Wire, limits};
use protocol::doors::{Answer, Event, Question, Ticket};
use protocol::{Flow, Identity, Input, Output, Transport};

use crate::echo::{Echo, Heard, House, PATIENCE, caller, connect, options, read_answer, subject};

#[test]
fn a_deadline_is_met_and_never_early() {
    let house = House::on(Transport::Udp, "127.0.0.1:0");
    for wait in [1, 999, 1100, 2500].map(Duration::from_micros) {
        house.handle.tell(0, move |echo, now, _| echo.alarm = Some(now + wait)).unwrap();
        let Heard::Woken(now, wanted) = house.hear() else { panic!() };
        assert!(now >= wanted, "{:?} early", wanted - now);
    }
}

#[test]
fn idle_it_does_nothing_at_all() {
    let house = House::on(Transport::Udp, "127.0.0.1:0");
    let turns = || house.handle.counters()[0].turns.get().iter().sum::<u64>();
    house.handle.ask(0, |_, _, _| ()).unwrap();
    let before = turns();
    // An alarm half a second from now is one turn; without naps that spin there are no others.
    house
        .handle
        .tell(0, |echo, now, _| echo.alarm = Some(now + Duration::from_millis(500)))
        .unwrap();
    let Heard::Woken(..) = house.hear() else { panic!() };
    assert!(turns() - before <= 4, "{}", turns() - before);
}

#[test]
fn a_command_reaches_the_machine_and_its_answer_comes_back() {
    let plan = Plan::new().on(Transport::Udp, "127.0.0.1:0".parse().unwrap()).shards(2);
    let house = House::open(plan, Program::new());
    for shard in 0..2 {
        assert_eq!(house.handle.ask(shard, |echo, _, _| echo.shard), Ok(shard));
    }
    assert_eq!(house.handle.ask(2, |echo, _, _| echo.shard), Err(NotGiven));
    let listeners = house.handle.ask(0, |echo, _, _| echo.listeners.clone()).unwrap();
    assert_eq!(listeners[..], house.handle.listeners()[..]);
    assert_ne!(listeners[0].bound.port(), 0);
    let now = house.handle.ask(0, |echo, now, _| (now, echo.deadline())).unwrap().0;
    assert!(now <= house.handle.now());
}

#[test]
fn draining_waits_until_everything_is_finished_on_every_shard() {
    let plan = Plan::new()
        .on(Transport::Tcp, "127.0.0.1:0".parse().unwrap())
        .on(Transport::Udp, "127.0.0.1:0".parse().unwrap())
        .shards(2);
    let mut house = House::open(plan, Program::new());
    house.handle.ask(1, |echo, _, _| echo.pending = 1).unwrap();
    house.handle.drain(Duration::from_secs(3600));
    // Shard 0 has nothing to do, but answers as long as shard 1 has.
    let peer = caller(house.address(1));
    peer.send(&options("meanwhile", "")).unwrap();
    let mut buffer = [0; 2048];
    let count = peer.recv(&mut buffer).unwrap();
    assert_eq!(subject(&buffer[..count]), "meanwhile");
    house.settle(0);
    assert!(TcpStream::connect(house.address(0)).is_err(), "nobody new is let in");
    house.handle.ask(1, |echo, _, _| echo.pending = 0).unwrap();
    house.join().unwrap();
}

#[test]
fn draining_ends_in_time_whatever_is_left() {
    let mut house = House::on(Transport::Udp, "127.0.0.1:0");
    house.handle.ask(0, |echo, _, _| echo.pending = 1).unwrap();
    house.handle.drain(Duration::from_millis(20));
    house.join().unwrap();
    assert_eq!(house.handle.ask(0, |_, _, _| ()), Err(NotGiven));
}

#[test]
fn a_panic_is_survived_and_told_and_too_many_are_not() {
    let (wire, told) = Wire::new(64);
    let plan = Plan::new().on(Transport::Udp, "127.0.0.1:0".parse().unwrap()).shards(2);
    let mut house = House::open(plan, Program::new().sink(wire));
    let panic = || house.handle.tell(0, |_, _, _| panic!("on purpose")).unwrap();
    panic();
    let Told::Notice(_, 0, Notice::Panicked { message }) = next(&told) else { panic!() };
    assert_eq!(&*message, "on purpose");
    assert_eq!(house.handle.ask(0, |_, _, _| 7), Ok(7));
    assert_eq!(house.count(|counters| &counters.panics), 1);
    for _ in 1..offhook_net::limits::PANICS {
        panic();
    }
    let error = house.join().unwrap_err().to_string();
    assert!(error.contains("panics again and again"), "{error}");
}

/// The next thing that is no notice of a small buffer: the system may not allow large ones.
fn next(told: &std::sync::mpsc::Receiver<Told>) -> Told {
    loop {
        match told.recv_timeout(PATIENCE).unwrap() {
            Told::Notice(_, _, Notice::ReceiveBuffer { .. }) => {}
            other => return other,
        }
    }
}

#[test]
fn messages_are_tapped_only_while_somebody_wants_them() {
    let (wire, told) = Wire::new(64);
    let plan = Plan::new().on(Transport::Udp, "127.0.0.1:0".parse().unwrap());
    let house = House::open(plan, Program::new().sink(wire.clone()));
    let peer = caller(house.address(0));
    let mut buffer = [0; 2048];
    let mut ask = |name: &str| {
        peer.send(&options(name, "")).unwrap();
        let count = peer.recv(&mut buffer).unwrap();
        buffer[..count].to_vec()
    };
    ask("unheard");
    wire.carry(Carry::Messages);
    let answer = ask("heard");
    let (Told::Message(question), Told::Message(reply)) = (next(&told), next(&told)) else {
        panic!()
    };
    assert_eq!((question.way, &question.wire[..]), (Way::In, &options("heard", "")[..]));
    assert_eq!((reply.way, &reply.wire[..]), (Way::Out, &answer[..]));
    assert_eq!(reply.flow.peer, peer.local_addr().unwrap());
    wire.carry(Carry::Events);
    ask("unheard");
    let event = Event::Ended { call_id: "1".into() };
    house.put(0, Output::Report(event.clone()));
    let Told::Event(_, 0, reported) = next(&told) else { panic!() };
    assert_eq!(reported, event);
    assert_eq!(wire.lost(), 0);
}

/// Passes on what it is told; what happens every day only while somebody says so.
struct Choosy {
    wants: Arc<AtomicBool>,
    to: Sender<Event>,
}

impl Sink for Choosy {
    fn event(&self, _: Time, _: u16, event: Event) {
        let _ = self.to.send(event);
    }

    fn wants_daily(&self) -> bool {
        self.wants.load(Ordering::Relaxed)
    }
}

#[test]
fn what_happens_every_day_is_told_only_while_somebody_follows_it() {
    let (wants, (to, told)) = (Arc::<AtomicBool>::default(), channel());
    let plan = Plan::new().on(Transport::Udp, "127.0.0.1:0".parse().unwrap());
    let sink = Choosy { wants: Arc::clone(&wants), to };
    let house = House::open(plan, Program::new().sink(sink));
    let daily = Event::Ended { call_id: "1".into() };
    let rare = Event::Besieged { user: "101".into() };
    for followed in [false, true, false] {
        wants.store(followed, Ordering::Relaxed);
        house.settle(0);
        assert_eq!(house.handle.ask(0, |echo, _, _| echo.followed).unwrap(), followed);
        house.put(0, Output::Report(daily.clone()));
        house.put(0, Output::Report(rare.clone()));
        let first = told.recv_timeout(PATIENCE).unwrap();
        assert_eq!(first == daily, followed);
        if followed {
            assert_eq!(told.recv_timeout(PATIENCE).unwrap(), rare);
        }
    }
}

/// Keeps a shard busy until the sender is dropped.
fn occupy(house: &House, shard: u16) -> Sender<()> {
    let (release, held) = channel::<()>();
    let (began, begins) = channel();
    let hold = move |_: &mut Echo, _, _: &mut Vec<Output>| {
        began.send(()).unwrap();
        let _ = held.recv();
    };
    house.handle.tell(shard, hold).unwrap();
    begins.recv().unwrap();
    release
}

#[test]
fn what_comes_while_a_shard_is_busy_waits_or_is_counted() {
    const ALL: u64 = 30_000;
    let house = House::on(Transport::Udp, "127.0.0.1:0");
    let peer = caller(house.address(0));
    let release = occupy(&house, 0);
    for number in 0..ALL {
        peer.send(&options(&number.to_string(), "")).unwrap();
    }
    drop(release);
    let deadline = Instant::now() + PATIENCE;
    let mut came = 0;
    while came < ALL {
        assert!(Instant::now() < deadline, "{came} of {ALL}");
        house.handle.ask(0, |_, _, _| ()).unwrap();
        came = house.count(|counters| &counters.datagrams_in)
            + house.count(|counters| &counters.datagrams_overflowed);
    }
    assert_eq!(came, ALL);
}

/// True when this end of a connection is closed and the other end's machine knows it: FIN_WAIT2 in include/net/tcp_states.h.
fn has_told_its_end(local: SocketAddr) -> bool {
    let (port, table) =
        (format!(":{:04X}", local.port()), std::fs::read_to_string("/proc/net/tcp"));
    table.unwrap().lines().any(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        fields.next().is_some_and(|local| local.ends_with(&port)) && fields.nth(1) == Some("05")
    })
}

/// What a machine hears, and in which order, when somebody asks it something and a next hop says this last and hangs up within one turn.
fn hangs_up_after(last: Vec<u8>) -> Vec<&'static str> {
    let udp = Plan::new().on(Transport::Udp, "127.0.0.1:0".parse().unwrap());
    let house = House::open(udp.on(Transport::Tcp, "127.0.0.1:0".parse().unwrap()), Program::new());
    let hop = TcpListener::bind("127.0.0.1:0").unwrap();
    let (identity, peer) = (Identity::NONE, hop.local_addr().unwrap());
    let flow = Flow { transport: Transport::Tcp, listener: 1, connection: 0, peer, identity };
    house.put(0, Output::Send(flow, options("hop", "").into()));
    let (mut stream, _) = hop.accept().unwrap();
    stream.write_all(&options("back", "")).unwrap();
    let (_, Input::Received(open, _)) = house.input() else { panic!() };
    let release = occupy(&house, 0);
    let caller = caller(house.address(0));
    caller.send(&options("caller", "")).unwrap();
    stream.write_all(&last).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !has_told_its_end(stream.local_addr().unwrap()) {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    drop(release);
    let count = if last.is_empty() { 2 } else { 3 };
    let heard = std::iter::repeat_with(|| house.input().1).take(count);
    heard
        .map(|input| match input {
            Input::Failed(flow) if flow == open => "end",
            Input::Received(flow, _) if flow == open => "last",
            Input::Received(..) => "caller",
            other => panic!("{other:?}"),
        })
        .collect()
}

/// What is begun in the turn in which a next hop is seen to hang up goes by another connection: the machine must not take it for lost.
#[test]
fn the_end_of_a_connection_of_ours_is_told_before_what_goes_by_another() {
    assert_eq!(hangs_up_after(Vec::new()), ["end", "caller"]);
    // As much as is read at once: the end is seen in the same turn, and what came by the connection itself came before.
    let room = limits::READ - options("last", &"x".repeat(limits::READ / 2)).len();
    let last = options("last", &"x".repeat(limits::READ / 2 + room));
    assert_eq!(last.len(), limits::READ);
    assert_eq!(hangs_up_after(last), ["caller", "last", "end"]);
}

/// A house of two shards; connections, of which the last lives at shard 1; and its flow.
fn two_shards() -> (House, Vec<TcpStream>, Flow) {
    let mut peers = Vec::new();
    let mut plan = Plan::new().on(Transport::Tcp, "127.0.0.1:0".parse().unwrap()).shards(2);
    plan.crowd.write_queue = 64 << 20;
    let house = House::open(plan, Program::new().place(|_| Some(1)));
    loop {
        let mut peer = connect(house.address(0));
        peer.write_all(&options("hello", "")).unwrap();
        assert_eq!(read_answer(&mut peer), "hello");
        let (_, Input::Received(flow, _)) = house.input() else { panic!() };
        if house.handle.counters()[1].connections.get() > 0 {
            peers.push(peer);
            return (house, peers, flow);
        }
        peers.push(peer);
    }
}

#[test]
fn what_is_sent_by_way_of_a_busy_shard_arrives_whole_and_in_order() {
    const ALL: usize = limits::LETTERS + 2000;
    let (house, mut peers, flow) = two_shards();
    let release = occupy(&house, 1);
    let send = move |_: &mut Echo, _, out: &mut Vec<Output>| {
        out.extend((0..ALL).map(|number| Output::Send(flow, format!("{number:08}").into())));
    };
    house.handle.tell(0, send).unwrap();
    house.settle(0);
    drop(release);
    let mut octets = [0; 8];
    for number in 0..ALL {
        peers.last_mut().unwrap().read_exact(&mut octets).unwrap();
        assert_eq!(&octets[..], format!("{number:08}").as_bytes());
    }
    assert_eq!(house.count(|counters| &counters.moved_lost), 0);
}

#[test]
fn a_busy_shard_is_not_asked_without_end() {
    const ALL: usize = limits::LETTERS + 50;
    let (house, _peers, _) = two_shards();
    let release = occupy(&house, 1);
    let ask = |_: &mut Echo, _, out: &mut Vec<Output>| {
        let question = Question::Locate("sip:a@h".as_bytes().into());
        out.extend((0..ALL).map(|_| Output::Ask(Ticket(1), question.clone())));
    };
    house.handle.tell(0, ask).unwrap();
    for _ in limits::LETTERS..ALL {
        let (0, Input::Answered(Ticket(1), Answer::Nothing)) = house.input() else { panic!() };
    }
    assert_eq!(house.count(|counters| &counters.moved_lost), 50);
    drop(release);
}

#[test]
fn a_reader_that_does_not_read_loses_and_nobody_waits() {
    let (wire, told) = Wire::new(1);
    let plan = Plan::new().on(Transport::Udp, "127.0.0.1:0".parse().unwrap());
    let house = House::open(plan, Program::new().sink(wire.clone()));
    drop(told);
    house.put(0, Output::Report(Event::Ended { call_id: "1".into() }));
    house.settle(0);
    assert!(wire.lost() >= 1);
    // An answer to nothing is no harm either.
    house
        .handle
        .tell(0, |echo, now, out| {
            echo.handle(now, Input::Answered(Ticket(1), Answer::Nothing), out)
        })
        .unwrap();
    let (0, Input::Answered(Ticket(1), _)) = house.input() else { panic!() };
}
