//! RFC 3262, Reliability of Provisional Responses, as our phone sends and takes them.

mod section_3;
mod section_4;
mod section_5;

use sip::header::RSeq;
use sip::{Message, Name};

use crate::handset::{SDP, rows, within};

/// The RSeq of a response.
fn rseq(response: &Message) -> u32 {
    response.get::<RSeq>().unwrap().0
}

/// Bob's PRACK for a reliable response of the phone's; his INVITE had the number 1.
fn prack(response: &Message, number: u32, body: &str) -> Message {
    within(response, "PRACK", number, &format!("RAck: {} 1 INVITE\r\n", rseq(response)), body)
}

/// True for a response that says that it is reliable.
fn is_reliable(response: &Message) -> bool {
    rows(response, Name::Require) == ["100rel"] && response.has(Name::RSeq)
}

/// Rows of an INVITE that makes reliable responses possible, and one that demands them.
const POSSIBLE: &str = "Supported: 100rel\r\n";
const DEMANDED: &str = "Require: 100rel\r\n";

/// Another answer or offer: the same from another port.
fn other_sdp() -> String {
    SDP.replace("- 1 1", "- 1 2").replace("4000", "5000")
}
