//! Attributes: type, length, value, padding (RFC 8489 §14).

/// One attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attribute<'a> {
    pub(crate) kind: u16,
    /// Where it stands, counted from the first attribute.
    pub(crate) at: usize,
    pub(crate) value: &'a [u8],
}

/// Where a request came from, disguised from NATs that rewrite what looks like an address (§14.2).
pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
/// Why a request was refused (§14.8).
pub const ERROR_CODE: u16 = 0x0009;
pub(crate) const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
pub(crate) const MESSAGE_INTEGRITY: u16 = 0x0008;
pub(crate) const MESSAGE_INTEGRITY_SHA256: u16 = 0x001c;
pub(crate) const FINGERPRINT: u16 = 0x8028;

/// Types that must be understood, and are: those of RFC 8489 §18.3 and of ICE (RFC 8445 §16.1). None of them matters to a keep-alive, and
/// what is known but not expected is ignored (RFC 8489 §6.3).
const KNOWN: [u16; 13] = [
    0x0001,
    0x0006,
    0x0008,
    ERROR_CODE,
    UNKNOWN_ATTRIBUTES,
    0x0014,
    0x0015,
    MESSAGE_INTEGRITY_SHA256,
    0x001d,
    0x001e,
    XOR_MAPPED_ADDRESS,
    0x0024,
    0x0025,
];

impl Attribute<'_> {
    /// True for one that must be understood and is not (§14).
    pub(crate) fn is_unknown(&self) -> bool {
        self.kind < 0x8000 && !KNOWN.contains(&self.kind)
    }
}

/// Walks through attributes; `Err` where they do not add up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk<'a> {
    pub(crate) octets: &'a [u8],
    pub(crate) at: usize,
}

/// Attributes that do not add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

impl<'a> Iterator for Walk<'a> {
    type Item = Result<Attribute<'a>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.octets.get(self.at..).filter(|rest| !rest.is_empty())?;
        let attribute = cut(rest, self.at);
        self.at = attribute.map_or(self.octets.len(), |attribute| {
            self.at + 4 + attribute.value.len().next_multiple_of(4)
        });
        Some(attribute.ok_or(Broken))
    }
}

/// The attribute at the front, with its padding there.
fn cut(rest: &[u8], at: usize) -> Option<Attribute<'_>> {
    let (head, rest) = rest.split_first_chunk::<4>()?;
    let [k0, k1, l0, l1] = *head;
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    rest.get(..length.next_multiple_of(4))?;
    Some(Attribute { kind: u16::from_be_bytes([k0, k1]), at, value: rest.get(..length)? })
}
