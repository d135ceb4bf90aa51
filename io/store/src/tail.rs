//! What a crash left at the end of the log: pages that were being written, and that no commit has made true.
//!
//! SQLite ignores them by itself. Here they are only counted, so that the start can say so. The form of the log is described at
//! <https://sqlite.org/fileformat.html#the_write_ahead_log>: a head of 32 octets, then frames of 24 octets and a page; frames of
//! the log's present round carry the salt of its head.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// Octets behind the last commit that belong to the log's present round. To be asked before the log is opened.
pub(crate) fn torn(log: &Path) -> io::Result<u64> {
    let mut file = match File::open(log) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    let Some(head) = read::<HEAD>(&mut file)? else { return Ok(length) };
    let (page, salt) = (u64::from(word(&head, 8)), head.get(16..24));
    let frame = page.saturating_add(FRAME as u64);
    let (mut at, mut committed) = (HEAD as u64, HEAD as u64);
    while page > 0 && at < length {
        file.seek(SeekFrom::Start(at))?;
        let Some(frame_head) = read::<FRAME>(&mut file)? else { break };
        if frame_head.get(8..16) != salt {
            // What stands here is from an earlier round.
            return Ok(at.saturating_sub(committed));
        }
        at = at.saturating_add(frame);
        let commits = word(&frame_head, 4) != 0;
        if commits && at <= length {
            committed = at;
        }
    }
    Ok(length.saturating_sub(committed))
}

/// `N` octets, or nothing when the file ends before.
fn read<const N: usize>(file: &mut File) -> io::Result<Option<[u8; N]>> {
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
