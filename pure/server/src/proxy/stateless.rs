//! Responses that come late: they are carried without a context (RFC 3261 §16.7 step 1).

use std::net::SocketAddr;

use protocol::transaction::ClientId;
use protocol::{Flow, Output, Transport};
use sip::header::{CSeq, Via};
use sip::{Header as _, Message, Method, Name, Status};

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
        let is_invite = response.get::<CSeq>().is_some_and(|cseq| cseq.method == Method::Invite);
        if !is_invite || !response.status().is_some_and(Status::is_success) {
            return;
        }
        let by_via = || self.way_by_via(turn.house, response, came.listener);
        let Some(flow) = turn.transactions.way_back(client, response).or_else(by_via) else {
            return;
        };
        let mut edit = onward(response);
        if let Some(expires) = self.paid.to(client) {
            session_timer::pay(expires, response, &mut edit);
        }
        let Ok(onward) = edit.finish() else { return };
        let ends = (came.peer.ip(), flow.peer.ip());
        let onward = identity::of_response(turn.house, &onward, ends).unwrap_or(onward);
        turn.out.push(Output::Send(flow, onward.wire().clone()));
    }

    /// Where the next Via leads, when ours is one that we wrote above it: then `received` and `rport` are ours too, for we wrote them when the
    /// request came (§18.2.2, RFC 3581 §4).
    fn way_by_via(&self, house: &House, response: &Message, came_by: u16) -> Option<Flow> {
        let (ours, below) = (response.get::<Via>()?, response.elements(Name::Via).nth(1)?);
        if !house.ours.wrote(&ours) || !branch::is_ours(ours.branch()?, below, &self.seal) {
            return None;
        }
        let next = Via::parse(below).ok()?;
        let transport = Transport::of(next.transport.0)?;
        let port = next.port.unwrap_or(transport.default_port());
        let port = next.rport().flatten().filter(|_| !transport.is_reliable()).unwrap_or(port);
        let peer = SocketAddr::new(next.received().or(next.host.ip())?, port);
        hop::flow_to(house, transport, peer, came_by)
    }
}
