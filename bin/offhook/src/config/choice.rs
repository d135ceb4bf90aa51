//! A word out of a few, and which one was probably meant by another.

use super::fault::{At, Faults};
use super::near::nearest;

/// What a word means; one that is not known is a mistake, and said to be no such `kind`.
pub(super) fn choice<T: Copy>(
    word: At<&str>,
    kind: &str,
    known: &[(&'static str, T)],
    faults: &mut Faults,
) -> Option<T> {
    let found = known.iter().find(|(name, _)| *name == word.value);
    if found.is_none() {
        let names = known.iter().map(|(name, _)| *name);
        let hint = match nearest(word.value, names.clone()) {
            Some(name) => format!("did you mean \"{name}\"?"),
            None => format!("known: {}", names.collect::<Vec<_>>().join(", ")),
        };
        let what = format!("unknown {kind} `{}`", word.value.escape_debug());
        faults.refuse(word.span, what, hint);
    }
    found.map(|(_, meaning)| *meaning)
}
