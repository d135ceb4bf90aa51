//! XML as far as event packages need it: a small tree, with limits. No document type, no entities but the five of XML itself, and names without
//! their prefixes.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::Unreadable;
use crate::limits;

/// An element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    /// What stands in it, between its children too.
    text: String,
    pub(super) children: Vec<Self>,
}

impl Element {
    /// Reads a document whose outermost element has this name.
    pub(super) fn read(body: &[u8], root: &str) -> Result<Self, Unreadable> {
        if body.len() > limits::BODY {
            return Err(Unreadable::because("too long"));
        }
        let text = std::str::from_utf8(body).map_err(|_| Unreadable::because("no UTF-8"))?;
        let found = tree(text)?;
        match found.name == root {
            true => Ok(found),
            false => Err(Unreadable::because(format!("{} instead of {root}", found.name))),
        }
    }

    /// An attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let mut all = self.attributes.iter();
        all.find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// The children of this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// What stands in it.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    /// What stands in the first child of this name.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(Self::text).filter(|text| !text.is_empty())
    }
}

fn tree(text: &str) -> Result<Element, Unreadable> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut elements = 0_usize;
    loop {
        let event = reader.read_event().map_err(|error| Unreadable::because(error.to_string()))?;
        let closed = match event {
            Event::Start(start) => {
                elements = elements.saturating_add(1);
                if open.len() >= limits::XML_DEPTH || elements > limits::XML_ELEMENTS {
                    return Err(Unreadable::because("too deep or too many elements"));
                }
                open.push(begin(&start)?);
                None
            }
            Event::Empty(start) => {
                elements = elements.saturating_add(1);
                if elements > limits::XML_ELEMENTS {
                    return Err(Unreadable::because("too many elements"));
                }
                Some(begin(&start)?)
            }
            Event::End(_) => open.pop(),
            Event::Text(text) => {
                append(&mut open, &text);
                None
            }
            Event::CData(text) => {
                append(&mut open, &text);
                None
            }
            Event::GeneralRef(name) => {
                let letter = name
                    .resolve_char_ref()
                    .map_err(|error| Unreadable::because(error.to_string()))?;
                let known = quick_xml::escape::resolve_xml_entity(&name);
                match (letter, known) {
                    (Some(letter), _) => append(&mut open, letter.encode_utf8(&mut [0; 4])),
                    (None, Some(text)) => append(&mut open, text),
                    (None, None) => return Err(Unreadable::because("an entity")),
                }
                None
            }
            // What a document says of itself could make a line of it a gigabyte.
            Event::DocType(_) => return Err(Unreadable::because("a document type")),
            Event::Eof => return Err(Unreadable::because("it ends too early")),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => None,
        };
        let Some(closed) = closed else { continue };
        match open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None => return Ok(closed),
        }
    }
}

fn begin(start: &BytesStart<'_>) -> Result<Element, Unreadable> {
    let mut attributes = Vec::new();
    for attribute in start.attributes().take(limits::XML_ATTRIBUTES) {
        let attribute = attribute.map_err(|error| Unreadable::because(error.to_string()))?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| Unreadable::because(error.to_string()))?;
        attributes.push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
    }
    let name = start.local_name().as_ref().to_owned();
    Ok(Element { name, attributes, ..Element::default() })
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// Text that may stand in an element or an attribute.
pub(super) fn escaped(text: &str) -> String {
    let plain: String = text.chars().filter(|letter| !letter.is_control()).collect();
    quick_xml::escape::escape(plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_without_its_prefixes() {
        let body = b"<?xml version=\"1.0\"?><!-- x --><p:a xmlns:p='urn:p' p:x='1 &lt; 2'>b &amp; &#65;<p:c/> d<![CDATA[<e>]]></p:a>";
        let read = Element::read(body, "a").unwrap();
        assert_eq!(read.attribute("x"), Some("1 < 2"));
        assert_eq!(read.text(), "b & A d<e>");
        assert!(read.child("c").is_some());
        assert!(Element::read(body, "b").is_err());
    }

    #[test]
    fn what_could_grow_is_refused() {
        let deep = "<a>".repeat(100);
        let wide = format!("<a>{}</a>", "<b/>".repeat(5000));
        let bomb = "<!DOCTYPE a [<!ENTITY l \"lol\">]><a>&l;</a>";
        for body in
            [&*deep, &*wide, bomb, "<a>&l;</a>", "<a>", "<a></b>", "", "a", "<a x=1/>", "\u{0}"]
        {
            assert!(
                Element::read(body.as_bytes(), "a").is_err(),
                "{}",
                &body[..body.len().min(40)]
            );
        }
        assert!(Element::read(&[b' '; 100_000], "a").is_err());
        assert!(Element::read(b"<a>\xff</a>", "a").is_err());
    }
}
