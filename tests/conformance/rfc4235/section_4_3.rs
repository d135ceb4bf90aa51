//! §4.3: documents that follow on each other.

use phone::packages::Package;
use sip::Message;

use super::KIND;
use crate::handset::{Bench, reply};
use crate::rfc6665::notify;

/// When the phone asks again after these documents, in milliseconds after the last; the subscription lasts for 600 seconds.
fn again(documents: &[(u32, &str)]) -> u64 {
    let mut bench = Bench::new();
    let bob = "sip:bob@biloxi.example";
    bench.act(|phone, now, out| phone.watch(now, bob, Package::Dialogs, out)).unwrap();
    let asked = bench.only();
    bench.tell(reply(&asked, 200, "n", ("Expires: 600\r\nContact: <sip:bob@192.0.2.9>", "")));
    for (number, (version, state)) in (1..).zip(documents) {
        bench.tell(document(&asked, number, (*version, state)));
    }
    bench.sent();
    let from = bench.millis();
    bench.wait(500_000);
    let (at, _, message) = bench.sent_with_times().remove(0);
    assert_eq!(message.method(), Some(sip::Method::Subscribe));
    at - from
}

fn document(asked: &Message, number: u32, (version, state): (u32, &str)) -> Message {
    let body = format!(
        "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{version}\" state=\"{state}\" entity=\"sip:bob@biloxi.example\"/>"
    );
    notify(asked, number, ("dialog", "active;expires=600"), (KIND, &body))
}

/// "The version number MUST be initialized with the value of the "version" attribute … in the first document received"; when one is more than one higher,
/// and "did not contain full state, the subscriber SHOULD generate a refresh request (SUBSCRIBE) to trigger a full state notification".
/// Proves: rfc4235-4.3-1, rfc4235-4.3-2.
#[test]
fn where_a_document_is_missing_the_whole_is_asked_for() {
    let (soon, in_time) = (10_000, 480_000);
    assert_eq!(again(&[(7, "full")]), in_time);
    assert_eq!(again(&[(7, "full"), (8, "partial"), (9, "partial")]), in_time);
    assert_eq!(again(&[(7, "full"), (9, "partial")]), soon);
    assert_eq!(again(&[(7, "full"), (9, "full")]), in_time);
    // What follows on the gap does not fill it.
    assert_eq!(again(&[(7, "full"), (9, "partial"), (10, "partial")]), soon);
    assert_eq!(again(&[(7, "full"), (9, "partial"), (10, "full"), (11, "partial")]), in_time);
    assert_eq!(again(&[(0, "partial")]), soon);
}
