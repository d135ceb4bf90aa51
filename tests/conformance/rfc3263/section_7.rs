//! §7: a DNS that hides the TLS of a domain.

use std::time::Duration;

use machine::{Dice, Time};
use protocol::locate::{Found, Search, Secured, Step};

use super::{EXAMPLE, everything, hop, zone};

/// "SHOULD cache whether or not its NAPTR records contain SIPS … If such records were present, but in later queries cease to appear …
/// SHOULD generate some kind of alert or alarm"
/// Proves: rfc3263-7-1, rfc3263-7-2.
#[test]
fn tls_that_ceases_to_be_offered_raises_an_alarm() {
    let mut secured = Secured::default();
    let mut dice = Dice::new(1);
    let mut alarm = |seconds: u64, records: &str| {
        let names = zone(records);
        let mut search = Search::new(hop("sip:example.com"), everything());
        while let Step::Ask(lookups) = search.step() {
            for lookup in lookups {
                let found = names.find(&lookup).unwrap_or(Found::Nothing);
                search.answer(&lookup, found, &mut dice);
            }
        }
        let (domain, offer) = search.offer().unwrap();
        secured.withdrawn(Time(0) + Duration::from_secs(seconds), domain, offer)
    };
    let bare = "example.com A 192.0.2.66";
    assert!(!alarm(0, bare));
    assert!(!alarm(60, EXAMPLE));
    assert!(alarm(120, bare));
}
