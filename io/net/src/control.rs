//! Control messages: what the kernel says, and is told, beside a datagram (cmsg(3), ip(7), ipv6(7)). Octets only; no `unsafe` here.

use std::mem::{offset_of, size_of};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libc::{c_int, cmsghdr};

/// Room for the control messages of one datagram: an `in6_pktinfo`, or a `sock_extended_err` and an address.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub(crate) struct Control(pub [u8; 128]);

/// Octets of a `cmsghdr`, with the padding behind it.
const HEADER: usize = size_of::<cmsghdr>().next_multiple_of(size_of::<usize>());

/// One control message: level, kind, and what it says.
type Entry<'a> = (c_int, c_int, &'a [u8]);

impl Control {
    /// Nothing.
    pub(crate) const EMPTY: Self = Self([0; 128]);

    /// The messages in it, when the kernel has filled so many octets.
    fn entries(&self, length: usize) -> impl Iterator<Item = Entry<'_>> {
        let mut rest = self.0.get(..length).unwrap_or_default();
        std::iter::from_fn(move || {
            let size = usize::from_ne_bytes(*rest.first_chunk()?);
            let level = number(rest, offset_of!(cmsghdr, cmsg_level))?;
            let kind = number(rest, offset_of!(cmsghdr, cmsg_type))?;
            let data = rest.get(HEADER..size)?;
            rest = rest.get(size.next_multiple_of(size_of::<usize>())..).unwrap_or_default();
            Some((level, kind, data))
        })
    }

    /// Which of our addresses a datagram came to.
    pub(crate) fn local_address(&self, length: usize) -> Option<IpAddr> {
        self.entries(length).find_map(|(level, kind, data)| match (level, kind) {
            // struct in_pktinfo: index, the address of the interface, the address in the header.
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                Some(Ipv4Addr::from(*data.get(8..)?.first_chunk::<4>()?).into())
            }
            // struct in6_pktinfo: address, index.
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                Some(Ipv6Addr::from(*data.first_chunk::<16>()?).into())
            }
            _ => None,
        })
    }

    /// Whether it says that somebody cannot be reached: host, network, port or protocol (RFC 3261 §18.4). Time exceeded says
    /// the same error as host unreachable; it differs by its ICMP type.
    pub(crate) fn is_unreachable(&self, length: usize) -> bool {
        self.entries(length).any(|(level, kind, data)| {
            // struct sock_extended_err: errno, origin, type.
            let (errno, icmp) = (number(data, 0), data.get(5).copied());
            let errors = [
                libc::ECONNREFUSED,
                libc::EHOSTUNREACH,
                libc::ENETUNREACH,
                libc::ENOPROTOOPT,
                libc::EACCES,
            ];
            // ICMP destination unreachable is 3; ICMPv6's is 1 (RFC 792, RFC 4443).
            let unreachable = match (level, kind) {
                (libc::IPPROTO_IP, libc::IP_RECVERR) => icmp == Some(3),
                (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => icmp == Some(1),
                _ => false,
            };
            unreachable && errno.is_some_and(|errno| errors.contains(&errno))
        })
    }

    /// Says which of our addresses a datagram comes from, and into pieces of how many octets the kernel cuts it; and how many octets it took to say so.
    pub(crate) fn of(from: Option<IpAddr>, segment: Option<u16>) -> (Self, usize) {
        let (mut control, mut length) = (Self::EMPTY, 0);
        match from {
            Some(IpAddr::V4(ip)) => {
                let info = (libc::IPPROTO_IP, libc::IP_PKTINFO, size_of::<libc::in_pktinfo>());
                length = control.add(length, info, (4, &ip.octets()));
            }
            Some(IpAddr::V6(ip)) => {
                let info = (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, size_of::<libc::in6_pktinfo>());
                length = control.add(length, info, (0, &ip.octets()));
            }
            None => {}
        }
        if let Some(octets) = segment {
            let cut = (libc::SOL_UDP, libc::UDP_SEGMENT, size_of::<u16>());
            length = control.add(length, cut, (0, &octets.to_ne_bytes()));
        }
        (control, length)
    }

    /// Adds a message of so many octets, of which all are zero but those that are said from an offset on; where the next one begins.
    fn add(&mut self, at: usize, message: (c_int, c_int, usize), said: (usize, &[u8])) -> usize {
        let (level, kind, size) = message;
        self.put(at, &(HEADER + size).to_ne_bytes());
        self.put(at + offset_of!(cmsghdr, cmsg_level), &level.to_ne_bytes());
        self.put(at + offset_of!(cmsghdr, cmsg_type), &kind.to_ne_bytes());
        self.put(at + HEADER + said.0, said.1);
        at + (HEADER + size).next_multiple_of(size_of::<usize>())
    }

    fn put(&mut self, at: usize, octets: &[u8]) {
        if let Some(place) = self.0.get_mut(at..at.saturating_add(octets.len())) {
            place.copy_from_slice(octets);
        }
    }
}

fn number(octets: &[u8], at: usize) -> Option<c_int> {
    Some(c_int::from_ne_bytes(*octets.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_kernel_says_is_read_without_harm() {
        // Sizes that are too small, too large, or nonsense.
        for size in [0, 1, HEADER - 1, HEADER, HEADER + 3, 127, 128, 129, usize::MAX] {
            let mut control = Control::of(Some([127, 0, 0, 1].into()), None).0;
            control.put(0, &size.to_ne_bytes());
            for length in [0, 7, 8, 16, 64, 128, 129, usize::MAX] {
                let whole = length == 128 && (HEADER + 12..=128).contains(&size);
                let read = whole.then(|| [0, 0, 0, 0].into());
                assert_eq!(control.local_address(length), read, "{size} {length}");
                assert!(!control.is_unreachable(length));
            }
        }
    }

    /// Proves: rfc3261-18.4-2.
    #[test]
    fn time_exceeded_is_no_failure() {
        let news = |level: c_int, kind: c_int, errno: c_int, icmp: u8| {
            let mut control = Control::EMPTY;
            control.put(0, &(HEADER + 16).to_ne_bytes());
            control.put(offset_of!(cmsghdr, cmsg_level), &level.to_ne_bytes());
            control.put(offset_of!(cmsghdr, cmsg_type), &kind.to_ne_bytes());
            control.put(HEADER, &errno.to_ne_bytes());
            control.put(HEADER + 5, &[icmp]);
            control.is_unreachable(HEADER + 16)
        };
        let (four, six) =
            ((libc::IPPROTO_IP, libc::IP_RECVERR), (libc::IPPROTO_IPV6, libc::IPV6_RECVERR));
        assert!(news(four.0, four.1, libc::ECONNREFUSED, 3));
        assert!(news(six.0, six.1, libc::ECONNREFUSED, 1));
        // Time exceeded, source quench.
        assert!(!news(four.0, four.1, libc::EHOSTUNREACH, 11));
        assert!(!news(six.0, six.1, libc::EHOSTUNREACH, 3));
        assert!(!news(four.0, four.1, 0, 4));
    }
}
