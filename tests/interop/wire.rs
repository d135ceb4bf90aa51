//! `Wire`: a cable between two hosts on which there is weather. Linux has this as `netem`, where its kernel has it; here two TUN
//! devices are joined by a thread that loses, repeats, delays and reorders packets, by a seed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use machine::Dice;
use sim::Weather;
use tappers::linux::Tun;

use crate::land::{Host, give};

/// What happens to packets, in both directions alike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Storm {
    /// Delay, jitter, loss, and what arrives twice.
    pub(crate) weather: Weather,
    /// Percentage of packets that are not delayed at all, and so overtake others.
    pub(crate) early: u64,
    pub(crate) seed: u128,
}

/// A cable that has been laid. It works as long as its hosts are there.
#[derive(Debug)]
pub(crate) struct Wire {
    seen: Arc<Seen>,
}

/// How much has happened on it.
#[derive(Debug, Default)]
struct Seen {
    carried: AtomicU64,
    lost: AtomicU64,
    twice: AtomicU64,
    early: AtomicU64,
    /// How many datagrams of each kind came out with which octet for the type of service.
    marks: Mutex<BTreeMap<(Kind, u8), u64>>,
}

/// What a datagram carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Signalling,
    /// RTP and RTCP.
    Sound,
}

impl Wire {
    /// Lays a wire between two hosts, each with its address (`10.0.0.1/24`).
    pub(crate) fn lay(one: (&Host, &str), other: (&Host, &str), storm: Storm) -> Self {
        let ends = [one, other].map(|(host, address)| Arc::new(plug(host, address)));
        let (sender, packets) = channel();
        for (end, from) in ends.iter().zip([End::One, End::Other]) {
            let (end, sender) = (Arc::clone(end), sender.clone());
            thread::spawn(move || read(&end, from, &sender));
        }
        let seen = Arc::new(Seen::default());
        let carrier = Carrier {
            storm,
            dice: Dice::new(storm.seed),
            ends,
            under_way: BinaryHeap::new(),
            count: 0,
            seen: Arc::clone(&seen),
        };
        thread::spawn(move || carrier.carry(&packets));
        Self { seen }
    }

    /// What the weather has done so far, for who reads the test's words; it fails when there was none.
    pub(crate) fn assert_was_bad(&self) {
        let of = |what: &AtomicU64| what.load(Ordering::Relaxed);
        let Seen { carried, lost, twice, early, .. } = &*self.seen;
        let [carried, lost, twice, early] = [carried, lost, twice, early].map(of);
        println!("{carried} packets: {lost} lost, {twice} twice, {early} overtook others");
        assert!(lost > 0 && twice > 0 && early > 0, "no weather in {carried} packets");
    }
}

impl Wire {
    /// The datagrams that came out of it: how many of each kind had which octet for the type of service (RFC 2474 §3: DSCP in the first six bits).
    pub(crate) fn marks(&self) -> BTreeMap<(Kind, u8), u64> {
        self.seen.marks.lock().unwrap().clone()
    }
}

/// What an IPv4 packet with UDP carries, and its octet for the type of service.
fn mark(packet: &[u8]) -> Option<(Kind, u8)> {
    let (head, tos, protocol) = (packet.first()?, *packet.get(1)?, *packet.get(9)?);
    if head >> 4 != 4 || protocol != 17 {
        return None;
    }
    let udp = packet.get(4 * usize::from(head & 15)..)?;
    let ports = [udp.get(..2)?, udp.get(2..4)?];
    if ports.contains(&&5060u16.to_be_bytes()[..]) {
        return Some((Kind::Signalling, tos));
    }
    // RFC 7983 §7.
    (128..=191).contains(udp.get(8)?).then_some((Kind::Sound, tos))
}

/// A TUN device on a host.
fn plug(host: &Host, address: &str) -> Tun {
    let tun = Tun::new().expect("a TUN device (/dev/net/tun)");
    let name = tun.name().unwrap().name().to_string_lossy().into_owned();
    let moved = std::process::Command::new("ip")
        .args(["link", "set", &name, "netns", host.space()])
        .status();
    assert!(moved.is_ok_and(|status| status.success()), "{name} does not move to {host:?}");
    give(host, &name, &[address]);
    tun
}

/// Which end of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    One,
    Other,
}

/// A packet that comes out of the wire at this moment; the number keeps those of one moment apart.
type UnderWay = Reverse<(Instant, u64, End, Vec<u8>)>;

/// The thread that carries packets from end to end.
struct Carrier {
    storm: Storm,
    dice: Dice,
    ends: [Arc<Tun>; 2],
    under_way: BinaryHeap<UnderWay>,
    count: u64,
    seen: Arc<Seen>,
}

impl Carrier {
    /// Carries until the ends are gone.
    fn carry(mut self, packets: &Receiver<(End, Vec<u8>)>) {
        loop {
            let next = self.under_way.peek().map(|Reverse((at, ..))| *at);
            let wait = next.map_or(A_WHILE, |at| at.saturating_duration_since(Instant::now()));
            match packets.recv_timeout(wait) {
                Ok((from, packet)) => self.take(from, packet),
                Err(RecvTimeoutError::Timeout) => self.put_out(Instant::now()),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// A packet goes into the wire.
    fn take(&mut self, from: End, packet: Vec<u8>) {
        let Storm { weather, early, .. } = self.storm;
        if self.dice.chance(weather.loss) {
            self.seen.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if self.dice.chance(weather.twice) {
            self.seen.twice.fetch_add(1, Ordering::Relaxed);
            self.send(from, packet.clone(), early);
        }
        self.send(from, packet, early);
    }

    fn send(&mut self, from: End, packet: Vec<u8>, early: u64) {
        let Weather { delay, jitter, .. } = self.storm.weather;
        let mut later = delay + jitter * u32::try_from(self.dice.below(1001)).unwrap_or(0) / 1000;
        if self.dice.chance(early) {
            self.seen.early.fetch_add(1, Ordering::Relaxed);
            later = Duration::ZERO;
        }
        let to = if from == End::One { End::Other } else { End::One };
        self.count += 1;
        self.under_way.push(Reverse((Instant::now() + later, self.count, to, packet)));
    }

    /// What is due comes out.
    fn put_out(&mut self, now: Instant) {
        while self.under_way.peek().is_some_and(|Reverse((at, ..))| *at <= now) {
            let Some(Reverse((_, _, to, packet))) = self.under_way.pop() else { return };
            // A host that is gone hears nothing.
            if self.ends[to as usize].send(&packet).is_ok() {
                let marks = mark(&packet).map(|mark| (mark, self.seen.marks.lock().unwrap()));
                marks
                    .into_iter()
                    .for_each(|(mark, mut marks)| *marks.entry(mark).or_default() += 1);
            }
            self.seen.carried.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Packets from one end, until it is gone.
fn read(end: &Tun, from: End, packets: &Sender<(End, Vec<u8>)>) {
    let mut buffer = vec![0; 65_536];
    while let Ok(length) = end.recv(&mut buffer) {
        if packets.send((from, buffer[..length].to_vec())).is_err() {
            return;
        }
    }
}

/// Nothing is under way: the thread looks again when something is.
const A_WHILE: Duration = Duration::from_secs(3600);
