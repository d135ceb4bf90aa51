//! `Session`: the keys of one direction, and what they do to one packet (RFC 3711 §3.3, §3.4, §4; RFC 7714 §8, §9).

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use hmac::{Hmac, Mac};
use sha1::Sha1;

use crate::cipher::Block;
use crate::derive::{Label, Whose, derive};
use crate::{Master, Refused};

/// The keys of one direction, for sound or for reports.
#[derive(Clone)]
pub(crate) struct Session {
    keys: Keys,
    tag: usize,
}

#[derive(Clone)]
enum Keys {
    Counter(Block, [u8; 14], Hmac<Sha1>),
    Galois(Galois, [u8; 12]),
}

#[derive(Clone)]
enum Galois {
    Short(Aes128Gcm),
    Long(Aes256Gcm),
}

/// Which packet it is.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// Octets at the begin that are not hidden.
    pub(crate) clear: usize,
    pub(crate) ssrc: u32,
    pub(crate) number: Number,
}

/// A packet's number under its key.
#[derive(Clone, Copy)]
pub(crate) enum Number {
    /// Rollover counter and sequence number, together of 48 bits.
    Sound(u64),
    /// The last word of a report: whether it is hidden, and its index of 31 bits.
    Report(u32),
}

impl Session {
    /// `None` when the key does not fit its suite, which [`Master`] does not let happen.
    pub(crate) fn new(master: &Master, whose: Whose) -> Option<Self> {
        let suite = master.suite();
        let derived = |label, octets| derive(master, whose, label, octets);
        let key = derived(Label::Cipher, suite.key_octets())?;
        let salt = derived(Label::Salt, suite.salt_octets())?;
        let keys = if suite.is_aead() {
            Keys::Galois(Galois::new(&key)?, salt.try_into().ok()?)
        } else {
            let mac = Hmac::new_from_slice(&derived(Label::Tag, 20)?).ok()?;
            Keys::Counter(Block::new(&key)?, salt.try_into().ok()?, mac)
        };
        let tag = match whose {
            Whose::Sound => suite.tag_octets(),
            Whose::Reports => suite.report_tag_octets(),
        };
        Some(Self { keys, tag })
    }

    /// Octets of the tag.
    pub(crate) const fn tag(&self) -> usize {
        self.tag
    }

    /// True when the tag stands right behind what is hidden, before the word at the end of a report (RFC 7714 §9.2); else it is the last of all.
    pub(crate) const fn tag_is_inside(&self) -> bool {
        matches!(self.keys, Keys::Galois(..))
    }

    /// Hides a packet that has no tag yet; gives its tag.
    pub(crate) fn seal(&self, packet: &mut [u8], place: Place) -> Result<Vec<u8>, Refused> {
        let (header, body) = packet.split_at_mut_checked(place.clear).ok_or(Refused::Short)?;
        let mut tag = match &self.keys {
            Keys::Counter(block, salt, mac) => {
                block.mask(place.counter(*salt), body);
                place.covered(mac, packet).finalize().into_bytes().to_vec()
            }
            Keys::Galois(galois, salt) => {
                galois.seal(place.nonce(*salt), &place.known(header), body)?
            }
        };
        tag.truncate(self.tag);
        Ok(tag)
    }

    /// Checks the tag of a packet, then shows what is hidden in it. A packet that is refused is of no use any more.
    pub(crate) fn open(&self, packet: &mut [u8], tag: &[u8], place: Place) -> Result<(), Refused> {
        if let Keys::Counter(_, _, mac) = &self.keys {
            let covered = place.covered(mac, packet);
            covered.verify_truncated_left(tag).map_err(|_| Refused::Forged)?;
        }
        let (header, body) = packet.split_at_mut_checked(place.clear).ok_or(Refused::Short)?;
        match &self.keys {
            Keys::Counter(block, salt, _) => {
                block.mask(place.counter(*salt), body);
                Ok(())
            }
            Keys::Galois(galois, salt) => {
                galois.open(place.nonce(*salt), &place.known(header), (body, tag))
            }
        }
    }
}

