//! Overload: up to ten times as many callers as a server can serve, in virtual time. What it does is the same on every machine.

mod town;

use std::time::Duration;

use machine::{Dice, Machine as _};
use offhook_tests::office::trusting;
use protocol::doors::{Backlog, Event};
use protocol::{Input, Transport};
use server::{House, Settings};

use town::{CAPACITY, Crowd, ROOM, Tally, Town};

/// How a server has the processor.
#[derive(Clone, Copy, Debug)]
enum Processor {
    /// For itself.
    Whole,
    /// In bursts, as in a container.
    Quota,
}

/// So many times as much as can be done is asked for, for a while: how that goes. The secret says which of the callers are heard.
fn crowded((transport, processor): (Transport, Processor), secret: u128, times: u64) -> Tally {
    let mut town = Town::by(transport, Settings { secret, ..trusting() });
    town.quota = matches!(processor, Processor::Quota).then_some((0, 0));
    town.live(12, CAPACITY * times);
    town.live(8, CAPACITY * times)
}

/// Of what can be done so much is done in any case, in hundredths, at so many times the load. By TCP what is too much has to be stepped over.
const fn least(transport: Transport, times: u64) -> u64 {
    match (transport, times) {
        (Transport::Udp, _) => 93,
        (_, ..10) => 93,
        _ => 85,
    }
}

/// Ten times the load, and what can be done is done, and at once. A refusal costs a quarter of a call here. (How much is done depends by UDP a
/// little on who is heard: from 94 to 98 hundredths with 50 keys. These were the worst at four and at ten times.)
#[test]
fn goodput_stays_whatever_comes() {
    use Processor::{Quota, Whole};
    let [udp, tcp] = [Transport::Udp, Transport::Tcp];
    let whole = [(udp, Whole, 7), (udp, Whole, 14), (tcp, Whole, 7)];
    let whole = whole.into_iter().flat_map(|way| [2, 4, 10].map(|times| (way, times)));
    let asked = whole.chain([((udp, Quota, 7), 10), ((tcp, Quota, 7), 4), ((tcp, Quota, 7), 10)]);
    let judged = all(asked, |((by, processor, key), times)| {
        (by, format!("{times} by {by}, {processor:?}"), times, crowded((by, processor), key, times))
    });
    for (by, what, times, mut tally) in judged {
        let done = tally.done / 8;
        let (half, most) = (tally.setup(50), tally.setup(99));
        println!("{what}: {done} of {CAPACITY}/s, {half} ms, {most} ms");
        assert!(done * 100 >= CAPACITY * least(by, times), "{what}: {done} of {CAPACITY}");
        assert!(half < 250 && most < 500, "{what}: {half} ms, {most} ms");
        assert!(by == tcp || tally.refused > 0, "{what}");
    }
}

/// Two messages each, where a call has thirteen.
const REGISTRATIONS: u64 = CAPACITY * 13 / 2;

/// So many times as many phones register as can, or call and register, from where others are registered: how that goes. The kernel has room for so many
/// datagrams.
fn back_in_a_town((crowd, room, processor): (Crowd, usize, Processor), times: u64) -> Tally {
    let mut town = Town::new(Settings { secret: 1, ..unlimited() });
    (town.crowd, town.room) = (crowd, room);
    town.quota = matches!(processor, Processor::Quota).then_some((0, 0));
    let can = if crowd == Crowd::Both { CAPACITY * 26 / 15 } else { REGISTRATIONS };
    town.live(9, can * times);
    town.live(6, can * times)
}

/// The power comes back in a town, behind one edge proxy: from where so many come of whom nobody is known, many are who were there a moment ago, and
/// the server reads no more of them all than it can serve. Where calls are among them, those are set up at once or not at all.
#[test]
fn when_the_power_is_back_in_a_town_as_many_register_as_can() {
    use Processor::{Quota, Whole};
    let few = |processor| (Crowd::Registrations, ROOM, processor);
    let many = |processor| (Crowd::Registrations, 10 * ROOM, processor);
    let both = |room| (Crowd::Both, room, Whole);
    let whole = [(few(Whole), 1), (few(Whole), 4), (many(Whole), 2), (many(Whole), 10)];
    let quota = [(few(Quota), 4), (many(Quota), 2), (many(Quota), 10)];
    let mixed = [(both(ROOM), 2), (both(ROOM), 10), (both(10 * ROOM), 10)];
    let asked = whole.into_iter().chain(quota).chain(mixed);
    let went = all(asked, |(town, times)| (town, times, back_in_a_town(town, times)));
    for ((crowd, room, processor), times, mut tally) in went {
        let done = (tally.done * 13 + tally.registered * 2) * 100 / (CAPACITY * 13 * 6);
        let (half, most) = (tally.wait(50), tally.setup(99));
        let what = format!("{crowd:?}, room for {room}, {processor:?}, {times}");
        println!("{what}: {done} %, {half} ms, calls in {most} ms");
        // What is turned away of both is calls.
        let least = match (crowd, room) {
            (Crowd::Both, ROOM) => 78,
            (Crowd::Both, _) => 75,
            _ => 93,
        };
        assert!(done >= least, "{what}: {done} %");
        assert!(half < 1000 && most < 1000, "{what}: {half} ms, calls in {most} ms");
    }
}

/// Whoever asks whether we live is answered as far as it can be, however many ask.
#[test]
fn who_asks_whether_we_live_hears_it_in_a_flood() {
    for (room, times) in [(ROOM, 1), (ROOM, 4), (10 * ROOM, 10)] {
        let mut tally = back_in_a_town((Crowd::Pings, room, Processor::Whole), times);
        let (told, half) = (tally.registered * 100 / (REGISTRATIONS * 6), tally.wait(50));
        println!("room for {room}, {times}: {told} %, {half} ms");
        assert!(told >= 90, "{times}: {told} %");
        assert!(half < 1000, "{times}: {half} ms");
    }
}

