//! `Media`: an `m=` line and what belongs to it (RFC 8866 §5.14).

use crate::line::Lines;
use crate::read::{Row, number};
use crate::{
    Address, Attribute, Connection, Crypto, Direction, Line, ParseError, RtpMap, limits, write,
};

/// `m=<media> <port>[/<number of ports>] <proto> <fmt> …`, and the lines below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video`…
    pub kind: Box<str>,
    /// Where it is wanted; 0 means not at all (RFC 3264 §5.1).
    pub port: u16,
    /// How many pairs of ports, for media in layers.
    pub ports: Option<u16>,
    /// `RTP/AVP`…
    pub protocol: Box<str>,
    /// Payload types for RTP, most wanted first; other protocols have their own. Some senders forget them.
    pub formats: Vec<Box<str>>,
    /// `i=`, `c=`, `b=` and `a=` lines, in their order.
    pub lines: Vec<Line>,
}

impl Media {
    /// A section without any line below it.
    pub fn new(kind: &str, port: u16, protocol: &str) -> Self {
        Self {
            kind: kind.into(),
            port,
            ports: None,
            protocol: protocol.into(),
            formats: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// The first `c=` of this section.
    pub fn connection(&self) -> Option<&Connection> {
        self.first_connection()
    }

    /// All attributes in their order.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.all_attributes()
    }

    /// The first attribute of that name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes().find(|attribute| &*attribute.name == name)
    }

    /// The payload types among the formats, most wanted first.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> {
        self.formats.iter().filter_map(|format| number(format))
    }

    /// What a payload type means: as `a=rtpmap` says, else as RFC 3551 does.
    pub fn rtpmap(&self, payload_type: u8) -> Option<RtpMap> {
        self.attributes()
            .filter(|attribute| &*attribute.name == "rtpmap")
            .filter_map(|attribute| RtpMap::parse(attribute.text()))
            .find(|map| map.payload_type == payload_type)
            .or_else(|| RtpMap::of_static(payload_type))
    }

    /// The parameters of a format: `a=fmtp:<format> <parameters>` (RFC 8866 §6.15).
    pub fn fmtp(&self, payload_type: u8) -> Option<&str> {
        self.attributes()
            .filter(|attribute| &*attribute.name == "fmtp")
            .filter_map(|attribute| attribute.text().trim().split_once(' '))
            .find(|(format, _)| number(format) == Some(payload_type))
            .map(|(_, parameters)| parameters.trim())
    }

    /// `a=ptime`: milliseconds of sound in a packet; one that is not above 0 says nothing (RFC 3264 §5.1).
    pub fn ptime(&self) -> Option<u16> {
        self.milliseconds("ptime")
    }

    /// `a=maxptime`: the most milliseconds in a packet.
    pub fn maxptime(&self) -> Option<u16> {
        self.milliseconds("maxptime")
    }

    /// The direction, if this section says one.
    pub fn direction(&self) -> Option<Direction> {
        self.attributes().find_map(|attribute| Direction::named(&attribute.name))
    }

    /// `a=rtcp:<port> [<address>]`: where RTCP is wanted, when not one port above (RFC 3605 §2.1).
    pub fn rtcp(&self) -> Option<(u16, Option<Address>)> {
        let mut fields = self.attribute("rtcp")?.text().split_ascii_whitespace();
        let port = number(fields.next()?)?;
        let address = match (fields.next(), fields.next(), fields.next()) {
            (Some(network), Some(family), Some(host)) => {
                Some(Address { network: network.into(), family: family.into(), host: host.into() })
            }
            _ => None,
        };
        Some((port, address))
    }

    /// `a=rtcp-xr:…`: the extended reports that are asked for (RFC 3611 §5.1).
    pub fn extended_reports(&self) -> Box<[Box<str>]> {
        let Some(attribute) = self.attribute("rtcp-xr") else { return Box::default() };
        let asked = attribute.text().split_ascii_whitespace().take(crate::limits::EXTENDED);
        asked.map(Box::from).collect()
    }

    /// `a=rtcp-mux`: RTCP may come on the RTP port (RFC 5761 §5.1.1).
    pub fn has_rtcp_mux(&self) -> bool {
        self.attribute("rtcp-mux").is_some()
    }

    /// `a=crypto`: the keys for SRTP that can be used as they are offered, most wanted first (RFC 4568).
    pub fn cryptos(&self) -> impl Iterator<Item = Crypto> {
        self.attributes()
            .filter(|attribute| &*attribute.name == "crypto")
            .filter_map(|attribute| Crypto::parse(attribute.text()))
    }

    /// `a=mid`: the section's name (RFC 5888 §4).
    pub fn mid(&self) -> Option<&str> {
        self.attribute("mid").map(Attribute::text)
    }

    /// Adds an attribute below all others.
    pub fn push(&mut self, attribute: Attribute) {
        self.lines.push(Line::Attribute(attribute));
    }

    fn milliseconds(&self, name: &str) -> Option<u16> {
        let text = self.attribute(name)?.text().trim();
        // `ptime:20.000` has been seen.
        number(text.split_once('.').map_or(text, |(whole, _)| whole)).filter(|time| *time > 0)
    }

    pub(crate) fn read(row: &Row<'_>) -> Result<Self, ParseError> {
        let mut fields = row.fields("m=")?;
        let kind = fields.need("media in m=")?.boxed();
        let (port, ports) = fields.need("port in m=")?.cut('/');
        let port = port.number("port in m=")?;
        let ports = ports.map(|field| field.number("number of ports in m=")).transpose()?;
        let protocol = fields.need("proto in m=")?.boxed();
        let mut formats = Vec::new();
        while let Some(field) = fields.next() {
            if formats.len() >= limits::FORMATS {
                return Err(field.bad("number of formats in m= (too many)"));
            }
            formats.push(field.boxed());
        }
        Ok(Self { kind, port, ports, protocol, formats, lines: Vec::new() })
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        write::begin(out, b'm');
        write::field(out, &self.kind);
        write::space(out);
        write::number(out, self.port);
        if let Some(ports) = self.ports {
            out.push(b'/');
            write::number(out, ports);
        }
        write::space(out);
        write::field(out, &self.protocol);
        for format in &self.formats {
            write::space(out);
            write::field(out, format);
        }
        write::end(out);
        self.lines.iter().for_each(|line| line.write(out));
    }
}

impl Lines for Media {
    fn lines(&self) -> &[Line] {
        &self.lines
    }
}
