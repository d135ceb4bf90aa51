//! Responses that come late: they are carried without a context (RFC 3261 §16.7 step 1).

use std::net::SocketAddr;

use protocol::transaction::ClientId;
use protocol::{Flow, Output, Transport};
use sip::header::Via;
use sip::{Message, Name, Status};

use super::response::onward;
use super::{Proxy, branch, hop, identity, session_timer};
use crate::house::House;
use crate::turn::Turn;

impl Proxy {
    /// A 2xx that is repeated to a branch whose context is gone. It goes on when its top Via is one that we wrote above the next;
    /// anything else is dropped, or strangers would have us send their responses to others.
    pub(crate) fn repeated(
        &self,
        turn: &mut Turn<'_>,
        (client, came): (ClientId, Flow),
        response: &Message,
    ) {
        // Of the others the caller has heard the end already.
        if !response.status().is_some_and(Status::is_success) {
            return;
        }
        let mut vias = response.elements(Name::Via);
        let (Some(_), Some(below)) = (vias.next(), vias.next()) else { return };
        let Some(via) = response.get::<Via>() else { return };
        let ours = turn.house.ours.wrote(&via)
            && via.branch().is_some_and(|text| branch::is_ours(text, below, &self.seal));
        if !ours {
            return;
        }
        let mut edit = onward(response);
        if let Some(expires) = self.paid.to(client) {
            session_timer::pay(expires, response, &mut edit);
        }
        let Ok(onward) = edit.finish() else { return };
        // Who has asked by a connection is reached by that, as long as its transaction knows it (§16.7 step 9).
        let known = turn.transactions.way_of(&onward);
        let Some(flow) = known.or_else(|| way_back(turn.house, &onward, came.listener)) else {
            return;
        };
        let ends = (came.peer.ip(), flow.peer.ip());
        let onward = identity::of_response(turn.house, &onward, ends).unwrap_or(onward);
        turn.out.push(Output::Send(flow, onward.wire().clone()));
    }
}

/// Where a Via that we signed leads: `received` and `rport` are ours, for we wrote them when the request came (§18.2.2, RFC 3581 §4).
fn way_back(house: &House, onward: &Message, came_by: u16) -> Option<Flow> {
    let via = onward.get::<Via>()?;
    let transport = Transport::of(via.transport.0)?;
    let port = via.port.unwrap_or(transport.default_port());
    let port = via.rport().flatten().filter(|_| !transport.is_reliable()).unwrap_or(port);
    let peer = SocketAddr::new(via.received().or(via.host.ip())?, port);
    hop::flow_to(house, transport, peer, came_by)
}
