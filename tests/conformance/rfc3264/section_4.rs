//! RFC 3264 §4: who may offer when.

use sdp::Refusal;

use super::{phone, theirs};

/// "it MUST NOT generate a new offer if it has received an offer which it has not yet answered or rejected"
/// Proves: rfc3264-4-1.
#[test]
fn no_offer_while_theirs_is_not_answered() {
    let (mut bob, _) = phone(2);
    bob.receive(theirs("m=audio 9000 RTP/AVP 0\r\n")).unwrap();
    assert_eq!(bob.offer(), Err(Refusal::AnswerPending));
    bob.refuse();
    assert!(bob.offer().is_ok());
}

/// "it MUST NOT generate a new offer if it has generated a prior offer for which it has not yet received an answer"
/// Proves: rfc3264-4-2.
#[test]
fn no_offer_while_ours_is_not_answered() {
    let (mut alice, _) = phone(1);
    alice.offer().unwrap();
    assert_eq!(alice.offer(), Err(Refusal::OfferPending));
    alice.rejected();
    assert!(alice.offer().is_ok());
}

/// "an agent … MUST NOT … answer" an offer while its own waits: the glare that RFC 3261 §14.2 ends with 491.
#[test]
fn glare_is_a_491() {
    let (mut alice, _) = phone(1);
    alice.offer().unwrap();
    assert_eq!(alice.answer(&theirs("m=audio 9000 RTP/AVP 0\r\n")).unwrap_err().status(), 491);
}
