//! `Description`: a whole session description (RFC 8866 §5).

use crate::line::Lines;
use crate::read::{Row, rows};
use crate::{
    Attribute, Connection, Direction, Line, Media, Origin, ParseError, Text, Timing, limits, write,
};

/// A session description: `v=`, `o=` and `s=`, the session's other lines in their order, then the media sections in theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Who made it, and which version it is.
    pub origin: Origin,
    /// `s=`: the name of the session; `-` for a call.
    pub name: Text,
    /// The session's other lines, in their order.
    pub lines: Vec<Line>,
    /// The media sections, in their order.
    pub media: Vec<Media>,
}

impl Description {
    /// A description without media: `s=-`, `t=0 0` (RFC 3264 §5).
    pub fn new(origin: Origin) -> Self {
        let lines = vec![Line::Timing(Timing::default())];
        Self { origin, name: "-".into(), lines, media: Vec::new() }
    }

    /// Reads a description. A missing `s=` or `t=` is forgiven, for many senders forget them; nothing else that is missing is. Of
    /// several in a row the first counts: RFC 3264 §5 allows no second one.
    pub fn parse(octets: &[u8]) -> Result<Self, ParseError> {
        if octets.len() > limits::OCTETS {
            return Err(ParseError {
                what: "length of the description",
                line: 1,
                at: limits::OCTETS,
            });
        }
        let mut reader = Reader::default();
        for (index, row) in rows(octets).enumerate() {
            let row = row?;
            if row.letter == b'v' && index > 0 {
                break;
            }
            if index >= limits::LINES {
                return Err(row.bad("number of lines (too many)"));
            }
            reader.take(index, &row)?;
        }
        let line = octets.split(|octet| *octet == b'\n').count();
        let missing = |what| ParseError { what, line, at: octets.len() };
        let origin = reader.origin.ok_or(missing("o= (missing)"))?;
        let name = reader.name.unwrap_or_else(|| "-".into());
        Ok(Self { origin, name, lines: reader.lines, media: reader.media })
    }

    /// The octets to send, each line ended by CRLF. Reading them gives this description again.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(b"v=0\r\n");
        self.origin.write(&mut out);
        write::begin(&mut out, b's');
        // RFC 8866 §5.3: it MUST NOT be empty.
        write::text(&mut out, if self.name.is_empty() { b"-" } else { self.name.as_bytes() });
        write::end(&mut out);
        self.lines.iter().for_each(|line| line.write(&mut out));
        self.media.iter().for_each(|media| media.write(&mut out));
        out
    }

    /// The session's `c=`, which holds for every section without its own.
    pub fn connection(&self) -> Option<&Connection> {
        self.first_connection()
    }

    /// The `c=` that holds for a section.
    pub fn connection_of<'a>(&'a self, media: &'a Media) -> Option<&'a Connection> {
        media.connection().or_else(|| self.connection())
    }

    /// The direction that holds for a section: its own, else the session's, else both ways (RFC 8866 §6.7).
    pub fn direction_of(&self, media: &Media) -> Direction {
        let session = || self.attributes().find_map(|attribute| Direction::named(&attribute.name));
        media.direction().or_else(session).unwrap_or_default()
    }

    /// The session's attributes in their order.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.all_attributes()
    }

    /// The first attribute of the session of that name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes().find(|attribute| &*attribute.name == name)
    }

    /// The `t=` lines.
    pub fn timings(&self) -> impl Iterator<Item = Timing> {
        self.lines.iter().filter_map(|line| match line {
            Line::Timing(timing) => Some(*timing),
            _ => None,
        })
    }
}

impl Lines for Description {
    fn lines(&self) -> &[Line] {
        &self.lines
    }
}

/// What has been read so far.
#[derive(Default)]
struct Reader {
    origin: Option<Origin>,
    name: Option<Text>,
    lines: Vec<Line>,
    media: Vec<Media>,
}

impl Reader {
    fn take(&mut self, index: usize, row: &Row<'_>) -> Result<(), ParseError> {
        match (row.letter, index) {
            (b'v', 0) if row.value.trim_ascii_end() == b"0" => Ok(()),
            (b'v', 0) => Err(row.bad("version in v= (only 0 exists)")),
            (_, 0) => {
                Err(ParseError { at: row.at.saturating_sub(2), ..row.bad("v= (must come first)") })
            }
            (b'm', _) if self.media.len() >= limits::SECTIONS => {
                Err(row.bad("number of m= (too many)"))
            }
            (b'm', _) => {
                self.media.push(Media::read(row)?);
                Ok(())
            }
            _ => match self.media.last_mut() {
                Some(media) => below_media(media, row),
                None => self.session(row),
            },
        }
    }

    fn session(&mut self, row: &Row<'_>) -> Result<(), ParseError> {
        match row.letter {
            b'o' if self.origin.is_some() => Err(row.bad("o= (a second one)")),
            b's' if self.name.is_some() => Err(row.bad("s= (a second one)")),
            // RFC 8866 §5.7: several belong to media sections only.
            b'c' if self.connection().is_some() => Err(row.bad("c= (a second one)")),
            b'o' => {
                self.origin = Some(Origin::read(row)?);
                Ok(())
            }
            b's' => {
                self.name = Some(if row.value.is_empty() { "-".into() } else { row.value.into() });
                Ok(())
            }
            _ => {
                self.lines.extend(Line::read(row)?);
                Ok(())
            }
        }
    }

    fn connection(&self) -> Option<&Connection> {
        self.lines.iter().find_map(|line| match line {
            Line::Connection(connection) => Some(connection),
            _ => None,
        })
    }
}

/// RFC 8866 §9: `media-description` has `i=`, `c=`, `b=`, `k=` and `a=`.
fn below_media(media: &mut Media, row: &Row<'_>) -> Result<(), ParseError> {
    if matches!(row.letter, b'o' | b's' | b't' | b'r' | b'z' | b'u' | b'e' | b'p') {
        return Err(ParseError {
            at: row.at.saturating_sub(2),
            ..row.bad("place of a session's line (below m=)")
        });
    }
    media.lines.extend(Line::read(row)?);
    Ok(())
}
