//! Bindings as they were packed before [`Packed`](super::packed::Packed) had a form: what an earlier program has left on the disk or in the shared store is read, and
//! packed anew.

use machine::Time;

use super::Binding;
use super::binding::Said;
use crate::octets::{cut, cut_some, take_flow, take_neighbour};

/// The address and its bindings; nothing when that is not what it is, to the last octet.
pub(super) fn read(octets: &[u8]) -> Option<(&[u8], Vec<Binding>)> {
    let mut rest = octets;
    let aor = take_text(&mut rest)?;
    let mut bindings = Vec::new();
    while !rest.is_empty() {
        bindings.push(take_binding(&mut rest)?);
    }
    Some((aor, bindings))
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
        [0] => (None, None),
        [1] => (Some(take_flow(rest)?), None),
        [2] => (Some(take_flow(rest)?), Some(take_neighbour(rest)?)),
        _ => return None,
    };
    let said = Said { uri, call_id, features, cseq, q, until, since, first_cseq, flow };
    Binding::with_paths(said, path).map(|binding| binding.at(node))
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u16::from_be_bytes(cut(rest)?);
    cut_some(rest, usize::from(length))
}

#[cfg(test)]
mod tests {
    use protocol::doors::Neighbour;
    use protocol::{Flow, Identity, Transport};

    use super::super::packed::Packed;
    use super::*;
    use crate::octets::{put_flow, put_neighbour};

    /// What the program before wrote.
    fn written(aor: &[u8], binding: &Binding) -> Vec<u8> {
        let mut octets = Vec::new();
        for text in [aor, binding.uri(), binding.call_id(), binding.features(), binding.path_text()]
        {
            octets.extend_from_slice(&u16::try_from(text.len()).unwrap().to_be_bytes());
            octets.extend_from_slice(text);
        }
        octets.extend_from_slice(&binding.q.to_be_bytes());
        octets.extend_from_slice(&binding.cseq.to_be_bytes());
        octets.extend_from_slice(&binding.until.0.to_be_bytes());
        octets.extend_from_slice(&binding.since.0.to_be_bytes());
        octets.extend_from_slice(&binding.first_cseq.to_be_bytes());
        octets.push(binding.flow.map_or(0, |_| 1 + u8::from(binding.node.is_some())));
        binding.flow.into_iter().for_each(|flow| put_flow(&mut octets, flow));
        binding.node.into_iter().for_each(|node| put_neighbour(&mut octets, node));
        octets
    }

    #[test]
    fn what_the_program_before_has_kept_is_still_there() {
        let peer = "192.0.2.7:5060".parse().unwrap();
        let (transport, identity) = (Transport::Tcp, Identity::of("a.example"));
        let flow = Flow { transport, listener: 300, connection: 9, peer, identity };
        let node = Neighbour { at: peer, life: 7 };
        for (flow, node) in [(None, None), (Some(flow), None), (Some(flow), Some(node))] {
            let said = Said {
                uri: b"sip:101@192.0.2.7",
                call_id: b"c@d",
                features: b";reg-id=1",
                cseq: 77,
                q: 500,
                until: Time(1 << 60),
                since: Time(1 << 50),
                first_cseq: 3,
                flow,
            };
            let paths: [&[u8]; 1] = [b"<sip:p;lr>"];
            let binding = Binding::new(said, paths.into_iter()).unwrap().at(node);
            let octets = written(b"101", &binding);
            let packed = Packed::of(&octets);
            let back: Vec<_> = packed.bindings().map(|binding| format!("{binding:?}")).collect();
            assert_eq!((packed.aor(), back), (&b"101"[..], vec![format!("{binding:?}")]));
            let anew = Packed::of(packed.octets());
            assert_eq!((anew.aor(), anew.count()), (&b"101"[..], 1));
            let halves = (0..octets.len()).filter(|end| Packed::of(&octets[..*end]).count() > 0);
            assert_eq!(halves.count(), 0);
        }
    }
}
