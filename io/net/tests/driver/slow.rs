//! Peers that are slow, deaf or too many, and a system that has no more files.

use std::env;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::time::Duration;

use offhook_net::{Crowd, Heard as Told, Notice, Patience, Plan, Program, Wire};
use protocol::{Flow, Identity, Input, Output, Transport};

use crate::echo::{House, PATIENCE, connect, options, read_answer};
use crate::secure::came;

const SHORT: Duration = Duration::from_millis(40);

fn plan() -> Plan {
    Plan::new().on(Transport::Tcp, "127.0.0.1:0".parse().unwrap())
}

fn patient(change: impl FnOnce(&mut Patience)) -> House {
    let mut plan = plan();
    change(&mut plan.patience);
    House::open(plan, Program::new())
}

/// Reads until the other side ends it.
fn ends(stream: &mut TcpStream) {
    match stream.read_to_end(&mut Vec::new()) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "it was not closed"),
    }
}

fn slow(house: &House) -> u64 {
    house.count(|counters| &counters.connections_slow)
}

#[test]
fn a_peer_that_says_nothing_is_closed() {
    let house = patient(|patience| patience.first_message = SHORT);
    ends(&mut connect(house.address(0)));
    assert_eq!(slow(&house), 1);
    // Keep-alives are no message.
    let mut peer = connect(house.address(0));
    peer.write_all(b"\r\n\r\n\r\n\r\n").unwrap();
    ends(&mut peer);
    assert_eq!(slow(&house), 2);
    assert_eq!(house.count(|counters| &counters.connections), 0);
}

#[test]
fn a_peer_that_sends_a_message_octet_by_octet_is_closed() {
    let house = patient(|patience| patience.half_message = SHORT);
    let mut peer = connect(house.address(0));
    peer.write_all(&options("first", "")).unwrap();
    assert_eq!(read_answer(&mut peer), "first");
    peer.set_read_timeout(Some(SHORT / 4)).unwrap();
    // Never done, and never silent for long.
    let octets = options("trickle", &"x".repeat(60_000));
    for octet in &octets {
        let sent = peer.write_all(&[*octet]);
        match peer.read(&mut [0]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                sent.unwrap()
            }
            _ => break,
        }
    }
    assert_eq!(slow(&house), 1);
}

#[test]
fn a_peer_in_use_is_closed_only_after_a_long_silence() {
    let house = patient(|patience| {
        patience.first_message = Duration::from_millis(1);
        patience.idle = SHORT;
    });
    let mut peer = connect(house.address(0));
    if peer.write_all(&options("hello", "")).is_ok() {
        ends(&mut peer);
    }
    assert_eq!(slow(&house), 1);
}

#[test]
fn a_peer_that_does_not_read_is_closed_and_others_do_not_notice() {
    let house = patient(|_| ());
    let mut deaf = connect(house.address(0));
    deaf.write_all(&options("hello", "")).unwrap();
    let (0, Input::Received(flow, _)) = house.input() else { panic!() };
    let octets = options("more", &"x".repeat(60_000));
    let many = move |_: &mut _, _, out: &mut Vec<Output>| {
        out.extend((0..10_000).map(|_| Output::Send(flow, octets.clone().into())));
    };
    house.handle.tell(0, many).unwrap();
    let mut other = connect(house.address(0));
    other.write_all(&options("other", "")).unwrap();
    assert_eq!(read_answer(&mut other), "other");
    ends(&mut deaf);
    assert_eq!(house.count(|counters| &counters.connections_deaf), 1);
    let failed =
        std::iter::repeat_with(|| house.input().1).find(|input| matches!(input, Input::Failed(_)));
    let Some(Input::Failed(failed)) = failed else { panic!() };
    assert_eq!(failed, flow);
}

#[test]
fn a_peer_that_stops_reading_is_closed_though_its_queue_is_not_full() {
    let mut plan = plan();
    plan.crowd.write_queue = usize::MAX;
    plan.patience.stalled = SHORT;
    let house = House::open(plan, Program::new());
    let mut deaf = connect(house.address(0));
    deaf.write_all(&options("hello", "")).unwrap();
    let (0, Input::Received(flow, _)) = house.input() else { panic!() };
    let octets = vec![b'x'; 32 << 20];
    house.put(0, Output::Send(flow, octets.into()));
    let (0, Input::Failed(failed)) = house.input() else { panic!() };
    assert_eq!(failed, flow);
    assert_eq!(house.count(|counters| &counters.connections_deaf), 1);
}

