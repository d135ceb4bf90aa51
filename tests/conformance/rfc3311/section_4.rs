//! §4: who says that it takes UPDATE.

use media::Silence;
use sip::Name;

use crate::handset::{Bench, SDP, rows};

/// "a UAC compliant to this specification SHOULD also include an Allow header field in the INVITE request, listing the method UPDATE"; so does a
/// "reliable provisional response containing SDP", and "a 2xx response SHOULD contain an Allow header field listing the UPDATE method".
/// Proves: rfc3311-4-1, rfc3311-4-2, rfc3311-4-3.
#[test]
fn update_is_on_every_list() {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls("sip:bob@biloxi.example");
    let theirs = bench.request("INVITE", "Require: 100rel\r\n", SDP);
    bench.tell(theirs);
    let call = bench.incoming();
    bench.act(|phone, now, out| phone.announce(now, call, Box::new(Silence), out)).unwrap();
    let early = bench.only();
    assert!(early.has(Name::RSeq) && early.has(Name::ContentType));
    let (_, _, ok) = bench.taken();
    for message in [invite, early, ok] {
        assert!(rows(&message, Name::Allow).concat().contains("UPDATE"));
    }
}
