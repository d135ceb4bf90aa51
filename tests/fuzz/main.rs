//! What fuzzing checks, checked with what is known: samples of the corpus, damaged a little, and what the fuzzer once found.
//! `fuzz/` holds the checks; each of its targets is one of these tests.

#[path = "../../fuzz/src/lib.rs"]
#[allow(
    clippy::panic,
    unreachable_pub,
    reason = "to stop is how a target fails; pub is for the fuzzer's workspace"
)]
mod targets;

use offhook_tests::corpus::{Sample, samples};
use offhook_tests::office::{self, Office, Phone};
use protocol::{Answer, Input, Question};
use server::settings::{Bindings, Settings};
use sip::{Message, Name};

const MESSAGES: &[&str] =
    &["sip-fuzz", "sip-messages", "sip-captured", "sip-rfc4475", "sip-rfc5118", "cve-sip"];

/// Runs a target with each sample, and with each sample cut, doubled and with octets changed, always the same ones.
fn replay(folders: &[&str], run: fn(&[u8])) {
    for Sample { name, octets, .. } in samples(folders) {
        let told = std::panic::catch_unwind(|| damaged(&octets).iter().for_each(|way| run(way)));
        assert!(told.is_ok(), "{name}");
    }
}

fn damaged(octets: &[u8]) -> Vec<Vec<u8>> {
    let mut ways = vec![octets.to_vec(), [octets, octets].concat()];
    for part in 1..8 {
        let (head, tail) = octets.split_at(octets.len() * part / 8);
        ways.extend([head.to_vec(), tail.to_vec(), [tail, head].concat()]);
        for octet in [0, b'\r', b'\n', b' ', b',', b';', b'"', b'<', b'%', 0xff] {
            ways.push([head, &[octet], tail.get(1..).unwrap_or_default()].concat());
        }
    }
    ways
}

/// What is the first `octets` of a target's input, before each sample.
fn after(first: &[u8], octets: &[u8], run: fn(&[u8])) {
    run(&[first, octets].concat());
}

#[test]
fn messages() {
    replay(MESSAGES, targets::message::run);
}

#[test]
fn framing() {
    replay(MESSAGES, |octets| {
        after(&[3, 0, 1, 200, 17, 2, 99, 40], octets, targets::framing::run);
        after(&[1, 2, 3, 5, 7, 11, 13, 0], octets, targets::framing::run);
    });
}

#[test]
fn round_trips() {
    replay(MESSAGES, targets::round_trip::run);
}

/// Changes of every kind: those of a proxy, and some that nobody makes.
#[test]
fn edits() {
    replay(MESSAGES, |octets| {
        for row in [
            &[0, 11, 7, 99, 4, 1, 2, 9, 5, 7, 6, 10, 9, 0, 0, 0][..],
            &[4, 0, 2, 24, 3, 34, 8, 22, 0, 0],
            &[2, 1, 4, 1, 5, 0, 1, 55, 0, 77, 8, 33, 0, 0],
            &[2, 0, 5, 4, 7, 0, 6, 109, 0, 0],
        ] {
            after(row, octets, targets::edits::run);
        }
    });
}

#[test]
fn uris() {
    replay(&["uri"], targets::uri::run);
    // Every two addresses of a message, compared.
    replay(MESSAGES, |octets| {
        let Ok(message) = Message::parse(octets.to_vec()) else { return };
        let found = message.all_rows().filter_map(|(_, value)| {
            let from = value.iter().position(|octet| *octet == b'<')?;
            value.get(from + 1..)?.split(|octet| *octet == b'>').next()
        });
        let found: Vec<_> = found.chain(message.request_uri()).collect();
        for pair in found.windows(2) {
            targets::uri::run(&pair.join(&b'\n'));
        }
    });
}

#[test]
fn headers() {
    replay(MESSAGES, |octets| {
        let Ok(message) = Message::parse(octets.to_vec()) else { return };
        for (name, ..) in Name::table() {
            message.rows(name).for_each(|row| targets::header::run_as(name, row));
            message.elements(name).for_each(|one| targets::header::run_as(name, one));
        }
        targets::header::run(octets);
    });
}

#[test]
fn rtp_and_rtcp() {
    replay(&["rtp-seeds", "rtcp", "cve-rtp", "cve-rtcp"], targets::rtp_rtcp::run);
}

