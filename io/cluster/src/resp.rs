//! The protocol of Redis (RESP2): commands and answers as octets.

use std::io::{self, BufRead as _, Read as _};

use crate::limits;

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A word, like OK.
    Word(String),
    /// It refuses, and why.
    Error(String),
    /// A number.
    Number(i64),
    /// Octets; nothing, when there are none.
    Octets(Option<Box<[u8]>>),
    /// Several answers in one.
    Row(Vec<Self>),
}

/// Writes a command.
pub fn put(octets: &mut Vec<u8>, words: &[&[u8]]) {
    octets.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        octets.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        octets.extend_from_slice(word);
        octets.extend_from_slice(b"\r\n");
    }
}

/// Reads one answer.
///
/// # Errors
/// When the octets end within it, when they are none, and when it is larger than [`limits`] let it be.
pub fn read(from: &mut impl io::BufRead) -> io::Result<Said> {
    nested(from, limits::NESTS)
}

fn nested(from: &mut impl io::BufRead, nests: u32) -> io::Result<Said> {
    let mut line = Vec::new();
    from.by_ref().take(limits::LINE).read_until(b'\n', &mut line)?;
    let Some(line) = line.strip_suffix(b"\r\n") else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let Some((kind, rest)) = line.split_first() else { return Err(broken()) };
    let text = || String::from_utf8_lossy(rest).into_owned();
    let number = || {
        let text = std::str::from_utf8(rest).ok()?;
        text.parse::<i64>().ok()
    };
    match kind {
        b'+' => Ok(Said::Word(text())),
        b'-' => Ok(Said::Error(text())),
        b':' => Ok(Said::Number(number().ok_or_else(broken)?)),
        b'$' => read_octets(from, number().ok_or_else(broken)?),
        b'*' => {
            let count = usize::try_from(number().ok_or_else(broken)?).unwrap_or(0);
            if count > limits::ROW || nests == 0 {
                return Err(broken());
            }
            (0..count).map(|_| nested(from, nests - 1)).collect::<io::Result<_>>().map(Said::Row)
        }
        _ => Err(broken()),
    }
}

fn read_octets(from: &mut impl io::BufRead, length: i64) -> io::Result<Said> {
    let Ok(length) = usize::try_from(length) else { return Ok(Said::Octets(None)) };
    if length > limits::RECORD {
        return Err(broken());
    }
    let mut octets = vec![0; length.saturating_add(2)];
    from.read_exact(&mut octets)?;
    octets.truncate(length);
    Ok(Said::Octets(Some(octets.into())))
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it does not speak the protocol of Redis")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(octets: &[u8]) -> io::Result<Said> {
        read(&mut &*octets)
    }

    #[test]
    fn answers_are_read_and_half_of_one_is_none() {
        let octets = b"*4\r\n+OK\r\n:-7\r\n$3\r\na\r\n\r\n$-1\r\n";
        let row = [
            Said::Word("OK".into()),
            Said::Number(-7),
            Said::Octets(Some(b"a\r\n"[..].into())),
            Said::Octets(None),
        ];
        assert_eq!(said(octets).unwrap(), Said::Row(row.into()));
        for end in 0..octets.len() {
            assert!(said(&octets[..end]).is_err(), "{end}");
        }
        assert_eq!(said(b"-ERR x\r\n").unwrap(), Said::Error("ERR x".into()));
    }

    #[test]
    fn what_is_too_much_is_not_allocated() {
        let nested = "*1\r\n".repeat(50);
        let huge = ["$99999999999\r\n", "*99999999\r\n", &nested, "?\r\n", ":x\r\n", "\r\n"];
        assert!(huge.iter().all(|octets| said(octets.as_bytes()).is_err()));
        assert!(said(&vec![b'+'; 100_000]).is_err());
    }

    #[test]
    fn a_command_is_a_row_of_octets() {
        let mut octets = Vec::new();
        put(&mut octets, &[b"GET", b"a\r\nb"]);
        assert_eq!(octets, b"*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n");
    }
}
