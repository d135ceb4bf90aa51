//! Randomness from the system: what the dice of the house are seeded with.

use std::fs::File;
use std::io::{self, Read as _};

/// 128 bits from the system's random device.
pub(crate) fn throw() -> io::Result<u128> {
    let mut octets = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut octets)?;
    Ok(u128::from_be_bytes(octets))
}
