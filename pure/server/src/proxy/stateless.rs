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
    /// A 2xx that is repeated to a branch whose context is gone. It goes by the way of its INVITE, as long as that has a transaction (§16.7 step 9):
    /// whoever has asked by a connection is reached by no other, and callees may write the Via of the caller in their own words. Then it goes where
    /// that Via leads, when our own is one that we wrote above it; anything else is dropped, or strangers would have us send their responses to others.
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
        let mut edit = onward(response);
        if let Some(expires) = self.paid.to(client) {
            session_timer::pay(expires, response, &mut edit);
        }
        let Ok(onward) = edit.finish() else { return };
        let signed = || self.is_signed(turn.house, response);
        let by_via = || way_back(turn.house, &onward, came.listener).filter(|_| signed());
        let Some(flow) = turn.transactions.way_of(&onward).or_else(by_via) else { return };
        let ends = (came.peer.ip(), flow.peer.ip());
        let onward = identity::of_response(turn.house, &onward, ends).unwrap_or(onward);
        turn.out.push(Output::Send(flow, onward.wire().clone()));
    }

    /// Have we written the top Via above the next one?
    fn is_signed(&self, house: &House, response: &Message) -> bool {
        let mut vias = response.elements(Name::Via);
        let (Some(_), Some(below)) = (vias.next(), vias.next()) else { return false };
        let ours = |via: Via<'_>| {
            house.ours.wrote(&via)
                && via.branch().is_some_and(|text| branch::is_ours(text, below, &self.seal))
        };
        response.get::<Via>().is_some_and(ours)
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
