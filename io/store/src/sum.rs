//! A sum over a record: a database does not notice when the disk changes an octet.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

/// The sum of a record.
pub(crate) fn sum(key: &[u8], value: &[u8], until: i64) -> [u8; 8] {
    let mut hasher = SipHasher13::new();
    for part in [&(key.len() as u64).to_be_bytes(), key, value, &until.to_be_bytes()] {
        hasher.write(part);
    }
    hasher.finish().to_be_bytes()
}

/// A value with its sum behind it.
pub(crate) fn sealed(key: &[u8], value: &[u8], until: i64) -> Vec<u8> {
    [value, &sum(key, value, until)].concat()
}

/// The value, when its sum is right.
pub(crate) fn unsealed<'a>(key: &[u8], sealed: &'a [u8], until: i64) -> Option<&'a [u8]> {
    let (value, written) = sealed.split_last_chunk::<8>()?;
    (*written == sum(key, value, until)).then_some(value)
}
