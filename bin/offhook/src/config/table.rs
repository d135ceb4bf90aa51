//! `Table`: the file as written, read key by key. Unknown keys and wrong types are refused here, meaning is not judged.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::SECTIONS;
use super::fault::{At, Faults, Span};
use super::key::Key;
use super::near::nearest;

/// A table of the file, or its absence: then every key is absent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'a> {
    keys: &'static [Key],
    written: Option<&'a DeTable<'a>>,
    /// Where it is written: its heading, or its braces.
    pub span: Span,
}

/// One of a list.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item<'a> {
    /// A text.
    Text(At<&'a str>),
    /// A table.
    Table(Table<'a>),
}

impl<'a> Table<'a> {
    /// A table that is not in the file.
    pub(super) const fn absent(keys: &'static [Key]) -> Self {
        Self { keys, written: None, span: Span { start: 0, end: 0 } }
    }

    /// The table that is written at `span`, as `heading` (empty: the top of the file); its unknown keys are refused.
    pub(super) fn open(
        heading: &str,
        keys: &'static [Key],
        written: &'a DeTable<'a>,
        span: Span,
        faults: &mut Faults,
    ) -> Self {
        for key in written
            .keys()
            .filter(|key| keys.iter().all(|known| known.name != key.get_ref().as_ref()))
        {
            refuse_unknown(key.get_ref(), key.span().into(), heading, keys, faults);
        }
        Self { keys, written: Some(written), span }
    }

    /// Is there such a key?
    pub(super) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// Is the table itself not in the file?
    pub(super) const fn is_absent(&self) -> bool {
        self.written.is_none()
    }

    /// Is there no key at all in it?
    pub(super) fn is_empty(&self) -> bool {
        self.written.is_none_or(|table| table.is_empty())
    }

    /// Where the key's value is written.
    pub(super) fn span_of(&self, name: &str) -> Span {
        self.value(name).map_or(self.span, |value| value.span().into())
    }

    /// A text.
    pub(super) fn text(&self, name: &str, faults: &mut Faults) -> Option<At<&'a str>> {
        let value = self.value(name)?;
        self.as_text(name, value, faults)
    }

    /// A text that must be there.
    pub(super) fn required(
        &self,
        name: &str,
        heading: &str,
        faults: &mut Faults,
    ) -> Option<At<&'a str>> {
        if !self.has(name) {
            faults.refuse(
                self.span,
                format!("{heading} has no `{name}`"),
                format!("add {name} = \"…\""),
            );
        }
        self.text(name, faults)
    }

    /// A list of texts; a single text is a list of one.
    pub(super) fn texts(&self, name: &str, faults: &mut Faults) -> Option<Vec<At<&'a str>>> {
        let value = self.value(name)?;
        let Some(array) = value.get_ref().as_array() else {
            return Some(self.as_text(name, value, faults).into_iter().collect());
        };
        Some(array.iter().filter_map(|item| self.as_text(name, item, faults)).collect())
    }

    /// A whole number within `range`.
    pub(super) fn number(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
        faults: &mut Faults,
    ) -> Option<At<u64>> {
        as_number(name, self.value(name)?, &range, faults)
    }

    /// A list of texts and tables; a single one is a list of one.
    pub(super) fn items(&self, name: &str, faults: &mut Faults) -> Option<Vec<Item<'a>>> {
        let value = self.value(name)?;
        let key = self.keys.iter().find(|key| key.name == name)?;
        let mut item = |value: &'a Spanned<DeValue<'a>>| match value.get_ref() {
            DeValue::String(_) => self.as_text(name, value, faults).map(Item::Text),
            DeValue::Table(table) => {
                let heading = format!("`{name}`");
                let table = Self::open(&heading, key.keys, table, value.span().into(), faults);
                Some(Item::Table(table))
            }
            other => {
                let what =
                    format!("`{name}` must be a list of texts or tables, not {}", kind(other));
                faults.refuse(value.span().into(), what, format!("write {name} = [\"…\"]"));
                None
            }
        };
        Some(match value.get_ref().as_array() {
            Some(array) => array.iter().filter_map(item).collect(),
            None => item(value).into_iter().collect(),
        })
    }

    /// A list of whole numbers within `range`; a single one is a list of one.
    pub(super) fn numbers(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
        faults: &mut Faults,
    ) -> Option<Vec<At<u64>>> {
        let value = self.value(name)?;
        let mut read = |value| as_number(name, value, &range, faults);
        Some(match value.get_ref().as_array() {
            Some(array) => array.iter().filter_map(read).collect(),
            None => read(value).into_iter().collect(),
        })
    }

    /// True or false.
    pub(super) fn flag(&self, name: &str, faults: &mut Faults) -> Option<bool> {
        let value = self.value(name)?;
        if let DeValue::Boolean(flag) = value.get_ref() {
            return Some(*flag);
        }
        let what = format!("`{name}` must be true or false, not {}", kind(value.get_ref()));
        faults.refuse(value.span().into(), what, "write it without quotes");
        None
    }

    /// An inline table: `name = { … }`.
    pub(super) fn table(&self, name: &str, faults: &mut Faults) -> Option<Self> {
        let value = self.value(name)?;
        let key = self.keys.iter().find(|key| key.name == name)?;
        let span = value.span().into();
        match value.get_ref().as_table() {
            Some(table) => Some(Self::open(&format!("`{name}`"), key.keys, table, span, faults)),
            None => {
                let known: Vec<_> =
                    key.keys.iter().map(|key| format!("{} = …", key.name)).collect();
                let what = format!("`{name}` must be a table, not {}", kind(value.get_ref()));
                self.refuse_value(
                    name,
                    span,
                    what,
                    format!("write {name} = {{ {} }}", known.join(", ")),
                    faults,
                );
                None
            }
        }
    }

    /// The raw value of a key.
    pub(super) fn value(&self, name: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.written?.get(name)
    }

    fn as_text(
        &self,
        name: &str,
        value: &'a Spanned<DeValue<'a>>,
        faults: &mut Faults,
    ) -> Option<At<&'a str>> {
        let span = value.span().into();
        let found = value.get_ref();
        if let Some(value) = found.as_str() {
            return Some(At { value, span });
        }
        let hint = match found {
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => "put it in quotes".to_owned(),
            _ => format!("write {name} = \"…\""),
        };
        self.refuse_value(
            name,
            span,
            format!("`{name}` must be a text, not {}", kind(found)),
            hint,
            faults,
        );
        None
    }

    fn refuse_value(
        &self,
        name: &str,
        span: Span,
        what: String,
        hint: String,
        faults: &mut Faults,
    ) {
        if self.keys.iter().any(|key| key.name == name && key.secret) {
            faults.refuse_hidden(span, what, hint);
        } else {
            faults.refuse(span, what, hint);
        }
    }
}

