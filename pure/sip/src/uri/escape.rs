//! `%HH` in URIs (RFC 3261 §19.1.2).

/// The meaning of a part with `%HH` escapes. An escape that is none stays as it is.
pub fn unescape(part: &[u8]) -> Vec<u8> {
    let mut meaning = Vec::with_capacity(part.len());
    let mut rest = part;
    while let [first, tail @ ..] = rest {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        meaning.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    meaning
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

/// `user` octets, escapes included (RFC 3261 §25.1 unreserved / user-unreserved).
pub(crate) const fn is_user(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')')
        || matches!(octet, b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/' | b'%')
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
        assert_eq!(unescape(b"a%4%zz%41%"), b"a%4%zzA%");
    }
}
