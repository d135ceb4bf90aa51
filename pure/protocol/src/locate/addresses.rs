//! The addresses of a host, in the order to try (RFC 7984 §3.1, RFC 6724 §6).

use std::net::{IpAddr, Ipv6Addr};

use super::Families;
use crate::limits;

/// Which addresses of a host can be used from here, the better first. Of equals, the order is the DNS's.
///
/// RFC 6724's rules that need no route: families that we have (rule 1), precedence by the policy table (rule 6), else as they
/// came (rule 10).
pub(super) fn usable(addresses: impl Iterator<Item = IpAddr>, families: Families) -> Vec<IpAddr> {
    let mut usable: Vec<IpAddr> = Vec::new();
    for ip in addresses.map(|ip| ip.to_canonical()) {
        if families.has(ip) && is_of_a_host(ip) && !usable.contains(&ip) {
            usable.push(ip);
        }
        if usable.len() >= limits::DNS_RECORDS {
            break;
        }
    }
    usable.sort_by_key(|ip| std::cmp::Reverse(precedence(*ip)));
    usable.truncate(limits::ADDRESSES);
    usable
}

/// False for addresses at which no single host can be: nowhere, everywhere, groups.
fn is_of_a_host(ip: IpAddr) -> bool {
    let everywhere = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    // A link-local address says nothing without the link.
    let needs_a_zone = matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    !(ip.is_unspecified() || ip.is_multicast() || everywhere || needs_a_zone)
}

/// The default policy table (RFC 6724 §2.1).
fn precedence(ip: IpAddr) -> u8 {
    let IpAddr::V6(ip) = ip else { return 35 };
    match ip.segments() {
        _ if ip == Ipv6Addr::LOCALHOST => 50,
        [0x2002, ..] => 30,
        [0x2001, 0, ..] => 5,
        [first, ..] if first & 0xfe00 == 0xfc00 => 3,
        [0, 0, 0, 0, 0, 0, ..] => 1,
        _ => 40,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(addresses: &[&str], families: Families) -> Vec<String> {
        let addresses = addresses.iter().map(|ip| ip.parse().unwrap());
        usable(addresses, families).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn ipv6_comes_first_unless_it_is_a_tunnel_or_local() {
        let all = [
            "192.0.2.1",
            "fd00::1",
            "2002::1",
            "2001::1",
            "2001:db8::2",
            "2001:db8::1",
            "192.0.2.0",
        ];
        assert_eq!(
            ordered(&all, Families::Both),
            [
                "2001:db8::2",
                "2001:db8::1",
                "192.0.2.1",
                "192.0.2.0",
                "2002::1",
                "2001::1",
                "fd00::1"
            ]
        );
        assert_eq!(ordered(&all, Families::V4), ["192.0.2.1", "192.0.2.0"]);
        assert_eq!(ordered(&["192.0.2.1", "2001:db8::1"], Families::V6), ["2001:db8::1"]);
    }

    #[test]
    fn what_is_no_host_is_not_tried() {
        let absurd = [
            "0.0.0.0",
            "255.255.255.255",
            "224.0.1.75",
            "::",
            "ff02::1",
            "fe80::1",
            "::ffff:0.0.0.0",
        ];
        assert_eq!(ordered(&absurd, Families::Both), Vec::<String>::new());
        assert_eq!(ordered(&["192.0.2.1", "::ffff:192.0.2.1"], Families::Both), ["192.0.2.1"]);
    }

    #[test]
    fn a_host_of_many_addresses_gets_some() {
        let many = (0..=255).map(|last| IpAddr::from([192, 0, 2, last]));
        assert_eq!(usable(many, Families::Both).len(), limits::ADDRESSES);
    }
}
