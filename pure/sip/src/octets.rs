//! Looking for octets, eight at a time. What is looked through here is short (a line, a name, a URI): the set-up of the
//! vector search of `memchr` would cost more than the search.

/// Where `octet` stands first.
#[inline]
pub(crate) fn find(octet: u8, text: &[u8]) -> Option<usize> {
    let pattern = ONES * u64::from(octet);
    first(text, |word| zeros(word ^ pattern), |other| other == octet)
}

/// Where the first octet below blank stands: CR, LF, tab, or one that nobody should send. Lines are longer than names,
/// so it looks at 32 at once where it can.
#[inline]
pub(crate) fn find_control(text: &[u8]) -> Option<usize> {
    let (blocks, rest) = text.as_chunks::<32>();
    let mut at = 0_usize;
    for block in blocks {
        if block.iter().fold(false, |found, octet| found | (*octet < b' ')) {
            return first(block, |word| below(word, b' '), |octet| octet < b' ')
                .map(|found| at.wrapping_add(found));
        }
        at = at.wrapping_add(32);
    }
    first(rest, |word| below(word, b' '), |octet| octet < b' ').map(|found| at.wrapping_add(found))
}

/// Where the first blank, control octet or DEL stands: what cannot be in a word.
#[inline]
pub(crate) fn find_light(text: &[u8]) -> Option<usize> {
    let marks = |word| below(word, b'!') | zeros(word ^ (ONES * 0x7f));
    first(text, marks, |octet| octet <= b' ' || octet == 0x7f)
}

/// Where the value of a parameter may end: at `;`, or at a blank or control octet.
#[inline]
pub(crate) fn find_param_end(text: &[u8]) -> Option<usize> {
    let marks = |word| below(word, b'!') | zeros(word ^ (ONES * b';' as u64));
    first(text, marks, |octet| octet <= b' ' || octet == b';')
}

/// Where the first octet stands that makes parameters more than names and values with `;` between: a quote, a bracket, a blank, a
/// control octet.
#[inline]
pub(crate) fn find_odd(text: &[u8]) -> Option<usize> {
    let marks = |word| below(word, b'#') | zeros(word ^ (ONES * b'<' as u64));
    first(text, marks, |octet| octet < b'#' || octet == b'<')
}

/// Where the first octet stands that means more than itself in a quoted string: a backslash, or a NUL, which cannot be there.
#[inline]
pub(crate) fn find_escape(text: &[u8]) -> Option<usize> {
    let marks = |word| zeros(word) | zeros(word ^ (ONES * b'\\' as u64));
    first(text, marks, |octet| octet == 0 || octet == b'\\')
}

/// Where a URI in brackets ends: at `>`, or at what cannot be in it.
#[inline]
pub(crate) fn find_bracket(text: &[u8]) -> Option<usize> {
    let marks =
        |word| below(word, b'!') | zeros(word ^ (ONES * 0x7f)) | zeros(word ^ (ONES * b'>' as u64));
    first(text, marks, |octet| octet <= b' ' || octet == 0x7f || octet == b'>')
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);

const HIGHS: u64 = ONES << 7;

/// Marks the high bit of each octet that is zero. Octets above one may be marked too: only the lowest mark is sure.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// The same for each octet below `limit`, which is at most 128.
const fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * limit as u64) & !word & HIGHS
}

/// The first octet that `marks` marks, or that `is` says it is.
#[inline]
fn first(text: &[u8], marks: impl Fn(u64) -> u64, is: impl Fn(u8) -> bool) -> Option<usize> {
    let (words, rest) = text.as_chunks::<8>();
    let mut at = 0_usize;
    for word in words {
        let found = marks(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(at.wrapping_add(lowest(found)));
        }
        at = at.wrapping_add(8);
    }
    if rest.is_empty() {
        return None;
    }
    // The last eight overlap with what was looked at, in which nothing is marked.
    let Some(word) = text.last_chunk::<8>() else { return rest.iter().position(|o| is(*o)) };
    let found = marks(u64::from_le_bytes(*word));
    (found != 0).then(|| text.len() - 8 + lowest(found))
}

const fn lowest(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slow(text: &[u8], is: impl Fn(u8) -> bool) -> Option<usize> {
        text.iter().position(|octet| is(*octet))
    }

    fn all_agree(octet: u8, text: &[u8]) {
        assert_eq!(find(octet, text), slow(text, |other| other == octet));
        assert_eq!(find(b':', text), slow(text, |other| other == b':'));
        assert_eq!(find_control(text), slow(text, |other| other < b' '));
        assert_eq!(find_light(text), slow(text, |other| other <= b' ' || other == 0x7f));
        let ends = |other| other <= b' ' || other == 0x7f || other == b'>';
        assert_eq!(find_bracket(text), slow(text, ends));
        assert_eq!(find_escape(text), slow(text, |other| other == 0 || other == b'\\'));
        assert_eq!(find_odd(text), slow(text, |other| other < b'#' || other == b'<'));
        assert_eq!(find_param_end(text), slow(text, |other| other <= b' ' || other == b';'));
    }

    #[test]
    fn each_finds_what_a_slow_search_finds() {
        let places = (0..40).flat_map(|length| (0..=length).map(move |place| (length, place)));
        for (length, place) in places {
            for octet in 0..=255 {
                let mut text = vec![0xa0; length];
                text.iter_mut().skip(place).step_by(3).for_each(|other| *other = octet);
                all_agree(octet, &text);
            }
        }
    }
}
