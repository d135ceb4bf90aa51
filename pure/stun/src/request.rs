//! `Request`: a Binding request, or nothing that is answered (RFC 8489 §5, §6.3).

use crate::attribute::{FINGERPRINT, Walk};
use crate::crc::fingerprint;
use crate::{COOKIE, HEADER, limits};

/// A Binding request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Comes back in the answer.
    pub(crate) transaction: [u8; 12],
    /// Types of attributes that its sender wants understood, and that nobody here does.
    pub(crate) unknown: Vec<u16>,
}

/// Class request, method Binding.
const BINDING_REQUEST: u16 = 0x0001;

impl Request {
    /// Reads a datagram; `None` for everything that is not a whole Binding request: another class or method, lengths that do not
    /// add up, a FINGERPRINT that is wrong or not at the end.
    pub(crate) fn read(datagram: &[u8]) -> Option<Self> {
        let (header, attributes) = datagram.split_first_chunk::<HEADER>()?;
        let [k0, k1, l0, l1, c0, c1, c2, c3, transaction @ ..] = *header;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let is_request = u16::from_be_bytes([k0, k1]) == BINDING_REQUEST
            && u32::from_be_bytes([c0, c1, c2, c3]) == COOKIE;
        if !is_request || length != attributes.len() || datagram.len() > limits::REQUEST {
            return None;
        }
        let mut unknown = Vec::new();
        let mut walk = Walk { octets: attributes, at: 0 };
        while let Some(attribute) = walk.next() {
            let attribute = attribute.ok()?;
            if attribute.kind == FINGERPRINT {
                let right = fingerprint(datagram.get(..HEADER + attribute.at)?).to_be_bytes();
                let last = walk.at == attributes.len();
                return (last && attribute.value == right).then_some(Self { transaction, unknown });
            }
            if attribute.is_unknown() && unknown.len() < limits::UNKNOWN {
                unknown.push(attribute.kind);
            }
        }
        Some(Self { transaction, unknown })
    }
}