/// Some call while a town registers: what is let through is not taken for stale, though some always waits.
#[test]
fn while_a_town_registers_some_calls_are_set_up() {
    for times in [2, 4] {
        let mut town = Town::new(Settings { secret: 1, ..unlimited() });
        (town.crowd, town.room) = (Crowd::FewCalls, 10 * ROOM);
        town.live(9, CAPACITY * 4 * times);
        let tally = town.live(6, CAPACITY * 4 * times);
        let (calls, all) = (tally.setups(), tally.begun / 20);
        println!("{times}: {calls} of {all} calls, {} registrations", tally.registered);
        assert!(calls * times >= all, "{times}: {calls} of {all} calls");
    }
}

/// Whatever comes from one address, it may.
fn unlimited() -> Settings {
    let mut settings = trusting();
    settings.overload.per_source = 0;
    settings
}

/// Who asks for no more than can be done is never refused, and when a flood is over that is so again within five seconds.
#[test]
fn a_flood_that_is_over_leaves_nothing_behind() {
    let mut town = Town::new(trusting());
    let before = town.live(5, CAPACITY * 9 / 10);
    assert_eq!((before.refused, town.events.len()), (0, 0));
    town.live(6, CAPACITY * 10);
    town.calls.retain(|_, call| call.heard);
    town.live(5, CAPACITY / 2);
    let after = town.live(5, CAPACITY / 2);
    // Who began before the flood was over may still repeat itself; as many are up at the end as at the beginning, but for one or two.
    assert!(after.done + 2 >= after.begun, "{} of {}", after.done, after.begun);
    assert_eq!(after.refused, 0);
    assert!(matches!(town.events.last(), Some(Event::Relieved { .. })), "{:?}", town.events);
    assert_eq!(town.deafness.share, 0);
}

/// Whoever switches refusing off in the middle of a flood refuses nobody from then on.
#[test]
fn refusing_that_is_switched_off_is_off_at_once() {
    let mut town = Town::new(trusting());
    town.live(6, CAPACITY * 10);
    assert!(matches!(town.events.last(), Some(Event::Overloaded { .. })), "{:?}", town.events);
    // The last that it hears while it refuses is that it is far behind.
    let behind = Backlog { waited: Duration::from_secs(1), unread: true, ..Backlog::default() };
    town.node.handle(town.now, Input::Waited(behind), &mut Vec::new());
    let mut settings = trusting();
    settings.overload.target = Duration::ZERO;
    drop(town.node.renew(House::new(settings, &mut Dice::new(3))));
    town.calls.retain(|_, call| call.heard);
    town.queue.clear();
    town.live(5, CAPACITY / 2);
    let after = town.live(5, CAPACITY / 2);
    assert_eq!(after.refused, 0);
    assert!(after.done + 2 >= after.begun, "{} of {}", after.done, after.begun);
    assert!(matches!(town.events.last(), Some(Event::Relieved { .. })), "{:?}", town.events);
}

/// To judge what decides who is heard: goodput in hundredths of what can be done, key by key, the worst first; none may be below what the
/// documents promise. It takes minutes:
/// `KEYS=0-49 TIMES=2,4,10 BY=UDP PROCESSOR=QUOTA cargo test --release -p offhook-tests --test simulation overload::survey -- --ignored --nocapture`
#[test]
#[ignore = "takes minutes: run by .ci/nightly"]
fn survey() {
    let asked = |name, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.into());
    let keys = asked("KEYS", "0-7");
    let (first, last) = keys.split_once('-').unwrap_or((&keys, &keys));
    let keys = first.parse().unwrap()..=last.parse::<u128>().unwrap();
    let processor =
        if asked("PROCESSOR", "WHOLE") == "QUOTA" { Processor::Quota } else { Processor::Whole };
    for by in asked("BY", "UDP,TCP").split(',') {
        let transport = if by == "TCP" { Transport::Tcp } else { Transport::Udp };
        for times in asked("TIMES", "2,4,10").split(',') {
            let times: u64 = times.parse().unwrap();
            let mut shares = all(keys.clone(), |key| {
                let mut tally = crowded((transport, processor), key, times);
                (tally.done * 100 / (8 * CAPACITY), key, tally.refused / 8, tally.setup(99))
            });
            shares.sort_unstable();
            let sum: u64 = shares.iter().map(|(share, ..)| share).sum();
            let few = shares.iter().filter(|(share, ..)| *share < 90).count();
            println!("{by} {times}: {} on average, {few} below 90", sum / shares.len() as u64);
            for (share, key, refused, setup) in shares.iter().take(4) {
                println!("    key {key}: {share}, {refused} refused/s, 99 of 100 in {setup} ms");
            }
            let (worst, key, ..) = shares[0];
            // In a container it depends more on who is heard.
            let promised = match (transport, processor) {
                (Transport::Udp, Processor::Quota) => 88,
                _ => least(transport, times),
            };
            assert!(worst >= promised, "{by} {times}, key {key}: {worst}");
        }
    }
}

/// What becomes of each key, on all cores.
fn all<K: Send, R: Send>(
    keys: impl IntoIterator<IntoIter: Send, Item = K>,
    each: impl Fn(K) -> R + Sync,
) -> Vec<R> {
    let keys = std::sync::Mutex::new(keys.into_iter());
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let next = || keys.lock().unwrap().next();
    let one = || std::iter::from_fn(|| next().map(&each)).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(one)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}
