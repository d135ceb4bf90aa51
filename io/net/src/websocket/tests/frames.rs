//! Frames: what is heard of them, and what is answered.

use std::io::{self, Read, Write};
use std::time::Duration;

use proptest::prelude::*;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket as Other};

use super::*;
use crate::limits;

#[test]
fn every_broken_rule_has_its_goodbye() {
    let long = |first: u8, length: &[u8]| [&[first][..], length, &[0; 4]].concat();
    let most = u64::try_from(sip::limits::MESSAGE).unwrap();
    for (what, octets, expected) in [
        ("a reserved bit", frame(0xc1, b"a"), 1002),
        ("an opcode that is none", frame(0x83, b"a"), 1002),
        ("a control opcode that is none", frame(0x8b, b""), 1002),
        ("no mask", vec![0x81, 1, b'a'], 1002),
        ("a ping in fragments", frame(0x09, b""), 1002),
        ("a ping of 126", [&[0x89, 0xfe, 0, 126, 0, 0, 0, 0][..], &[0; 126]].concat(), 1002),
        ("a length of 1 in 16 bits", long(0x81, &[0xfe, 0, 1]), 1002),
        ("a length of 126 in 64 bits", long(0x81, &[0xff, 0, 0, 0, 0, 0, 0, 0, 126]), 1002),
        ("the highest bit", long(0x82, &[0xff, 0x80, 0, 0, 0, 0, 1, 0, 0]), 1002),
        ("a continuation of nothing", frame(0x80, b"a"), 1002),
        ("a message in a message", [frame(0x01, b"a"), frame(0x81, b"b")].concat(), 1002),
        ("a goodbye of one octet", frame(0x88, b"\x03"), 1002),
        ("a goodbye 1005", frame(0x88, &1005_u16.to_be_bytes()), 1002),
        ("a goodbye 999", frame(0x88, &999_u16.to_be_bytes()), 1002),
        ("a goodbye that is no text", frame(0x88, b"\x03\xe8\xff"), 1007),
        ("no text", frame(0x81, b"\xc0\xaf"), 1007),
        ("no text in fragments", [frame(0x01, b"\xc3"), frame(0x80, b"a")].concat(), 1007),
        ("one too many", long(0x81, &[&[0xff], &(most + 1).to_be_bytes()[..]].concat()), 1009),
        (
            "one too many in fragments",
            [frame(0x01, b"a"), long(0x80, &[&[0xff], &most.to_be_bytes()[..]].concat())].concat(),
            1009,
        ),
    ] {
        let mut server = server();
        let (come, out, end) = hear(&mut server, &octets);
        assert!(matches!(end, Some(End::Broken(_))), "{what}: {come:?} {end:?}");
        assert_eq!(code(&out), Some(expected), "{what}");
        assert_eq!(hear(&mut server, &frame(0x81, b"late")), (vec![], vec![], None), "{what}");
    }
    let (_, _, end) = hear(&mut client(), &frame(0x81, b"a"));
    assert_eq!(end, Some(End::Broken(Fault::Mask)), "a server does not mask");
}

/// RELIABILITY 48: a length is judged before there is room for it.
#[test]
fn what_is_announced_is_not_allocated() {
    let mut server = server();
    let announced = [0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    assert_eq!(hear(&mut server, &announced), (vec![], vec![], None));
    assert!(server.is_half());
    let Stage::Open(assembly) = &server.stage else { panic!() };
    assert!(format!("{assembly:?}").len() < 300 && server.kept() == announced.len());
}

#[test]
fn control_frames_pass_between_fragments_and_do_not_end_the_waiting() {
    let mut server = server();
    let octets = [frame(0x01, b"half "), frame(0x89, b"here?")].concat();
    let (come, out, end) = hear(&mut server, &octets);
    assert_eq!((come, end), (vec![Come::SignOfLife], None));
    assert_eq!(out, b"\x8a\x05here?", "the pong has what the ping had");
    assert!(server.is_half());
    let (come, ..) = hear(&mut server, &[frame(0x00, b""), frame(0x80, b"whole")].concat());
    assert_eq!(come, [message("half whole")]);
    assert!(!server.is_half() && server.kept() == 0);
}

#[test]
fn pings_have_a_limit_that_time_lifts() {
    let mut server = server();
    let pings = frame(0x89, b"").repeat(limits::SIGNS);
    assert_eq!(hear(&mut server, &pings).2, None);
    let mut out = Vec::new();
    server.push(&frame(0x8a, b""));
    let later = NOW + limits::SIGNS_WINDOW;
    assert_eq!(server.next(later, &mut out), Ok(Some(Come::SignOfLife)));
    server.push(&pings);
    let end = std::iter::repeat_with(|| server.next(later + Duration::from_millis(1), &mut out))
        .find_map(Result::err);
    assert_eq!(end, Some(End::Broken(Fault::Flood)));
    assert!(
        out.windows(4).any(|octets| octets[0] == 0x88 && octets[2..] == 1008_u16.to_be_bytes())
    );
}

#[test]
fn a_goodbye_is_answered_with_its_code() {
    let (_, out, end) = hear(&mut server(), &frame(0x88, b"\x03\xe9away"));
    assert_eq!((out.as_slice(), end), (&b"\x88\x02\x03\xe9"[..], Some(End::Goodbye)));
    let (_, out, end) = hear(&mut server(), &frame(0x88, b""));
    assert_eq!((out.as_slice(), end), (&b"\x88\x00"[..], Some(End::Goodbye)));
}

/// A stream that has what it was given, and nothing more.
#[derive(Debug, Default)]
struct Given {
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Read for Given {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = self.input.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.input[..count]);
        drop(self.input.drain(..count));
        Ok(count)
    }
}

