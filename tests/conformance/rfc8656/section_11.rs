//! §9 to §11: who may talk to us by the relay, and how.

use stun::{Message, attributes, kinds};

use crate::lender::{BOB, Lender, at, data, kind};

/// "the client MUST include at least one XOR-PEER-ADDRESS attribute" "the client MUST ensure that there is a permission installed for the IP address of the peer to
/// which the Send indication is being sent" "When forming a Send indication, the client MUST include an XOR-PEER-ADDRESS attribute and a DATA attribute."
/// Proves: rfc8656-10.1-1, rfc8656-11.1-1, rfc8656-11.1-2.
#[test]
fn nothing_is_sent_to_whom_no_permission_was_asked_for() {
    let mut lender = Lender::open();
    let mut bob = lender.meet();
    lender.live(&mut bob, 300_000);
    let log: Vec<_> = lender.log.iter().filter(|(_, octets)| octets[0] < 64).collect();
    let peer = |octets: &[u8]| {
        Message::read(octets).unwrap().address(attributes::XOR_PEER_ADDRESS).map(|peer| peer.ip())
    };
    let mut permitted = None;
    for (when, octets) in log {
        match kind(octets) {
            kinds::CREATE_PERMISSION => permitted = Some((*when, peer(octets).unwrap())),
            kinds::SEND => {
                let (since, whom) = permitted.unwrap();
                assert_eq!(Some(whom), peer(octets));
                assert!(when - since < 300_000, "a permission lasts five minutes");
                assert!(Message::read(octets).unwrap().find(attributes::DATA).is_some());
            }
            _ => {}
        }
    }
    assert!(permitted.unwrap().0 > 0, "it was asked for again");
}

/// "the client MUST only include XOR-PEER-ADDRESS attributes with addresses of the same address family as that of the relayed transport address", in permissions and in
/// channels.
/// Proves: rfc8656-10.1-2, rfc8656-12.1-1.
#[test]
fn a_peer_of_another_family_is_not_asked_for() {
    let mut lender = Lender::open();
    let bob = lender.meet();
    lender.asked();
    let mut theirs = bob.said();
    theirs.ufrag = "anew".into();
    theirs.candidates = vec!["1 1 udp 2130706431 2001:db8::7 5000 typ host".into()];
    lender.act(|guest, now, out| guest.meet(now, (&theirs, connectivity::Role::Controlling), out));
    lender.wait(20_000);
    for octets in lender.asked().iter().filter(|octets| octets[0] < 64) {
        let peer = Message::read(octets).unwrap().address(attributes::XOR_PEER_ADDRESS);
        assert!(peer.is_none_or(|peer| peer.is_ipv4()), "{peer:?}");
    }
}

/// "The client SHOULD also check that the XOR-PEER-ADDRESS attribute value contains an IP address with which the client believes there is an active permission and discard
/// the Data indication otherwise."
/// Proves: rfc8656-11.4-1.
#[test]
fn whom_we_have_not_let_in_we_do_not_hear() {
    let mut lender = Lender::open();
    let mut bob = lender.meet();
    lender.live(&mut bob, 1000);
    for (from, heard) in [(BOB, 1), ("192.0.2.66:5000", 1), ("192.0.2.2:9", 2)] {
        lender.says(&data(at(from), b"\x80\0sound"));
        assert_eq!(lender.heard.len(), heard, "{from}");
    }
}

/// Who is refused somebody's permission does not ask for it again with each datagram.
#[test]
fn a_permission_that_is_refused_is_not_asked_for_in_a_circle() {
    let mut lender = Lender::open();
    let mut bob = lender.meet();
    let mut asked = 0;
    for _ in 0..2000 {
        lender.wait(5);
        for octets in lender.asked() {
            match kind(&octets) {
                kinds::CREATE_PERMISSION => {
                    asked += 1;
                    lender.refuse(&octets, 403);
                }
                kinds::SEND => {}
                _ => lender.grant(&octets),
            }
        }
        bob.wake(lender.now, &mut Vec::new());
    }
    assert_eq!(asked, 1);
}
