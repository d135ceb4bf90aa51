//! Targets: where a request may go (RFC 3261 §16.5), and in which order they are tried.

use std::collections::VecDeque;

use protocol::Flow;
use protocol::doors::Reach;
use sip::uri::same;
use sip::{Bytes, Uri};

use crate::limits;

/// One place where the target of a request may be.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The URI that becomes the Request-URI.
    pub(crate) uri: Bytes,
    /// Preference, in thousandths.
    pub(crate) q: u16,
    /// Route values to visit first.
    pub(crate) path: Vec<Bytes>,
    /// How to get there.
    pub(crate) way: Way,
}

/// How to get to a target.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// As its first route, else its URI, says.
    Uri,
    /// By this flow.
    Flow(Flow),
    /// To this next hop, a SIP URI: a route of the settings.
    Hop(Bytes),
}

impl Target {
    /// A URI to be followed as it is.
    pub(crate) fn of(uri: Bytes, way: Way) -> Self {
        Self { uri, q: 1000, path: Vec::new(), way }
    }
}

/// The bindings of a user as targets, best first; no URI twice.
pub(crate) fn of_bindings(bindings: Vec<Reach>) -> VecDeque<Target> {
    let mut targets: Vec<Target> = Vec::with_capacity(bindings.len());
    for binding in bindings.into_iter().take(limits::TARGETS) {
        let known = |target: &Target| match (Uri::parse(&target.uri), Uri::parse(&binding.uri)) {
            (Ok(a), Ok(b)) => same(&a, &b),
            _ => true,
        };
        if targets.iter().any(known) {
            continue;
        }
        targets.push(Target {
            uri: binding.uri.into(),
            q: binding.q,
            path: binding.path.into_iter().map(Bytes::from).collect(),
            way: binding.flow.map_or(Way::Uri, Way::Flow),
        });
    }
    // Stable: of equals, the one that registered first stands first.
    targets.sort_by_key(|target| std::cmp::Reverse(target.q));
    targets.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_target_twice_and_the_best_first() {
        let reach =
            |uri: &str, q| Reach { uri: uri.as_bytes().into(), q, flow: None, path: Vec::new() };
        let targets = of_bindings(vec![
            reach("sip:a@h", 500),
            reach("sip:b@h", 1000),
            reach("sip:%61@H", 700),
            reach("sip:c@h", 500),
        ]);
        let uris: Vec<_> = targets.iter().map(|target| &target.uri[..]).collect();
        assert_eq!(uris, [b"sip:b@h", b"sip:a@h", b"sip:c@h"]);
    }
}
