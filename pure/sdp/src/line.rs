//! `Line`: one line of a description, read as far as it means something to us.

use crate::read::Row;
use crate::{Attribute, Bandwidth, Connection, ParseError, Text, Timing, write};

/// A line that is neither `v=`, `o=`, `s=` nor `m=`: those have their own places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// `c=`
    Connection(Connection),
    /// `b=`
    Bandwidth(Bandwidth),
    /// `t=`
    Timing(Timing),
    /// `a=`
    Attribute(Attribute),
    /// `i=`, `u=`, `e=`, `p=`, `r=`, `z=`: known, kept as they came.
    Other(u8, Text),
}

impl Line {
    /// Reads a line; `None` for `k=`, which RFC 8866 §5.12 tells us to discard.
    pub(crate) fn read(row: &Row<'_>) -> Result<Option<Self>, ParseError> {
        Ok(Some(match row.letter {
            b'c' => Self::Connection(Connection::read(row)?),
            b'b' => Self::Bandwidth(Bandwidth::read(row)?),
            b't' => Self::Timing(Timing::read(row)?),
            b'a' => Self::Attribute(Attribute::read(row)?),
            b'i' | b'u' | b'e' | b'p' | b'r' | b'z' => Self::Other(row.letter, row.value.into()),
            b'k' => return Ok(None),
            // RFC 8866 §5: the letters are not extensible; a description with another one is rejected.
            _ => {
                return Err(ParseError {
                    at: row.at.saturating_sub(2),
                    ..row.bad("letter of a line")
                });
            }
        }))
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Connection(connection) => connection.write(out),
            Self::Bandwidth(bandwidth) => bandwidth.write(out),
            Self::Timing(timing) => timing.write(out),
            Self::Attribute(attribute) => attribute.write(out),
            Self::Other(letter, value) => {
                write::begin(out, *letter);
                write::text(out, value.as_bytes());
                write::end(out);
            }
        }
    }
}

/// Looking things up in lines: what the session's part and a media section have in common.
pub(crate) trait Lines {
    fn lines(&self) -> &[Line];

    fn first_connection(&self) -> Option<&Connection> {
        self.lines().iter().find_map(|line| match line {
            Line::Connection(connection) => Some(connection),
            _ => None,
        })
    }

    fn all_attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.lines().iter().filter_map(|line| match line {
            Line::Attribute(attribute) => Some(attribute),
            _ => None,
        })
    }
}
