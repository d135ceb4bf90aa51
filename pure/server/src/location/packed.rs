//! `Packed`: an address of record and its bindings in one allocation. A million of them should fit where others keep a few
//! thousand.

use machine::Time;

use super::Binding;
use super::binding::Said;
use crate::octets::{cut, cut_some, put_flow, put_neighbour, take_flow, take_neighbour};

/// The address, then its bindings one behind the other.
#[derive(Debug, Default)]
pub(super) struct Packed(Box<[u8]>);

impl Packed {
    /// Packs an address and its bindings.
    pub(super) fn new(aor: &[u8], bindings: &[Binding]) -> Self {
        let texts: usize = bindings.iter().map(|binding| binding.text().len()).sum();
        let mut octets = Vec::with_capacity(2 + aor.len() + texts + bindings.len() * 58);
        put_text(&mut octets, aor);
        for binding in bindings {
            put_text(&mut octets, binding.uri());
            put_text(&mut octets, binding.call_id());
            put_text(&mut octets, binding.features());
            put_text(&mut octets, binding.path_text());
            octets.extend_from_slice(&binding.q.to_be_bytes());
            octets.extend_from_slice(&binding.cseq.to_be_bytes());
            octets.extend_from_slice(&binding.until.0.to_be_bytes());
            octets.extend_from_slice(&binding.since.0.to_be_bytes());
            octets.extend_from_slice(&binding.first_cseq.to_be_bytes());
            put_way(&mut octets, binding);
        }
        Self(octets.into())
    }

    /// What was packed before. Octets that are none hold nothing.
    pub(super) fn of(octets: &[u8]) -> Self {
        Self(octets.into())
    }

    /// All of it, as octets.
    pub(super) const fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The address.
    pub(super) fn aor(&self) -> &[u8] {
        take_text(&mut &*self.0).unwrap_or_default()
    }

    /// How many bindings there are.
    pub(super) fn count(&self) -> usize {
        self.uris().count()
    }

    /// Their Contact URIs: the bindings are walked over, not taken out.
    pub(super) fn uris(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &*self.0;
        take_text(&mut rest);
        std::iter::from_fn(move || pass_binding(&mut rest))
    }

    /// How many octets it has.
    #[cfg(test)]
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// The bindings, in the order in which they were packed.
    pub(super) fn bindings(&self) -> impl Iterator<Item = Binding> {
        let mut rest = &*self.0;
        take_text(&mut rest);
        std::iter::from_fn(move || take_binding(&mut rest))
    }
}

/// The flow of a binding, and the node that has it.
fn put_way(octets: &mut Vec<u8>, binding: &Binding) {
    let Some(flow) = binding.flow else { return octets.push(NO_FLOW) };
    octets.push(if binding.node.is_none() { OUR_FLOW } else { ITS_FLOW });
    put_flow(octets, flow);
    if let Some(node) = binding.node {
        put_neighbour(octets, node);
    }
}

fn put_text(octets: &mut Vec<u8>, text: &[u8]) {
    // Longer than `limits::BINDING_PART` nothing is kept, so every length fits.
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    octets.extend_from_slice(&length.to_be_bytes());
    octets.extend_from_slice(text.get(..usize::from(length)).unwrap_or_default());
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u16::from_be_bytes(cut(rest)?);
    cut_some(rest, usize::from(length))
}

fn take_binding(rest: &mut &[u8]) -> Option<Binding> {
    let (uri, call_id) = (take_text(rest)?, take_text(rest)?);
    let (features, path) = (take_text(rest)?, take_text(rest)?);
    let q = u16::from_be_bytes(cut(rest)?);
    let cseq = u32::from_be_bytes(cut(rest)?);
    let until = Time(u64::from_be_bytes(cut(rest)?));
    let since = Time(u64::from_be_bytes(cut(rest)?));
    let first_cseq = u32::from_be_bytes(cut(rest)?);
    let (flow, node) = match cut(rest)? {
        [NO_FLOW] => (None, None),
        [OUR_FLOW] => (Some(take_flow(rest)?), None),
        [ITS_FLOW] => (Some(take_flow(rest)?), Some(take_neighbour(rest)?)),
        _ => return None,
    };
    let said = Said { uri, call_id, features, cseq, q, until, since, first_cseq, flow };
    Binding::with_paths(said, path).map(|binding| binding.at(node))
}

fn pass_binding<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let uri = take_text(rest)?;
    for _ in 0..3 {
        take_text(rest)?;
    }
    cut_some(rest, FIXED)?;
    match cut(rest)? {
        [NO_FLOW] => {}
        [OUR_FLOW] => drop(take_flow(rest)?),
        [ITS_FLOW] => drop((take_flow(rest)?, take_neighbour(rest)?)),
        _ => return None,
    }
    Some(uri)
}

/// Octets of `q`, `cseq`, `until`, `since` and `first_cseq`.
const FIXED: usize = 2 + 4 + 8 + 8 + 4;

/// Nothing follows.
const NO_FLOW: u8 = 0;
/// A flow follows.
const OUR_FLOW: u8 = 1;
/// A flow follows, and the node that has it.
const ITS_FLOW: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{Flow, Identity, Transport};

    #[test]
    fn what_is_packed_comes_out_again() {
        let peer = "[2001:db8::1]:5060".parse().unwrap();
        let flow = Flow {
            transport: Transport::Wss,
            listener: 3,
            connection: 9,
            peer,
            identity: Identity::NONE,
        };
        let said = |uri: &'static [u8], flow| Said {
            uri,
            call_id: b"c@d",
            cseq: 7,
            q: 500,
            until: Time(12_345),
            since: Time(6_789),
            first_cseq: 3,
            features: b";+sip.instance=\"<urn:x>\";reg-id=1",
            flow,
        };
        let paths: [&[u8]; 2] = [b"<sip:p;lr>", b"<sip:q;lr>"];
        let far = Binding::new(said(b"sip:f@b", Some(flow)), [].into_iter()).unwrap();
        let node = protocol::doors::Neighbour { at: peer, life: 7 };
        let bindings = [
            far.at(Some(node)),
            Binding::new(said(b"sip:a@b", None), [].into_iter()).unwrap(),
            Binding::new(said(b"sip:c@d;x=y", Some(flow)), paths.into_iter()).unwrap(),
        ];
        let packed = Packed::new(b"101", &bindings);
        assert_eq!(packed.aor(), b"101");
        let packed = Packed::of(packed.octets());
        assert_eq!(packed.count(), 3);
        for end in 0..packed.octets().len() {
            let half = Packed::of(&packed.octets()[..end]);
            assert_eq!(half.bindings().count(), half.count(), "{end} octets");
            assert!(half.count() < 3, "{end} octets");
        }
        let shown = |binding: &Binding| format!("{binding:?}");
        let back: Vec<_> = packed.bindings().map(|binding| shown(&binding)).collect();
        assert_eq!(back, bindings.iter().map(shown).collect::<Vec<_>>());
        assert!(
            Packed::default().aor().is_empty() && Packed::default().bindings().next().is_none()
        );
    }
}