impl Place {
    /// The first block of the key stream (RFC 3711 §4.1.1).
    fn counter(self, salt: [u8; 14]) -> [u8; 16] {
        let index = match self.number {
            Number::Sound(index) => index,
            Number::Report(word) => u64::from(word & !HIDDEN),
        };
        let mut block = [0; 16];
        block[..14].copy_from_slice(&salt);
        mix(&mut block[4..8], &self.ssrc.to_be_bytes());
        mix(&mut block[6..14], &index.to_be_bytes());
        block
    }

    /// The nonce of an AEAD (RFC 7714 §8.1, §9.1).
    fn nonce(self, mut salt: [u8; 12]) -> [u8; 12] {
        mix(&mut salt[2..6], &self.ssrc.to_be_bytes());
        match self.number {
            Number::Sound(index) => mix(&mut salt[4..12], &index.to_be_bytes()),
            Number::Report(word) => mix(&mut salt[8..12], &(word & !HIDDEN).to_be_bytes()),
        }
        salt
    }

    /// What the tag of an AEAD covers beside what is hidden (RFC 7714 §8.2, §9.2).
    fn known(self, header: &[u8]) -> Vec<u8> {
        match self.number {
            // The rollover counter is in the nonce.
            Number::Sound(_) => header.to_vec(),
            Number::Report(word) => [header, &word.to_be_bytes()].concat(),
        }
    }

    /// What HMAC covers (RFC 3711 §4.2): the packet, and behind it the rollover counter or the report's word.
    fn covered(self, mac: &Hmac<Sha1>, packet: &[u8]) -> Hmac<Sha1> {
        let behind = match self.number {
            Number::Sound(index) => (index >> 16) as u32,
            Number::Report(word) => word,
        };
        mac.clone().chain_update(packet).chain_update(behind.to_be_bytes())
    }
}

impl Galois {
    fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Aes128Gcm::new_from_slice(key).ok().map(Self::Short),
            _ => Aes256Gcm::new_from_slice(key).ok().map(Self::Long),
        }
    }

    fn seal(&self, nonce: [u8; 12], known: &[u8], body: &mut [u8]) -> Result<Vec<u8>, Refused> {
        let (nonce, body) = (&nonce.into(), InOutBuf::from(body));
        let tag = match self {
            Self::Short(gcm) => gcm.encrypt_inout_detached(nonce, known, body),
            Self::Long(gcm) => gcm.encrypt_inout_detached(nonce, known, body),
        };
        // It only fails for what is longer than any datagram.
        tag.map(|tag| tag.to_vec()).map_err(|_| Refused::UsedUp)
    }

    fn open(
        &self,
        nonce: [u8; 12],
        known: &[u8],
        (body, tag): (&mut [u8], &[u8]),
    ) -> Result<(), Refused> {
        let (nonce, body) = (&nonce.into(), InOutBuf::from(body));
        let tag = tag.try_into().map_err(|_| Refused::Short)?;
        let opened = match self {
            Self::Short(gcm) => gcm.decrypt_inout_detached(nonce, known, body, tag),
            Self::Long(gcm) => gcm.decrypt_inout_detached(nonce, known, body, tag),
        };
        opened.map_err(|_| Refused::Forged)
    }
}

fn mix(into: &mut [u8], what: &[u8]) {
    for (into, what) in into.iter_mut().zip(what) {
        *into ^= what;
    }
}

/// The first bit of a report's last word: what is in it is hidden (RFC 3711 §3.4, the E flag).
pub(crate) const HIDDEN: u32 = 1 << 31;

/// Octets of a report that are never hidden: the first header and the SSRC (RFC 3711 §3.4).
pub(crate) const REPORT_HEADER: usize = 8;
