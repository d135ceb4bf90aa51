//! Trouble while several phones ring: one of them is cut off, the DNS is slow for one of them, the server dies among them.

use std::time::Duration;

use offhook_tests::attendant::{Habits, Pickup, Wish};
use offhook_tests::exchange::{Exchange, address};
use protocol::Transport;
use sim::{Change, HostId, Weather};
use stage::{Names, Speed};

const WISH: Wish =
    Wish { patience: Some(Duration::from_secs(60)), talk: Some(Duration::from_secs(3)) };

/// Alice, and two phones of 102: the first picks up after four seconds, the second only rings.
fn three(transport: Transport) -> (Exchange, [HostId; 3]) {
    let mut exchange = Exchange::new(3, Weather::BREEZE);
    let ring = Some(Duration::from_millis(200));
    let takes = Habits { ring, then: Pickup::Answer(Duration::from_secs(4)), ..Habits::POLITE };
    let rings = Habits { ring, then: Pickup::Never, ..Habits::POLITE };
    let alice = exchange.phone("101", transport, Habits::POLITE);
    let hosts =
        [alice, exchange.phone("102", transport, takes), exchange.phone("102", transport, rings)];
    exchange.sign_on(&hosts);
    (exchange, hosts)
}

fn nobody_is_in_a_call(exchange: &Exchange, hosts: &[HostId]) -> bool {
    hosts.iter().all(|id| exchange.attendant(*id).phone.calls().count() == 0)
}

/// One branch, or the caller, cannot be reached for some time: the call ends one way or the other, for everybody.
#[test]
fn a_partition_during_a_fork_leaves_nobody_ringing() {
    for transport in [Transport::Udp, Transport::Tcp] {
        for (parted, begins) in
            (0..3).flat_map(|parted| [50, 400, 2_000, 4_100].map(|at| (parted, at)))
        {
            let (mut exchange, hosts) = three(transport);
            let server = exchange.server;
            let call = exchange.dial(hosts[0], "102", WISH);
            exchange.live(begins);
            exchange.world.change(&Change::Part(vec![server], vec![hosts[parted]]));
            exchange.live(20_000);
            exchange.world.change(&Change::HealAll);
            exchange.live(900_000);
            let end = exchange.attendant(hosts[0]).end_of(call);
            assert!(end.is_some(), "{transport} {parted} {begins} ms");
            if parted == 2 {
                assert_eq!(end, Some(200), "who can be reached is: {transport} {begins} ms");
            }
            assert!(nobody_is_in_a_call(&exchange, &hosts), "{transport} {parted} {begins} ms");
            exchange.assert_nothing_is_left();
        }
    }
}

/// One branch waits for a name: the others ring meanwhile, and the first to answer gets the call, however late the name.
#[test]
fn a_slow_name_in_a_fork_holds_up_no_other_branch() {
    for speed in
        [Speed::After(Duration::from_secs(2)), Speed::After(Duration::from_secs(6)), Speed::Never]
    {
        let mut exchange = Exchange::with(3, Weather::BREEZE, 1, |settings| {
            for user in settings.users.iter_mut().filter(|user| &*user.name == "102") {
                user.contacts = vec!["sip:bob@mobile.test".into()];
            }
        });
        let ring = Some(Duration::from_millis(200));
        let takes = Habits { ring, then: Pickup::Answer(Duration::from_secs(4)), ..Habits::POLITE };
        let alice = exchange.phone("101", Transport::Udp, Habits::POLITE);
        let bob = exchange.phone("102", Transport::Udp, takes);
        let gone = address("192.0.2.77:5060").ip();
        let names = Names::default().with("mobile.test", &[gone]).at(speed);
        exchange.knows(exchange.server, names);
        exchange.sign_on(&[alice, bob]);
        let began = exchange.world.now();
        let call = exchange.dial(alice, "102", WISH);
        exchange.live(300_000);
        assert_eq!(exchange.attendant(alice).end_of(call), Some(200), "{speed:?}");
        let up = exchange.attendant(alice).told.iter().find(|(_, event)| {
            matches!(event, phone::PhoneEvent::Established { call: it, .. } if *it == call)
        });
        let took = up.map(|(at, _)| *at - began);
        assert!(took.is_some_and(|took| took < Duration::from_secs(5)), "{speed:?}: {took:?}");
        assert!(nobody_is_in_a_call(&exchange, &[alice, bob]));
        exchange.sign_off(&[alice, bob]);
    }
}

/// The server dies while both phones ring, and comes back with an empty memory: nobody rings or talks for ever.
#[test]
fn a_restart_during_a_fork_leaves_nobody_ringing() {
    for transport in [Transport::Udp, Transport::Tcp] {
        for millis in [50, 300, 1_000, 3_900, 4_300, 5_000] {
            let (mut exchange, hosts) = three(transport);
            let call = exchange.dial(hosts[0], "102", WISH);
            exchange.live(millis);
            exchange.restart_server(9);
            exchange.live(900_000);
            assert!(exchange.attendant(hosts[0]).end_of(call).is_some(), "{transport} {millis} ms");
            let nodes = exchange.nodes();
            assert!(nodes.iter().all(|node| (node.transactions(), node.forwarding()) == (0, 0)));
            let talking = nobody_is_in_a_call(&exchange, &hosts[..2]);
            assert!(talking, "{transport} {millis} ms");
        }
    }
}
