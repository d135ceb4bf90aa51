//! `Ntp`: wall-clock time as RTCP carries it (RFC 3550 §4).

/// Seconds since 1900-01-01 00:00 UTC, as 32.32 bit fixed point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ntp(pub u64);

/// From 1900-01-01 to the Unix epoch, in seconds.
const UNIX_EPOCH: u64 = 2_208_988_800;
const NANOS: u64 = 1_000_000_000;

impl Ntp {
    /// From nanoseconds since the Unix epoch. The seconds wrap in 2036, as the RFC says they do.
    pub const fn from_unix_nanos(nanos: u64) -> Self {
        let seconds = (nanos / NANOS).wrapping_add(UNIX_EPOCH);
        let fraction = ((nanos % NANOS) << 32) / NANOS;
        Self(seconds << 32 | fraction)
    }

    /// The middle 32 bits: 16.16 bit fixed point seconds, the form of LSR (RFC 3550 §6.4.1).
    pub const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unix_epoch_is_2208988800_seconds_after_1900() {
        assert_eq!(Ntp::from_unix_nanos(0), Ntp(0x83AA_7E80_0000_0000));
        assert_eq!(Ntp::from_unix_nanos(1_500_000_000), Ntp(0x83AA_7E81_8000_0000));
        assert_eq!(Ntp::from_unix_nanos(1_500_000_000).middle(), 0x7E81_8000);
    }
}
