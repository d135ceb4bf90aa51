//! What a server that only redirects says instead of forwarding: where its targets are (RFC 3261 §8.3).

use protocol::Fault;
use sip::uri::same;
use sip::{Bytes, Message, Status, Uri};

use super::Proxy;
use super::context::{Context, State};
use super::response::ours;
use super::target::{Target, Way};
use crate::redirect::{self, Place};
use crate::turn::Turn;

impl Proxy {
    /// Answers a request with where its targets are.
    pub(super) fn tell_targets(turn: &mut Turn<'_>, context: &mut Context, targets: &[Target]) {
        match told(turn, &context.request, &context.plan.uri, targets) {
            Ok(wire) => turn.call_redirected(context.plan.call, (context.id, wire)),
            Err(fault) => {
                turn.call_refused(context.plan.call, fault.status(), None);
                ours(turn, context, fault.status(), &fault.phrase());
            }
        }
        context.state = State::Refused;
    }
}

/// The answer that says where targets are, best first, and for how long. A hop that only leads to the place that was asked for is a proxy
/// to go by: 305 (§21.3.4). Of a phone that is reached through others only they can say where it is.
pub(crate) fn told(
    turn: &Turn<'_>,
    request: &Message,
    asked: &[u8],
    targets: &[Target],
) -> Result<Bytes, Fault> {
    let hops = targets.iter().filter_map(|target| hop_alone(asked, target)).count();
    let by_proxy = hops > 0 && hops == targets.len();
    let several = targets.len() > 1;
    let place = |target: &Target| Place {
        uri: hop_alone(asked, target).unwrap_or_else(|| target.uri.clone()),
        q: several.then_some(target.q),
        expires: target.until.map(|until| seconds(until.secs_since(turn.now))),
    };
    let direct = targets.iter().filter(|target| target.path.is_empty());
    let places: Vec<_> = direct.map(place).collect();
    let status = if by_proxy { Status::USE_PROXY } else { Status::MOVED_TEMPORARILY };
    let none = if targets.is_empty() { Fault::Unregistered } else { Fault::NotFound };
    redirect::answer(turn, request, status.code(), &places).ok_or(none)
}

/// The next hop of a target that is where the request is already.
fn hop_alone(asked: &[u8], target: &Target) -> Option<Bytes> {
    let Way::Hop(hop) = &target.way else { return None };
    let there = match (Uri::parse(asked), Uri::parse(&target.uri)) {
        (Ok(asked), Ok(uri)) => same(&asked, &uri),
        _ => false,
    };
    there.then(|| hop.clone())
}

fn seconds(seconds: u64) -> u32 {
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
