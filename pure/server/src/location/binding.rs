//! `Binding`: one contact of an address of record (RFC 3261 §10.1).

use std::net::SocketAddr;

use machine::Time;
use protocol::doors::Reach;
use protocol::{Flow, Transport};
use sip::Uri;
use sip::uri::{Host, same};

use crate::limits;

/// A contact, as small as it can be: its texts lie in one allocation.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    /// The Contact URI, the Call-ID, and the Path values, each Path behind a line feed.
    text: Box<[u8]>,
    uri: u16,
    call_id: u16,
    pub(crate) q: u16,
    pub(crate) cseq: u32,
    pub(crate) until: Time,
    /// How it can be reached where its Contact cannot: its connection, or the other side of its NAT.
    pub(crate) flow: Option<Flow>,
}

/// What a REGISTER says about one contact.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    pub(crate) uri: &'a [u8],
    pub(crate) call_id: &'a [u8],
    pub(crate) cseq: u32,
    pub(crate) q: u16,
    pub(crate) until: Time,
    pub(crate) flow: Option<Flow>,
}

impl Binding {
    /// Keeps what was said; `None` when a part of it is too long.
    pub(crate) fn new<'a>(said: Said<'_>, path: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let short = |part: &[u8]| {
            u16::try_from(part.len())
                .ok()
                .filter(|length| usize::from(*length) <= limits::BINDING_PART)
        };
        let (uri, call_id) = (short(said.uri)?, short(said.call_id)?);
        let mut text = [said.uri, said.call_id].concat();
        for value in path.take(limits::ROUTES) {
            short(value)?;
            text.push(b'\n');
            text.extend_from_slice(value);
        }
        let Said { q, cseq, until, flow, .. } = said;
        Some(Self { text: text.into(), uri, call_id, q, cseq, until, flow })
    }

    /// The Contact URI.
    pub(crate) fn uri(&self) -> &[u8] {
        self.text.get(..usize::from(self.uri)).unwrap_or_default()
    }

    /// The Call-ID of the REGISTER that wrote it last.
    pub(crate) fn call_id(&self) -> &[u8] {
        let from = usize::from(self.uri);
        self.text.get(from..from + usize::from(self.call_id)).unwrap_or_default()
    }

    /// The Path, topmost first.
    pub(crate) fn path(&self) -> impl Iterator<Item = &[u8]> {
        let rest = self.text.get(usize::from(self.uri) + usize::from(self.call_id)..);
        rest.unwrap_or_default().split(|octet| *octet == b'\n').filter(|value| !value.is_empty())
    }

    /// True when a Contact names this binding (§10.3 step 7, by the rules of §19.1.4).
    pub(crate) fn is(&self, uri: &[u8]) -> bool {
        if self.uri() == uri {
            return true;
        }
        match (Uri::parse(self.uri()), Uri::parse(uri)) {
            (Ok(ours), Ok(theirs)) => same(&ours, &theirs),
            _ => false,
        }
    }

    /// How a proxy reaches it.
    pub(crate) fn reach(&self) -> Reach {
        Reach {
            uri: self.uri().into(),
            q: self.q,
            flow: self.flow,
            path: self.path().map(Into::into).collect(),
        }
    }

    /// What is left of it when a connection is gone: nothing, when it can be reached only so.
    pub(crate) fn without(&self, flow: Flow) -> Option<Self> {
        let by = match self.flow {
            Some(by) if by.listener == flow.listener && by.connection == flow.connection => by,
            _ => return Some(self.clone()),
        };
        let web = matches!(by.transport, Transport::Ws | Transport::Wss);
        let reachable =
            !web && host_of(self.uri()).is_some_and(|ip| ip == by.peer.ip().to_canonical());
        reachable.then(|| Self { flow: None, ..self.clone() })
    }
}

fn host_of(uri: &[u8]) -> Option<std::net::IpAddr> {
    match Uri::parse(uri).ok()? {
        Uri::Sip(sip) => sip.host.ip().map(|ip| ip.to_canonical()),
        Uri::Tel(_) | Uri::Other(..) => None,
    }
}

/// The flow that must be kept to reach a Contact: that of a connection, and of a datagram whose source is not what the Contact says
/// (a NAT is between us).
pub(crate) fn flow_to_keep(flow: Flow, contact: &[u8]) -> Option<Flow> {
    if flow.transport.is_reliable() {
        return Some(flow);
    }
    let Ok(Uri::Sip(sip)) = Uri::parse(contact) else { return None };
    let Host::Ip(ip) = sip.host else { return Some(flow) };
    let said = SocketAddr::new(ip.to_canonical(), sip.port.unwrap_or(5060));
    let seen = SocketAddr::new(flow.peer.ip().to_canonical(), flow.peer.port());
    (said != seen).then_some(flow)
}
