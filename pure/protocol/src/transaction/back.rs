//! `Back`: the way of the answers to one request, and what is tried when it is gone (RFC 3261 §18.2.2, RFC 3263 §5).

use std::collections::VecDeque;

use sip::Message;

use crate::transport::{Flow, Transport, reconnect_flow};

/// The way of the answers.
#[derive(Debug)]
pub(super) struct Back {
    /// Where they go now.
    pub(super) flow: Flow,
    next: Next,
}

/// What is tried next.
#[derive(Debug)]
enum Next {
    /// A new connection to where the request came from.
    Anew,
    /// Where the sent-by of its top Via leads: somebody must find out.
    SentBy,
    /// These, in this order.
    #[expect(clippy::box_collection, reason = "few need any, and all that wait would be larger")]
    These(Box<VecDeque<Flow>>),
    /// Nothing.
    Nothing,
}

/// What is left when a way is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// Another way, which is taken now.
    Another,
    /// It must be asked where the sent-by leads.
    Ask,
    /// Nothing.
    Nothing,
}

impl Back {
    /// By the way that a request came, or as its Via says.
    pub(super) fn by(flow: Flow) -> Self {
        // Nobody can be called over WebSocket (RFC 7118 §5.2), and a datagram needs no connection.
        let callable = matches!(flow.transport, Transport::Tcp | Transport::Tls);
        Self { flow, next: if callable { Next::Anew } else { Next::Nothing } }
    }

    /// True on the connection that the request came on: it brings an answer, or says that it is gone.
    pub(super) const fn is_sure(&self) -> bool {
        self.flow.transport.is_reliable() && self.flow.connection != 0
    }

    /// The way is gone.
    pub(super) fn lost(&mut self, request: &Message) -> Left {
        match &mut self.next {
            Next::Anew => {
                self.flow = reconnect_flow(request, self.flow);
                self.next = Next::SentBy;
                Left::Another
            }
            Next::SentBy => {
                self.next = Next::Nothing;
                Left::Ask
            }
            Next::These(flows) => match flows.pop_front() {
                Some(flow) => {
                    self.flow = flow;
                    Left::Another
                }
                None => Left::Nothing,
            },
            Next::Nothing => Left::Nothing,
        }
    }

    /// Where the sent-by leads is known. True when it leads anywhere.
    pub(super) fn found(&mut self, mut flows: VecDeque<Flow>) -> bool {
        let Some(first) = flows.pop_front() else { return false };
        self.flow = first;
        self.next = Next::These(flows.into());
        true
    }
}
