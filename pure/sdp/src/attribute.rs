//! `a=`: everything else that can be said (RFC 8866 §5.13, §6).

use crate::read::Row;
use crate::{ParseError, Text, write};

/// `a=<name>` or `a=<name>:<value>`. Unknown ones are kept, and mean nothing to us (RFC 8866 §5.13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The name: case matters.
    pub name: Box<str>,
    /// What stands behind the colon.
    pub value: Option<Text>,
}

impl Attribute {
    /// A property: `a=rtcp-mux`.
    pub fn flag(name: &str) -> Self {
        Self { name: name.into(), value: None }
    }

    /// A value: `a=ptime:20`.
    pub fn new(name: &str, value: impl Into<Text>) -> Self {
        Self { name: name.into(), value: Some(value.into()) }
    }

    /// The value as text; empty when there is none, or when it is not UTF-8.
    pub fn text(&self) -> &str {
        self.value.as_ref().and_then(Text::as_str).unwrap_or_default()
    }

    pub(crate) fn read(row: &Row<'_>) -> Result<Self, ParseError> {
        let mut parts = row.value.splitn(2, |octet| *octet == b':');
        let name = parts.next().unwrap_or_default();
        let bad = row.bad("attribute name in a=");
        // `a=rtpmap 97 AMR/8000` has been seen: a name with spaces is one that nobody understands.
        if name.is_empty() || !name.iter().all(|octet| octet.is_ascii_graphic() || *octet == b' ') {
            return Err(bad);
        }
        let name = std::str::from_utf8(name).map_err(|_| bad)?;
        Ok(Self { name: name.into(), value: parts.next().map(Text::from) })
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        write::begin(out, b'a');
        write::text(out, self.name.as_bytes());
        if let Some(value) = &self.value {
            out.push(b':');
            write::text(out, value.as_bytes());
        }
        write::end(out);
    }
}
