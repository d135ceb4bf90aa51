//! `Texts`: a few texts of known kinds, one behind the other in one allocation: for what is kept of many things, and small.

/// Texts, each under the number of its kind. What is absent is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts(Box<[u8]>);

/// Octets before a text: its kind and its length.
const HEAD: usize = 3;

impl Texts {
    /// Adds texts, each in two parts; of each kind the first one counts, and empty ones are left out. None may have more than 65,535 octets: what
    /// is longer is left out.
    pub fn put<'a>(&mut self, texts: impl Iterator<Item = (u8, [&'a [u8]; 2])> + Clone) {
        let size = |parts: [&[u8]; 2]| {
            u16::try_from(parts[0].len() + parts[1].len()).ok().filter(|size| *size > 0)
        };
        let texts = texts.filter_map(|(kind, parts)| Some((kind, size(parts)?, parts)));
        let more: usize = texts.clone().map(|(_, size, _)| HEAD + usize::from(size)).sum();
        let mut all = Vec::with_capacity(self.0.len() + more);
        all.extend_from_slice(&self.0);
        for (kind, size, [first, second]) in texts {
            all.push(kind);
            all.extend_from_slice(&size.to_be_bytes());
            all.extend_from_slice(first);
            all.extend_from_slice(second);
        }
        self.0 = all.into();
    }

    /// Puts a text in the place of the one of its kind.
    pub fn replace(&mut self, kind: u8, text: &[u8]) {
        if self.get(kind) == text {
            return;
        }
        let before = std::mem::take(self);
        let others = before.iter().filter(|(known, _)| *known != kind);
        let both = others.chain([(kind, text)]).map(|(kind, text)| (kind, [text, b""]));
        self.put(both);
    }

    /// The text of a kind.
    pub fn get(&self, kind: u8) -> &[u8] {
        self.iter().find(|(known, _)| *known == kind).map_or(b"", |(_, text)| text)
    }

    /// Octets that it takes, besides itself.
    pub const fn size(&self) -> usize {
        self.0.len()
    }

    fn iter(&self) -> impl Iterator<Item = (u8, &[u8])> + Clone {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let ([kind, high, low], behind) = rest.split_first_chunk::<HEAD>()?;
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let (text, next) = behind.split_at_checked(length)?;
            rest = next;
            Some((*kind, text))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_kind_counts_until_another_takes_its_place() {
        let mut texts = Texts::default();
        let all = [(1, [&b"a@"[..], b"b"]), (2, [b"", b""]), (3, [b"\0\xff", b""])];
        texts.put(all.into_iter());
        texts.put([(1, [&b"other"[..], b""]), (4, [&[b'x'; 70_000], b""])].into_iter());
        assert_eq!([1, 2, 3, 4].map(|kind| texts.get(kind)), [&b"a@b"[..], b"", b"\0\xff", b""]);
        texts.replace(1, b"longer than before");
        assert_eq!((texts.get(1), texts.get(3)), (&b"longer than before"[..], &b"\0\xff"[..]));
        assert_eq!(texts.size(), 2 * HEAD + 18 + 2, "what was replaced is gone");
    }
}