impl Write for Given {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the library's own socket makes of the same octets: its messages, and whether it went on.
fn others_view(octets: &[u8]) -> (Vec<Come>, bool) {
    let limit = Some(sip::limits::MESSAGE);
    let config = WebSocketConfig::default().max_message_size(limit).max_frame_size(limit);
    let input = octets.to_vec();
    let mut other =
        Other::from_raw_socket(Given { input, ..Given::default() }, Role::Server, Some(config));
    let mut come = Vec::new();
    loop {
        match other.read() {
            Ok(Message::Text(text)) => come.push(message(&text)),
            Ok(Message::Binary(octets)) => come.push(Come::Message(octets)),
            Ok(Message::Ping(_) | Message::Pong(_)) => come.push(Come::SignOfLife),
            Ok(Message::Close(_) | Message::Frame(_)) => return (come, false),
            Err(tungstenite::Error::Io(_)) => return (come, true),
            Err(_) => return (come, false),
        }
    }
}

fn some_frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        6 => prop::sample::select(vec![0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a]),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![Just(b"text".to_vec()), prop::collection::vec(any::<u8>(), 0..12),];
    (first, payload, any::<[u8; 4]>()).prop_map(|(first, mut payload, key)| {
        frame::mask(&mut payload, key);
        let length = 0x80 | u8::try_from(payload.len()).unwrap();
        [&[first, length][..], &key, &payload].concat()
    })
}

proptest! {
    #[test]
    fn we_hear_what_the_librarys_own_socket_hears(frames in prop::collection::vec(some_frame(), 0..8)) {
        let octets = frames.concat();
        let (come, _, end) = hear(&mut server(), &octets);
        prop_assert_eq!((come, end.is_none()), others_view(&octets));
    }

    #[test]
    fn octets_are_heard_alike_however_they_are_cut(
        octets in prop::collection::vec(any::<u8>(), 0..200), cut in 1_usize..20
    ) {
        let whole = hear(&mut server(), &octets);
        let (mut server, mut cut_up) = (server(), (Vec::new(), Vec::new(), None));
        for part in octets.chunks(cut) {
            let (come, out, end) = hear(&mut server, part);
            cut_up.0.extend(come);
            cut_up.1.extend(out);
            cut_up.2 = cut_up.2.or(end);
        }
        prop_assert_eq!(whole, cut_up);
    }
}

/// What the corpus expects of frames that have hurt others, by name.
#[test]
fn frames_that_have_hurt_others_end_in_a_goodbye() {
    let shared = std::env::var("OFFHOOK_SHARED").map_or_else(
        |_| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        std::path::PathBuf::from,
    );
    let folder = shared.join("corpus/cve-ws");
    let Ok(index) = std::fs::read_to_string(folder.join("INDEX.tsv")) else {
        return eprintln!("skipped: no {}", folder.display());
    };
    let mut read = 0;
    for row in index.lines().skip(1) {
        let columns: Vec<_> = row.split('\t').collect();
        let octets = std::fs::read(folder.join(columns[0])).unwrap();
        let (_, out, end) = hear(&mut server(), &octets);
        assert!(matches!(end, Some(End::Broken(_))), "{row}: {end:?}");
        let code = code(&out).unwrap_or_default().to_string();
        assert!(columns[5].contains(&code), "{row}: {code}");
        read += 1;
    }
    assert!(read >= 5, "{read}");
}
