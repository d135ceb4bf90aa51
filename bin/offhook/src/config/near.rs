//! "Did you mean …?": the nearest known word by edit distance.

/// The word of `known` that was probably meant by `written`, if one is near enough: a third of its letters wrong.
pub(super) fn nearest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written = written.to_lowercase();
    known
        .into_iter()
        .map(|word| (distance(&written, &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= (word.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Letters to insert, drop, change, or swap with their neighbour, to make one word the other (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    let mut last = None;
    for (row, letter) in from.chars().enumerate() {
        let mut line = vec![row.saturating_add(1)];
        for (column, other) in to.iter().enumerate() {
            let at =
                |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX);
            let changed = at(&above, column).saturating_add(usize::from(letter != *other));
            let dropped = at(&above, column.saturating_add(1)).saturating_add(1);
            let inserted = at(&line, column).saturating_add(1);
            let neighbour = column.checked_sub(1);
            let swapped = match neighbour.and_then(|left| to.get(left)) {
                Some(left) if last == Some(*other) && *left == letter => {
                    neighbour.map_or(usize::MAX, |left| at(&before, left).saturating_add(1))
                }
                _ => usize::MAX,
            };
            line.push(changed.min(dropped).min(inserted).min(swapped));
        }
        last = Some(letter);
        before = std::mem::replace(&mut above, line);
    }
    above.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (from, to, expected) in [
            ("", "", 0),
            ("", "udp", 3),
            ("udp", "", 3),
            ("udp", "udp", 0),
            ("upd", "udp", 1),
            ("domians", "domains", 1),
            ("relam", "realm", 1),
            ("pasword", "password", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn only_a_near_word_is_suggested() {
        let keys = ["udp", "tcp", "tls", "console"];
        assert_eq!(nearest("upd", keys), Some("udp"));
        assert_eq!(nearest("TCP", keys), Some("tcp"));
        assert_eq!(nearest("consul", keys), Some("console"));
        assert_eq!(nearest("sctp", keys), None);
        assert_eq!(nearest("quic", keys), None);
    }
}
