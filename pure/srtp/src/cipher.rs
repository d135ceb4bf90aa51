//! `Block`: AES with a key of either length, and its key stream (RFC 3711 §4.1.1, RFC 6188 §2).

use aes::{Aes128, Aes256};
use aes_gcm::aead::KeyInit;
use ctr::CtrCore;
use ctr::cipher::consts::U16;
use ctr::cipher::{BlockCipherEncrypt, BlockSizeUser, InnerIvInit, StreamCipherCore};
use ctr::flavors::Ctr128BE;

/// AES, ready to work.
#[derive(Clone)]
pub(crate) enum Block {
    Short(Aes128),
    Long(Aes256),
}

impl Block {
    /// `None` when the key has neither 16 octets nor 32.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Aes128::new_from_slice(key).ok().map(Self::Short),
            _ => Aes256::new_from_slice(key).ok().map(Self::Long),
        }
    }

    /// Adds the key stream that begins with this block. A packet has far fewer than 2^16 blocks, so none is used twice.
    pub(crate) fn mask(&self, begin: [u8; 16], octets: &mut [u8]) {
        match self {
            Self::Short(aes) => stream(aes, begin).apply_keystream_partial(octets.into()),
            Self::Long(aes) => stream(aes, begin).apply_keystream_partial(octets.into()),
        }
    }
}

fn stream<A>(aes: &A, begin: [u8; 16]) -> CtrCore<A, Ctr128BE>
where
    A: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + Clone,
{
    CtrCore::inner_iv_init(aes.clone(), &begin.into())
}
