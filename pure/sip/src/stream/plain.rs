//! A glance at a message in a stream: how long it is, where that is plain to see. Whoever has far too much to do reads no more of it.

use crate::limits;
use crate::octets::{find, find_control};

/// A message at the front of octets of which it is plain to see how long it is: one row says it in the usual way, no other may, no row
/// goes on in the next, and none has a tab.
#[derive(Clone, Copy, Debug)]
pub struct Plain<'a> {
    head: &'a [u8],
    whole: usize,
    /// Where its rows begin, behind the start line.
    rows: [u16; ROWS],
    count: usize,
}

/// What has more rows is read.
const ROWS: usize = 40;

impl<'a> Plain<'a> {
    /// The message at the front, when its head is there and plain.
    pub fn of(octets: &'a [u8]) -> Option<Self> {
        let (mut body, mut rows, mut count, mut from) = (None, [0; ROWS], 0, 0);
        let head = octets.get(..limits::HEAD).unwrap_or(octets);
        loop {
            let row = head.get(from..)?;
            let end = find_control(row)?;
            let behind = row.get(end..)?.strip_prefix(b"\r\n")?;
            from += end + 2;
            match behind {
                [b'\r', b'\n', ..] => {
                    let head = head.get(..from + 2)?;
                    let whole = head.len().checked_add(body?)?;
                    return Some(Self { head, whole, rows, count });
                }
                // A row goes on, or is the short form.
                [b' ' | b'\t' | b'l' | b'L', ..] => return None,
                row @ [b'C' | b'c', ..] if is_content_length(row) => match body {
                    None => body = Some(value(row)?),
                    Some(_) => return None,
                },
                _ => {}
            }
            *rows.get_mut(count)? = u16::try_from(from).ok()?;
            count += 1;
        }
    }

    /// The same, when the body is there, too.
    pub(super) fn all_there(octets: &'a [u8]) -> Option<Self> {
        let begins = octets.first().is_some_and(u8::is_ascii_uppercase);
        begins.then(|| Self::of(octets)).flatten().filter(|plain| plain.whole <= octets.len())
    }

    /// Its head, with the empty row.
    pub const fn head(&self) -> &'a [u8] {
        self.head
    }

    /// How long it is in octets, with its body.
    pub const fn whole(&self) -> usize {
        self.whole
    }

    /// What begins with each of its rows, as far as its head goes.
    pub fn rows(&self) -> impl Iterator<Item = &'a [u8]> {
        self.rows.iter().take(self.count).filter_map(|at| self.head.get(usize::from(*at)..))
    }
}

/// May this be the row of the body's length? It is not plain to see when it is written in another way.
fn is_content_length(row: &[u8]) -> bool {
    row.get(..9).is_some_and(|name| name.eq_ignore_ascii_case(b"Content-L"))
}

/// The length that the row says.
fn value(row: &[u8]) -> Option<usize> {
    let row = row.strip_prefix(b"Content-Length:")?;
    let digits = str::from_utf8(row.get(..find(b'\r', row)?)?).ok()?.trim_start_matches(' ');
    let is_plain = digits.len() <= 5 && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|_| is_plain)
}
