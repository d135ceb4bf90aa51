//! The answer to a Binding request (RFC 8489 §6.3.1.1, §14).

use std::net::SocketAddr;

use crate::Draft;
use crate::attribute::{ERROR_CODE, UNKNOWN_ATTRIBUTES, XOR_MAPPED_ADDRESS};
use crate::kinds::{BINDING_ERROR, BINDING_SUCCESS};
use crate::request::Request;

/// What is answered to a datagram that came from there: where it came from, or which attribute is not understood. `None` for whatever is
/// no Binding request. An answer never has more than thrice the octets of its request, so nobody is worth reflecting off us.
pub fn answer(datagram: &[u8], from: SocketAddr) -> Option<Vec<u8>> {
    let Request { transaction, unknown } = Request::read(datagram)?;
    let kind = if unknown.is_empty() { BINDING_SUCCESS } else { BINDING_ERROR };
    let answer = Draft::new(kind, transaction);
    let answer = if unknown.is_empty() {
        answer.with_address(XOR_MAPPED_ADDRESS, from)
    } else {
        let kinds: Vec<u8> = unknown.iter().flat_map(|kind| kind.to_be_bytes()).collect();
        answer.with(ERROR_CODE, UNKNOWN_ATTRIBUTE).with(UNKNOWN_ATTRIBUTES, &kinds)
    };
    Some(answer.finish(None))
}

/// Class 4, number 20, and a phrase (§14.8).
const UNKNOWN_ATTRIBUTE: &[u8] = b"\0\0\x04\x14Unknown Attribute";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::COOKIE;
    use crate::crc::fingerprint;

    /// A Binding request with attributes, its length right.
    fn request(attributes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(attributes.len()).unwrap().to_be_bytes();
        [&[0, 1], &length[..], &COOKIE.to_be_bytes(), b"transaction!", attributes].concat()
    }

    fn answered(attributes: &[u8]) -> Option<Vec<u8>> {
        answer(&request(attributes), "192.0.2.1:32853".parse().unwrap())
    }

    /// The addresses of RFC 5769 §2.2 and §2.3, under the transaction that they have there.
    ///
    /// Proves: rfc5626-8-1, rfc8489-5-3, rfc8489-5-6, rfc8489-5-7.
    #[test]
    fn an_answer_says_where_the_request_came_from() {
        let transaction = *b"\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae";
        let ask = [&[0, 1, 0, 0], &COOKIE.to_be_bytes()[..], &transaction].concat();
        let v4 = answer(&ask, "192.0.2.1:32853".parse().unwrap()).unwrap();
        let head = [&[1, 1, 0, 20], &COOKIE.to_be_bytes()[..], &transaction].concat();
        assert_eq!(v4[..20], head);
        assert_eq!(v4[20..32], *b"\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43");
        assert_eq!(v4[32..36], *b"\x80\x28\x00\x04");
        assert_eq!(v4[36..], fingerprint(&v4[..32]).to_be_bytes());
        let v6 = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
        let v6 = answer(&ask, v6).unwrap();
        let attribute = b"\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9";
        assert_eq!(v6[20..44], *attribute);
    }

    #[test]
    fn what_is_no_binding_request_is_met_with_silence() {
        let good = request(b"");
        assert!(answer(&good, "192.0.2.1:9".parse().unwrap()).is_some());
        let mut others: Vec<Vec<u8>> = (0..good.len()).map(|end| good[..end].to_vec()).collect();
        for (at, octet) in [(0, 0x40), (1, 0x11), (0, 1), (1, 2), (3, 4), (3, 1), (4, 0)] {
            let mut other = good.clone();
            other[at] = octet;
            others.push(other);
        }
        others.push([&good[..], b"tail"].concat());
        for attributes in [
            &b"\x80\x22"[..],
            b"\x80\x22\xff\xff",
            b"\x80\x22\x00\x01a",
            b"\x80\x28\x00\x04wron",
            b"\x80\x28\x00\x03abc\0",
        ] {
            others.push(request(attributes));
        }
        others.push(request(&b"\x80\x22\x00\x00".repeat(140)));
        for other in others {
            assert_eq!(answer(&other, "192.0.2.1:9".parse().unwrap()), None, "{other:02x?}");
        }
    }

    /// Proves: rfc8489-6.3-1, rfc8489-6.3-2, rfc8489-6.3.1.1-1, rfc8489-6.3.1.1-3, rfc8489-12-1, rfc8489-12-2, rfc8489-12-5.
    #[test]
    fn what_need_not_be_understood_is_ignored_and_what_must_be_is_named() {
        for ignored in
            [&b"\x80\x22\x00\x03abc\0"[..], b"\xff\xff\x00\x00", b"\x00\x06\x00\x01u\0\0\0"]
        {
            assert_eq!(answered(ignored).unwrap()[..2], [1, 1], "{ignored:?}");
        }
        let refused = answered(b"\x7f\xff\x00\x00\x80\x22\x00\x00\x00\x07\x00\x00").unwrap();
        assert_eq!(refused[..2], [1, 0x11]);
        assert_eq!(refused[20..45], *b"\x00\x09\x00\x15\x00\x00\x04\x14Unknown Attribute");
        assert_eq!(refused[48..56], *b"\x00\x0a\x00\x04\x7f\xff\x00\x07");
    }

    /// Proves: rfc8489-14.7-1.
    #[test]
    fn a_fingerprint_is_the_last_and_right() {
        let mut whole = request(b"\x80\x28\x00\x04....");
        let mark = fingerprint(&whole[..20]).to_be_bytes();
        whole[24..].copy_from_slice(&mark);
        assert!(answer(&whole, "192.0.2.1:9".parse().unwrap()).is_some());
        let more = request(&[&whole[20..], b"\x80\x22\x00\x00"].concat());
        assert_eq!(answer(&more, "192.0.2.1:9".parse().unwrap()), None);
    }

    proptest! {
        #[test]
        fn an_answer_is_never_worth_reflecting(
            attributes in prop::collection::vec(any::<u8>(), 0..64).prop_map(|mut octets| {
                octets.truncate(octets.len() / 4 * 4);
                octets.chunks_exact_mut(4).for_each(|head| head[2..].fill(0));
                octets
            }),
            v6: bool,
        ) {
            let from = if v6 { "[2001:db8::1]:9" } else { "192.0.2.1:9" };
            let request = request(&attributes);
            if let Some(answer) = answer(&request, from.parse().unwrap()) {
                prop_assert!(answer.len() <= 3 * request.len());
                prop_assert_eq!(answer.len() % 4, 0);
            }
        }
    }
}
