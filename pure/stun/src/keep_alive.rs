//! The client's half of the keep-alive (RFC 5626 §4.4.2): asking, and reading from where the question was seen to come.

use std::net::SocketAddr;

use crate::attribute::XOR_MAPPED_ADDRESS;
use crate::kinds::BINDING_SUCCESS;
use crate::{COOKIE, Message, limits};

/// A Binding request without any attribute, which RFC 5626 §4.4.2 wants to stay so.
pub fn ask(transaction: &[u8; 12]) -> Vec<u8> {
    [&[0, 1, 0, 0], &COOKIE.to_be_bytes()[..], transaction].concat()
}

/// The transaction of a Binding success response, and the address in it; `None` for everything else. Whether somebody has asked for it is for
/// the caller to see: the transaction is a secret of 96 bits.
pub fn mapped(datagram: &[u8]) -> Option<([u8; 12], SocketAddr)> {
    let message = Message::read(datagram).filter(|_| datagram.len() <= limits::REQUEST)?;
    if message.kind != BINDING_SUCCESS || !message.is_understood() {
        return None;
    }
    Some((message.transaction, message.address(XOR_MAPPED_ADDRESS)?))
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
        // Each octet counts: the fingerprint sees to that, but for the two that say that it is one.
        for at in (0..good.len()).filter(|at| ![32, 33].contains(at)) {
            let mut bad = good.clone();
            bad[at] ^= 4;
            assert_eq!(mapped(&bad), None, "{at}");
        }
        let unknown = [&good[..3], &[4], &good[4..20], b"\x7f\xff\0\0"].concat();
        assert_eq!(mapped(&unknown), None);
    }
}
