//! `Binding`: one contact of an address of record (RFC 3261 §10.1).

use std::net::IpAddr;

use machine::Time;
use protocol::Flow;
use protocol::doors::{Neighbour, Reach};
use sip::header::Via;
use sip::uri::{Host, same};
use sip::{Message, Params, Uri};

use crate::limits;

/// The parameter by which a phone names itself (RFC 5626 §4.1).
pub(crate) const INSTANCE: &str = "+sip.instance";

/// The parameter by which a phone names one of its flows (RFC 5626 §4.2).
pub(crate) const REG_ID: &str = "reg-id";

/// A contact, as small as it can be: its texts lie in one allocation.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    /// The Contact URI, the Call-ID, the Contact's parameters, and the Path values, each Path behind a line feed.
    text: Box<[u8]>,
    uri: u16,
    call_id: u16,
    features: u16,
    pub(crate) q: u16,
    pub(crate) cseq: u32,
    pub(crate) until: Time,
    /// Since when its phone has been registered without a break, and under one Call-ID.
    pub(crate) since: Time,
    /// The CSeq with which that began (RFC 5628 §5).
    pub(crate) first_cseq: u32,
    /// How it can be reached where its Contact cannot: its connection, or the other side of its NAT.
    pub(crate) flow: Option<Flow>,
    /// The node of a cluster that has this flow; nothing, when it is ours.
    pub(crate) node: Option<Neighbour>,
}

/// What a REGISTER says about one contact.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    pub(crate) uri: &'a [u8],
    pub(crate) call_id: &'a [u8],
    pub(crate) features: &'a [u8],
    pub(crate) cseq: u32,
    pub(crate) q: u16,
    pub(crate) until: Time,
    pub(crate) since: Time,
    pub(crate) first_cseq: u32,
    pub(crate) flow: Option<Flow>,
}

/// What tells one binding of an address from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which<'a> {
    /// Its Contact URI (RFC 3261 §10.3 step 7).
    Uri(&'a [u8]),
    /// The phone and which of its flows it is, wherever its Contact points (RFC 5626 §6).
    Flow { instance: Vec<u8>, reg_id: u32 },
}

impl Said<'_> {
    /// Which phone it is, as it names itself.
    pub(crate) fn instance(&self) -> Option<Vec<u8>> {
        Params::new(self.features).unquoted(INSTANCE)
    }
}

impl Binding {
    /// Keeps what was said; `None` when a part of it is too long, or its Path has too many.
    pub(crate) fn new<'a>(said: Said<'_>, path: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let mut paths = Vec::new();
        for (nth, value) in path.enumerate() {
            short(value).filter(|_| nth < limits::ROUTES)?;
            paths.push(b'\n');
            // A fold means one blank (RFC 3261 §7.3.1), and a line feed stands between two values here.
            let unfolded = |octet: &u8| if matches!(octet, b'\r' | b'\n') { b' ' } else { *octet };
            paths.extend(value.iter().map(unfolded));
        }
        Self::with_paths(said, &paths)
    }

    /// The same with its Path as [`path_text`](Self::path_text) has it.
    pub(super) fn with_paths(said: Said<'_>, paths: &[u8]) -> Option<Self> {
        let (uri, call_id, features) =
            (short(said.uri)?, short(said.call_id)?, short(said.features)?);
        let text = [said.uri, said.call_id, said.features, paths].concat();
        let Said { q, cseq, until, since, first_cseq, flow, .. } = said;
        let (text, node) = (text.into(), None);
        Some(Self { text, uri, call_id, features, q, cseq, until, since, first_cseq, flow, node })
    }

    /// The same, with its flow at this node.
    pub(crate) fn at(self, node: Option<Neighbour>) -> Self {
        Self { node, ..self }
    }

    /// What it says.
    pub(crate) fn said(&self) -> Said<'_> {
        let Self { q, cseq, until, since, first_cseq, flow, .. } = *self;
        let (uri, call_id, features) = (self.uri(), self.call_id(), self.features());
        Said { uri, call_id, features, cseq, q, until, since, first_cseq, flow }
    }

    /// All its texts.
    pub(super) const fn text(&self) -> &[u8] {
        &self.text
    }

    /// The Path, each value behind a line feed.
    pub(super) fn path_text(&self) -> &[u8] {
        let from = usize::from(self.uri) + usize::from(self.call_id) + usize::from(self.features);
        self.text.get(from..).unwrap_or_default()
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

    /// What the Contact said beside its URI, without what is kept apart: `;+sip.instance="<…>";video`.
    pub(crate) fn features(&self) -> &[u8] {
        let from = usize::from(self.uri) + usize::from(self.call_id);
        self.text.get(from..from + usize::from(self.features)).unwrap_or_default()
    }

    /// Which phone it is, as it names itself.
    pub(crate) fn instance(&self) -> Option<Vec<u8>> {
        self.said().instance()
    }

    /// Which of the phone's flows it is; nothing for a binding that its Contact URI names.
    pub(crate) fn reg_id(&self) -> Option<u32> {
        Params::new(self.features()).number(REG_ID)
    }

    /// The Path, topmost first.
    pub(crate) fn path(&self) -> impl Iterator<Item = &[u8]> {
        self.path_text().split(|octet| *octet == b'\n').filter(|value| !value.is_empty())
    }

    /// What names it among the bindings of its address, as octets.
    pub(crate) fn name(&self) -> Vec<u8> {
        match (self.instance(), self.reg_id()) {
            (Some(instance), Some(reg_id)) => [&instance[..], &reg_id.to_be_bytes()].concat(),
            _ => self.uri().into(),
        }
    }

    /// True when both are the same binding, at two moments.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        match (self.instance(), self.reg_id()) {
            (Some(instance), Some(reg_id)) => other.is(&Which::Flow { instance, reg_id }),
            _ => other.reg_id().is_none() && other.is_at(self.uri()),
        }
    }

    /// True when both are the same binding, of the same REGISTER.
    pub(crate) fn is_said_as(&self, other: &Self) -> bool {
        self.is_of(other) && (self.call_id(), self.cseq) == (other.call_id(), other.cseq)
    }

    /// True when a Contact names this binding.
    pub(crate) fn is(&self, which: &Which<'_>) -> bool {
        match which {
            Which::Uri(uri) => self.is_at(uri),
            Which::Flow { instance, reg_id } => {
                self.reg_id() == Some(*reg_id) && self.instance().as_ref() == Some(instance)
            }
        }
    }

    /// The URIs are the same by the rules of §19.1.4.
    fn is_at(&self, uri: &[u8]) -> bool {
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
            node: self.node,
            path: self.path().map(Into::into).collect(),
            features: self.features().into(),
            since: self.since,
            until: Some(self.until),
            asleep: None,
        }
    }

    /// What is left of it when a connection is gone: nothing, when it can be reached only so, and nothing of a flow that the phone
    /// keeps up itself (RFC 5626 §7): it makes a new one. A phone that can be woken is still there, and sleeps (RFC 8599 §5.6.2).
    pub(crate) fn without(
        self,
        flow: Flow,
        can_be_woken: impl FnOnce(&Self) -> bool,
    ) -> Option<Self> {
        let by = match self.flow {
            Some(by)
                if self.node.is_none()
                    && by.listener == flow.listener
                    && by.connection == flow.connection =>
            {
                by
            }
            _ => return Some(self),
        };
        let only_so = self.reg_id().is_some() || by.transport.is_web();
        let reachable =
            !only_so && host_of(self.uri()).is_some_and(|ip| ip == by.peer.ip().to_canonical());
        (reachable || can_be_woken(&self)).then_some(Self { flow: None, ..self })
    }
}

