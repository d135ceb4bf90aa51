//! `Bursts`: bursts and gaps as RFC 3611 counts them (§4.7.2, appendix A.2): a burst ends where 16 packets in a row are good.

/// Counts of a chain of four states, and where it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bursts {
    /// Good packets since the last loss.
    good: u64,
    /// Losses in the burst that goes on.
    lost: u64,
    c11: u64,
    c13: u64,
    c14: u64,
    c22: u64,
    c23: u64,
    c33: u64,
}

/// What a report says of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Measured {
    /// Losses within bursts and between them, in 256ths.
    pub(crate) burst_density: u8,
    pub(crate) gap_density: u8,
    /// Mean lengths, in packets.
    pub(crate) burst: u64,
    pub(crate) gap: u64,
}

/// So many good packets in a row end a burst; RFC 3611 §4.7.2 recommends this number.
pub(crate) const GMIN: u8 = 16;

impl Bursts {
    /// The next packet was of use.
    pub(crate) const fn good(&mut self) {
        self.good += 1;
    }

    /// The next packet was not.
    pub(crate) const fn lost(&mut self) {
        if self.good >= GMIN as u64 {
            if self.lost == 1 {
                self.c14 += 1;
            } else {
                self.c13 += 1;
            }
            self.lost = 1;
            self.c11 += self.good;
        } else {
            self.lost += 1;
            if self.good == 0 {
                self.c33 += 1;
            } else {
                self.c23 += 1;
                self.c22 += self.good - 1;
            }
        }
        self.good = 0;
    }

    /// What there is to say now. Good packets since the last loss belong to a gap.
    pub(crate) fn measured(&self) -> Measured {
        let Self { good, c11, c13, c14, c22, c23, c33, .. } = *self;
        let c11 = if good >= u64::from(GMIN) { c11 + good } else { c11 };
        let (c31, c32) = (c13, c23);
        let all = c11 + c14 + c13 + c22 + c23 + c31 + c32 + c33;
        let part = |of: u64, all: u64| of as f64 / all.max(1) as f64;
        let p32 = part(c32, c31 + c32 + c33);
        let p23 = if c22 + c23 < 1 { 1.0 } else { 1.0 - part(c22, c22 + c23) };
        let octet = |part: f64| (256.0 * part).clamp(0.0, 255.0) as u8;
        let in_bursts = if c13 == 0 { 0.0 } else { p23 / (p23 + p32) };
        let gap = (c11 + c14 + c13).checked_div(c13).unwrap_or(c11 + c14);
        let burst = all.checked_div(c13).map_or(0, |length| length.saturating_sub(gap));
        Measured {
            burst_density: octet(in_bursts),
            gap_density: octet(part(c14, c11 + c14)),
            burst,
            gap,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(packets: impl IntoIterator<Item = bool>) -> Measured {
        let mut bursts = Bursts::default();
        packets.into_iter().for_each(|lost| if lost { bursts.lost() } else { bursts.good() });
        bursts.measured()
    }

    #[test]
    fn without_loss_all_is_one_gap() {
        let measured = of([false; 500]);
        assert_eq!(measured, Measured { gap: 500, ..Measured::default() });
    }

    #[test]
    fn losses_far_from_each_other_are_no_burst() {
        let measured = of((0..1000).map(|n| n % 50 == 49));
        assert_eq!(measured.burst_density, if measured.burst == 0 { 0 } else { 255 });
        assert!((4..=6).contains(&measured.gap_density), "{measured:?}");
    }

    /// 20 packets of which every second is lost, after each 180 good ones.
    #[test]
    fn a_burst_is_as_long_and_as_dense_as_it_was() {
        let measured = of((0..10_000).map(|n| n % 200 >= 180 && n % 2 == 0));
        assert!((110..=145).contains(&measured.burst_density), "{measured:?}");
        assert!(measured.gap_density <= 1, "{measured:?}");
        assert!((17..=21).contains(&measured.burst), "{measured:?}");
        assert!((175..=185).contains(&measured.gap), "{measured:?}");
    }
}
