//! `Packed`: an address of record and its bindings in one allocation. A million of them should fit where others keep a few
//! thousand.

use machine::Time;
use protocol::doors::Neighbour;

use super::binding::Said;
use super::{Binding, former};
use crate::octets::{
    cut, cut_some, put_neighbour, put_short_flow, take_neighbour, take_short_flow,
};

/// The form in which it is packed, the address, then its bindings one behind the other. Numbers and lengths take as many octets as they
/// need, and what most do not say takes none.
#[derive(Debug, Default)]
pub(super) struct Packed(Box<[u8]>);

/// The form that is written here. What has none begins with the first octet of a length, and none is longer than `limits::BINDING_PART`.
const FORM: u8 = 0x82;

impl Packed {
    /// Packs an address and its bindings.
    pub(super) fn new(aor: &[u8], bindings: &[Binding]) -> Self {
        let texts: usize = bindings.iter().map(|binding| binding.text().len()).sum();
        let mut octets = Vec::with_capacity(3 + aor.len() + texts + bindings.len() * 64);
        octets.push(FORM);
        put_text(&mut octets, aor);
        for binding in bindings {
            let all = (binding.said(), binding.path_text(), binding.node);
            put_binding(&mut octets, &all);
        }
        Self(octets.into())
    }

    /// What was packed before, by an earlier program too. Octets that are none hold nothing.
    pub(super) fn of(octets: &[u8]) -> Self {
        if octets.first() == Some(&FORM) {
            return Self(octets.into());
        }
        former::read(octets).map_or_else(Self::default, |(aor, all)| Self::new(aor, &all))
    }

    /// All of it, as octets.
    pub(super) const fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The address.
    pub(super) fn aor(&self) -> &[u8] {
        self.parts().0
    }

    /// The address, and the bindings behind it.
    fn parts(&self) -> (&[u8], &[u8]) {
        let mut rest = self.0.strip_prefix(&[FORM]).unwrap_or_default();
        let aor = take_text(&mut rest).unwrap_or_default();
        (aor, rest)
    }

    /// How many bindings there are.
    pub(super) fn count(&self) -> usize {
        self.uris().count()
    }

    /// Their Contact URIs: the bindings are walked over, not taken out.
    pub(super) fn uris(&self) -> impl Iterator<Item = &[u8]> {
        let (_, mut rest) = self.parts();
        std::iter::from_fn(move || pass_binding(&mut rest))
    }

    /// The binding of an address that has one alone, without a Path and at no other node.
    pub(super) fn only(&self) -> Option<Said<'_>> {
        let (_, mut rest) = self.parts();
        let (said, path, node) = take_said(&mut rest)?;
        (rest.is_empty() && path.is_empty() && node.is_none()).then_some(said)
    }

    /// Has the address this binding instead of its [`only`](Self::only) one: written over that, where it takes the same room.
    pub(super) fn rewrite(&mut self, said: Said<'_>) {
        let length = self.0.len().saturating_sub(self.parts().1.len());
        let mut binding = Vec::with_capacity(self.0.len());
        put_binding(&mut binding, &(said, &[], None));
        match self.0.get_mut(length..) {
            Some(room) if room.len() == binding.len() => room.copy_from_slice(&binding),
            _ => {
                let aor = self.0.get(..length).unwrap_or_default();
                self.0 = [aor, &binding].concat().into();
            }
        }
    }

    /// How many octets it has.
    #[cfg(test)]
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    /// The bindings, in the order in which they were packed.
    pub(super) fn bindings(&self) -> impl Iterator<Item = Binding> {
        let (_, mut rest) = self.parts();
        std::iter::from_fn(move || take_binding(&mut rest))
    }
}

