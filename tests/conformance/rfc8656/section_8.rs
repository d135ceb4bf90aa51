//! §8: for longer, or no more.

use stun::{Message, attributes, kinds};

use crate::lender::{Lender, kind};

/// "If a client wishes to continue using an allocation, then the client MUST refresh it before it expires": ten minutes after it was lent, or refreshed last.
/// Proves: rfc8656-A-1.
#[test]
fn an_address_is_refreshed_before_it_ends() {
    let mut lender = Lender::open();
    let mut since = 0;
    for _ in 0..5 {
        lender.wait(10 * 60_000 - 1);
        let refresh = lender.asked().remove(0);
        assert_eq!(kind(&refresh), kinds::REFRESH);
        let at = lender.log.iter().find(|(_, octets)| *octets == refresh).unwrap().0;
        assert!(at - since < 10 * 60_000, "{since} {at}");
        lender.grant(&refresh);
        since = at;
    }
}

/// "If a client no longer wishes to use an allocation, then it SHOULD explicitly delete the allocation."
/// Proves: rfc8656-A-2.
#[test]
fn an_address_that_is_not_wanted_any_more_is_given_back() {
    let mut lender = Lender::open();
    lender.act(|guest, now, out| guest.close(now, out));
    let release = lender.only();
    let message = Message::read(&release).unwrap();
    assert_eq!((message.kind, message.number(attributes::LIFETIME)), (kinds::REFRESH, Some(0)));
    lender.grant(&release);
    lender.wait(20 * 60_000);
    assert!(lender.asked().is_empty());
}
