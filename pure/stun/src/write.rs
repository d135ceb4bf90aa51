//! Writing messages: attributes, lengths, signatures (RFC 8489 §5, §14).

use std::net::{IpAddr, SocketAddr};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use crate::attribute::{FINGERPRINT, MESSAGE_INTEGRITY};
use crate::crc::fingerprint;
use crate::{COOKIE, HEADER};

/// A message that is being written.
#[derive(Clone, Debug)]
pub struct Draft {
    octets: Vec<u8>,
    transaction: [u8; 12],
}

impl Draft {
    /// A message of that type (class and method, RFC 8489 §5), in that transaction.
    pub fn new(kind: u16, transaction: [u8; 12]) -> Self {
        let mut octets = Vec::with_capacity(128);
        octets.extend_from_slice(&kind.to_be_bytes());
        octets.extend_from_slice(&[0; 2]);
        octets.extend_from_slice(&COOKIE.to_be_bytes());
        octets.extend_from_slice(&transaction);
        Self { octets, transaction }
    }

    /// With an attribute more.
    #[must_use]
    pub fn with(mut self, kind: u16, value: &[u8]) -> Self {
        put(&mut self.octets, kind, value);
        self
    }

    /// With an address, disguised (RFC 8489 §14.2).
    #[must_use]
    pub fn with_address(self, kind: u16, address: SocketAddr) -> Self {
        let value = disguised(address, &self.transaction);
        self.with(kind, &value)
    }

    /// The message, signed with the key, if there is one (RFC 8489 §14.5), and marked (§14.7).
    pub fn finish(mut self, key: Option<&[u8]>) -> Vec<u8> {
        if let Some(key) = key {
            // The length that is signed counts the signature (§14.5).
            set_length(&mut self.octets, SIGNATURE_OCTETS);
            if let Some(signature) = signature(key, &[&self.octets]) {
                put(&mut self.octets, MESSAGE_INTEGRITY, &signature);
            }
        }
        // And that which is marked counts the mark (§14.7).
        set_length(&mut self.octets, FINGERPRINT_OCTETS);
        let mark = fingerprint(&self.octets).to_be_bytes();
        put(&mut self.octets, FINGERPRINT, &mark);
        self.octets
    }
}

/// HMAC-SHA1 over these (RFC 8489 §14.5).
pub(crate) fn signature(key: &[u8], octets: &[&[u8]]) -> Option<[u8; 20]> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).ok()?;
    octets.iter().for_each(|octets| mac.update(octets));
    Some(mac.finalize().into_bytes().into())
}

const FINGERPRINT_OCTETS: usize = 8;
pub(crate) const SIGNATURE_OCTETS: usize = 24;

fn put(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(value.len()).unwrap_or(0);
    message.extend_from_slice(&kind.to_be_bytes());
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(value);
    message.resize(message.len().next_multiple_of(4), 0);
}

/// Writes how long the message is, when so many octets more will follow.
fn set_length(message: &mut [u8], more: usize) {
    let length = message.len().saturating_sub(HEADER).saturating_add(more);
    if let (Some(place), Ok(length)) = (message.get_mut(2..4), u16::try_from(length)) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// An address under the cookie and the transaction (§14.2).
fn disguised(address: SocketAddr, transaction: &[u8; 12]) -> Vec<u8> {
    let port = address.port() ^ (COOKIE >> 16) as u16;
    let (family, ip) = match address.ip().to_canonical() {
        IpAddr::V4(ip) => (1, ip.octets().to_vec()),
        IpAddr::V6(ip) => (2, ip.octets().to_vec()),
    };
    let ip = ip.iter().zip(mask(transaction)).map(|(octet, key)| octet ^ key);
    [0, family].into_iter().chain(port.to_be_bytes()).chain(ip).collect()
}

/// What disguises an address.
pub(crate) fn mask(transaction: &[u8; 12]) -> impl Iterator<Item = u8> {
    COOKIE.to_be_bytes().into_iter().chain(*transaction)
}
