//! `b=`: how much the media may take (RFC 8866 §5.8).

use crate::read::Row;
use crate::{ParseError, write};

/// `b=<bwtype>:<bandwidth>`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bandwidth {
    /// `CT` and `AS` count kilobits a second, `TIAS`, `RS` and `RR` bits. Unknown ones are kept and mean nothing.
    pub kind: Box<str>,
    /// The number.
    pub amount: u64,
}

impl Bandwidth {
    /// Kilobits a second that media may take, headers included, if this line says so (`AS`, `CT`).
    pub fn kilobits(&self) -> Option<u64> {
        let counts = self.kind.eq_ignore_ascii_case("AS") || self.kind.eq_ignore_ascii_case("CT");
        counts.then_some(self.amount)
    }

    pub(crate) fn read(row: &Row<'_>) -> Result<Self, ParseError> {
        let mut fields = row.fields("b=")?;
        let (kind, amount) = fields.need("bandwidth type in b=")?.cut(':');
        // `b=AS: 64` has been seen: the number may stand apart.
        let amount = match amount {
            Some(field) if !field.text.is_empty() => field,
            _ => fields.need("number in b=")?,
        };
        fields.end("end of b=")?;
        Ok(Self { kind: kind.boxed(), amount: amount.number("number in b=")? })
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        write::begin(out, b'b');
        write::field(out, &self.kind);
        out.push(b':');
        write::number(out, self.amount);
        write::end(out);
    }
}
