//! §2.4.6: more than one REFER in one dialog.

use sip::Method;

use super::{CAROL, news, obedient, of, refer};
use crate::handset::within;

/// "for the second and subsequent REFER requests a UA receives in a given dialog, it MUST include an id parameter in the Event header field of each
/// NOTIFY containing the sequence number … of the REFER"; "A SUBSCRIBE sent to refresh or terminate this subscription MUST contain this id
/// parameter": it says which one is meant.
/// Proves: rfc3515-A-8.
#[test]
fn the_second_has_a_name() {
    let (mut bench, _, ok) = obedient();
    let mut told = Vec::new();
    for number in [2, 9] {
        bench.tell(refer(&ok, number, CAROL));
        told.push(news(&of(&bench.sent(), Method::Notify)[0]).0);
    }
    assert_eq!(told, ["refer", "refer;id=9"]);
    bench.tell(within(&ok, "SUBSCRIBE", 10, "Event: refer;id=8\r\n", ""));
    assert_eq!(bench.titles(), ["403"]);
}