#[test]
fn sound() {
    replay(&["rtp-seeds", "rtcp", "cve-rtp", "cve-rtcp"], |octets| {
        targets::sound::run(octets); // as a script
        // And as what comes: one datagram after the other, 20 ms apart, in each of the ways.
        let part: Vec<&[u8]> = octets.chunks(255).collect();
        for kind in 4..8u8 {
            let script = part.iter().flat_map(|part| {
                [&[kind, part.len() as u8][..], part, &[0, 20]].concat().into_iter()
            });
            let script: Vec<u8> = script.collect();
            targets::sound::run(&script.repeat(3));
        }
    });
}

#[test]
fn session_descriptions() {
    replay(&["sdp"], targets::sdp::run);
    replay(MESSAGES, |octets| {
        if let Ok(message) = Message::parse(octets.to_vec()) {
            targets::sdp::run(message.body());
        }
    });
}

#[test]
fn event_packages() {
    // The bodies of messages, and some of what packages really tell.
    replay(MESSAGES, |octets| {
        if let Ok(message) = Message::parse(octets.to_vec()) {
            targets::packages::run(message.body());
        }
    });
    for told in [
        "Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n",
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'><tuple id='1'><status><basic>open</basic></status><note>&lt;&#65;</note></tuple></presence>",
        "<dialog-info version='1' state='full' entity='sip:a@b'><dialog id='1' call-id='c' local-tag='l' remote-tag='r'><state>early</state></dialog></dialog-info>",
        "<conference-info entity='sip:a@b'><users><user entity='sip:c@d'><endpoint><status>connected</status></endpoint></user></users></conference-info>",
        "<!DOCTYPE a [<!ENTITY l \"lol\"><!ENTITY m \"&l;&l;\">]><presence>&m;</presence>",
    ] {
        damaged(told.as_bytes()).iter().for_each(|way| targets::packages::run(way));
    }
}

#[test]
fn credentials() {
    replay(MESSAGES, |octets| {
        let Ok(message) = Message::parse(octets.to_vec()) else { return };
        let names = [
            Name::Authorization,
            Name::ProxyAuthorization,
            Name::WwwAuthenticate,
            Name::ProxyAuthenticate,
        ];
        names.iter().flat_map(|name| message.rows(*name)).for_each(targets::digest::run);
    });
}

#[test]
fn dns_answers() {
    replay(&["dns", "cve-dns"], targets::dns::run);
}

#[test]
fn websockets() {
    replay(&["cve-ws", "http"], |octets| {
        [1, 3, 255].iter().for_each(|cut| after(&[*cut], octets, targets::websocket::run));
    });
    // Every message as one, and as if it were frames.
    replay(&["sip-captured"], |octets| after(&[200], octets, targets::websocket::run));
}

#[test]
fn questions_by_stun() {
    replay(&["stun", "stun-vectors", "cve-stun"], targets::stun::run);
}

/// What the fuzzer begins with: that of `fuzz/seeds`.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = format!("{}/../fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let seeds: Vec<_> = files.filter_map(|file| std::fs::read(file.path()).ok()).collect();
    assert!(!seeds.is_empty(), "{target}");
    seeds
}

#[test]
fn answers_of_the_shared_store() {
    seeds("store").iter().flat_map(|said| damaged(said)).for_each(|way| targets::store::run(&way));
}

#[test]
fn what_the_first_version_had_kept() {
    seeds("kept").iter().flat_map(|kept| damaged(kept)).for_each(|way| targets::kept::run(&way));
}

/// What the server had kept of a phone by UDP, of one by TCP with a flow, and of both.
#[test]
fn what_an_earlier_life_had_kept() {
    let mut office = Office::new(Settings { bindings: Bindings::Kept, ..office::trusting() });
    for (nth, phone) in [Phone::udp(101), Phone::tcp(101, 7)].iter().enumerate() {
        let contact = format!(
            "Contact: <{}>;q=0.5;reg-id=1;+sip.instance=\"<urn:x:{nth}>\"",
            phone.contact()
        );
        let mut request = phone.register("").row("Supported: path, outbound").row(&contact);
        request.call_id += &nth.to_string();
        request.branch += &nth.to_string();
        office.receive(phone.flow, request.wire());
        let kept = office.asked.drain(..).find_map(|(ticket, question)| match question {
            Question::Keep(record) => Some((ticket, record.value.clone())),
            _ => None,
        });
        let (ticket, value) = kept.unwrap();
        office.tell(Input::Answered(ticket, Answer::Kept));
        damaged(&value).iter().for_each(|way| targets::kept::run(way));
    }
}
