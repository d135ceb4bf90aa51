//! `t=`: when the session is active (RFC 8866 §5.9).

use crate::read::Row;
use crate::{ParseError, write};

/// `t=<start-time> <stop-time>`, in seconds since 1900; 0 means unbounded. A call has `0 0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// The start.
    pub start: u64,
    /// The end.
    pub stop: u64,
}

impl Timing {
    pub(crate) fn read(row: &Row<'_>) -> Result<Self, ParseError> {
        let mut fields = row.fields("t=")?;
        let start = fields.need("start-time in t=")?.number("start-time in t=")?;
        let stop = fields.need("stop-time in t=")?.number("stop-time in t=")?;
        fields.end("end of t=")?;
        Ok(Self { start, stop })
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        write::begin(out, b't');
        write::number(out, self.start);
        write::space(out);
        write::number(out, self.stop);
        write::end(out);
    }
}
