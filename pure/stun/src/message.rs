//! `Message`: a STUN message that came, of whichever type (RFC 8489 §5).

use std::net::{IpAddr, SocketAddr};

use subtle::ConstantTimeEq as _;

use crate::attribute::{
    Attribute, ERROR_CODE, FINGERPRINT, MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256, Walk,
};
use crate::crc::fingerprint;
use crate::write::{SIGNATURE_OCTETS, mask, signature};
use crate::{COOKIE, HEADER, limits};

/// A message that came.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Class and method.
    pub kind: u16,
    /// Which question it belongs to.
    pub transaction: [u8; 12],
    datagram: &'a [u8],
    attributes: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads a datagram; `None` when it is none: lengths that do not add up, more than [`limits::MESSAGE`] octets, a fingerprint that is wrong
    /// or not at the end.
    pub fn read(datagram: &'a [u8]) -> Option<Self> {
        let (header, attributes) = datagram.split_first_chunk::<HEADER>()?;
        let [k0, k1, l0, l1, c0, c1, c2, c3, transaction @ ..] = *header;
        let kind = u16::from_be_bytes([k0, k1]);
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let is_stun = kind < 0x4000 && u32::from_be_bytes([c0, c1, c2, c3]) == COOKIE;
        if !is_stun || length != attributes.len() || datagram.len() > limits::MESSAGE {
            return None;
        }
        let mut walk = Walk { octets: attributes, at: 0 };
        while let Some(attribute) = walk.next() {
            let attribute = attribute.ok()?;
            let last = walk.at == attributes.len();
            if attribute.kind == FINGERPRINT && !(last && is_mark(datagram, attribute)) {
                return None;
            }
        }
        Some(Self { kind, transaction, datagram, attributes })
    }

    /// False when it has something that must be understood and is not (RFC 8489 §14).
    pub fn is_understood(&self) -> bool {
        let mut walk = Walk { octets: self.attributes, at: 0 }.map_while(Result::ok);
        !walk.any(|attribute| attribute.is_unknown())
    }

    /// The first attribute of that type, among those that a signature covers: the only one, or the one by SHA-1 where there are two (RFC 8489 §9).
    pub fn find(&self, kind: u16) -> Option<&'a [u8]> {
        let walk = || Walk { octets: self.attributes, at: 0 }.map_while(Result::ok);
        let has = |kind: u16| walk().any(|attribute| attribute.kind == kind);
        let end = match has(MESSAGE_INTEGRITY) {
            true => MESSAGE_INTEGRITY,
            false => MESSAGE_INTEGRITY_SHA256,
        };
        let mut signed = walk().take_while(|attribute| attribute.kind != end);
        signed.find(|attribute| attribute.kind == kind).map(|attribute| attribute.value)
    }

    /// The first attribute of that type, as text.
    pub fn text(&self, kind: u16) -> Option<&'a str> {
        std::str::from_utf8(self.find(kind)?).ok()
    }

    /// The first attribute of that type, as a number.
    pub fn number(&self, kind: u16) -> Option<u32> {
        self.find(kind)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// The first attribute of that type, as an address that was disguised (RFC 8489 §14.2).
    pub fn address(&self, kind: u16) -> Option<SocketAddr> {
        let ([_, family, p0, p1], ip) = self.find(kind)?.split_first_chunk::<4>()?;
        let port = u16::from_be_bytes([*p0, *p1]) ^ (COOKIE >> 16) as u16;
        let clear: Vec<u8> =
            ip.iter().zip(mask(&self.transaction)).map(|(octet, key)| octet ^ key).collect();
        let ip = match family {
            1 => IpAddr::from(<[u8; 4]>::try_from(clear).ok()?),
            2 => IpAddr::from(<[u8; 16]>::try_from(clear).ok()?),
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }

    /// The number of an error (RFC 8489 §14.8).
    pub fn error(&self) -> Option<u16> {
        let [_, _, class, number] = *self.find(ERROR_CODE)?.first_chunk::<4>()?;
        Some(u16::from(class & 7) * 100 + u16::from(number))
    }

    /// True when it is signed with that key (RFC 8489 §14.5).
    pub fn is_signed_with(&self, key: &[u8]) -> bool {
        let mut walk = Walk { octets: self.attributes, at: 0 }.map_while(Result::ok);
        let Some(signed) = walk.find(|attribute| attribute.kind == MESSAGE_INTEGRITY) else {
            return false;
        };
        // The length that was signed counts the signature, and nothing behind it.
        let length = u16::try_from(signed.at.saturating_add(SIGNATURE_OCTETS)).unwrap_or(0);
        let parts = self.datagram.get(..2).zip(self.datagram.get(4..HEADER + signed.at));
        let right =
            parts.and_then(|(kind, rest)| signature(key, &[kind, &length.to_be_bytes(), rest]));
        right.is_some_and(|right| bool::from(right.as_slice().ct_eq(signed.value)))
    }
}

/// Whether this is the fingerprint of all that stands before it.
fn is_mark(datagram: &[u8], attribute: Attribute<'_>) -> bool {
    let before = datagram.get(..HEADER.saturating_add(attribute.at));
    before.is_some_and(|before| attribute.value == fingerprint(before).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Draft, attributes, kinds};

    const KEY: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";

    /// RFC 5769 §2.2: a response, as it went over the wire.
    const SAMPLE: &[u8] = b"\x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x0b\x74\x65\x73\x74\x20\x76\x65\x63\x74\x6f\x72\x20\
        \x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43\
        \x00\x08\x00\x14\x2b\x91\xf5\x99\xfd\x9e\x90\xc3\x8c\x74\x89\xf9\x2a\xf9\xba\x53\xf0\x6b\xe7\xd7\
        \x80\x28\x00\x04\xc0\x7d\x4c\x96";

    /// Proves: rfc8489-14.5-1.
    #[test]
    fn the_example_of_the_rfc_is_read_and_its_signature_is_right() {
        let message = Message::read(SAMPLE).unwrap();
        assert_eq!(message.kind, kinds::BINDING_SUCCESS);
        assert_eq!(message.text(0x8022), Some("test vector"));
        let mapped = message.address(attributes::XOR_MAPPED_ADDRESS);
        assert_eq!(mapped, Some("192.0.2.1:32853".parse().unwrap()));
        assert!(message.is_signed_with(KEY));
        assert!(!message.is_signed_with(b"another"));
    }

    #[test]
    fn what_is_written_reads_back_signed() {
        let at = "[2001:db8::7]:49152".parse().unwrap();
        let draft = Draft::new(kinds::ALLOCATE_ERROR, *b"twelve octet")
            .with(attributes::REALM, b"example.test")
            .with(attributes::ERROR_CODE, b"\0\0\x04\x26Stale Nonce")
            .with_address(attributes::XOR_RELAYED_ADDRESS, at);
        let octets = draft.finish(Some(KEY));
        let message = Message::read(&octets).unwrap();
        assert_eq!(message.text(attributes::REALM), Some("example.test"));
        assert_eq!(
            (message.error(), message.address(attributes::XOR_RELAYED_ADDRESS)),
            (Some(438), Some(at))
        );
        assert!(message.is_signed_with(KEY));
        for place in 0..octets.len() - 8 {
            let mut changed = octets.clone();
            changed[place] ^= 1;
            let good = Message::read(&changed).is_some_and(|message| message.is_signed_with(KEY));
            assert!(!good, "{place}");
        }
    }

    #[test]
    fn what_stands_behind_the_signature_is_not_believed() {
        let mut octets = Draft::new(kinds::BINDING_SUCCESS, [0; 12]).finish(Some(KEY));
        octets.truncate(octets.len() - 8);
        octets.extend_from_slice(b"\x00\x14\x00\x04evil");
        octets[3] = u8::try_from(octets.len() - HEADER).unwrap();
        let message = Message::read(&octets).unwrap();
        assert!(message.is_signed_with(KEY));
        assert_eq!(message.find(attributes::REALM), None);
    }

    proptest! {
        #[test]
        fn nothing_that_comes_does_harm(octets in prop::collection::vec(any::<u8>(), 0..80), place in 0..SAMPLE.len()) {
            let mut changed = SAMPLE.to_vec();
            changed.truncate(place);
            changed.extend(octets);
            if let Some(message) = Message::read(&changed) {
                for kind in [0x8022, attributes::XOR_MAPPED_ADDRESS, attributes::ERROR_CODE] {
                    let _ = (message.find(kind), message.text(kind), message.number(kind), message.address(kind));
                }
                let _ = (message.error(), message.is_signed_with(KEY));
            }
        }
    }
}
