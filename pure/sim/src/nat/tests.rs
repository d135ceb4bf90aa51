//! Each requirement of RFC 4787 that a NAT here can keep or break; the tests bear their numbers.

use std::time::Duration;

use super::*;

const UDP: Transport = Transport::Udp;
const START: Time = Time(1_000_000_000_000);

fn nat(rules: NatRules, external: &[&str]) -> Nat {
    let external = external.iter().map(|ip| ip.parse().unwrap()).collect();
    Nat::new(rules, external, Dice::new(1))
}

fn one(rules: NatRules) -> Nat {
    nat(rules, &["198.51.100.1"])
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn out(nat: &mut Nat, now: Time, from: &str, to: &str) -> SocketAddr {
    nat.outbound(now, UDP, at(from), at(to)).unwrap()
}

const IN: &str = "192.168.0.2:5060";
const DEPENDENCES: [Dependence; 3] = [
    Dependence::EndpointIndependent,
    Dependence::AddressDependent,
    Dependence::AddressAndPortDependent,
];

#[test]
fn req_1_what_a_mapping_depends_on() {
    let expected = [(true, true), (true, false), (false, false)];
    for (mapping, (same_for_port, same_for_address)) in DEPENDENCES.into_iter().zip(expected) {
        let mut nat = one(NatRules { mapping, ..NatRules::WELL_BEHAVED });
        let first = out(&mut nat, START, IN, "192.0.2.2:1000");
        assert_eq!(first, out(&mut nat, START, IN, "192.0.2.2:1000"));
        assert_eq!(first == out(&mut nat, START, IN, "192.0.2.2:2000"), same_for_port);
        assert_eq!(first == out(&mut nat, START, IN, "192.0.2.3:1000"), same_for_address);
    }
}

#[test]
fn req_2_paired_pooling_keeps_an_address() {
    let addresses = |pooling| {
        let rules = NatRules { pooling, ..NatRules::WELL_BEHAVED };
        let mut nat = nat(rules, &["198.51.100.1", "198.51.100.2", "198.51.100.3"]);
        let ports = 5000..5050;
        let seen = ports
            .map(|port| out(&mut nat, START, &format!("192.168.0.2:{port}"), "192.0.2.2:1").ip());
        seen.collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(addresses(Pooling::Paired), 1);
    assert_eq!(addresses(Pooling::Arbitrary), 3);
}

#[test]
fn req_3_no_two_mappings_share_an_external_endpoint() {
    for ports in [Ports::Preserve, Ports::Parity, Ports::Any] {
        let mut nat = one(NatRules { ports, ..NatRules::SYMMETRIC });
        let mut seen = std::collections::BTreeSet::new();
        for host in 1..=20 {
            for remote in 1..=50 {
                let (from, to) = (format!("192.168.0.{host}:5060"), format!("192.0.2.2:{remote}"));
                assert!(seen.insert(out(&mut nat, START, &from, &to)), "{ports:?}");
            }
        }
    }
}

#[test]
fn req_3a_well_known_ports_stay_well_known() {
    let mut nat = one(NatRules::WELL_BEHAVED);
    assert_eq!(out(&mut nat, START, "192.168.0.2:53", "192.0.2.2:1").port(), 53);
    let second = out(&mut nat, START, "192.168.0.3:53", "192.0.2.2:1").port();
    assert!(second < 1024 && second != 53, "{second}");
    assert_eq!(out(&mut nat, START, IN, "192.0.2.2:1").port(), 5060);
    assert!(out(&mut nat, START, "192.168.0.3:5060", "192.0.2.2:1").port() >= 1024);
}

#[test]
fn req_4_parity_is_kept() {
    for ports in [Ports::Preserve, Ports::Parity] {
        let mut nat = one(NatRules { ports, ..NatRules::WELL_BEHAVED });
        for host in 1..=20 {
            for port in [4000, 4001, 65_534, 65_535, 1, 2, 1023] {
                let external =
                    out(&mut nat, START, &format!("10.0.0.{host}:{port}"), "192.0.2.2:1");
                assert_eq!(external.port() % 2, port % 2, "{ports:?} {port}");
                assert_eq!(external.port() < 1024, port < 1024, "{ports:?} {port}");
                assert_ne!(external.port(), 0);
            }
        }
    }
}

#[test]
fn req_5_a_mapping_lives_as_long_as_it_says() {
    let mut nat = one(NatRules::WELL_BEHAVED);
    let external = out(&mut nat, START, IN, "192.0.2.2:1000");
    let alive = START + Duration::from_secs(299);
    assert_eq!(nat.inbound(alive, UDP, at("192.0.2.2:1000"), external), Ok(at(IN)));
    let dead = START + Duration::from_secs(300);
    assert_eq!(nat.inbound(dead, UDP, at("192.0.2.2:1000"), external), Err(Fate::Unmapped));
    assert!(NatRules::WELL_BEHAVED.udp_timeout >= Duration::from_secs(120));
}

#[test]
fn req_6_outbound_refreshes_and_inbound_only_if_so_ruled() {
    let (later, last) = (START + Duration::from_secs(200), START + Duration::from_secs(400));
    let bob = at("192.0.2.2:1000");
    let mut kept = one(NatRules::WELL_BEHAVED);
    let external = out(&mut kept, START, IN, "192.0.2.2:1000");
    assert_eq!(external, out(&mut kept, later, IN, "192.0.2.2:1000"));
    assert_eq!(kept.inbound(last, UDP, bob, external), Ok(at(IN)));
    for (refresh, then) in [(Refresh::Outbound, Err(Fate::Unmapped)), (Refresh::Both, Ok(at(IN)))] {
        let mut nat = one(NatRules { refresh, ..NatRules::WELL_BEHAVED });
        let external = out(&mut nat, START, IN, "192.0.2.2:1000");
        assert_eq!(nat.inbound(later, UDP, bob, external), Ok(at(IN)));
        assert_eq!(nat.inbound(last, UDP, bob, external), then, "{refresh:?}");
    }
}

#[test]
fn req_8_whom_a_filter_lets_in() {
    let expected = [(Ok(at(IN)), Ok(at(IN))), (Ok(at(IN)), Err(Fate::Filtered))];
    let last = (Err(Fate::Filtered), Err(Fate::Filtered));
    for (filtering, (port, address)) in
        DEPENDENCES.into_iter().zip(expected.into_iter().chain([last]))
    {
        let mut nat = one(NatRules { filtering, ..NatRules::WELL_BEHAVED });
        let external = out(&mut nat, START, IN, "192.0.2.2:1000");
        assert_eq!(nat.inbound(START, UDP, at("192.0.2.2:1000"), external), Ok(at(IN)));
        assert_eq!(nat.inbound(START, UDP, at("192.0.2.2:2000"), external), port);
        assert_eq!(nat.inbound(START, UDP, at("192.0.2.3:1000"), external), address);
    }
}

#[test]
fn req_8_a_filter_forgets_whom_the_inside_has_not_sent_to_lately() {
    let mut nat = one(NatRules::WELL_BEHAVED);
    let external = out(&mut nat, START, IN, "192.0.2.2:1000");
    let later = START + Duration::from_secs(200);
    out(&mut nat, later, IN, "192.0.2.3:1000");
    let last = START + Duration::from_secs(400);
    assert_eq!(nat.inbound(last, UDP, at("192.0.2.3:1"), external), Ok(at(IN)));
    assert_eq!(nat.inbound(last, UDP, at("192.0.2.2:1000"), external), Err(Fate::Filtered));
}

#[test]
fn req_11_the_same_dice_map_the_same_way() {
    let ports = || -> Vec<SocketAddr> {
        let mut nat = one(NatRules::SYMMETRIC);
        (1..100).map(|n| out(&mut nat, START, IN, &format!("192.0.2.2:{n}"))).collect()
    };
    assert_eq!(ports(), ports());
}

#[test]
fn datagrams_and_streams_have_ports_of_their_own() {
    let mut nat = one(NatRules::WELL_BEHAVED);
    let udp = out(&mut nat, START, IN, "192.0.2.2:1");
    let tcp = nat.outbound(START, Transport::Tcp, at("192.168.0.3:5060"), at("192.0.2.2:1"));
    assert_eq!(tcp, Ok(udp));
    assert_eq!(nat.peek(START, UDP, udp), Some(at(IN)));
}

#[test]
fn a_full_table_makes_room_only_when_mappings_expire() {
    let mut nat = one(NatRules { table: 2, ..NatRules::WELL_BEHAVED });
    let mut map = |now, port| {
        let from = SocketAddr::new("10.0.0.2".parse().unwrap(), port);
        nat.outbound(now, UDP, from, at("192.0.2.2:1")).map(|at| at.port())
    };
    assert_eq!(map(START, 4000), Ok(4000));
    assert_eq!(map(START, 4002), Ok(4002));
    assert_eq!(map(START, 4004), Err(Fate::Exhausted));
    assert_eq!(map(START + Duration::from_secs(300), 4004), Ok(4004));
}

#[test]
fn a_restart_forgets() {
    let mut nat = one(NatRules::WELL_BEHAVED);
    let external = out(&mut nat, START, IN, "192.0.2.2:1000");
    nat.forget();
    assert_eq!(nat.peek(START, UDP, external), None);
    assert_eq!(nat.alive(START), 0);
}
