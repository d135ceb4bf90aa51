//! Servers that are dead, and others that are not: who has found out does not wait again, and who is back is found again.

use std::net::SocketAddr;
use std::time::Duration;

use offhook_tests::attendant::{Habits, Wish};
use offhook_tests::exchange::{Exchange, SERVER, address};
use offhook_tests::puppet::Puppet;
use protocol::Transport;
use protocol::locate::{Data, Domain, Srv};
use server::Settings;
use server::settings::{Route, User};
use sim::{HostId, Weather};
use stage::Names;

/// A phone whose domain has two servers; at the first there is nobody.
fn phone(exchange: &mut Exchange) -> HostId {
    let srv = |priority, host| {
        Data::Srv(Srv { priority, weight: 0, port: 5060, target: Domain::of(host) })
    };
    let names = Names::default()
        .with_record("_sip._udp.example.test", &srv(1, "dead.example.test"))
        .with_record("_sip._udp.example.test", &srv(2, "alive.example.test"))
        .with("dead.example.test", &["192.0.2.66".parse().unwrap()])
        .with("alive.example.test", &[address(SERVER).ip()]);
    let alice = exchange.phone_by_name("101", Habits::POLITE);
    exchange.knows(alice, names);
    alice
}

/// How often the phone has sent something to the dead server.
fn knocks(exchange: &mut Exchange) -> usize {
    let dead = |one: &&sim::Sighting| one.parcel.to == address("192.0.2.66:5060");
    exchange.world.tap().sightings().filter(dead).count()
}

#[test]
fn a_phone_finds_the_server_that_is_alive_and_does_not_wait_for_the_dead_one_again() {
    let mut exchange = Exchange::new(1, Weather::BREEZE);
    let alice = phone(&mut exchange);
    exchange.by_hand(alice, |phone, now, out| phone.register(now, out));
    // 64*T1: nobody answered (timer F).
    exchange.live(31_000);
    assert!(!exchange.attendant(alice).phone.is_registered());
    exchange.live(2_000);
    assert!(exchange.attendant(alice).phone.is_registered());
    // A call, right after: without any wait.
    let bob = exchange.phone("102", Transport::Udp, Habits::POLITE);
    exchange.sign_on(&[bob]);
    let knocked = knocks(&mut exchange);
    let wish = Wish { patience: None, talk: Some(Duration::from_secs(1)) };
    let call = exchange.dial(alice, "102", wish);
    exchange.live(5_000);
    assert_eq!(exchange.attendant(alice).end_of(call), Some(200));
    assert_eq!(knocks(&mut exchange), knocked);
    // Later one request finds out whether it is back, and only then waits.
    exchange.live(40_000);
    exchange.by_hand(alice, |phone, now, out| phone.unregister(now, out));
    exchange.live(100_000);
    assert!(knocks(&mut exchange) > knocked);
    exchange.sign_off(&[bob]);
}

/// R22: half of a domain's servers are dead. Each costs one call 3.5 s, and no call more than both together.
#[test]
fn half_of_the_servers_are_dead_and_every_call_gets_its_answer() {
    let mut exchange = Exchange::with(3, Weather::BREEZE, 1, |settings| {
        settings.routes = vec![Route::domain("biloxi.test", None)];
    });
    let mut names = Names::default();
    for last in 20..24_u8 {
        let host = format!("h{last}.biloxi.test");
        let address = SocketAddr::from(([192, 0, 2, last], 5060));
        let target = Domain::of(&host);
        let srv = Data::Srv(Srv { priority: 1, weight: 10, port: 5060, target });
        names = names.with_record("_sip._udp.biloxi.test", &srv).with(&host, &[address.ip()]);
        if last % 2 == 0 {
            let mut biloxi = Settings::of("biloxi.test", Puppet::listeners(address));
            biloxi.challenge = Vec::new();
            biloxi.users = vec![User::new("bob", "secret-bob")];
            exchange.add_server(&host, biloxi);
        }
    }
    exchange.knows(exchange.server, names);
    let alice = exchange.phone("101", Transport::Udp, Habits::POLITE);
    exchange.sign_on(&[alice]);
    let mut waits = Vec::new();
    for _ in 0..20 {
        let began = exchange.world.now();
        let call = exchange.dial(alice, "sip:bob@biloxi.test", Wish::default());
        while exchange.attendant(alice).end_of(call).is_none() {
            exchange.live(100);
        }
        // bob has no phone: that is what his own server says.
        assert_eq!(exchange.attendant(alice).end_of(call), Some(480));
        waits.push((exchange.world.now() - began).as_secs());
    }
    assert!(waits.iter().all(|wait| *wait <= 7), "{waits:?}");
    assert_eq!(waits.iter().sum::<u64>() / 3, 2, "{waits:?}");
    exchange.live(60_000);
    exchange.sign_off(&[alice]);
}
