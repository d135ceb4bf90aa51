//! What transactions do when a way breaks: requests fail, answers take another way (RFC 3261 §17.1.4, §17.2.4, §18.2.2).

use std::collections::VecDeque;

use machine::Time;

use super::back::Left;
use super::client::Client;
use super::{ClientId, ServerId, Transaction, Transactions, Up, number_of};
use crate::doors::Output;
use crate::transport::Flow;

impl Transactions {
    /// Where the answers to a request can go, in the order to try; none: nowhere (see [`Up::Unanswerable`]).
    pub fn answer_by(&mut self, id: ServerId, ways: VecDeque<Flow>, out: &mut Vec<Output>) {
        let Some(entry) = self.all.get_mut(id.0) else { return };
        let Transaction::Server(server) = &mut entry.transaction else { return };
        self.by_peer.remove(&(number_of(server.back.flow.peer), id.0));
        entry.listed = false;
        server.found(ways, out);
        self.settle(id.0);
    }

    /// Takes the news that nothing can be sent on a flow any more.
    pub fn failed(&mut self, flow: Flow, up: &mut Vec<Up>, out: &mut Vec<Output>) {
        self.lost(flow, &mut |_, _| false, up, out);
    }

    /// The same of a flow that others have ended. A request that crossed the end of its connection is sent once more, by a new one: its
    /// peer had closed it before (RFC 3261 §18.1.1), and knows the branch if it has seen the request all the same.
    pub fn ended(&mut self, now: Time, flow: Flow, up: &mut Vec<Up>, out: &mut Vec<Output>) {
        let (timers, was_open) = (self.timers, flow.connection != 0);
        let anew = &mut |client: &mut Client, out: &mut Vec<Output>| {
            was_open && client.send_anew(now, &timers, out)
        };
        self.lost(flow, anew, up, out);
    }

    fn lost(
        &mut self,
        flow: Flow,
        goes_anew: &mut dyn FnMut(&mut Client, &mut Vec<Output>) -> bool,
        up: &mut Vec<Up>,
        out: &mut Vec<Output>,
    ) {
        // A request that went by any connection went by this one: while it is open there is no second one to its peer.
        let touched = |other: &Flow| {
            *other == flow || other.any_connection() == flow || *other == flow.any_connection()
        };
        let peer = number_of(flow.peer);
        let there = self.by_peer.range((peer, 0)..=(peer, u64::MAX));
        let ids: Vec<u64> = there.map(|(_, id)| *id).collect();
        for id in ids {
            let Some(entry) = self.all.get_mut(id) else { continue };
            match &mut entry.transaction {
                Transaction::Client(client) if touched(&client.flow) && client.is_waiting() => {
                    let lost = !goes_anew(client, out);
                    up.extend(lost.then(|| client.give_up()).map(|()| Up::Failed(ClientId(id))));
                    self.settle(id);
                }
                Transaction::Server(server) if touched(&server.back.flow) => {
                    let left = server.lost(out);
                    up.extend((left == Left::Ask).then_some(Up::Unanswerable(ServerId(id))));
                    // Its peer may be another now.
                    entry.listed = false;
                    self.by_peer.remove(&(peer, id));
                    self.settle(id);
                }
                Transaction::Client(_) | Transaction::Server(_) => {}
            }
        }
    }
}
