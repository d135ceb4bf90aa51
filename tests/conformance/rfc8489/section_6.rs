//! §6.3: what is done with what came.

use stun::{Draft, attributes, kinds};

use crate::lender::{Lender, at, attributes_of};

/// "The server MUST respond to retransmissions such that …the overall state on the client and server is identical": nothing is kept of a Binding request, and
/// its answer is the same each time.
/// Proves: rfc8489-6.3.1-1, rfc8489-6.3.1-2.
#[test]
fn a_request_that_comes_again_is_answered_as_before() {
    let ask = stun::ask(b"transaction!");
    let from = at("192.0.2.7:5060");
    let first = stun::answer(&ask, from).unwrap();
    assert!((0..3).all(|_| stun::answer(&ask, from).as_ref() == Some(&first)));
}

/// "The reason phrase is not fixed but SHOULD be something suitable for the error code." "The server MUST put this unknown attribute in the UNKNOWN-ATTRIBUTE
/// attribute of its error response." "The Reserved bits SHOULD be 0" "The value MUST be between 3 and 6." "its value MUST be between 0 and 99" "It SHOULD NOT
/// utilize the ALTERNATE-SERVER mechanism"
/// Proves: rfc8489-6.3.1.1-2, rfc8489-420-1, rfc8489-14.8-2, rfc8489-14.8-4, rfc8489-14.8-5, rfc8489-12-3.
#[test]
fn what_is_not_understood_is_refused_in_words_and_named() {
    let ask = Draft::new(kinds::BINDING, *b"transaction!").with(0x7abc, b"what").finish(None);
    let refused = attributes_of(&stun::answer(&ask, at("192.0.2.7:5060")).unwrap());
    let value = |kind: u16| refused.iter().find(|(it, ..)| *it == kind).map(|(_, it, _)| &it[..]);
    assert_eq!(value(attributes::ERROR_CODE), Some(&b"\0\0\x04\x14Unknown Attribute"[..]));
    assert_eq!(value(0x000a), Some(&[0x7a, 0xbc][..]));
    let good = attributes_of(&stun::answer(&stun::ask(&[1; 12]), at("192.0.2.7:1")).unwrap());
    assert!(refused.iter().chain(&good).all(|(kind, ..)| *kind != 0x8023));
}

/// "If it is an unsupported address family, the attribute SHOULD be ignored."
/// Proves: rfc8489-6.3.3-1.
#[test]
fn an_address_of_a_family_that_nobody_knows_is_none() {
    let seen = |family: u8, octets: &[u8]| {
        let value = [&[0, family, 1, 2][..], octets].concat();
        let draft = Draft::new(kinds::BINDING_SUCCESS, [1; 12]);
        stun::mapped(&draft.with(attributes::XOR_MAPPED_ADDRESS, &value).finish(None)).is_some()
    };
    assert!(seen(1, &[1; 4]) && seen(2, &[1; 16]));
    assert!(!seen(3, &[1; 4]) && !seen(0, &[1; 4]) && !seen(1, &[1; 16]) && !seen(2, &[1; 4]));
}

/// "If the error code is 300 through 399, the client SHOULD consider the transaction as failed unless the ALTERNATE-SERVER extension … is being used." "If the
/// error code is 500 through 599, the client MAY resend the request; clients that do so MUST limit the number of times they do this." We never do. An error that
/// nobody knows is one too, and "the client MUST NOT retry the request" of which the server does not support the family.
/// Proves: rfc8489-6.3.4-1, rfc8489-6.3.4-2, rfc8489-6.3.4-3, rfc8656-7.4-9, rfc8656-7.4-14.
#[test]
fn who_is_refused_for_good_does_not_ask_again() {
    for code in [300, 400, 403, 420, 437, 440, 441, 442, 486, 500, 508, 599, 699] {
        for signed in [false, true] {
            let mut lender = Lender::new();
            if signed {
                let first = lender.only();
                lender.refuse(&first, 401);
            }
            let request = lender.only();
            lender.refuse(&request, code);
            assert!(lender.guest.is_ready(), "{code}: the call goes out without it");
            lender.wait(300_000);
            assert!(lender.asked().is_empty(), "{code}");
        }
    }
}
