//! A glance at a message in a stream: how long it is, where that is plain to see. Whoever has far too much to do reads no more of it.

use memchr::{memchr, memchr_iter};

use crate::limits;

/// A message at the front of octets.
pub(super) struct Plain<'a> {
    /// Its head, with the empty row.
    pub head: &'a [u8],
    /// How long it is, with its body.
    pub whole: usize,
}

/// True when a head says so plainly how long its message is that [`Framer::sift`](super::Framer::sift) can step over that.
pub fn has_plain_length(head: &[u8]) -> bool {
    Plain::of(head).is_some()
}

impl<'a> Plain<'a> {
    /// The message at the front, when its head is there, one row says how long the body is in the usual way, and no other may.
    pub(super) fn of(octets: &'a [u8]) -> Option<Self> {
        let mut body = None;
        for at in memchr_iter(b'\n', octets.get(..limits::HEAD).unwrap_or(octets)) {
            let is_whole = at.checked_sub(1).and_then(|before| octets.get(before)) == Some(&b'\r');
            match octets.get(at + 1..).filter(|_| is_whole)? {
                [b'\r', b'\n', ..] => {
                    let head = octets.get(..at + 3)?;
                    return Some(Self { head, whole: head.len().checked_add(body?)? });
                }
                // A row goes on, or is the short form.
                [b' ' | b'\t' | b'l' | b'L', ..] => return None,
                row @ [b'C' | b'c', ..] if is_content_length(row) => match body {
                    None => body = Some(value(row)?),
                    Some(_) => return None,
                },
                _ => {}
            }
        }
        None
    }

    /// The same, when the body is there, too.
    pub(super) fn all_there(octets: &'a [u8]) -> Option<Self> {
        let begins = octets.first().is_some_and(u8::is_ascii_uppercase);
        begins.then(|| Self::of(octets)).flatten().filter(|plain| plain.whole <= octets.len())
    }
}

/// May this be the row of the body's length? It is not plain to see when it is written in another way.
fn is_content_length(row: &[u8]) -> bool {
    row.get(..9).is_some_and(|name| name.eq_ignore_ascii_case(b"Content-L"))
}

/// The length that the row says.
fn value(row: &[u8]) -> Option<usize> {
    let row = row.strip_prefix(b"Content-Length:")?;
    let digits = str::from_utf8(row.get(..memchr(b'\r', row)?)?).ok()?.trim_start_matches(' ');
    let is_plain = digits.len() <= 5 && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|_| is_plain)
}
