//! §5.1 to §5.7: what we ask next hops, and how we keep to what they say.

use offhook_tests::office::{Office, Phone, Sent, requests, status};
use sip::header::Via;
use sip::{Draft, Name, Status};

use super::{office, param};

/// A call for the far server; the copies that go there.
fn call(office: &mut Office, number: usize, rows: &str) -> Vec<Sent> {
    let phone = Phone::udp(103);
    let mut request = phone.invite("sip:x@far.test").call(&format!("down{number}"));
    request.branch += &number.to_string();
    if !rows.is_empty() {
        request = request.row(rows);
    }
    office.receive(phone.flow, request.wire())
}

/// The far server answers with this status, and says this of its load.
fn answer(office: &mut Office, copy: &Sent, code: u16, says: &str) -> Vec<Sent> {
    let status = Status::new(code).unwrap();
    let reply = Draft::reply_tagged(&copy.message, status, status.phrase(), "far").wire();
    let reply = sip::Message::parse(reply).unwrap();
    let via = reply.get::<Via>().unwrap();
    let via = format!("{}{says}", via.text().replace(";oc;oc-algo=\"loss\"", ""));
    let told = reply.edit().replace_written(Name::Via, |text| text.extend(via.bytes())).wire();
    office.receive(copy.flow, told.to_vec())
}

use sip::Header as _;

/// How many of so many calls are sent on.
fn sent_on(office: &mut Office, from: usize, calls: usize, rows: &str) -> usize {
    (from..from + calls).filter(|n| !requests(&call(office, *n, rows), "INVITE").is_empty()).count()
}

/// Proves: rfc7339-A-1, rfc7339-A-4, rfc7339-5.1-1, rfc7339-5.1-2, rfc7339-4.3-1, rfc7339-A-12, rfc7339-5.6-1, rfc7339-5.6-2.
#[test]
fn next_hops_are_asked_and_what_others_asked_us_goes_no_further() {
    let mut office = office();
    let phone = Phone::udp(103);
    let mut request = phone.invite("sip:x@far.test");
    request.branch += ";oc=7;oc-algo=\"loss\";oc-validity=9;oc-seq=1.1";
    let sent = office.receive(phone.flow, request.wire());
    let copy = &requests(&sent, "INVITE")[0];
    assert_eq!(param(copy, "oc").as_deref(), Some(""));
    assert_eq!(param(copy, "oc-algo").as_deref(), Some("loss"));
    let vias: Vec<_> = copy.message.elements(Name::Via).map(String::from_utf8_lossy).collect();
    assert_eq!(vias.len(), 2);
    assert!(!vias[1].contains("oc"), "{vias:?}");
    assert!(!vias[0].contains("oc-validity") && !vias[0].contains("oc-seq"), "{vias:?}");
}

/// Proves: rfc7339-A-3, rfc7339-A-14, rfc7339-A-15, rfc7339-A-13.
#[test]
fn less_is_sent_as_long_as_that_is_good() {
    let mut office = office();
    let first = call(&mut office, 0, "");
    answer(&mut office, &first[1], 180, ";oc=50;oc-algo=\"loss\";oc-validity=10000;oc-seq=5.1");
    let half = sent_on(&mut office, 1, 200, "");
    assert!((70..130).contains(&half), "{half} of 200");
    // Those that are not sent on are refused without a time.
    let refused = (300..400).map(|n| call(&mut office, n, "")).find(|sent| {
        sent.iter().any(|one| one.message.status().is_some_and(|status| status.class() == 5))
    });
    let refused = refused.unwrap();
    assert!(refused.iter().all(|one| !one.message.has(Name::RetryAfter)));
    office.now = office.now + std::time::Duration::from_secs(11);
    assert_eq!(sent_on(&mut office, 1000, 50, ""), 50);
}

/// What is not newer says nothing; what has no `oc` neither; `oc-validity=0` ends it whatever `oc` says.
/// Proves: rfc7339-4.3-3, rfc7339-A-16, rfc7339-A-17, rfc7339-A-18.
#[test]
fn the_newest_word_counts_and_zero_ends_it() {
    let mut office = office();
    let first = call(&mut office, 0, "");
    let copy = first[1].clone();
    answer(&mut office, &copy, 180, ";oc-algo=\"loss\";oc-validity=60000;oc-seq=4.9");
    assert_eq!(sent_on(&mut office, 1, 20, ""), 20);
    answer(&mut office, &copy, 181, ";oc=100;oc-algo=\"loss\";oc-validity=60000;oc-seq=5.1");
    assert_eq!(sent_on(&mut office, 100, 20, ""), 0);
    answer(&mut office, &copy, 182, ";oc=0;oc-algo=\"loss\";oc-validity=0;oc-seq=5.1");
    assert_eq!(sent_on(&mut office, 200, 20, ""), 0, "that is old");
    answer(&mut office, &copy, 183, ";oc=90;oc-algo=\"loss\";oc-validity=0;oc-seq=5.2");
    assert_eq!(sent_on(&mut office, 300, 20, ""), 20);
    assert_eq!(status(&call(&mut office, 400, "")), 100);
}
