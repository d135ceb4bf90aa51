//! Targets: where a request may go (RFC 3261 §16.5), and in which order they are tried.

use std::collections::VecDeque;

use machine::Time;
use protocol::Flow;
use protocol::doors::{Neighbour, Reach, Sleeper};
use sip::uri::same;
use sip::{Bytes, Uri};

use super::preferences::Preferences;
use crate::groups::Place;
use crate::gruu::Aim;
use crate::limits;

/// One place where the target of a request may be.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The URI that becomes the Request-URI.
    pub(crate) uri: Bytes,
    /// Preference, in thousandths.
    pub(crate) q: u16,
    /// How well it is what the caller wants, among those of equal preference, in thousandths (RFC 3841 §7.2.4).
    pub(crate) rank: u16,
    /// Route values to visit first.
    pub(crate) path: Vec<Bytes>,
    /// How to get there.
    pub(crate) way: Way,
    /// When the next target is tried after this one.
    pub(crate) onward: Onward,
    /// Other ways to the same phone, the next to try last: never at the same time (RFC 5626 §7).
    pub(crate) spares: Vec<Self>,
    /// Until when it is there, when that is known.
    pub(crate) until: Option<Time>,
    /// What wakes its phone first.
    pub(crate) asleep: Option<Box<Sleeper>>,
    /// True when a phone that was called has named it in its place.
    pub(crate) diverted: bool,
}

/// How to get to a target.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// As its first route, else its URI, says.
    Uri,
    /// By this flow; where its URI says, when that is gone.
    Flow(Flow),
    /// By this flow and by no other: the phone keeps it up, and makes a new one when it is gone (RFC 5626 §7).
    Kept(Flow),
    /// By this flow, that of a phone of another registrar, as a token of ours says (RFC 5626 §5.3.1).
    Edge(Flow),
    /// By this flow, which another node of our cluster has.
    Across(Box<Neighbour>, Flow),
    /// To this next hop, a SIP URI: a route of the settings.
    Hop(Bytes),
    /// To wherever this user of ours is.
    User(Box<[u8]>, Aim),
}

/// When the next target is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Onward {
    /// Whenever this one has refused: a search (RFC 3261 §16.6).
    Always,
    /// When this one has failed, not when it has said no: next hops that stand for each other. The member, when it is one of a group.
    Failing(Option<Place>),
}

impl Way {
    /// The flow, when it is one.
    pub(crate) const fn flow(&self) -> Option<Flow> {
        match self {
            Self::Flow(flow) | Self::Kept(flow) | Self::Edge(flow) => Some(*flow),
            Self::Uri | Self::Hop(_) | Self::User(..) | Self::Across(..) => None,
        }
    }
}

impl Target {
    /// A URI to be followed as it is.
    pub(crate) fn of(uri: Bytes, way: Way) -> Self {
        let (path, onward, spares) = (Vec::new(), Onward::Always, Vec::new());
        Self {
            uri,
            q: 1000,
            rank: 1000,
            path,
            way,
            onward,
            spares,
            until: None,
            asleep: None,
            diverted: false,
        }
    }

    /// A binding.
    pub(super) fn at(binding: Reach, rank: u16) -> Self {
        let way = match (binding.flow, binding.node) {
            (Some(flow), Some(node)) => Way::Across(node.into(), flow),
            (Some(flow), None) if binding.names_its_flow() => Way::Kept(flow),
            (Some(flow), None) => Way::Flow(flow),
            (None, _) => Way::Uri,
        };
        Self {
            uri: binding.uri.into(),
            q: binding.q,
            rank,
            path: binding.path.into_iter().map(Bytes::from).collect(),
            way,
            onward: Onward::Always,
            spares: Vec::new(),
            until: binding.until,
            asleep: binding.asleep,
            diverted: false,
        }
    }

    /// One of some that stand for each other?
    pub(crate) fn stands_in(&self) -> bool {
        self.onward != Onward::Always
    }

    /// The next way to the same phone, when there is one.
    pub(crate) fn spare(&mut self) -> Option<Self> {
        let mut next = self.spares.pop()?;
        next.spares = std::mem::take(&mut self.spares);
        Some(next)
    }
}

/// The bindings of a user as targets, best first; no URI twice. The ways to one phone are one target, the latest refreshed first
/// (RFC 5626 §7, RFC 5627 §6.1).
pub(super) fn of_bindings(bindings: Vec<Reach>, wishes: &Preferences<'_>) -> VecDeque<Target> {
    let mut phones: Vec<(Option<Vec<u8>>, Target)> = Vec::with_capacity(bindings.len());
    for binding in bindings.into_iter().take(limits::TARGETS) {
        let instance = binding.instance();
        let rank = wishes.rank(&binding);
        let latest = Target::at(binding, rank);
        let its =
            |known: &&mut (Option<Vec<u8>>, Target)| instance.is_some() && known.0 == instance;
        if let Some((_, phone)) = phones.iter_mut().find(its) {
            let mut before = std::mem::replace(phone, latest);
            phone.spares = std::mem::take(&mut before.spares);
            phone.spares.push(before);
        } else if !phones.iter().any(|(_, known)| is_same(known, &latest)) {
            phones.push((instance, latest));
        }
    }
    let mut targets: Vec<_> = phones.into_iter().map(|(_, target)| target).collect();
    // Stable: of equals, the one that registered first stands first.
    targets.sort_by_key(|target| std::cmp::Reverse((target.q, target.rank)));
    targets.into()
}

fn is_same(one: &Target, other: &Target) -> bool {
    is_same_uri(&one.uri, &other.uri)
}

/// Two URIs that cannot be read are the same, for the comparison is there to try nothing twice.
pub(super) fn is_same_uri(one: &[u8], other: &[u8]) -> bool {
    match (Uri::parse(one), Uri::parse(other)) {
        (Ok(one), Ok(other)) => same(&one, &other),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(uri: &str, q: u16, features: &str) -> Reach {
        Reach { q, features: features.as_bytes().into(), ..Reach::to(uri.as_bytes()) }
    }

    fn invite() -> sip::Message {
        sip::Message::parse("INVITE sip:b@h SIP/2.0\r\n\r\n").unwrap()
    }

    #[test]
    fn no_target_twice_and_the_best_first() {
        let targets = of_bindings(
            vec![
                reach("sip:a@h", 500, ""),
                reach("sip:b@h", 1000, ""),
                reach("sip:%61@H", 700, ""),
                reach("sip:c@h", 500, ""),
            ],
            &Preferences::of(&invite()),
        );
        let uris: Vec<_> = targets.iter().map(|target| &target.uri[..]).collect();
        assert_eq!(uris, [b"sip:b@h", b"sip:a@h", b"sip:c@h"]);
    }

    #[test]
    fn one_phone_is_one_target_and_its_latest_way_the_first() {
        let phone = |name: &str| format!(";+sip.instance=\"<urn:x:{name}>\"");
        let mut targets = of_bindings(
            vec![
                reach("sip:1@h", 1000, &phone("a")),
                reach("sip:2@h", 1000, &phone("b")),
                reach("sip:3@h", 1000, &phone("a")),
                reach("sip:3@h", 1000, &phone("a")),
            ],
            &Preferences::of(&invite()),
        );
        assert_eq!(targets.len(), 2);
        let mut next = targets.pop_front();
        let mut ways = Vec::new();
        while let Some(mut target) = next {
            ways.push(target.uri.clone());
            next = target.spare();
        }
        assert_eq!(ways, [&b"sip:3@h"[..], b"sip:3@h", b"sip:1@h"]);
    }
}