/// The length of a part, when it is short enough to be kept.
fn short(part: &[u8]) -> Option<u16> {
    let length = u16::try_from(part.len()).ok();
    length.filter(|length| usize::from(*length) <= limits::BINDING_PART)
}

fn host_of(uri: &[u8]) -> Option<IpAddr> {
    match Uri::parse(uri).ok()? {
        Uri::Sip(sip) => sip.host.ip().map(|ip| ip.to_canonical()),
        Uri::Tel(_) | Uri::Other(..) => None,
    }
}

/// The flow that must be kept to reach a Contact: that of a connection, and of a datagram that came through a NAT. A NAT is between
/// us when the Contact names another address than the source, and the Via does too, or the Contact's is a private one. A phone that is not
/// behind a NAT may well name another address than its own: that is where it wants to be called.
pub(crate) fn flow_to_keep(flow: Flow, request: &Message, contact: &[u8]) -> Option<Flow> {
    if flow.transport.is_reliable() {
        return Some(flow);
    }
    flow_to_reach(flow, request, &Uri::parse(contact).ok()?)
}

/// The same for a Contact that is read already.
pub(crate) fn flow_to_reach(flow: Flow, request: &Message, contact: &Uri<'_>) -> Option<Flow> {
    if flow.transport.is_reliable() {
        return Some(flow);
    }
    let seen = flow.peer.ip().to_canonical();
    let said = match contact {
        // The phone says that it keeps the flow up, and wants to be reached by it (RFC 5626 §4.3).
        Uri::Sip(sip) if sip.params.has("ob") => return Some(flow),
        Uri::Sip(sip) => sip.host,
        Uri::Tel(_) | Uri::Other(..) => return None,
    };
    let direct = request.get::<Via>().is_some_and(|via| via.host == Host::Ip(seen));
    match said.ip().map(|ip| ip.to_canonical()) {
        Some(ip) if ip == seen => None,
        Some(ip) if direct && (!is_private(ip) || is_private(seen)) => None,
        None if direct => None,
        _ => Some(flow),
    }
}

/// Addresses that mean something else on the other side of a NAT (RFC 1918, RFC 6598, RFC 4193).
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            ip.is_private() || ip.is_link_local() || first == 100 && second & 0xc0 == 64
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use protocol::Transport;

    use super::*;

    #[test]
    fn a_nat_is_seen_and_a_wish_is_respected() {
        let flow = |peer: &str| Flow {
            transport: Transport::Udp,
            listener: 0,
            connection: 0,
            peer: peer.parse().unwrap(),
            identity: protocol::Identity::NONE,
        };
        let keeps = |peer: &str, via: &str, contact: &str| {
            let wire = format!("REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP {via}\r\n\r\n");
            let request = Message::parse(wire).unwrap();
            flow_to_keep(flow(peer), &request, contact.as_bytes()).is_some()
        };
        let outside = "203.0.113.9:61000";
        assert!(keeps(outside, "192.168.1.5", "sip:a@192.168.1.5"));
        assert!(keeps(outside, "203.0.113.9:61000", "sip:a@192.168.1.5"));
        assert!(keeps(outside, "phone.local", "sip:a@phone.local"));
        assert!(!keeps(outside, "203.0.113.9:61000", "sip:a@203.0.113.9:61000"));
        assert!(!keeps(outside, "203.0.113.9", "sip:a@203.0.113.77"));
        assert!(!keeps(outside, "203.0.113.9", "sip:a@elsewhere.example"));
        assert!(!keeps("10.0.0.5:5060", "10.0.0.5", "sip:a@10.0.0.6"));
        assert!(keeps("[2001:db8::1]:9", "[fd00::5]", "sip:a@[fd00::5]"));
        assert!(keeps(outside, "100.64.3.4", "sip:a@100.64.3.4"));
    }
}
