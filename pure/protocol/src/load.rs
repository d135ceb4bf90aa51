//! How much there is to do, and what is done about it below the messages.

use std::time::Duration;

use memchr::memchr_iter;

/// How it goes with what comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How long ago everything that had come was read last.
    pub waited: Duration,
    /// Datagrams that were thrown away since, because there was no room for them.
    pub lost: u64,
    /// More has come that is not read yet.
    pub unread: bool,
}

/// What need not be read of what comes. A datagram is judged by its octets, so that its repeats meet the same fate; what comes by TCP or
/// TLS is never repeated: there one is left out as often as the share says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deafness {
    /// So many of the [parts](part) of all requests that begin something: those below.
    pub share: u16,
    /// By what the parts are told from each other: an odd number. Who does not know it cannot choose one.
    pub key: u32,
    /// But none that calls one of these.
    pub spared: Box<[Box<str>]>,
}

impl Deafness {
    /// Does it concern this request? One that begins something, calls nobody who is spared, and tells of nothing begun before. What is
    /// doubtful it does not.
    pub fn concerns(&self, head: &[u8]) -> bool {
        let begins = head.first_chunk().is_some_and(|word| BEGINNING.contains(&word));
        let called = head.split(|octet| *octet == b' ').nth(1).unwrap_or_default();
        begins
            && !self.spares(called)
            && !memchr_iter(b'\n', head).any(|at| tells_of_more(head.get(at..).unwrap_or_default()))
    }

    /// Is somebody spared called, however the URI is written?
    fn spares(&self, called: &[u8]) -> bool {
        let mut parts = called.splitn(2, |octet| *octet == b':');
        let (scheme, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let user = rest.split(|octet| b"@:;".contains(octet)).next().unwrap_or_default();
        let number = |spared: &str| user == spared.as_bytes();
        let is_doubtful = scheme.eq_ignore_ascii_case(b"urn") || user.contains(&b'%');
        is_doubtful || self.spared.iter().any(|spared| number(spared))
    }
}

/// Does a row, with the line feed before it, tell of something begun before? So does the tag of whoever is called.
fn tells_of_more(row: &[u8]) -> bool {
    let begun = |first: &[u8; 4]| BEGUN.iter().any(|begun| begun.eq_ignore_ascii_case(first));
    if row.first_chunk().is_some_and(begun) {
        return true;
    }
    let row = row.get(1..).unwrap_or_default();
    let row = row.split(|octet| *octet == b'\n').next().unwrap_or_default();
    let name = row.split(|octet| *octet == b':').next().unwrap_or_default().trim_ascii_end();
    // A row that goes on may be that of To.
    let goes_on = matches!(row.first(), Some(b' ' | b'\t'));
    let to = goes_on || name.eq_ignore_ascii_case(b"To") || name.eq_ignore_ascii_case(b"t");
    to && row.windows(3).any(|word| word.eq_ignore_ascii_case(b"tag"))
}

/// Methods that begin something, by their first letters.
pub const BEGINNING: [&[u8; 4]; 8] =
    [b"INVI", b"REGI", b"OPTI", b"SUBS", b"MESS", b"PUBL", b"NOTI", b"REFE"];

/// Headers that tell of something begun before, after their line feed: Route, Authorization, Proxy-Authorization.
pub const BEGUN: [&[u8; 4]; 3] = [b"\nRou", b"\nAut", b"\nPro"];

/// Into so many parts the requests fall.
pub const PARTS: u16 = 1024;

/// The first octets of a request say to which part it belongs. A filter of Linux takes 4,096 instructions.
pub const LOOKED_AT: u32 = 600;

/// So many are looked at or none, for such a filter may not look behind the end.
pub const BLOCK: u32 = 40;

/// Behind a block stand so many more at least: a word begins at each octet of it.
pub const BEHIND: u32 = 3;

/// After each block the first bits are mixed into the last ones, which they would not reach by multiplication.
pub const FOLD: u32 = 15;

/// With what the number is multiplied at the end, so that its first bits depend on all (2³² by the golden ratio).
pub const SPREAD: u32 = 0x9e37_79b1;

/// To which part a request belongs. A repeat is the same octets, and belongs to the same.
pub fn part(key: u32, request: &[u8]) -> u16 {
    let blocks = request.len().saturating_sub(BEHIND as usize) / BLOCK as usize;
    let looked_at = (blocks * BLOCK as usize).min(LOOKED_AT as usize);
    let (blocks, _) =
        request.get(..looked_at).unwrap_or_default().as_chunks::<{ BLOCK as usize }>();
    let mix =
        |number: u32, word: &[u8; 4]| (number ^ u32::from_be_bytes(*word)).wrapping_mul(key | 1);
    let number = blocks.iter().fold(0, |number, block| {
        let (words, _) = block.as_chunks();
        let number = words.iter().fold(number, mix);
        number ^ number >> FOLD
    });
    let place = number.wrapping_mul(SPREAD) >> (u32::BITS - PARTS.ilog2());
    u16::try_from(place).unwrap_or_default()
}
