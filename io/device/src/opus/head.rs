//! `Head`: the first packet of an Opus file, and the second, which only has to be there (RFC 7845 §5).

/// What an Opus file says of itself (RFC 7845 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) channels: u8,
    /// Samples at 48,000 a second that are decoded and not played.
    pub(super) pre_skip: u16,
    /// In 256ths of a decibel.
    pub(super) gain: i16,
    pub(super) family: u8,
}

impl Head {
    /// Reads the packet. Versions below 16 can be read by whoever reads the first (RFC 7845 §5.1 item 2).
    pub(super) fn parse(packet: &[u8]) -> Option<Self> {
        let rest = packet.strip_prefix(MAGIC)?;
        let [version, channels, skip, skip_high, _, _, _, _, gain, gain_high, family, ..] = *rest
        else {
            return None;
        };
        (version < 16 && channels > 0).then_some(Self {
            channels,
            pre_skip: u16::from_le_bytes([skip, skip_high]),
            gain: i16::from_le_bytes([gain, gain_high]),
            family,
        })
    }

    /// The packet: version 1, and that the sound once had 16,000 samples a second.
    pub(super) fn octets(self) -> Vec<u8> {
        let mut octets = MAGIC.to_vec();
        octets.extend([1, self.channels]);
        octets.extend(self.pre_skip.to_le_bytes());
        octets.extend(media::RATE.to_le_bytes());
        octets.extend(self.gain.to_le_bytes());
        octets.push(self.family);
        octets
    }
}

/// Who wrote the file, and nothing else (RFC 7845 §5.2).
pub(super) fn tags() -> Vec<u8> {
    let vendor = concat!("Offhook ", env!("CARGO_PKG_VERSION"));
    let mut octets = b"OpusTags".to_vec();
    octets.extend(u32::try_from(vendor.len()).unwrap_or(0).to_le_bytes());
    octets.extend(vendor.as_bytes());
    octets.extend(0u32.to_le_bytes());
    octets
}

const MAGIC: &[u8] = b"OpusHead";
