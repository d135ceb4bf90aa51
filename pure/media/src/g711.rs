//! G.711: A-law and µ-law, a sample an octet (ITU-T G.711, tables 1a to 2b).
//!
//! Both laws write a sign, a segment and a step in it. Sixteen steps make a segment; each segment is twice as coarse as
//! the one below.

/// A-law turns every second bit over, so that silence is not a row of zeros on the line (ITU-T G.711 table 1a, note 2).
const EVEN_BITS: u8 = 0x55;

/// µ-law adds this to the magnitude, in 14 bits; then its segments begin at powers of two.
const BIAS: u16 = 33;

/// The largest biased magnitude in 14-bit µ-law; louder is clipped.
const CLIP: u16 = 0x1FFF;

/// The codes of all samples, made by the compiler. A frame is encoded in a fifth of the time that the rule takes.
macro_rules! codes {
    ($compress:ident, $bits:literal) => {{
        let mut codes = [0; 1 << $bits];
        let mut sample = 0u16;
        let mut rest: &mut [u8] = &mut codes;
        while let Some((code, more)) = rest.split_first_mut() {
            *code = $compress(sample.cast_signed());
            sample = sample.wrapping_add(1 << (16 - $bits));
            rest = more;
        }
        codes
    }};
}

/// The two laws, for many samples at once: 8,000 a second, whatever the rate of the crate's other sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// µ-law.
    Mu,
    /// A-law.
    A,
}

impl Law {
    /// An octet for each sample.
    pub fn encode(self, samples: &[i16]) -> Vec<u8> {
        match self {
            Self::Mu => samples.iter().map(|sample| encode_mu(*sample)).collect(),
            Self::A => samples.iter().map(|sample| encode_a(*sample)).collect(),
        }
    }

    /// A sample for each octet.
    pub fn decode(self, octets: &[u8]) -> Vec<i16> {
        match self {
            Self::Mu => octets.iter().map(|octet| decode_mu(*octet)).collect(),
            Self::A => octets.iter().map(|octet| decode_a(*octet)).collect(),
        }
    }
}

/// One sample in A-law.
pub fn encode_a(sample: i16) -> u8 {
    A_CODES.get(usize::from(sample.cast_unsigned() >> 4)).copied().unwrap_or_default()
}

/// One sample in µ-law.
pub fn encode_mu(sample: i16) -> u8 {
    MU_CODES.get(usize::from(sample.cast_unsigned() >> 2)).copied().unwrap_or_default()
}

/// What does not change the code is left out: A-law looks at twelve bits, µ-law at fourteen.
static A_CODES: [u8; 1 << 12] = codes!(compress_a, 12);
static MU_CODES: [u8; 1 << 14] = codes!(compress_mu, 14);

const fn compress_a(sample: i16) -> u8 {
    // The lower magnitudes of both signs meet at zero, so that -1 is as near to it as 0 is.
    let magnitude = (if sample < 0 { !sample } else { sample }).cast_unsigned() >> 4;
    let sign = if sample < 0 { 0 } else { 0x80 };
    let code = if magnitude < 32 {
        magnitude as u8
    } else {
        let shift = 11 - magnitude.leading_zeros();
        (shift << 4) as u8 + (magnitude >> shift) as u8
    };
    (sign | code) ^ EVEN_BITS
}

/// One sample from A-law: the middle of its step.
pub const fn decode_a(octet: u8) -> i16 {
    let code = octet ^ EVEN_BITS;
    let (segment, step) = ((code >> 4) & 7, (code & 15) as i16);
    let magnitude = match segment {
        0 => (step << 4) + 8,
        _ => ((step << 4) + 0x108) << (segment - 1),
    };
    if code & 0x80 == 0 { -magnitude } else { magnitude }
}

const fn compress_mu(sample: i16) -> u8 {
    let magnitude = ((if sample < 0 { !sample } else { sample }).cast_unsigned() >> 2) + BIAS;
    let magnitude = if magnitude > CLIP { CLIP } else { magnitude };
    let sign = if sample < 0 { 0x80 } else { 0 };
    let segment = 10 - magnitude.leading_zeros(); // 0 to 7: the bias makes bit 5 the lowest leading one
    let step = (magnitude >> (segment + 1)) as u8 & 15;
    !(sign | (segment << 4) as u8 | step)
}

