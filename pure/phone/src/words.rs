//! Why something failed, in words that say what to look at.

use protocol::Flow;
use protocol::locate::Unlocated;
use protocol::transaction::Timers;

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

/// It could not be sent (503).
pub(crate) fn broken(flow: Option<Flow>) -> String {
    match flow {
        Some(flow) => format!(
            "{} cannot be reached by {}: nobody listens there, or the network refuses",
            flow.peer, flow.transport
        ),
        None => "it could not be sent".to_owned(),
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
