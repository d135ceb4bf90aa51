//! `rewrite`: what becomes of the number on a route.

use ::server::routes::Rewrite;

use super::matching::pattern;
use crate::config::fault::{At, Faults};
use crate::config::key::Key;
use crate::config::table::Table;
use crate::limits;

pub(super) fn read(table: &Table<'_>, faults: &mut Faults) -> Option<Rewrite> {
    let strip = table.number("strip", 0..=limits::STRIPPED, faults);
    let prepend = table.text("prepend", faults).filter(|text| dialled(*text, "prepend", faults));
    let regex = table.text("regex", faults).and_then(|text| pattern(text, faults));
    let replace = table.text("replace", faults);
    if table.has("regex") != table.has("replace") {
        faults.refuse(
            table.span,
            "`regex` and `replace` need each other",
            "write regex = '^0(.*)', replace = \"+49$1\"",
        );
        return None;
    }
    let replace = match (regex, replace) {
        (Some(regex), Some(by)) => {
            let text = At { value: by.value, span: by.span };
            (groups(by.value, regex.groups(), text, faults) && dialled_or_group(text, faults))
                .then(|| (regex, by.value.into()))
        }
        _ => None,
    };
    Some(Rewrite {
        strip: strip.and_then(|strip| usize::try_from(strip.value).ok()).unwrap_or(0),
        replace,
        prepend: prepend.map_or("", |text| text.value).into(),
    })
}

/// Has every `$n` its parentheses?
fn groups(by: &str, groups: usize, written: At<&str>, faults: &mut Faults) -> bool {
    let mut parts = by.split('$').skip(1).map(|part| {
        let part = part.strip_prefix('{').unwrap_or(part);
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let rest = part.get(digits..).unwrap_or_default();
        (part.get(..digits).and_then(|digits| digits.parse::<usize>().ok()), rest)
    });
    let wrong = parts.find(|(number, rest)| {
        // `$1a` would be a group of the name `1a`.
        number.is_none_or(|number| number > groups)
            || rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
    });
    if wrong.is_some() {
        let what = format!("`{}` names what `regex` does not have", by.escape_debug());
        let hint =
            format!("`regex` has {groups} pairs of parentheses; write ${{1}}0 when digits follow");
        faults.refuse(written.span, what, hint);
    }
    wrong.is_none()
}

fn dialled(written: At<&str>, key: &str, faults: &mut Faults) -> bool {
    let fits = written.value.chars().all(|c| c.is_ascii_alphanumeric() || "+*#-_.".contains(c));
    if !fits {
        let what = format!("`{key}` has a character that no number has");
        faults.refuse(written.span, what, "digits, letters and +*#-_.");
    }
    fits
}

fn dialled_or_group(written: At<&str>, faults: &mut Faults) -> bool {
    let plain: String = written.value.chars().filter(|c| !"${}".contains(*c)).collect();
    dialled(At { value: &plain, span: written.span }, "replace", faults)
}

pub(super) const KEYS: &[Key] = &[
    Key::optional("strip", "none", "So many characters come off its beginning first."),
    Key::optional("regex", "nothing is replaced", "Then the first place that looks so …"),
    Key::optional(
        "replace",
        "`regex` must not be there",
        "… becomes this: `$1` is what stood in its first parentheses.",
    ),
    Key::optional("prepend", "nothing", "At last this comes in front."),
];
