//! The client's half of the keep-alive (RFC 5626 §4.4.2): asking, and reading from where the question was seen to come.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::attribute::{FINGERPRINT, Walk, XOR_MAPPED_ADDRESS};
use crate::crc::fingerprint;
use crate::{COOKIE, HEADER, limits};

/// A Binding request without any attribute, which RFC 5626 §4.4.2 wants to stay so.
pub fn ask(transaction: &[u8; 12]) -> Vec<u8> {
    [&[0, 1, 0, 0], &COOKIE.to_be_bytes()[..], transaction].concat()
}

/// The transaction of a Binding success response, and the address in it; `None` for everything else. Whether somebody has asked for it is for
/// the caller to see: the transaction is a secret of 96 bits.
pub fn mapped(datagram: &[u8]) -> Option<([u8; 12], SocketAddr)> {
    let (header, attributes) = datagram.split_first_chunk::<HEADER>()?;
    let [k0, k1, l0, l1, c0, c1, c2, c3, transaction @ ..] = *header;
    let whole = usize::from(u16::from_be_bytes([l0, l1])) == attributes.len();
    let success = [k0, k1] == [1, 1] && u32::from_be_bytes([c0, c1, c2, c3]) == COOKIE;
    if !success || !whole || datagram.len() > limits::REQUEST {
        return None;
    }
    let (mut found, mut walk) = (None, Walk { octets: attributes, at: 0 });
    while let Some(attribute) = walk.next() {
        let attribute = attribute.ok()?;
        match attribute.kind {
            XOR_MAPPED_ADDRESS if found.is_none() => {
                found = Some(revealed(attribute.value, &transaction)?);
            }
            FINGERPRINT => {
                let right = fingerprint(datagram.get(..HEADER + attribute.at)?).to_be_bytes();
                if attribute.value != right || walk.at != attributes.len() {
                    return None;
                }
            }
            _ if attribute.is_unknown() => return None,
            _ => {}
        }
    }
    Some((transaction, found?))
}

/// An address from under the cookie and the transaction (RFC 8489 §14.2).
fn revealed(value: &[u8], transaction: &[u8; 12]) -> Option<SocketAddr> {
    let ([_, family, p0, p1], ip) = value.split_first_chunk::<4>()?;
    let port = u16::from_be_bytes([*p0, *p1]) ^ (COOKIE >> 16) as u16;
    let cookie = COOKIE.to_be_bytes();
    let key = cookie.iter().chain(transaction);
    let ip: Vec<u8> = ip.iter().zip(key).map(|(octet, key)| octet ^ key).collect();
    let ip: IpAddr = match family {
        1 => Ipv4Addr::from(<[u8; 4]>::try_from(ip).ok()?).into(),
        2 => Ipv6Addr::from(<[u8; 16]>::try_from(ip).ok()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer;

    #[test]
    fn what_was_asked_is_answered_with_where_it_came_from() {
        for from in ["192.0.2.1:32853", "[2001:db8::7]:5060"] {
            let from = from.parse().unwrap();
            let question = ask(b"transaction!");
            let reply = answer(&question, from).unwrap();
            assert_eq!(mapped(&reply), Some((*b"transaction!", from)));
            assert_eq!(mapped(&question), None);
        }
    }

    #[test]
    fn what_is_garbled_says_nothing() {
        let good = answer(&ask(b"transaction!"), "192.0.2.1:32853".parse().unwrap()).unwrap();
        for end in 0..good.len() {
            assert_eq!(mapped(&good[..end]), None, "{end}");
        }
        // Each octet counts: the fingerprint sees to that, but for those of the transaction, which only its sender knows.
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 4;
            assert_eq!(mapped(&bad), None, "{at}");
        }
        let unknown = [&good[..3], &[4], &good[4..20], b"\x7f\xff\0\0"].concat();
        assert_eq!(mapped(&unknown), None);
    }
}