#[test]
fn a_connection_that_does_not_open_in_time_is_told() {
    // RFC 5737: nobody answers from there. Where the network says so at once, that is fine too.
    let mut plan = Plan::new().on(Transport::Tcp, "0.0.0.0:0".parse().unwrap());
    plan.patience.connect = SHORT;
    let house = House::open(plan, Program::new());
    let peer = "192.0.2.1:5060".parse().unwrap();
    let flow = Flow {
        transport: Transport::Tcp,
        listener: 0,
        connection: 0,
        peer,
        identity: Identity::NONE,
    };
    house.put(0, Output::Send(flow, "x".into()));
    let (0, Input::Failed(failed)) = house.input() else { panic!() };
    assert_eq!(failed, flow);
    assert_eq!(house.count(|counters| &counters.connections_failed), 1);
}

#[test]
fn there_are_only_so_many_connections_from_one_source() {
    let mut plan = plan();
    plan.crowd = Crowd { a_source: 2, ..Crowd::default() };
    let house = House::open(plan, Program::new());
    let mut welcome = [connect(house.address(0)), connect(house.address(0))];
    for peer in &mut welcome {
        peer.write_all(&options("welcome", "")).unwrap();
        assert_eq!(read_answer(peer), "welcome");
    }
    ends(&mut connect(house.address(0)));
    assert_eq!(house.count(|counters| &counters.connections_refused), 1);
    // Another source has its own two.
    let mut other = connect_from([127, 0, 0, 2], house.address(0));
    other.write_all(&options("other", "")).unwrap();
    assert_eq!(read_answer(&mut other), "other");
    // Who goes makes room.
    welcome[0].shutdown(Shutdown::Write).unwrap();
    ends(&mut welcome[0]);
    let mut next = connect(house.address(0));
    next.write_all(&options("next", "")).unwrap();
    assert_eq!(read_answer(&mut next), "next");
}

#[test]
fn strangers_who_hold_all_places_keep_nobody_out() {
    for shards in [1, 3] {
        let mut plan = plan().shards(shards);
        plan.crowd = Crowd { a_source: 20, ..Crowd::default() };
        let house = House::open(plan, Program::new());
        let mut strangers = Vec::new();
        for round in 0_u64..50 {
            strangers.push(connect(house.address(0)));
            let mut half = connect(house.address(0));
            half.write_all(b"OPTIONS sip:a SIP/2.0\r\n").unwrap();
            strangers.push(half);
            let mut good = connect(house.address(0));
            good.write_all(&options("good", "")).unwrap();
            assert_eq!(read_answer(&mut good), "good", "round {round}");
        }
        assert!(house.count(|counters| &counters.connections_evicted) >= 80);
        assert_eq!(house.count(|counters| &counters.connections_refused), 0);
    }
}

/// Whoever has said something once, and sits on all places since, keeps out nobody who comes from elsewhere.
#[test]
fn who_has_spoken_on_all_places_keeps_nobody_out() {
    let mut plan = plan();
    plan.crowd = Crowd { connections: 3, ..Crowd::default() };
    let house = House::open(plan, Program::new());
    let mut sitting: Vec<_> = (0..3).map(|_| connect(house.address(0))).collect();
    for peer in &mut sitting {
        peer.write_all(&options("sitting", "")).unwrap();
        assert_eq!(read_answer(peer), "sitting");
    }
    let mut other = connect_from([127, 0, 0, 2], house.address(0));
    other.write_all(&options("other", "")).unwrap();
    assert_eq!(read_answer(&mut other), "other");
    ends(&mut sitting[0]);
    assert_eq!(house.count(|counters| &counters.connections_evicted), 1);
}

