//! §7.1: asking for an address.

use stun::attributes;

use crate::lender::{Lender, attributes_of};

/// "The client MUST include a REQUESTED-TRANSPORT attribute in the request." "it is RECOMMENDED that the client pick UDP" "The RFFU field MUST be set to zero on
/// transmission". What must not stand in one request with something else does not stand there: families, additional families, even ports, reservations.
/// Proves: rfc8656-7.1-2, rfc8656-7.1-4, rfc8656-7.1-5, rfc8656-7.1-6, rfc8656-7.1-8, rfc8656-7.1-9, rfc8656-7.1-10, rfc8656-7.1-12, rfc8656-18.8-1.
#[test]
fn an_address_is_asked_for_by_udp_and_without_wishes() {
    let mut lender = Lender::new();
    let first = lender.only();
    lender.refuse(&first, 401);
    for request in [first, lender.only()] {
        let all = attributes_of(&request);
        let transports: Vec<_> =
            all.iter().filter(|(kind, ..)| *kind == attributes::REQUESTED_TRANSPORT).collect();
        assert_eq!(transports, [&(attributes::REQUESTED_TRANSPORT, vec![17, 0, 0, 0], vec![])]);
        // REQUESTED-ADDRESS-FAMILY, ADDITIONAL-ADDRESS-FAMILY, EVEN-PORT, RESERVATION-TOKEN.
        for wish in [0x0017, 0x8000, 0x0018, 0x0022] {
            assert!(all.iter().all(|(kind, ..)| *kind != wish), "{wish:04x}");
        }
    }
}
