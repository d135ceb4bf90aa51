//! Floods against the whole program (RELIABILITY R10, R11): memory stays bounded, nothing is kept of strangers, calls go on, the log stays
//! short, and what cannot be read costs no more than what can.

use std::net::{Ipv4Addr, UdpSocket};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use machine::Dice;

use crate::load::{Load, Wish};
use crate::strangers::{Asker, samples, status};
use crate::under_load::Busy;
use crate::{Server, folder};

/// Strangers on this machine are strangers: each address has its share only.
const OFFICE: &str = "domains = [\"office.test\"]\n[listen]\nudp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"\n[server]\nshards = 2\n\
                      [store]\ndurability = \"memory\"\n[overload]\nunlimited = []\n\
                      [[extension]]\nnumber = \"102\"\npassword = \"correct horse battery\"\n";

/// What the server has of memory, or had at most, in octets.
fn memory(server: u32, row: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{server}/status")).expect("it lives");
    let row = status.lines().find_map(|line| line.strip_prefix(row)).expect("Linux says so");
    let number = row.trim_start_matches(':').trim().trim_end_matches(" kB");
    number.parse::<u64>().expect("a number") * 1024
}

/// The time that all of the server's threads have had of processors.
fn processor(server: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{server}/task")).expect("it lives");
    let nanos = tasks.flatten().map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|first| first.parse::<u64>().ok()).unwrap_or_default()
    });
    Duration::from_nanos(nanos.sum())
}

/// A socket of the nth stranger: an address of its own, which loopback has plenty of.
fn stranger(nth: u32) -> UdpSocket {
    let ip = Ipv4Addr::from_bits(0x7f01_0000 + nth);
    UdpSocket::bind((ip, 0)).expect("bound")
}

/// An INVITE or REGISTER of somebody who was never seen.
fn request(nth: u32, from: &UdpSocket) -> String {
    let from = from.local_addr().expect("bound");
    let method = if nth.is_multiple_of(2) { "INVITE" } else { "REGISTER" };
    format!(
        "{method} sip:office.test SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKf{nth}\r\nMax-Forwards: 70\r\n\
         From: <sip:u{nth}@office.test>;tag=t{nth}\r\nTo: <sip:u{nth}@office.test>\r\nCall-ID: flood-{nth}\r\n\
         CSeq: 1 {method}\r\nContact: <sip:u{nth}@{from}>\r\nContent-Length: 0\r\n\r\n"
    )
}

/// So many requests, each of a new user with a new Call-ID and branch, from so many addresses. All the while somebody good is answered.
fn distinct(name: &str, (messages, sources): (u32, u32)) {
    let server = Server::start(&folder(name), OFFICE);
    let good = Asker::new(&server);
    let each = messages / sources;
    let mut settled = 0;
    for source in 0..sources {
        let socket = stranger(source);
        for nth in source * each..(source + 1) * each {
            let octets = request(nth, &socket);
            socket.send_to(octets.as_bytes(), &server.udp).expect("sent");
        }
        if source % (2000 / each).max(1) == 0 {
            assert_eq!(status(&good.patiently(&format!("good-{source}"))), 401);
        }
        if source == sources / 5 {
            settled = memory(server.child.id(), "VmRSS");
        }
    }
    let (at_end, most) = (memory(server.child.id(), "VmRSS"), memory(server.child.id(), "VmHWM"));
    println!(
        "{messages} from {sources}: {settled} octets after a fifth, {at_end} at the end, {most} at most"
    );
    assert!(most <= 256 << 20, "{most} octets");
    // What is remembered of a source has its bound; of a request nothing is.
    assert!(at_end < settled + (16 << 20), "{settled} octets after a fifth, {at_end} at the end");
}

/// R10, short.
#[test]
fn ten_thousand_strangers_leave_nothing_in_memory() {
    distinct("serve-flood", (20_000, 400));
}

/// R10: a million of them, from ten thousand addresses.
#[test]
#[ignore = "a minute of full load"]
fn r10_a_million_strangers_leave_nothing_in_memory() {
    distinct("serve-flood-long", (1_000_000, 10_000));
}