/// Strangers with one connection each have said something on all places: the first of them goes for whoever comes, and whoever has proven
/// something stays, whichever shard says so.
#[test]
fn a_crowd_with_one_place_each_keeps_nobody_out_and_drives_nobody_away_who_is_known() {
    for shard in [0, 1] {
        let mut plan = plan().shards(2);
        plan.crowd = Crowd { connections: 4, ..Crowd::default() };
        let house = House::open(plan, Program::new());
        let comes = |host: u8| {
            let mut peer = connect_from([127, 0, 0, host], house.address(0));
            peer.write_all(&options("here", "")).unwrap();
            assert_eq!(read_answer(&mut peer), "here", "{host}");
            (peer, came(&house))
        };
        let (mut known, flow) = comes(2);
        house.put(shard, Output::Vouch(flow));
        [0, 1, 0, 1].into_iter().for_each(|shard| house.settle(shard));
        let mut crowd: Vec<_> = (3..40).map(|host| comes(host).0).collect();
        ends(&mut crowd[0]);
        known.write_all(&options("still", "")).unwrap();
        assert_eq!(read_answer(&mut known), "still");
        assert_eq!(house.count(|counters| &counters.connections_evicted), 34);
        assert_eq!(house.count(|counters| &counters.connections_refused), 0);
    }
}

/// Connects from one of our own addresses.
fn connect_from(ip: [u8; 4], to: std::net::SocketAddr) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&std::net::SocketAddr::from((ip, 0)).into()).unwrap();
    socket.connect(&to.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Runs a test again, in a process of its own with so many files, and says so here; true in that process.
pub(crate) fn alone(test: &str, files: u32) -> bool {
    const MARK: &str = "OFFHOOK_TEST_ALONE";
    if env::var(MARK).is_ok_and(|name| name == test) {
        return true;
    }
    let status = Command::new("sh")
        .args(["-c", &format!("ulimit -n {files}; exec \"$0\" --exact {test} --nocapture")])
        .arg(env::current_exe().unwrap())
        .env(MARK, test)
        .status()
        .unwrap();
    assert!(status.success(), "{test} failed in its own process");
    false
}

/// Files that this process has open.
pub(crate) fn files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn many_connections_leave_no_file_behind() {
    if !alone("slow::many_connections_leave_no_file_behind", 256) {
        return;
    }
    let house = House::open(plan().shards(2), Program::new());
    house.handle.ask(0, |_, _, _| ()).unwrap();
    let before = files();
    for number in 0..3000 {
        let mut peer = connect(house.address(0));
        // Some say nothing, some half, some all, some nonsense.
        match number % 4 {
            0 => {}
            1 => peer.write_all(b"OPTIONS sip:a SIP").unwrap(),
            2 => {
                peer.write_all(&options("all", "")).unwrap();
                assert_eq!(read_answer(&mut peer), "all");
            }
            _ => peer.write_all(b"nonsense\r\n\r\n").unwrap(),
        }
        drop(peer);
    }
    let deadline = std::time::Instant::now() + PATIENCE;
    while files() > before || house.count(|counters| &counters.connections) > 0 {
        assert!(std::time::Instant::now() < deadline, "{} files, before {before}", files());
        house.settle(0);
    }
}

#[test]
fn without_files_a_listener_rests_and_comes_back() {
    if !alone("slow::without_files_a_listener_rests_and_comes_back", 64) {
        return;
    }
    let (wire, told) = Wire::new(64);
    let house = House::open(plan(), Program::new().sink(wire));
    house.settle(0);
    let mut all: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    // One file for the peer, none for us.
    drop(all.pop());
    let mut peer = TcpStream::connect(house.address(0)).unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    peer.write_all(&options("patient", "")).unwrap();
    loop {
        match told.recv_timeout(PATIENCE).unwrap() {
            Told::Notice(_, 0, Notice::NoMoreFiles) => break,
            Told::Notice(_, _, Notice::ReceiveBuffer { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    // It tries a few times a second, and does not spin.
    let turns = || house.handle.counters()[0].turns.get().iter().sum::<u64>();
    let before = turns();
    for _ in 0..2 {
        assert!(matches!(told.recv_timeout(PATIENCE), Ok(Told::Notice(_, 0, Notice::NoMoreFiles))));
    }
    assert!(turns() - before < 10, "{}", turns() - before);
    drop(all);
    assert_eq!(read_answer(&mut peer), "patient");
}