fn as_number(
    name: &str,
    value: &Spanned<DeValue<'_>>,
    range: &RangeInclusive<u64>,
    faults: &mut Faults,
) -> Option<At<u64>> {
    let span = value.span().into();
    let number = value
        .get_ref()
        .as_integer()
        .and_then(|digits| i128::from_str_radix(digits.as_str(), digits.radix()).ok());
    let Some(number) = number else {
        let found = kind(value.get_ref());
        let what = format!("`{name}` must be a whole number, not {found}");
        faults.refuse(span, what, "write it without quotes");
        return None;
    };
    let fits = u64::try_from(number).ok().filter(|number| range.contains(number));
    if fits.is_none() {
        let (low, high) = (range.start(), range.end());
        faults.refuse(
            span,
            format!("`{name}` cannot be {number}"),
            format!("from {low} to {high}"),
        );
    }
    fits.map(|value| At { value, span })
}

/// What stands there, in the words of somebody who has never read the TOML specification.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn refuse_unknown(
    written: &str,
    span: Span,
    heading: &str,
    keys: &'static [Key],
    faults: &mut Faults,
) {
    let here = nearest(written, keys.iter().map(|key| key.name));
    let elsewhere =
        || SECTIONS.iter().find(|section| section.keys.iter().any(|key| key.name == written));
    let hint = match here {
        Some(name) => format!("did you mean `{name}`?"),
        None => match elsewhere() {
            Some(section) => format!("`{written}` belongs in {}", section.heading()),
            None => format!(
                "known here: {}",
                keys.iter().map(|key| key.name).collect::<Vec<_>>().join(", ")
            ),
        },
    };
    let what = if heading.is_empty() {
        "unknown key or section".into()
    } else {
        format!("{heading} has no key")
    };
    faults.refuse(span, format!("{what} `{}`", written.escape_debug()), hint);
}
