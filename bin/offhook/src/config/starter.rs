//! The extensions of a server that was started without a config.

use machine::Dice;

use super::extension::{Credential, Extension};
use super::secret::Secret;

/// Extensions 100 and 101 with passwords that nobody can guess.
pub(super) fn extensions(dice: &mut Dice) -> Vec<Extension> {
    let extension = |number: &str| Extension {
        number: number.to_owned(),
        credential: Credential::Password(password(dice)),
        name: None,
        contacts: Vec::new(),
        may_register: Vec::new(),
        calls: None,
    };
    ["100", "101"].map(extension).into()
}

/// Sixteen letters and digits that look different on every screen: about 78 bits.
fn password(dice: &mut Dice) -> Secret {
    let mut letter = || {
        usize::try_from(dice.below(LETTERS.len() as u64))
            .ok()
            .and_then(|at| LETTERS.get(at).copied())
    };
    Secret::new((0..16).filter_map(|_| letter()).map(char::from).collect::<String>())
}

const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_long_and_different() {
        let [first, second] = extensions(&mut Dice::new(7)).try_into().expect("two");
        let (Credential::Password(first), Credential::Password(second)) =
            (first.credential, second.credential)
        else {
            panic!("passwords");
        };
        assert_eq!((first.reveal().len(), second.reveal().len()), (16, 16));
        assert_ne!(first, second);
    }
}
