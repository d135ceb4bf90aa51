//! Why something failed, in words that say what to look at.

use std::time::Duration;

use protocol::locate::Unlocated;
use protocol::transaction::Timers;
use protocol::{Flow, Transport};

use crate::account::Account;
use crate::whither::{Hop, place};

/// Nobody answered (408).
pub(crate) fn silence(flow: Option<Flow>, timers: &Timers) -> String {
    let seconds = timers.patience().as_secs();
    match flow {
        Some(flow) => format!(
            "no answer from {} by {} within {seconds} s; is it the right address, is it running, does a firewall stand between?",
            flow.peer, flow.transport
        ),
        None => format!("no answer within {seconds} s"),
    }
}

/// What was lost when a request did not come through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// A connection that stood.
    Connection,
    /// The way there was closed at once.
    Way,
    /// No connection came about in this time.
    Patience(Duration),
}

impl Loss {
    /// By what the flow says that failed, so long after the request was sent.
    pub(crate) const fn of(failed: Flow, after: Duration) -> Self {
        match failed {
            Flow { connection: 1.., .. } => Self::Connection,
            Flow { transport: Transport::Udp, .. } => Self::Way,
            _ if after.as_millis() >= REFUSED_WITHIN => Self::Patience(after),
            _ => Self::Way,
        }
    }
}

/// It could not be sent (503).
pub(crate) fn broken(went: Option<Flow>, loss: Loss) -> String {
    let Some(Flow { peer, transport, .. }) = went else {
        return "it could not be sent".to_owned();
    };
    match loss {
        Loss::Connection => {
            format!("the connection to {peer} by {transport} broke before an answer came")
        }
        Loss::Way => format!(
            "{peer} cannot be reached by {transport}: it was refused; nobody listens there, or the network lets nobody through"
        ),
        Loss::Patience(time) => format!(
            "{peer} cannot be reached by {transport}: no connection came about within {} s; is it the right address, is it running, does a firewall stand between?",
            time.as_secs()
        ),
    }
}

/// Nobody knows where to send it (503).
pub(crate) fn unlocated(host: &str, why: Unlocated) -> String {
    match why {
        Unlocated::NoName => format!("{host} is no valid name"),
        Unlocated::NoTransport => {
            format!("the phone speaks no transport that {host} wants; a sips address wants TLS")
        }
        Unlocated::Unknown => format!("the DNS does not know {host}; is it spelt right?"),
        Unlocated::NotOffered => format!("{host} offers no SIP by the transport of the phone"),
        Unlocated::Unusable => format!("{host} has no address that can be used from here"),
        Unlocated::NoAnswer => {
            format!("the DNS does not answer for {host}; is its server right, is there a network?")
        }
    }
}

/// The same for where a request should have gone.
pub(crate) fn unlocated_hop(hop: &Hop, account: &Account, why: Unlocated) -> String {
    place(hop, account).map_or_else(|why| why, |place| unlocated(&place.domain, why))
}

/// We do not listen by a transport that would lead there (503).
pub(crate) fn no_listener(account: &Account) -> String {
    format!("the phone has no {} listener that could send there", account.transport())
}

/// Milliseconds within which a refusal is here: the kernel asks again after one second and after three, and a network that knows no way says so by then
/// (RFC 6298 §2, RFC 4861 §10). Drivers wait for longer than that.
const REFUSED_WITHIN: u128 = 4_000;
