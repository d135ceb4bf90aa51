//! `Fields`: the header fields of an HTTP head, as the upgrade needs them (RFC 9110 §5, RFC 6455 §4).

/// The header fields of one head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a>(pub &'a [httparse::Header<'a>]);

/// How often a field is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field<'a> {
    Absent,
    /// Once, without the blanks around it.
    Once(&'a [u8]),
    Often,
}

impl<'a> Fields<'a> {
    /// A field that may be there once.
    pub(super) fn one(self, name: &str) -> Field<'a> {
        let mut all = self.all(name);
        match (all.next(), all.next()) {
            (None, _) => Field::Absent,
            (Some(value), None) => Field::Once(value.trim_ascii()),
            (Some(_), Some(_)) => Field::Often,
        }
    }

    /// True when a field is there once, with this value in any case.
    pub(super) fn is(self, name: &str, value: &str) -> bool {
        matches!(self.one(name), Field::Once(read) if read.eq_ignore_ascii_case(value.as_bytes()))
    }

    /// The elements of a field that is a list, over all its rows.
    pub(super) fn list(self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let rows = self.all(name).flat_map(|row| row.split(|octet| *octet == b','));
        rows.map(<[u8]>::trim_ascii).filter(|element| !element.is_empty())
    }

    fn all(self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let named = move |field: &&httparse::Header<'_>| field.name.eq_ignore_ascii_case(name);
        self.0.iter().filter(named).map(|field| field.value)
    }
}
