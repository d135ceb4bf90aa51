//! `offhook phone` where the network changes under it: its machine gets another address in the middle of a call, or its router gives it another port.

use std::collections::BTreeSet;
use std::time::Duration;

use media::{RATE, detect};

use crate::account::Account;
use crate::baresip::{Baresip, PATIENCE};
use crate::land::Land;
use crate::nats::Home;
use crate::offhook::{Offhook, listen_at};
use crate::phone::Phone;
use crate::{place, table};

/// The other's tone is there all the time, but for less than this.
fn assert_goes_on(samples: &[i16], hz: f64, less: Duration) {
    let tenths = samples.chunks_exact(RATE as usize / 10);
    let there: Vec<_> = tenths.map(|tenth| detect::level_of(tenth, hz) > -25.0).collect();
    let (first, last) = (there.iter().position(|it| *it), there.iter().rposition(|it| *it));
    let (first, last) = (first.expect("it is heard"), last.expect("it is heard"));
    let gaps = there[first..=last].split(|it| *it).map(<[bool]>::len);
    let longest = Duration::from_millis(100) * gaps.max().unwrap_or(0) as u32;
    println!("{hz} Hz for {} tenths, longest gap {longest:?}", last - first);
    assert!(longest < less, "{longest:?} without a sound");
    assert!(last - first > 60, "it was heard for {} tenths", last - first);
}

/// Two of ours over this transport: the one that is called gets another address when the call stands. Both hear each other on, it registers from there, and the BYE
/// of the other finds it.
fn moves_in_a_call(transport: &'static str) {
    let Some(mut land) = Land::new(&format!("moves-{transport}")) else { return };
    let hosts = ["server", "caller", "roamer"];
    let addresses = ["10.45.0.1/24", "10.45.0.11/24", "10.45.0.12/24"];
    let [server, caller, roamer] = [0, 1, 2].map(|at| land.host(hosts[at], &[addresses[at]]));
    let folder = place::folder(&format!("moves-{transport}"));
    let lines = listen_at(&server) + "domains = [\"10.45.0.1\"]";
    let server = Offhook::serve_on(&server, &folder, &["101", "102"], &lines);
    let account = |number| Account::new(number, server.udp).by(transport);
    let bob = account("102").on(&roamer).playing(1000.0);
    let mut bob = Phone::start_with(&folder, &bob, &[], &["answer"]);
    bob.peer.wait_for("\"registered\"", PATIENCE);
    let deed = ["call", "102", "--hangup-after", "10s"];
    let mut alice = Phone::start(&folder, &account("101").on(&caller), &deed);
    alice.peer.wait_for("\"established\"", PATIENCE);
    bob.peer.wait_for("\"established\"", PATIENCE);
    bob.hears();
    alice.hears();
    roamer.set("ip address del 10.45.0.12/24 dev eth0");
    roamer.set("ip address add 10.45.0.77/24 dev eth0");
    bob.peer.wait_for("\"registered\"", PATIENCE);
    assert_goes_on(&alice.ends_well(), 1000.0, Duration::from_secs(1));
    assert_goes_on(&bob.ends_well(), 440.0, Duration::from_secs(1));
    server.stop();
}

#[test]
fn a_phone_by_udp_gets_another_address_in_a_call() {
    moves_in_a_call("udp");
}

#[test]
fn a_phone_by_tcp_gets_another_address_in_a_call() {
    moves_in_a_call("tcp");
}

