//! `%HH` in URIs (RFC 3261 §19.1.2).

use std::borrow::Cow;

use crate::octets::find;
use crate::scan::is_user;

/// The meaning of a part with `%HH` escapes: the part itself, when there is none. An escape that is none stays as it is.
pub fn unescape(part: &[u8]) -> Cow<'_, [u8]> {
    match find(b'%', part) {
        None => Cow::Borrowed(part),
        Some(_) => unescaped(part).collect(),
    }
}

/// The same, octet by octet.
pub(crate) fn unescaped(mut part: &[u8]) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let (first, rest) = part.split_first()?;
        if let (b'%', [high, low, tail @ ..]) = (first, rest)
            && let Some((high, low)) = hex(*high).zip(hex(*low))
        {
            part = tail;
            return Some(high << 4 | low);
        }
        part = rest;
        Some(*first)
    })
}

/// Writes a user part so that a reader gets these octets back.
pub fn escape_user(user: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(user.len());
    for octet in user {
        if is_user(*octet) && *octet != b'%' {
            text.push(*octet);
        } else {
            text.extend_from_slice(format!("%{octet:02X}").as_bytes());
        }
    }
    text
}

fn hex(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_read_back_and_half_ones_stay() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unescape(&escape_user(&all)), all);
        assert_eq!(&*unescape(b"a%4%zz%41%"), b"a%4%zzA%");
    }
}
