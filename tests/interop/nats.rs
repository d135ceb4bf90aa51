//! A phone at home, behind a router that translates addresses (Linux's own), and a router that forgets quickly.

use std::collections::BTreeSet;

use crate::account::Account;
use crate::baresip::{Baresip, PATIENCE};
use crate::land::{End, Host, Land};
use crate::offhook::{Offhook, listen_at};
use crate::phone::Phone;
use crate::{place, sound, table};

/// Somebody at home, a router, and a server and a caller outside.
pub(crate) struct Home {
    pub(crate) home: Host,
    pub(crate) router: Host,
    pub(crate) caller: Host,
    pub(crate) server: Offhook,
    pub(crate) folder: std::path::PathBuf,
    _land: Land,
}

impl Home {
    pub(crate) fn build(name: &str) -> Option<Self> {
        let mut land = Land::new(name)?;
        let router = land.host("router", &["10.45.0.100/24"]);
        let home = land.apart("home").by("192.168.45.2");
        let inside = End { host: &router, port: "home", address: "192.168.45.1/24" };
        land.cable(&End { host: &home, port: "eth0", address: "192.168.45.2/24" }, &inside);
        home.set("ip route add default via 192.168.45.1");
        router.set("sysctl -q -w net.ipv4.ip_forward=1");
        router.set("nft add table ip nat");
        router.set("nft add chain ip nat out { type nat hook postrouting priority 100 ; }");
        router.set("nft add rule ip nat out oifname eth0 masquerade");
        // As routers do that are sold: what they know no way for they say nothing about.
        router.set("nft add chain ip nat in { type filter hook input priority 0 ; }");
        router.set("nft add rule ip nat in iifname eth0 drop");
        let server = land.host("server", &["10.45.0.1/24"]);
        let caller = land.host("caller", &["10.45.0.11/24"]);
        let folder = place::folder(name);
        let lines = listen_at(&server) + "domains = [\"10.45.0.1\"]";
        let server = Offhook::serve_on(&server, &folder, &["101", "102"], &lines);
        Some(Self { home, router, caller, server, folder, _land: land })
    }

    pub(crate) fn account(&self, number: &str, transport: &'static str, host: &Host) -> Account {
        Account::new(number, self.server.udp).by(transport).on(host)
    }

    /// Whether the router remembers a way for datagrams to the phone.
    fn is_open(&self) -> bool {
        !self.ports().is_empty()
    }

    /// The ports of the router by which datagrams of the phone go out: what it remembers of the way back.
    pub(crate) fn ports(&self) -> BTreeSet<u16> {
        let mut ask =
            self.router.run(std::process::Command::new("cat").arg("/proc/net/nf_conntrack"));
        let table = ask.output().expect("cat");
        assert!(table.status.success(), "no /proc/net/nf_conntrack: {table:?}");
        let table = String::from_utf8_lossy(&table.stdout).into_owned();
        let ours = |line: &&str| line.contains("udp") && line.contains("src=192.168.45.2 ");
        let port = |line: &str| line.rsplit("dport=").next()?.split(' ').next()?.parse().ok();
        table.lines().filter(ours).filter_map(port).collect()
    }
}

/// 102 is at home, and picks up; 101 calls from outside. Sound goes both ways, because each answers where it hears the other.
fn is_called(home: &Home, bob: Phone, transport: &'static str) {
    let alice = home.account("101", transport, &home.caller);
    let alice = Phone::start(&home.folder, &alice, &["call", "102", "--hangup-after", "5s"]);
    sound::assert_heard(&alice.ends_well(), 1000.0, 440.0);
    sound::assert_heard(&bob.ends_well(), 440.0, 1000.0);
}

fn answering(home: &Home, transport: &'static str) -> Phone {
    let bob = home.account("102", transport, &home.home).playing(1000.0);
    let mut bob = Phone::start(&home.folder, &bob, &["answer"]);
    bob.peer.wait_for("\"registered\"", PATIENCE);
    bob
}

#[test]
fn a_phone_at_home_is_called_by_its_connection() {
    let Some(home) = Home::build("nat-tcp") else { return };
    let bob = answering(&home, "tcp");
    is_called(&home, bob, "udp");
    home.server.stop();
}

/// The router forgets after 20 s. Before 29 s are over the phone gives a sign of life, which opens the way again, and the INVITE is repeated
/// 15.5 s after it was first sent at the latest.
#[test]
fn a_phone_whose_router_forgets_is_called_at_its_next_sign_of_life() {
    let Some(home) = Home::build("nat-forgets") else { return };
    for timeout in ["udp_timeout", "udp_timeout_stream"] {
        home.router.set(&format!("sysctl -q -w net.netfilter.nf_conntrack_{timeout}=20"));
    }
    let mut bob = answering(&home, "udp");
    assert!(home.is_open());
    bob.peer.wait_until("forgotten", PATIENCE, || !home.is_open());
    is_called(&home, bob, "udp");
    home.server.stop();
}

#[test]
fn baresip_at_home_is_called_by_its_connection() {
    if !place::installed("baresip", "baresip-core") {
        return;
    }
    let Some(home) = Home::build("nat-baresip") else { return };
    let bob = home.account("102", "tcp", &home.home).playing(1000.0);
    let mut bob = Baresip::register(&home.folder, &bob);
    let alice = home.account("101", "tcp", &home.caller);
    let alice = Phone::start(&home.folder, &alice, &["call", "102", "--hangup-after", "5s"]);
    bob.peer.wait_for("terminated", PATIENCE);
    sound::assert_heard(&alice.ends_well(), 1000.0, 440.0);
    drop(bob);
    home.server.stop();
    let feature = "Behind a router that translates addresses (nft masquerade) it is called by `offhook phone`, which hears it";
    table::passed(&table::BARESIP, feature, "TCP");
}
