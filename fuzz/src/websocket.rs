//! A WebSocket: a head and frames, from either side, however they are cut. What comes out is the same, no more is kept than came, and
//! what we write ourselves is understood by the other side.

use std::sync::Arc;

use machine::Time;
use net::websocket::{Come, End, Origins, WebSocket};

const NOW: Time = Time(0);

/// A whole request to upgrade, so that the frames behind it are reached.
const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: \
    dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n";

/// The first octet says how it is cut; the rest is a head, and frames behind a good head, and the answer to a client.
pub fn run(octets: &[u8]) {
    let Some((cut, octets)) = octets.split_first() else { return };
    let cut = usize::from(*cut).max(1);
    alike(server, octets, cut);
    alike(server, &[UPGRADE, octets].concat(), cut);
    let mut client = WebSocket::open("a", &mut Vec::new());
    hear(&mut client, octets.chunks(cut));
    repeated(octets);
}

fn server() -> WebSocket {
    let hosts = vec!["example.test".into()];
    WebSocket::accept(Arc::new(Origins::Hosts(hosts)))
}

/// All that came, what was answered, and whether it ended.
type Heard = (Vec<Come>, Vec<u8>, Option<End>);

fn alike(socket: fn() -> WebSocket, octets: &[u8], cut: usize) {
    let whole = hear(&mut socket(), std::iter::once(octets));
    assert_eq!(whole, hear(&mut socket(), octets.chunks(cut)), "cut in parts of {cut}");
}

fn hear<'a>(socket: &mut WebSocket, parts: impl Iterator<Item = &'a [u8]>) -> Heard {
    let (mut come, mut out, mut came) = (Vec::new(), Vec::new(), 0);
    for part in parts {
        socket.push(part);
        came += part.len();
        loop {
            match socket.next(NOW, &mut out) {
                Ok(Some(one)) => come.push(one),
                Ok(None) => break,
                Err(end) => return (come, out, Some(end)),
            }
        }
        assert!(socket.kept() <= came, "it keeps what was only announced");
        assert!(socket.kept() <= part.len() + 2 * sip::limits::MESSAGE);
    }
    (come, out, None)
}

/// What a client sends, a server hears.
fn repeated(message: &[u8]) {
    let (mut asked, mut answered) = (Vec::new(), Vec::new());
    let mut client = WebSocket::open("a", &mut asked);
    let mut server = server();
    client.send(message, &mut asked);
    server.push(&asked);
    assert_eq!(server.next(NOW, &mut answered), Ok(Some(Come::Opened)));
    client.push(&answered);
    let mut said = Vec::new();
    assert_eq!(client.next(NOW, &mut said), Ok(Some(Come::Opened)));
    server.push(&said);
    let heard = server.next(NOW, &mut Vec::new());
    if message.len() <= sip::limits::MESSAGE {
        assert_eq!(heard, Ok(Some(Come::Message(message.to_vec().into()))));
    } else {
        assert!(heard.is_err());
    }
}
