//! §5: an address that the server knows nothing of.

use stun::kinds;

use crate::lender::{Lender, kind};

/// "A client receiving a 437 error response to a request other than Allocate MUST assume the allocation no longer exists."
/// Proves: rfc8656-5-6.
#[test]
fn an_address_that_the_server_has_forgotten_is_gone() {
    // Of the first permission; and, later, of a refresh.
    let mut lender = Lender::open();
    lender.meet();
    let asked = lender.asked();
    assert_eq!(kind(&asked[0]), kinds::CREATE_PERMISSION);
    lender.refuse(&asked[0], 437);
    lender.wait(30_000);
    assert!(lender.asked().is_empty(), "nothing is sent by it any more");

    let mut lender = Lender::open();
    lender.wait(8 * 60_000);
    let refresh = lender.only();
    assert_eq!(kind(&refresh), kinds::REFRESH);
    lender.refuse(&refresh, 437);
    lender.wait(30 * 60_000);
    assert!(lender.asked().is_empty());
}