/// One sample from µ-law: the middle of its step.
pub const fn decode_mu(octet: u8) -> i16 {
    let code = !octet;
    let (segment, step) = ((code >> 4) & 7, (code & 15) as i16);
    let magnitude = (((step << 3) + 0x84) << segment) - 0x84;
    if code & 0x80 == 0 { magnitude } else { -magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the segments begin (ITU-T G.711 table 1a, column 3, in units of 1/4096 of the range).
    const A_SEGMENTS: [i32; 8] = [0, 64, 128, 256, 512, 1024, 2048, 4096];
    /// Where the segments begin (ITU-T G.711 table 2a, column 3, in units of 1/8192 of the range).
    const MU_SEGMENTS: [i32; 9] = [0, 31, 95, 223, 479, 991, 2015, 4063, 8159];

    /// The value that table 1b gives for a positive octet: the middle of its step.
    fn a_table(code: usize) -> i32 {
        let (low, step) = match code / 16 {
            0 => (0, 2),
            n => (A_SEGMENTS[n - 1].max(32 * i32::from(n == 1)), 2 << (n - 1)),
        };
        // Segment 1 of the table holds two chords of 16 steps each.
        let low = if code / 16 == 1 { 32 } else { low };
        let step = if code / 16 == 1 { 2 } else { step };
        (2 * low + (2 * (code as i32 % 16) + 1) * step) * 4 // 13 bits to 16, halves kept
    }

    #[test]
    fn a_law_decodes_as_the_table_says() {
        for code in 0..128 {
            let octet = (code as u8 | 0x80) ^ 0x55;
            assert_eq!(i32::from(decode_a(octet)), a_table(code), "{code}");
            assert_eq!(decode_a(octet ^ 0x80), -decode_a(octet));
        }
        assert_eq!([0xD5, 0x55, 0xAA, 0x2A].map(decode_a), [8, -8, 32256, -32256]);
    }

    #[test]
    fn mu_law_decodes_as_the_table_says() {
        for code in 0..128usize {
            let octet = !(code as u8);
            let (low, step) = (MU_SEGMENTS[code / 16], 2 << (code / 16));
            // The first step of the first segment is half as wide and is decoded as 0; so all others end at odd numbers.
            let value = low + (code as i32 % 16) * step + if code < 16 { 0 } else { step / 2 };
            let value = if code < 16 { 2 * (code as i32 % 16) } else { value };
            assert_eq!(i32::from(decode_mu(octet)), value * 4, "{code}");
            assert_eq!(decode_mu(octet ^ 0x80), -decode_mu(octet));
        }
        assert_eq!([0xFF, 0x7F, 0x80, 0x00].map(decode_mu), [0, 0, 32124, -32124]);
    }

    #[test]
    fn every_octet_comes_back() {
        for octet in 0..=255 {
            assert_eq!(encode_a(decode_a(octet)), octet);
            // µ-law has two zeros; ours is the positive one.
            let back = if octet == 0x7F { 0xFF } else { octet };
            assert_eq!(encode_mu(decode_mu(octet)), back);
        }
    }

    #[test]
    fn segments_begin_where_the_tables_say() {
        for (n, low) in A_SEGMENTS.iter().enumerate().take(7).skip(1) {
            let at = (low * 8) as i16;
            let [below, above] = [at - 1, at].map(|sample| (encode_a(sample) ^ 0x55) & 0x7F);
            assert_eq!((below, above), (n as u8 * 16 + 15, n as u8 * 16 + 16), "{low}");
        }
        for (n, low) in MU_SEGMENTS.iter().enumerate().take(8).skip(1) {
            let at = (low * 4) as i16;
            let [below, above] = [at - 1, at].map(|sample| !encode_mu(sample));
            assert_eq!((below, above), (n as u8 * 16 - 1, n as u8 * 16), "{low}");
        }
    }

    #[test]
    fn no_sample_moves_further_than_half_a_step() {
        for sample in i16::MIN..=i16::MAX {
            let (whole, size) = (i32::from(sample), i32::from(sample).abs());
            let a = i32::from(decode_a(encode_a(sample)));
            assert!((a - whole).abs() <= (size / 32).max(8) + 1, "A {sample} {a}");
            let mu = i32::from(decode_mu(encode_mu(sample)));
            let clipped = (size - 32124).max(0);
            assert!(
                (mu - whole).abs() <= ((size + 132) / 32).max(4).max(clipped),
                "µ {sample} {mu}"
            );
        }
    }
}
