//! A stream: however it is cut into segments, the same messages come out; and each is what the reader of datagrams makes of
//! the same octets, so nothing can be hidden between the two.

use sip::stream::{Frame, Framer};
use sip::{Bytes, Message};

/// The first eight octets say where to cut, the rest is the stream.
pub fn run(octets: &[u8]) {
    let Some((cuts, stream)) = octets.split_first_chunk::<8>() else { return };
    let whole = frames([stream]);
    let cut = frames(segments(cuts, stream));
    let single = frames(stream.chunks(1));
    assert_eq!(whole, cut, "cut as {cuts:?}");
    assert_eq!(whole, single, "octet by octet");
    same_as_a_datagram(stream, &whole.0);
}

/// The messages that came out, and whether the stream ended in an error. Keep-alives do not count: a ping that is cut in its
/// middle is two answers.
fn frames<'a>(segments: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Bytes>, bool) {
    let (mut framer, mut messages) = (Framer::default(), Vec::new());
    for segment in segments {
        framer.push(segment);
        loop {
            match framer.cut() {
                Ok(Some(Frame::Message(message))) => messages.push(message.wire().clone()),
                Ok(Some(Frame::Ping | Frame::Pong)) => {}
                Ok(None) => break,
                Err(_) => return (messages, true),
            }
        }
        assert!(framer.pending() <= sip::limits::MESSAGE + segment.len());
    }
    (messages, false)
}

fn segments<'a>(cuts: &[u8; 8], stream: &'a [u8]) -> Vec<&'a [u8]> {
    let (mut segments, mut rest) = (Vec::new(), stream);
    for cut in cuts.iter().cycle().take(64) {
        let (segment, tail) = rest.split_at(usize::from(*cut).min(rest.len()));
        segments.push(segment);
        rest = tail;
    }
    segments.push(rest);
    segments
}

/// The first message, read as if it and all that follows were one datagram, ends where the stream says.
fn same_as_a_datagram(stream: &[u8], messages: &[Bytes]) {
    let Some(first) = messages.first() else { return };
    let read = Message::parse(stream.to_vec());
    assert!(read.is_ok_and(|message| message.wire() == first));
}
