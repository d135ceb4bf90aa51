//! The CRC-32 of a FINGERPRINT (RFC 8489 §14.7, ITU-T V.42).

/// What a FINGERPRINT holds, over all that stands before it.
pub(crate) fn fingerprint(octets: &[u8]) -> u32 {
    let register = octets.iter().fold(u32::MAX, |register, octet| {
        (0..8).fold(register ^ u32::from(*octet), |register, _| {
            let reduced = register >> 1;
            if register & 1 == 1 { reduced ^ POLYNOMIAL } else { reduced }
        })
    });
    !register ^ MARK
}

/// The polynomial of V.42, its bits turned around.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// So that a packet of another protocol with a CRC-32 at its end is none of ours.
const MARK: u32 = 0x5354_554e;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue_comes_out() {
        assert_eq!(fingerprint(b"123456789") ^ MARK, 0xcbf4_3926);
    }
}
