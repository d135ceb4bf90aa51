//! Why something failed, in words that say what to look at.

use protocol::Flow;
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

/// A name has no address (503).
pub(crate) fn unknown_name(hop: &Hop, account: &Account) -> String {
    place(hop, account).map_or_else(
        |why| why,
        |(host, ..)| {
            format!(
                "the name {host} has no address; is it spelt right, does the DNS server answer?"
            )
        },
    )
}

/// We do not listen by a transport that would lead there (503).
pub(crate) fn no_listener(account: &Account) -> String {
    format!("the phone has no {} listener that could send there", account.transport)
}
