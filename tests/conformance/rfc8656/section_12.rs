//! §12: channels.

use stun::{Message, attributes, kinds};

use crate::lender::{BOB, Lender, at, kind};

/// A call by the relay in which something was just said: the request for a channel.
fn bound() -> (Lender, connectivity::Search, Vec<u8>) {
    let mut lender = Lender::open();
    let mut bob = lender.meet();
    lender.live(&mut bob, 1000);
    lender.act(|guest, now, out| guest.send(now, b"\x80\0sound", out));
    let asked = lender.asked();
    let bind = asked.iter().find(|octets| kind(octets) == kinds::CHANNEL_BIND).unwrap().clone();
    (lender, bob, bind)
}

/// "When the client uses channel binding, it MUST comply with the demultiplexing scheme": numbers from 0x4000 to 0x4FFF. "… (Reserved For Future Use) field, which MUST be
/// set to 0 on transmission".
/// Proves: rfc8656-12-2, rfc8656-18.1-1.
#[test]
fn a_channel_has_a_number_that_begins_nothing_else() {
    let (mut lender, mut bob, bind) = bound();
    let message = Message::read(&bind).unwrap();
    assert_eq!(message.address(attributes::XOR_PEER_ADDRESS), Some(at(BOB)));
    let number = message.number(attributes::CHANNEL_NUMBER).unwrap();
    assert!((0x4000..=0x4fff).contains(&(number >> 16)) && number & 0xffff == 0);
    lender.grant(&bind);
    lender.live(&mut bob, 100);
    lender.act(|guest, now, out| guest.send(now, b"\x80\0sound", out));
    let said = lender.only();
    assert_eq!(said, [&number.to_be_bytes()[..2], &[0, 7], b"\x80\0sound"].concat());
}

/// "the client SHOULD be prepared to receive ChannelData messages on the channel from the server as soon as it has sent the ChannelBind request." "it is RECOMMENDED that the
/// client discard the ChannelData message if the client believes there is no active permission": by a channel that it did not ask for there is none.
/// Proves: rfc8656-12-4, rfc8656-12.6-1.
#[test]
fn a_channel_is_heard_from_when_it_was_asked_for_and_no_other() {
    let (mut lender, _, bind) = bound();
    let number = Message::read(&bind).unwrap().number(attributes::CHANNEL_NUMBER).unwrap() >> 16;
    for (number, heard) in [(number + 1, 0), (number, 1), (0x4fff, 1)] {
        let number = u16::try_from(number).unwrap().to_be_bytes();
        lender.says(&[&number[..], &[0, 7], b"\x80\0sound"].concat());
        assert_eq!(lender.heard.len(), heard);
    }
    assert_eq!(lender.heard[0].0, at(BOB));
}