fn put_binding(octets: &mut Vec<u8>, (said, path, node): &Taken<'_>) {
    let node = said.flow.and(*node);
    let marks = [
        (FEATURES, !said.features.is_empty()),
        (PATH, !path.is_empty()),
        (Q, said.q != MOST),
        (OLD, said.first_cseq != said.cseq),
        (FLOW, said.flow.is_some()),
        (NODE, node.is_some()),
    ];
    let first = marks.iter().fold(0, |all, (mark, is)| if *is { all | mark } else { all });
    octets.push(first);
    put_text(octets, said.uri);
    put_text(octets, said.call_id);
    put_number(octets, said.cseq);
    octets.extend_from_slice(&said.until.0.to_be_bytes());
    octets.extend_from_slice(&said.since.0.to_be_bytes());
    if first & FEATURES != 0 {
        put_text(octets, said.features);
    }
    if first & PATH != 0 {
        put_text(octets, path);
    }
    if first & Q != 0 {
        put_number(octets, said.q.into());
    }
    if first & OLD != 0 {
        put_number(octets, said.first_cseq);
    }
    if let Some(flow) = said.flow {
        put_short_flow(octets, flow);
    }
    if let Some(node) = node {
        put_neighbour(octets, node);
    }
}

fn take_binding(rest: &mut &[u8]) -> Option<Binding> {
    let (said, path, node) = take_said(rest)?;
    Binding::with_paths(said, path).map(|binding| binding.at(node))
}

/// What a binding says, its Path, and the node that has its flow.
type Taken<'a> = (Said<'a>, &'a [u8], Option<Neighbour>);

fn take_said<'a>(rest: &mut &'a [u8]) -> Option<Taken<'a>> {
    let [marks] = cut(rest)?;
    let has = |mark: u8| marks & mark != 0;
    let (uri, call_id, cseq) = (take_text(rest)?, take_text(rest)?, take_number(rest)?);
    let until = Time(u64::from_be_bytes(cut(rest)?));
    let since = Time(u64::from_be_bytes(cut(rest)?));
    let features = if has(FEATURES) { take_text(rest)? } else { &[] };
    let path = if has(PATH) { take_text(rest)? } else { &[] };
    let q = if has(Q) { u16::try_from(take_number(rest)?).ok()? } else { MOST };
    let first_cseq = if has(OLD) { take_number(rest)? } else { cseq };
    let flow = if has(FLOW) { Some(take_short_flow(rest)?) } else { None };
    let node = if has(NODE) { Some(take_neighbour(rest)?) } else { None };
    Some((Said { uri, call_id, features, cseq, q, until, since, first_cseq, flow }, path, node))
}

/// Goes on behind a binding; its Contact URI.
fn pass_binding<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let [marks] = cut(rest)?;
    let has = |mark: u8| marks & mark != 0;
    let uri = take_text(rest)?;
    take_text(rest)?;
    take_number(rest)?;
    cut_some(rest, 2 * size_of::<Time>())?;
    for _ in [FEATURES, PATH].into_iter().filter(|mark| has(*mark)) {
        take_text(rest)?;
    }
    for _ in [Q, OLD].into_iter().filter(|mark| has(*mark)) {
        take_number(rest)?;
    }
    if has(FLOW) {
        take_short_flow(rest)?;
    }
    if has(NODE) {
        take_neighbour(rest)?;
    }
    Some(uri)
}

/// What a binding says beside what all say.
const FEATURES: u8 = 0x01;
const PATH: u8 = 0x02;
/// A preference that is not [`MOST`].
const Q: u8 = 0x04;
/// It was refreshed under its Call-ID: the CSeq with which that began follows.
const OLD: u8 = 0x08;
const FLOW: u8 = 0x10;
/// Its flow is at another node.
const NODE: u8 = 0x20;

/// The preference of who has none, in thousandths.
const MOST: u16 = 1000;

fn put_text(octets: &mut Vec<u8>, text: &[u8]) {
    // Longer than `limits::BINDING_PART` nothing is kept, so every length fits.
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    put_number(octets, length.into());
    octets.extend_from_slice(text.get(..usize::from(length)).unwrap_or_default());
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take_number(rest)?;
    cut_some(rest, usize::try_from(length).ok()?)
}

/// Seven bits an octet, the last of them first; one more in each but the last octet.
fn put_number(octets: &mut Vec<u8>, number: u32) {
    let mut left = number;
    while left > 0x7f {
        octets.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    octets.push(left as u8);
}

fn take_number(rest: &mut &[u8]) -> Option<u32> {
    let mut number = 0;
    for shift in (0..=28).step_by(7) {
        let [octet] = cut(rest)?;
        number |= u32::from(octet & 0x7f) << shift;
        if octet & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

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
