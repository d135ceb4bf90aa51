//! `Network`: the addresses that share their first bits: "192.0.2.0/24", "2001:db8::/32" (RFC 4632).

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use protocol::bans::Source;

/// Some addresses that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    /// How many bits all have in common.
    bits: u8,
}

impl Network {
    /// Is this one of its addresses? An IPv4 address mapped into IPv6 is that address.
    pub fn has(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        ip.is_ipv4() == self.first.is_ipv4()
            && masked(ip, self.bits) == masked(self.first, self.bits)
    }

    /// Does it share addresses with a source? Of an IPv6 source only the network is known.
    pub(crate) fn meets(&self, source: Source) -> bool {
        let (ip, bits) = (source.ip(), self.bits.min(if source.ip().is_ipv4() { 32 } else { 64 }));
        ip.is_ipv4() == self.first.is_ipv4() && masked(ip, bits) == masked(self.first, bits)
    }
}

/// An address as the highest bits of a number, without those after `bits`.
fn masked(ip: IpAddr, bits: u8) -> u128 {
    let number = match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()) << 96,
        IpAddr::V6(ip) => Ipv6Addr::to_bits(ip),
    };
    let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits.into())).unwrap_or(0);
    number & mask
}

impl FromStr for Network {
    type Err = &'static str;

    /// Reads a network, or an address that stands alone.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (ip, bits) = match text.split_once('/') {
            Some((ip, bits)) => (ip, Some(bits)),
            None => (text, None),
        };
        let first: IpAddr = ip.parse().map_err(|_| "is no network and no address")?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = match bits.map(str::parse::<u8>) {
            None => most,
            Some(Ok(bits)) if bits <= most => bits,
            Some(_) => return Err("has a wrong number of bits after the slash"),
        };
        if masked(first, bits) != masked(first, most) {
            return Err("has bits behind its network");
        }
        Ok(Self { first, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = if self.first.is_ipv4() { 32 } else { 128 };
        if self.bits == most {
            self.first.fmt(f)
        } else {
            write!(f, "{}/{}", self.first, self.bits)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bits_count() {
        for (network, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.7", "::ffff:192.0.2.7", "192.0.2.8"),
            ("10.0.0.0/8", "10.255.0.1", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("0.0.0.0/0", "203.0.113.1", "::1"),
            ("::/0", "::1", "192.0.2.1"),
        ] {
            let written: Network = network.parse().unwrap();
            assert!(written.has(inside.parse().unwrap()), "{network}");
            assert!(!written.has(outside.parse().unwrap()), "{network}");
            assert_eq!(written.to_string(), network);
        }
    }

    #[test]
    fn a_source_is_met_by_any_of_its_addresses() {
        for (network, met, not_met) in [
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("::1", "::/64", "127.0.0.1"),
            ("2001:db8::/32", "2001:db8:ffff::/64", "2001:db9::/64"),
            ("2001:db8::7", "2001:db8::/64", "2001:db8:0:1::/64"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.meets(met.parse().unwrap()), "{network}");
            assert!(!network.meets(not_met.parse().unwrap()), "{network}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for bad in ["", "a", "192.0.2.0/33", "192.0.2.1/24", "::1/129", "192.0.2.0/", "10/8"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
