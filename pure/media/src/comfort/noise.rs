//! `Noise`: the payload of comfort noise: how loud, and of what colour (RFC 3389 §3).

use crate::level;

/// Coefficients that we send and read: more are taken for zero (RFC 3389 §3).
pub(crate) const ORDER: usize = 8;

/// How a silence sounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Noise {
    /// In dB below the overload point, 0 to 127 (RFC 3389 §3.1).
    below: u8,
    /// Reflection coefficients of an all-pole model.
    pub(super) reflection: [f32; ORDER],
}

impl Noise {
    /// Of this level in dBm0.
    pub(super) fn new(dbm0: f64, reflection: [f32; ORDER]) -> Self {
        let below = (OVERLOAD - dbm0).round().clamp(0.0, 127.0);
        Self { below: below as u8, reflection }
    }

    /// Reads a payload; an empty one says nothing.
    pub(crate) fn parse(payload: &[u8]) -> Option<Self> {
        let (level, coefficients) = payload.split_first()?;
        let mut reflection = [0.0; ORDER];
        for (coefficient, index) in reflection.iter_mut().zip(coefficients) {
            // 255 is reserved (RFC 3389 §3.2).
            let index = if *index == u8::MAX { MIDDLE } else { *index };
            *coefficient = (f32::from(index) - f32::from(MIDDLE)) * STEP;
        }
        Some(Self { below: level & 0x7F, reflection })
    }

    /// Its level in dBm0.
    pub(super) fn dbm0(&self) -> f64 {
        OVERLOAD - f64::from(self.below)
    }

    /// The payload.
    pub(crate) fn octets(&self) -> [u8; 1 + ORDER] {
        let mut octets = [self.below; 1 + ORDER];
        for (octet, coefficient) in octets.iter_mut().skip(1).zip(self.reflection) {
            let index = (coefficient / STEP).round() + f32::from(MIDDLE);
            *octet = index.clamp(0.0, 254.0) as u8;
        }
        octets
    }

    /// How far another one is from this, in dB.
    pub(super) const fn apart(&self, other: &Self) -> u8 {
        self.below.abs_diff(other.below)
    }
}

/// The overload point of 16-bit samples, a square wave of full scale, in dBm0 (RFC 3389 §3.1).
const OVERLOAD: f64 = level::LOUDEST_SINE + 3.01;
/// The index of zero, and a step of the index (RFC 3389 §3.2).
const MIDDLE: u8 = 127;
const STEP: f32 = 258.0 / 32_768.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let reflection = [0.9, -0.5, 0.25, 0.0, -0.99, 0.1, 0.0, 0.0];
        let noise = Noise::new(-52.3, reflection);
        let read = Noise::parse(&noise.octets()).unwrap();
        assert!((read.dbm0() + 52.3).abs() < 0.6, "{read:?}");
        let near = |(one, other): (&f32, &f32)| (one - other).abs() < STEP;
        assert!(read.reflection.iter().zip(&reflection).all(near), "{read:?}");
    }

    /// RFC 3389 §3.3: "a 0th order model … reduces to transmitting only the energy level"; §2: more than that MAY be there.
    #[test]
    fn a_level_alone_is_enough_and_nothing_is_nothing() {
        assert_eq!(Noise::parse(&[60]), Some(Noise { below: 60, reflection: [0.0; ORDER] }));
        assert_eq!(Noise::parse(&[0x80 | 60]), Noise::parse(&[60]), "the first bit is unused");
        assert_eq!(Noise::parse(&[]), None);
        let long = Noise::parse(&[40; 60]).unwrap();
        assert!(long.reflection.iter().all(|k| k.abs() < 1.0));
        assert_eq!(Noise::parse(&[60, 255]), Noise::parse(&[60, 127]));
    }
}