/// A sample with something changed in it.
fn mutation(samples: &[(PathBuf, Vec<u8>)], dice: &mut Dice) -> Vec<u8> {
    let which = usize::try_from(dice.below(samples.len() as u64)).unwrap_or_default();
    let mut octets = samples.get(which).map(|sample| sample.1.clone()).unwrap_or_default();
    // Longer than any datagram on its way: that is another test.
    octets.truncate(1400);
    for _ in 0..dice.below(4) {
        let at = usize::try_from(dice.below(octets.len().max(1) as u64)).unwrap_or_default();
        match dice.below(3) {
            0 => octets.truncate(at),
            1 => octets.insert(at.min(octets.len()), dice.below(256) as u8),
            _ => {
                octets.iter_mut().skip(at).take(1).for_each(|octet| *octet = dice.below(256) as u8)
            }
        }
    }
    octets
}

/// Everything that was made to hurt, and changes of it, so many in a second, for so many seconds, while calls go on.
fn garbage(name: &str, (rate, calls, seconds): (u32, u32, u64)) {
    let samples = samples();
    if samples.is_empty() {
        return;
    }
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_secs());
    println!("seed {seed}");
    let mut dice = Dice::new(seed.into());
    let bad: Vec<_> = (0..4000).map(|_| mutation(&samples, &mut dice)).collect();
    let server =
        Busy::start(&folder(name), &format!("{OFFICE}[auth]\nchallenge = [\"PUBLISH\"]\n"));
    let callee = Load::callee();
    server.register(callee.local_addr().expect("bound"));
    let wish = Wish { rate: calls, talk: Duration::from_millis(200) };
    let load = Load::start(&server.udp, callee, wish);
    let (at, began) = (server.udp.clone(), Instant::now());
    let attackers = thread::spawn(move || {
        let sockets: Vec<_> = (0..200).map(stranger).collect();
        let mut sent = 0_u64;
        while began.elapsed() < Duration::from_secs(seconds) {
            let due = began.elapsed().as_secs_f64() * f64::from(rate);
            while (sent as f64) < due {
                let (socket, octets) =
                    (&sockets[sent as usize % sockets.len()], &bad[sent as usize % bad.len()]);
                // The kernel may have no room for it.
                let _ = socket.send_to(octets, &at);
                sent += 1;
            }
            thread::yield_now();
        }
        sent
    });
    let sent = attackers.join().expect("they do not panic");
    let report = load.finish();
    let lines = server.said();
    println!("{sent} bad messages in {seconds} s, {} lines of log, {report:?}", lines.len());
    assert!(sent >= u64::from(rate) * seconds * 9 / 10);
    assert_eq!((report.whole, report.refused.len()), (report.begun, 0), "{report:?}");
    assert!(report.begun >= u64::from(calls) * seconds * 9 / 10, "{report:?}");
    assert!(lines.len() as u64 <= 10 * (seconds + 2), "{lines:#?}");
}

/// R11, short.
#[test]
fn calls_go_on_while_garbage_comes() {
    garbage("serve-garbage", (4000, 20, 3));
}

/// R11: fifty thousand bad messages a second, and a hundred good calls.
#[test]
#[ignore = "twenty seconds of full load; in release builds only"]
fn r11_calls_go_on_while_fifty_thousand_bad_messages_come() {
    garbage("serve-garbage-long", (50_000, 100, 20));
}

/// R11: what a bad message takes of the processor, beside a good OPTIONS.
#[test]
fn what_cannot_be_read_costs_no_more_than_what_can() {
    let (samples, mut dice) = (samples(), Dice::new(11));
    if samples.is_empty() {
        return;
    }
    let config = format!("{OFFICE}[auth]\nchallenge = []\n").replace("shards = 2", "shards = 1");
    let server = Server::start(&folder("serve-garbage-cost"), &config);
    let good = Asker::new(&server);
    let cost = |server: &Server, send: &mut dyn FnMut(u32)| {
        let before = processor(server.child.id());
        for nth in 0..4000 {
            send(nth);
            if nth % 20 == 19 {
                // By its answer it is seen that all before it was read.
                good.patiently(&format!("all-read-{nth}"));
            }
        }
        (processor(server.child.id()) - before) / 4000
    };
    let attacker = Asker::new(&server);
    // The first round finds everything cold.
    let [_, options] = [0, 1].map(|round| {
        cost(&server, &mut |nth| {
            let wire = attacker.request("OPTIONS", &format!("good{round}-{nth}"), "");
            attacker.send(wire.as_bytes());
        })
    });
    let bad = cost(&server, &mut |_| attacker.send(&mutation(&samples, &mut dice)));
    println!("a good OPTIONS takes {options:?}, a bad message {bad:?}");
    assert!(bad <= options * 5 / 4, "{bad:?}, {options:?}");
}
