//! What is at the end of the log and does not count: pages that were being written when a crash came, and that no commit has made true; and what the disk has
//! changed since.
//!
//! SQLite ignores them by itself, without a word. Here they are only counted, so that the start can say so. The form of the log is described at
//! <https://sqlite.org/fileformat.html#the_write_ahead_log>: a head of 32 octets, then frames of 24 octets and a page; frames of
//! the log's present round carry the salt of its head, and each a sum over all that stands before it.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// Octets behind the last commit that counts which belong to the log's present round. To be asked before the log is opened.
pub(crate) fn torn(log: &Path) -> io::Result<u64> {
    let file = match File::open(log) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    let mut file = BufReader::with_capacity(1 << 16, file);
    let Some(head) = read::<HEAD>(&mut file)? else { return Ok(length) };
    let (page, salt) = (word(&head, 8), head.get(16..24));
    let mut sum = Sum::new(&head);
    let mut octets = vec![0; usize::try_from(page.min(LARGEST)).unwrap_or_default()];
    let frame = u64::from(page).saturating_add(FRAME as u64);
    let (mut at, mut committed) = (HEAD as u64, HEAD as u64);
    let mut counts = sum.is_at(&head, 24);
    while page > 0 && at < length {
        let Some(frame_head) = read::<FRAME>(&mut file)? else { break };
        if frame_head.get(8..16) != salt {
            // What stands here is from an earlier round.
            return Ok(at.saturating_sub(committed));
        }
        if let Err(error) = file.read_exact(&mut octets) {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                break;
            }
            return Err(error);
        }
        at = at.saturating_add(frame);
        sum.add(frame_head.get(..8).unwrap_or_default());
        sum.add(&octets);
        // What stands behind something that does not count does not count either.
        counts = counts && sum.is_at(&frame_head, 16);
        if counts && word(&frame_head, 4) != 0 {
            committed = at;
        }
    }
    Ok(length.saturating_sub(committed))
}

/// The sum of the log: two numbers that each pair of words changes, by the order of octets that its head names.
struct Sum {
    numbers: [u32; 2],
    word: fn([u8; 4]) -> u32,
}

impl Sum {
    /// Over the head of a log, but for the sum in it.
    fn new(head: &[u8; HEAD]) -> Self {
        let word = if word(head, 0) & 1 == 1 { u32::from_be_bytes } else { u32::from_le_bytes };
        let mut sum = Self { numbers: [0; 2], word };
        sum.add(head.get(..24).unwrap_or_default());
        sum
    }

    fn add(&mut self, octets: &[u8]) {
        let [mut first, mut second] = self.numbers;
        for pair in octets.as_chunks::<4>().0.as_chunks::<2>().0 {
            let [one, other] = pair.map(self.word);
            first = first.wrapping_add(one).wrapping_add(second);
            second = second.wrapping_add(other).wrapping_add(first);
        }
        self.numbers = [first, second];
    }

    /// Whether it is what stands there.
    fn is_at(&self, octets: &[u8], at: usize) -> bool {
        self.numbers == [word(octets, at), word(octets, at.saturating_add(4))]
    }
}

/// `N` octets, or nothing when the file ends before.
fn read<const N: usize>(file: &mut impl Read) -> io::Result<Option<[u8; N]>> {
    let mut octets = [0; N];
    match file.read_exact(&mut octets) {
        Ok(()) => Ok(Some(octets)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn word(octets: &[u8], at: usize) -> u32 {
    octets.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u32::from_be_bytes(*word))
}

const HEAD: usize = 32;
const FRAME: usize = 24;
/// Octets of the largest page that there is.
const LARGEST: u32 = 65_536;
