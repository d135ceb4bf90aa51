//! `application/reginfo+xml`: registrations as a document (RFC 3680 §5), with GRUUs (RFC 5628).

use std::fmt::Write as _;

use sip::uri::escape_user;
use sip::{Params, Uri};

use super::changes::Change;
use crate::gruu;
use crate::turn::Turn;

/// One document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Document<'a> {
    pub(super) aor: &'a [u8],
    pub(super) version: u32,
    pub(super) kind: Kind,
    pub(super) contacts: &'a [Change],
    /// Has the address a binding now?
    pub(super) is_registered: bool,
}

/// Whether it says everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// All contacts that there are.
    Full,
    /// Those that have changed.
    Partial,
}

impl Document<'_> {
    /// Writes it.
    pub(super) fn write(&self, turn: &mut Turn<'_>) -> String {
        let uri = self.uri(turn);
        let (state, registration) = match (self.kind, self.is_registered) {
            (Kind::Full, true) => ("full", "active"),
            (Kind::Full, false) => ("full", "init"),
            (Kind::Partial, true) => ("partial", "active"),
            (Kind::Partial, false) => ("partial", "terminated"),
        };
        let id = turn.house.seal.number([&b"registration"[..], self.aor]);
        let mut text = format!(
            "<?xml version=\"1.0\"?>\n<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" \
             xmlns:gr=\"urn:ietf:params:xml:ns:gruuinfo\" version=\"{}\" state=\"{state}\">\n\
             <registration aor=\"{}\" id=\"r{id:016x}\" state=\"{registration}\">\n",
            self.version,
            plain(uri.as_bytes()),
        );
        for contact in self.contacts {
            self.write_contact(turn, (&uri, contact), &mut text);
        }
        text += "</registration>\n</reginfo>\n";
        text
    }

    fn uri(&self, turn: &Turn<'_>) -> String {
        let user = escape_user(self.aor);
        format!("sip:{}@{}", String::from_utf8_lossy(&user), turn.house.domain())
    }

    fn write_contact(
        &self,
        turn: &mut Turn<'_>,
        (aor, change): (&str, &Change),
        text: &mut String,
    ) {
        let Change { binding, event } = change;
        let id = turn.house.seal.number([&b"contact"[..], self.aor, &binding.name()]);
        let state = if event.is_end() { "terminated" } else { "active" };
        // A text takes whatever is written into it.
        let _ = write!(
            text,
            "<contact id=\"c{id:016x}\" state=\"{state}\" event=\"{}\" callid=\"{}\" cseq=\"{}\"",
            event.word(),
            plain(binding.call_id()),
            binding.cseq,
        );
        if !event.is_end() {
            let left = binding.until.secs_since(turn.now);
            let _ = write!(
                text,
                " expires=\"{left}\" q=\"{}.{:03}\"",
                binding.q / 1000,
                binding.q % 1000
            );
        }
        let _ = writeln!(text, ">\n<uri>{}</uri>", plain(&without_push(binding.uri())));
        for param in Params::new(binding.features()).iter() {
            let value = plain(param.value.unwrap_or_default());
            let _ = writeln!(
                text,
                "<unknown-param name=\"{}\">{value}</unknown-param>",
                plain(param.name.as_bytes())
            );
        }
        if let (Ok(Uri::Sip(to)), Some(instance), false) =
            (Uri::parse(aor.as_bytes()), binding.instance(), event.is_end())
        {
            let public = gruu::public(turn.house, &to, &instance);
            let since = (&instance[..], binding.since);
            let temporary = gruu::temporary(turn.house, turn.dice, &to, since);
            let (public, temporary) = (plain(public.as_bytes()), plain(temporary.as_bytes()));
            let _ = writeln!(
                text,
                "<gr:pub-gruu uri=\"{public}\"/>\n<gr:temp-gruu uri=\"{temporary}\" first-cseq=\"{}\"/>",
                binding.first_cseq
            );
        }
        text.push_str("</contact>\n");
    }
}

/// Octets as text that means nothing to XML.
fn plain(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for c in String::from_utf8_lossy(octets).chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            c if c.is_control() => text.push('\u{fffd}'),
            c => text.push(c),
        }
    }
    text
}

/// A Contact URI without what wakes its phone: that is between the phone and us (RFC 8599 §13).
fn without_push(uri: &[u8]) -> Vec<u8> {
    let Ok(Uri::Sip(sip)) = Uri::parse(uri) else { return uri.to_vec() };
    let mut params = Vec::new();
    for param in
        sip.params.iter().filter(|param| !param.name.to_ascii_lowercase().starts_with("pn-"))
    {
        param.write(&mut params);
    }
    let mut text = Vec::with_capacity(uri.len());
    sip::uri::SipUri { params: Params::new(&params), ..sip }.write(&mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_phone_says_becomes_a_part_of_the_document() {
        assert_eq!(plain(b"<a b=\"&\">\x01\xff"), "&lt;a b=&quot;&amp;&quot;&gt;\u{fffd}\u{fffd}");
    }

    #[test]
    fn what_wakes_a_phone_is_not_told() {
        let uri = b"sip:a@b;pn-prid=x;transport=tcp;PN-Provider=y";
        assert_eq!(without_push(uri), b"sip:a@b;transport=tcp");
    }
}