/// With a phone of others at the other end: its sound follows the re-INVITE.
#[test]
fn baresip_follows_a_phone_that_gets_another_address() {
    if !place::installed("baresip", "baresip-core") {
        return;
    }
    let Some(mut land) = Land::new("moves-baresip") else { return };
    let server = land.host("server", &["10.45.0.1/24"]);
    let other = land.host("other", &["10.45.0.11/24"]);
    let roamer = land.host("roamer", &["10.45.0.12/24"]);
    let folder = place::folder("moves-baresip");
    let lines = listen_at(&server) + "domains = [\"10.45.0.1\"]";
    let server = Offhook::serve_on(&server, &folder, &["101", "102"], &lines);
    let bob = Account::new("102", server.udp).on(&other).playing(1000.0);
    let mut bob = Baresip::register(&folder, &bob);
    let alice = Account::new("101", server.udp).on(&roamer);
    let deed = ["call", "102", "--hangup-after", "10s"];
    let mut alice = Phone::start_with(&folder, &alice, &[], &deed);
    alice.peer.wait_for("\"established\"", PATIENCE);
    alice.hears();
    roamer.set("ip address del 10.45.0.12/24 dev eth0");
    roamer.set("ip address add 10.45.0.77/24 dev eth0");
    bob.peer.wait_for("terminated", PATIENCE);
    // baresip may take a moment for its new way.
    assert_goes_on(&alice.ends_well(), 1000.0, Duration::from_secs(2));
    server.stop();
    let feature = "`offhook phone` gets another address in the middle of a call (another network): a re-INVITE says so, and it hears on";
    table::passed(&table::BARESIP, feature, "UDP");
}

/// The router forgets all that it knew, and gives other ports from now on.
fn rebind(home: &Home) -> BTreeSet<u16> {
    let before = home.ports();
    home.router.set("nft flush chain ip nat out");
    home.router.set("nft add rule ip nat out oifname eth0 masquerade random,fully-random");
    home.router.set("conntrack -F");
    before
}

/// Whether all that goes out goes by other ports than those.
fn are_others(home: &Home, before: &BTreeSet<u16>) -> bool {
    let now = home.ports();
    !now.is_empty() && now.is_disjoint(before)
}

/// R26: in the middle of a call. Whoever is outside goes on to hear: less than a second is lost; and the BYE comes through.
#[test]
fn a_router_gives_another_port_in_a_call() {
    if !place::installed("conntrack", "conntrack") {
        return;
    }
    let Some(home) = Home::build("nat-rebinds") else { return };
    let outside = home.account("101", "udp", &home.caller);
    let mut outside = Phone::start(&home.folder, &outside, &["answer"]);
    outside.peer.wait_for("\"registered\"", PATIENCE);
    let inside = home.account("102", "udp", &home.home).playing(1000.0);
    let deed = ["call", "101", "--hangup-after", "10s"];
    let mut inside = Phone::start(&home.folder, &inside, &deed);
    inside.peer.wait_for("\"established\"", PATIENCE);
    outside.peer.wait_for("\"established\"", PATIENCE);
    let before = rebind(&home);
    inside.peer.wait_until("other ports", PATIENCE, || are_others(&home, &before));
    assert_goes_on(&inside.ends_well(), 440.0, Duration::from_secs(1));
    assert_goes_on(&outside.ends_well(), 1000.0, Duration::from_secs(1));
    home.server.stop();
}

/// R26: between calls. A sign of life shows the phone that it is seen elsewhere; it registers anew at once, and is called.
#[test]
fn a_router_gives_another_port_and_the_phone_finds_out() {
    if !place::installed("conntrack", "conntrack") {
        return;
    }
    let Some(home) = Home::build("nat-rebinds-idle") else { return };
    let bob = home.account("102", "udp", &home.home).playing(1000.0);
    let way = format!("sip:{};lr", home.server.udp);
    let mut bob = Phone::start_with(&home.folder, &bob, &["--flow", &way], &["answer"]);
    bob.peer.wait_for("\"registered\"", PATIENCE);
    let before = rebind(&home);
    bob.peer.wait_for("\"registered\"", 3 * PATIENCE);
    assert!(are_others(&home, &before));
    let alice = home.account("101", "udp", &home.caller);
    let alice = Phone::start(&home.folder, &alice, &["call", "102", "--hangup-after", "8s"]);
    assert_goes_on(&alice.ends_well(), 1000.0, Duration::from_secs(1));
    assert_goes_on(&bob.ends_well(), 440.0, Duration::from_secs(1));
    home.server.stop();
}
