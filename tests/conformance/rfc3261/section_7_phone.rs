//! §7.3, §7.4: how our phone writes its headers, and which it passes over.

use sip::{Message, Name};

use super::section_8_1::requests;
use crate::handset::{Bench, SDP, reply, uri};

/// The names of the rows of a message, in their order.
fn names(message: &Message) -> Vec<String> {
    let text = String::from_utf8(message.wire().to_vec()).unwrap();
    let rows = text.lines().skip(1).take_while(|line| !line.is_empty());
    rows.map(|row| row.split(':').next().unwrap().to_owned()).collect()
}

/// "it is RECOMMENDED that header fields which are needed for proxy processing (Via, Route, … Max-Forwards …) appear towards the top of the message"
/// Proves: rfc3261-7.3.1-1.
#[test]
fn what_proxies_need_stands_at_the_top() {
    for request in requests() {
        let names = names(&request);
        let end = names.iter().position(|name| name == "From").unwrap();
        for needed in ["Via", "Route", "Max-Forwards"] {
            let at = names.iter().rposition(|name| name == needed);
            assert!(at.is_none_or(|at| at < end), "{needed} in {names:?}");
        }
        assert!(
            names.iter().any(|name| name == "Via")
                && names.iter().any(|name| name == "Max-Forwards")
        );
    }
}

/// "any given parameter-name MUST NOT appear more than once"; where no coding is used, "Content-Encoding MUST be omitted".
/// Proves: rfc3261-7.3.1-5, rfc3261-7.4.1-3.
#[test]
fn no_parameter_is_said_twice_and_no_coding_that_is_none() {
    for request in requests() {
        assert!(!request.has(Name::ContentEncoding));
        let text = String::from_utf8(request.wire().to_vec()).unwrap();
        for row in text.lines().skip(1).take_while(|line| !line.is_empty()) {
            for value in row.split(", ") {
                let behind = value.rsplit('>').next().unwrap();
                let mut names: Vec<_> = behind
                    .split(';')
                    .skip(1)
                    .map(|parameter| parameter.split('=').next().unwrap().to_ascii_lowercase())
                    .collect();
                let all = names.len();
                names.sort_unstable();
                names.dedup();
                assert_eq!(names.len(), all, "{row}");
            }
        }
    }
}

/// "If a header field appears in a message not matching its category (such as a request header field in a response), it MUST be ignored."
/// Proves: rfc3261-7.3.2-1.
#[test]
fn what_belongs_to_requests_means_nothing_in_a_response() {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls("sip:bob@biloxi.example");
    let foreign = "Contact: <sip:bob@192.0.2.9>\nRoute: <sip:203.0.113.7;lr>\nMax-Forwards: 0\nAuthorization: Digest x=y\nReplaces: 1;to-tag=a;from-tag=b\n\
                   Proxy-Require: time-travel\nRefer-To: <sip:carol@chicago.example>\nPriority: emergency";
    bench.tell(reply(&invite, 200, "bob", (foreign, SDP)));
    let (_, flow, ack) = bench.sent_with_times().remove(0);
    assert_eq!((ack.method(), uri(&ack)), (Some(sip::Method::Ack), "sip:bob@192.0.2.9".to_owned()));
    assert_eq!(flow.peer.to_string(), crate::handset::PEER);
    assert!(!ack.has(Name::Route));
    bench.wait(1_000);
    assert_eq!(bench.titles(), [""; 0]);
}
