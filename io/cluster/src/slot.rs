//! Which of the 16,384 slots a key is in, as the specification of the cluster says: CRC16 (XMODEM) of the part between braces.

/// How many there are.
pub(crate) const SLOTS: u16 = 16_384;

/// The slot of a key.
pub(crate) fn slot_of(key: &[u8]) -> u16 {
    crc16(tag(key)) % SLOTS
}

/// What decides: the octets between the first `{` and the first `}` behind it, when there are any; else the whole key.
fn tag(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|octet| *octet == b'{') else { return key };
    let behind = key.get(open.saturating_add(1)..).unwrap_or_default();
    match behind.iter().position(|octet| *octet == b'}') {
        Some(close) if close > 0 => behind.get(..close).unwrap_or(key),
        _ => key,
    }
}

fn crc16(octets: &[u8]) -> u16 {
    octets.iter().fold(0_u16, |crc, octet| {
        (0..8).fold(crc ^ u16::from(*octet) << 8, |crc, _| {
            let shifted = crc << 1;
            if crc & 0x8000 == 0 { shifted } else { shifted ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(slot_of(b"foo"), 12_182);
        assert_eq!(slot_of(b"{user1000}.following"), slot_of(b"{user1000}.followers"));
        assert_eq!(slot_of(b"foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS);
        assert_eq!(slot_of(b"foo{{bar}}zap"), slot_of(b"{bar"));
    }
}
