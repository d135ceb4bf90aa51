//! RFC 3711: SRTP and SRTCP, as our phone speaks them. Packets of libsrtp (`srtp_driver.c`) are the known answers.

mod section_3_1;
mod section_3_2;
mod section_3_3;
mod section_3_4;
mod section_4;
mod section_5;
mod section_9;

use srtp::{Master, Receiver, Sender, Suite};

/// What everybody speaks.
const COMMON: Suite = Suite::AesCm128HmacSha1With80;

/// Both ends of a way, under one key of this suite; `which` tells keys apart.
fn ends(suite: Suite, which: u8) -> (Sender, Receiver) {
    let octets: Vec<u8> = (0..Master::octets(suite) as u8).map(|octet| octet ^ which).collect();
    both(&Master::new(suite, &octets).unwrap())
}

fn both(master: &Master) -> (Sender, Receiver) {
    (Sender::new(master).unwrap(), Receiver::new(master).unwrap())
}

/// The key of libsrtp's packets.
fn libsrtp() -> Master {
    let (key, salt) = ("e1f97a0d3e018be0d64fa32c06de4139", "0ec675ad498afeebb6960b3aabe6");
    Master::of(COMMON, &hex(key), &hex(salt)).unwrap()
}

/// A packet of theirs: plain, and protected, with the rollover counter 0.
const SOUND: (&str, &str) = (
    "800f1234decafbadcafebabeabababababababababababababababab",
    "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb",
);
/// A report of theirs: plain, and protected, with the index 1.
const REPORT: (&str, &str) = (
    "81c8000bcafebabeabababababababababababababababab",
    "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798",
);

/// An RTP packet.
fn packet(sequence: u16, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 0, 1]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend(payload);
    packet
}

/// A compound of a receiver report and a BYE.
fn report(ssrc: u32) -> Vec<u8> {
    let mut report = vec![0x80, 201, 0, 1];
    report.extend(ssrc.to_be_bytes());
    report.extend([0x81, 203, 0, 1]);
    report.extend(ssrc.to_be_bytes());
    report
}

/// The packet as it goes over the wire.
fn sealed(sender: &mut Sender, mut packet: Vec<u8>) -> Vec<u8> {
    sender.protect(&mut packet).unwrap();
    packet
}

/// The report as it goes over the wire.
fn sealed_report(sender: &mut Sender, mut report: Vec<u8>) -> Vec<u8> {
    sender.protect_report(&mut report).unwrap();
    report
}

/// What is let in of it.
fn opened(receiver: &mut Receiver, wire: &[u8]) -> Result<Vec<u8>, srtp::Refused> {
    let mut packet = wire.to_vec();
    receiver.open(&mut packet).map(|()| packet)
}

/// What is let in of a report.
fn opened_report(receiver: &mut Receiver, wire: &[u8]) -> Result<Vec<u8>, srtp::Refused> {
    let mut packet = wire.to_vec();
    receiver.open_report(&mut packet).map(|()| packet)
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}
