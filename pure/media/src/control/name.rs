//! CNAME: a name that is ours for this session and tells nothing else (RFC 7022 §4.2: 96 random bits, in base64).

use machine::Dice;

/// Characters of such a name: six bits each.
const LENGTH: u32 = 16;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A new name.
pub(crate) fn canonical(dice: &mut Dice) -> Box<[u8]> {
    let bits = dice.seed();
    let letter = |n: u32| ALPHABET.get((bits >> (6 * n)) as usize & 63).copied();
    (0..LENGTH).filter_map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sixteen_letters_and_never_the_same() {
        let mut dice = Dice::new(5);
        let (one, other) = (canonical(&mut dice), canonical(&mut dice));
        assert_eq!((one.len(), other.len()), (16, 16));
        assert!(one != other && one.iter().all(|letter| ALPHABET.contains(letter)));
    }
}
