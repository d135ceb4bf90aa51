//! WebSockets against each other, against the library's own, and against octets that nobody should send.

mod frames;
mod upgrade;

use super::*;

const NOW: Time = Time(0);

/// A whole server's side after the upgrade.
fn server() -> WebSocket {
    WebSocket { mask: Mask::Theirs, stage: Stage::Open(Assembly::default()) }
}

fn client() -> WebSocket {
    WebSocket { mask: Mask::Ours, stage: Stage::Open(Assembly::default()) }
}

/// All that comes of octets, what is answered, and the end if there is one.
fn hear(socket: &mut WebSocket, octets: &[u8]) -> (Vec<Come>, Vec<u8>, Option<End>) {
    let (mut come, mut out) = (Vec::new(), Vec::new());
    socket.push(octets);
    loop {
        match socket.next(NOW, &mut out) {
            Ok(Some(one)) => come.push(one),
            Ok(None) => return (come, out, None),
            Err(end) => return (come, out, Some(end)),
        }
    }
}

/// A frame as a client sends it, its mask zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    assert!(length < 126);
    [&[first, 0x80 | length, 0, 0, 0, 0], payload].concat()
}

/// The code of the goodbye in an answer of a server.
fn code(out: &[u8]) -> Option<u16> {
    let [0x88, _, high, low, ..] = out else { return None };
    Some(u16::from_be_bytes([*high, *low]))
}

fn message(text: &str) -> Come {
    Come::Message(Bytes::copy_from_slice(text.as_bytes()))
}
