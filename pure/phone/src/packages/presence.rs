//! `Presence`: whether somebody is there, as `application/pidf+xml` (RFC 3863).

use std::fmt::Write as _;

use super::Unreadable;
use super::xml::{Element, escaped};

/// Whether somebody is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// Who: `sip:alice@example.test`.
    pub entity: String,
    /// Each way to reach them.
    pub tuples: Vec<Tuple>,
    /// What they say about it.
    pub note: Option<String>,
}

/// One way to reach somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tuple {
    /// Its name among others.
    pub id: String,
    /// Whether it can be used now.
    pub basic: Basic,
    /// Where.
    pub contact: Option<String>,
    /// What is said about it.
    pub note: Option<String>,
}

/// Whether a way can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Basic {
    /// It can.
    Open,
    /// It cannot.
    Closed,
    /// Nothing is said.
    #[default]
    Unknown,
}

impl Presence {
    /// One way, open or closed, with a note.
    pub fn of(entity: &str, basic: Basic, note: Option<&str>) -> Self {
        let contact = Some(entity.to_owned());
        let tuple = Tuple { id: "phone".into(), basic, contact, note: note.map(Into::into) };
        Self { entity: entity.into(), tuples: vec![tuple], note: None }
    }

    /// True when somebody can be reached by one way at least.
    pub fn is_open(&self) -> bool {
        self.tuples.iter().any(|tuple| tuple.basic == Basic::Open)
    }

    /// Reads it.
    pub fn read(body: &[u8]) -> Result<Self, Unreadable> {
        let document = Element::read(body, "presence")?;
        let text = |element: &Element, name: &str| element.text_of(name).map(str::to_owned);
        let tuple = |tuple: &Element| Tuple {
            id: tuple.attribute("id").unwrap_or_default().to_owned(),
            basic: match tuple.child("status").and_then(|status| status.text_of("basic")) {
                Some("open") => Basic::Open,
                Some("closed") => Basic::Closed,
                _ => Basic::Unknown,
            },
            contact: text(tuple, "contact"),
            note: text(tuple, "note"),
        };
        Ok(Self {
            entity: document.attribute("entity").unwrap_or_default().to_owned(),
            tuples: document.all("tuple").map(tuple).collect(),
            note: text(&document, "note"),
        })
    }

    /// Writes it.
    pub fn write(&self) -> Vec<u8> {
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"{}\">\r\n",
            escaped(&self.entity)
        );
        for tuple in &self.tuples {
            let basic = match tuple.basic {
                Basic::Open => "<basic>open</basic>",
                Basic::Closed => "<basic>closed</basic>",
                Basic::Unknown => "",
            };
            // To write into a string cannot fail.
            let _ = write!(text, "<tuple id=\"{}\"><status>{basic}</status>", escaped(&tuple.id));
            element(&mut text, "contact", tuple.contact.as_deref());
            element(&mut text, "note", tuple.note.as_deref());
            text.push_str("</tuple>\r\n");
        }
        element(&mut text, "note", self.note.as_deref());
        text.push_str("</presence>\r\n");
        text.into_bytes()
    }
}

/// An element, when there is something to stand in it.
fn element(text: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        // To write into a string cannot fail.
        let _ = write!(text, "<{name}>{}</{name}>", escaped(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let mut presence = Presence::of("sip:a@b", Basic::Open, Some("in <a> \"meeting\" & more"));
        presence.note = Some("<!DOCTYPE x>".into());
        assert_eq!(Presence::read(&presence.write()), Ok(presence));
    }

    #[test]
    fn the_example_of_the_rfc_is_read() {
        let body = br#"<?xml version="1.0" encoding="UTF-8"?>
            <impp:presence xmlns:impp="urn:ietf:params:xml:ns:pidf" entity="pres:someone@example.com">
              <impp:tuple id="sg89ae"><impp:status><impp:basic>open</impp:basic></impp:status>
                <impp:contact priority="0.8">tel:+09012345678</impp:contact></impp:tuple>
            </impp:presence>"#;
        let read = Presence::read(body).unwrap();
        assert!(read.is_open() && read.entity == "pres:someone@example.com");
        assert_eq!(read.tuples[0].contact.as_deref(), Some("tel:+09012345678"));
    }
}
