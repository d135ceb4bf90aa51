//! `a=rtpmap`: what a payload type means (RFC 8866 §6.6), and what it means unsaid (RFC 3551 §6).

use std::fmt;

use crate::read::number;

/// `<payload type> <encoding name>/<clock rate>[/<channels>]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtpMap {
    /// 0 to 127.
    pub payload_type: u8,
    /// `PCMU`, `telephone-event`…; case does not matter.
    pub name: Box<str>,
    /// Ticks a second of the RTP timestamp.
    pub clock_rate: u32,
    /// Channels of audio; 1 when nothing is said.
    pub channels: u8,
}

impl RtpMap {
    /// Reads an attribute's value. What cannot be read describes a format that nobody can use, and is nothing.
    pub fn parse(value: &str) -> Option<Self> {
        let (payload_type, encoding) = value.trim().split_once(' ')?;
        let mut parts = encoding.trim().split('/');
        let (name, clock_rate) = (parts.next()?, number(parts.next()?)?);
        // The third part is the channels for audio; other media may have other parameters there, and they are not ours to judge.
        let channels = parts.next().and_then(number).unwrap_or(1);
        let payload_type = number(payload_type).filter(|number| *number <= LAST_PAYLOAD_TYPE)?;
        if name.is_empty() {
            return None;
        }
        Some(Self { payload_type, name: name.into(), clock_rate, channels })
    }

    /// What a payload type means when nobody says it.
    pub fn of_static(payload_type: u8) -> Option<Self> {
        let (_, name, clock_rate, channels) =
            STATIC.iter().find(|(number, ..)| *number == payload_type)?;
        Some(Self {
            payload_type,
            name: (*name).into(),
            clock_rate: *clock_rate,
            channels: *channels,
        })
    }

    /// Whether both name the same encoding.
    pub fn is_same_encoding(&self, name: &str, clock_rate: u32, channels: u8) -> bool {
        self.name.eq_ignore_ascii_case(name)
            && self.clock_rate == clock_rate
            && self.channels == channels
    }
}

impl fmt::Display for RtpMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.payload_type, self.name, self.clock_rate)?;
        if self.channels == 1 { Ok(()) } else { write!(f, "/{}", self.channels) }
    }
}

/// The payload type of a static encoding, if it has one.
pub(crate) fn static_payload_type(name: &str, clock_rate: u32, channels: u8) -> Option<u8> {
    let wanted = |row: &&(u8, &str, u32, u8)| {
        row.1.eq_ignore_ascii_case(name) && row.2 == clock_rate && row.3 == channels
    };
    STATIC.iter().find(wanted).map(|row| row.0)
}

/// Payload types have seven bits.
pub(crate) const LAST_PAYLOAD_TYPE: u8 = 127;
/// From here on, payload types mean what the description says (RFC 3551 §6).
pub(crate) const FIRST_DYNAMIC: u8 = 96;

/// RFC 3551 §6, tables 4 and 5: payload type, encoding, clock rate, channels.
const STATIC: &[(u8, &str, u32, u8)] = &[
    (0, "PCMU", 8_000, 1),
    (3, "GSM", 8_000, 1),
    (4, "G723", 8_000, 1),
    (5, "DVI4", 8_000, 1),
    (6, "DVI4", 16_000, 1),
    (7, "LPC", 8_000, 1),
    (8, "PCMA", 8_000, 1),
    (9, "G722", 8_000, 1),
    (10, "L16", 44_100, 2),
    (11, "L16", 44_100, 1),
    (12, "QCELP", 8_000, 1),
    (13, "CN", 8_000, 1),
    (14, "MPA", 90_000, 1),
    (15, "G728", 8_000, 1),
    (16, "DVI4", 11_025, 1),
    (17, "DVI4", 22_050, 1),
    (18, "G729", 8_000, 1),
    (25, "CelB", 90_000, 1),
    (26, "JPEG", 90_000, 1),
    (28, "nv", 90_000, 1),
    (31, "H261", 90_000, 1),
    (32, "MPV", 90_000, 1),
    (33, "MP2T", 90_000, 1),
    (34, "H263", 90_000, 1),
];
