//! `Features`: what a phone says of itself, and what is wanted of one (RFC 3840 §9, RFC 3841 §8).

use sip::{Param, Params};

/// Feature tags and their values: all of them hold together.
#[derive(Debug, Default)]
pub(super) struct Features(Vec<Tag>);

/// A tag, and the values of which one holds.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) name: String,
    values: Vec<Value>,
}

/// A value, or everything but that value.
#[derive(Debug)]
struct Value {
    not: bool,
    kind: Kind,
}

/// What the form of a value says.
#[derive(Debug, PartialEq)]
enum Kind {
    /// A word, in any case.
    Word(String),
    /// `<…>`: a text, letter by letter.
    Text(String),
    /// `#…`: numbers from, to.
    Number(f64, f64),
}

impl Features {
    /// The feature parameters among these.
    pub(super) fn of(params: Params<'_>) -> Self {
        let mut features = Self::default();
        for Param { name, value } in params.iter().filter(|param| is_feature(param.name)) {
            // Without a value it is TRUE. What cannot be read as text is no value that anybody could want.
            let value = value.map_or(Some("TRUE"), |value| std::str::from_utf8(value).ok());
            if let Some(value) = value {
                features.add(name, value);
            }
        }
        features
    }

    /// The same, of parameters as they were written.
    pub(super) fn written(features: &[u8]) -> Self {
        Self::of(Params::new(features))
    }

    /// Adds a tag with its list of values; the first of a name counts.
    pub(super) fn add(&mut self, name: &str, values: &str) {
        let name = canonical(name);
        if self.has(&name) {
            return;
        }
        let values = values.trim_matches('"').split(',').map(Value::of).collect();
        self.0.push(Tag { name, values });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Tag> {
        self.0.iter()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// True when the phone says something of every one of these tags.
    pub(super) fn all_in(&self, phone: &Self) -> bool {
        self.iter().all(|tag| phone.has(&tag.name))
    }

    /// True when some phone could be both (RFC 2533 §3): a tag that only one of them has stands in nobody's way.
    pub(super) fn fits(&self, phone: &Self) -> bool {
        let fits = |tag: &Tag| {
            let theirs = phone.get(&tag.name);
            theirs.is_none_or(|theirs| tag.values.iter().any(|one| one.meets_any(&theirs.values)))
        };
        self.iter().all(fits)
    }

    fn get(&self, name: &str) -> Option<&Tag> {
        self.0.iter().find(|tag| tag.name == name)
    }
}

impl Value {
    fn of(text: &str) -> Self {
        let text = text.trim();
        let (not, text) = text.strip_prefix('!').map_or((false, text), |text| (true, text));
        let kind = if let Some(number) = text.strip_prefix('#') {
            numbers(number).map_or(Kind::Word(text.into()), |(from, to)| Kind::Number(from, to))
        } else if let Some(quoted) = text.strip_prefix('<') {
            Kind::Text(quoted.trim_end_matches('>').into())
        } else {
            Kind::Word(text.to_ascii_uppercase())
        };
        Self { not, kind }
    }

    fn meets_any(&self, others: &[Self]) -> bool {
        others.iter().any(|other| self.meets(other))
    }

    /// True when something is both.
    fn meets(&self, other: &Self) -> bool {
        match (self.not, other.not) {
            (false, false) => self.kind.meets(&other.kind),
            (false, true) => !self.kind.is_within(&other.kind),
            (true, false) => !other.kind.is_within(&self.kind),
            (true, true) => true,
        }
    }
}

impl Kind {
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(from, to), Self::Number(low, high)) => from <= high && low <= to,
            _ => self == other,
        }
    }

    fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(from, to), Self::Number(low, high)) => low <= from && to <= high,
            _ => self == other,
        }
    }
}

/// `=5`, `>=5`, `<=5`, `1:5`.
fn numbers(text: &str) -> Option<(f64, f64)> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    if let Some(least) = text.strip_prefix(">=") {
        return Some((number(least)?, f64::INFINITY));
    }
    if let Some(most) = text.strip_prefix("<=") {
        return Some((f64::NEG_INFINITY, number(most)?));
    }
    if let Some(one) = text.strip_prefix('=') {
        return Some((number(one)?, number(one)?));
    }
    let (from, to) = text.split_once(':')?;
    Some((number(from)?, number(to)?))
}

/// The name of a tag in its tree (RFC 3840 §9): those of the base set lie under `sip.`, a plus stands before all others.
fn canonical(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.strip_prefix('+') {
        Some(other) => other.into(),
        None => format!("sip.{name}"),
    }
}

fn is_feature(name: &str) -> bool {
    name.starts_with('+') || BASE.iter().any(|base| base.eq_ignore_ascii_case(name))
}

/// RFC 3841 §7.2.1.
const BASE: [&str; 20] = [
    "audio",
    "automata",
    "class",
    "duplex",
    "data",
    "control",
    "mobility",
    "description",
    "events",
    "priority",
    "methods",
    "extensions",
    "schemes",
    "application",
    "video",
    "language",
    "type",
    "isfocus",
    "actor",
    "text",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_compared_by_their_form() {
        for (wanted, phone, fits) in [
            (";audio", ";audio", true),
            (";audio", ";audio=\"FALSE\"", false),
            (";audio", ";video", true),
            (";class=\"business\"", ";class=\"Personal,BUSINESS\"", true),
            (";class=\"!business\"", ";class=\"business\"", false),
            (";class=\"!business\"", ";class=\"personal\"", true),
            (";+x=\"<One>\"", ";+x=\"<One>\"", true),
            (";+x=\"<One>\"", ";+x=\"<one>\"", false),
            (";priority=\"#>=20\"", ";priority=\"#<=10\"", false),
            (";priority=\"#10:20\"", ";priority=\"#=15.5\"", true),
            (";priority=\"!#10:20\"", ";priority=\"#=15\"", false),
            (";video", ";q=0.5;expires=60", true),
        ] {
            let read = |text: &str| Features::written(text.as_bytes());
            assert_eq!(read(wanted).fits(&read(phone)), fits, "{wanted} {phone}");
        }
        assert!(Features::written(b";q=0.5;expires=60;reg-id=1;require").is_empty());
    }
}
