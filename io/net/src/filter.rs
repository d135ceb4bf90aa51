//! `Filter`: what the kernel drops for us when there is more than we can do. A datagram that we would only read to say nothing costs a
//! tenth of a call, and comes seven times; here it costs us nothing.
//!
//! The kernel's packet filter can neither loop nor keep anything. So its program is one long row: is this a request that begins
//! something, and has it no header that tells of something begun before (a Route of a call that is up, credentials that answer a
//! challenge)? Then all of its octets that were looked at make a number, the [part](protocol::load::part) to which it belongs, and that decides. A
//! repeated request has the same octets and the same fate: nobody is let in late. What is doubtful passes, and is judged by the machine.

use std::os::fd::AsRawFd;
use std::{fmt, io};

use protocol::doors::Deafness;
use protocol::load::{BEGINNING, BEGUN, BEHIND, BLOCK, FOLD, LOOKED_AT, PARTS, SPREAD};

use crate::kernel::{self, Instruction};

/// A program for the kernel; an empty one lets everything pass.
pub(crate) struct Filter(Vec<Instruction>);

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.0.len()).finish()
    }
}

/// Where the datagram's own octets begin: the kernel shows the header of UDP too.
const START: u32 = 8;

/// Numbers that are spared, and their length.
const SPARED: usize = 16;
const DIGITS: usize = 16;

// linux/bpf_common.h
const LOAD_WORD: u16 = 0x20;
const LOAD_OCTET: u16 = 0x30;
const LOAD_LENGTH: u16 = 0x80;
const JUMP: u16 = 0x05;
const IF_EQUAL: u16 = 0x15;
const IF_NOT_LESS: u16 = 0x35;
const XOR_X: u16 = 0xac;
const MULTIPLY: u16 = 0x24;
const SHIFT_RIGHT: u16 = 0x74;
const TO_X: u16 = 0x07;
const FROM_X: u16 = 0x87;
const RETURN: u16 = 0x06;

/// Jumps to the end are written as these until it is known how far that is.
const PASS: u32 = u32::MAX;
const DECIDE: u32 = u32::MAX - 1;

impl Filter {
    /// What lets the requests pass that are to be read.
    pub(crate) fn of(deafness: &Deafness) -> Self {
        if deafness.share == 0 {
            return Self(Vec::new());
        }
        let mut row = Row(Vec::new());
        row.at_least(START + BLOCK, PASS);
        row.begins();
        for number in deafness.spared.iter().take(SPARED) {
            row.spare(number.as_bytes());
        }
        row.look(deafness.key | 1);
        row.end(deafness.share)
    }

    /// True when everything passes.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Has a socket's datagrams looked at.
    pub(crate) fn attach(&self, socket: &impl AsRawFd) -> io::Result<()> {
        // The kernel has room for one such program to a socket (`net.core.optmem_max`): the other goes first.
        kernel::attach(socket, &[])?;
        if self.is_empty() { Ok(()) } else { kernel::attach(socket, &self.0) }
    }
}

/// Instructions that are being written.
struct Row(Vec<Instruction>);

impl Row {
    fn say(&mut self, code: u16, number: u32) {
        self.0.push((code, 0, 0, number));
    }

    /// Goes elsewhere unless the datagram is so long.
    fn at_least(&mut self, length: u32, else_to: u32) {
        self.say(LOAD_LENGTH, 0);
        self.0.push((IF_NOT_LESS, 1, 0, length));
        self.say(JUMP, else_to);
    }

    /// Goes elsewhere when what was loaded is one of these.
    fn any_of(&mut self, words: &[&[u8; 4]], to: u32) {
        let mut left = u8::try_from(words.len()).unwrap_or(0);
        for word in words {
            left = left.saturating_sub(1);
            // Behind the last word stands the jump of those that are one.
            self.0.push((IF_EQUAL, left, u8::from(left == 0), u32::from_be_bytes(**word)));
        }
        self.say(JUMP, to);
    }

    /// Everything passes that begins nothing, and `INVITE urn:…`, which calls for help.
    fn begins(&mut self) {
        self.say(LOAD_WORD, START);
        for (left, word) in (0_u8..8).rev().zip(BEGINNING) {
            // Behind the last word stands the jump of those that are none.
            self.0.push((IF_EQUAL, left + 1, 0, u32::from_be_bytes(*word)));
        }
        self.say(JUMP, PASS);
        self.say(LOAD_WORD, START + 7);
        self.any_of(&[b"urn:"], PASS);
    }

    /// `INVITE sip:112@` passes.
    fn spare(&mut self, number: &[u8]) {
        if number.is_empty() || number.len() > DIGITS {
            return;
        }
        let uri = [b"INVITE sip:", number].concat();
        let mut left = u8::try_from(uri.len() * 2).unwrap_or(0) + 3;
        for (at, octet) in (START..).zip(&uri) {
            left = left.saturating_sub(2);
            self.say(LOAD_OCTET, at);
            self.0.push((IF_EQUAL, 0, left, u32::from(*octet)));
        }
        self.say(LOAD_OCTET, START + u32::try_from(uri.len()).unwrap_or(0));
        self.0.push((IF_EQUAL, 0, 1, u32::from(b'@')));
        self.say(JUMP, PASS);
    }

    /// Looks at one octet after the other, and mixes each four into the number.
    fn look(&mut self, key: u32) {
        for at in START..START + LOOKED_AT {
            let passed = at - START;
            if passed.is_multiple_of(BLOCK) {
                self.fold();
                self.at_least(at + BLOCK + BEHIND, DECIDE);
            }
            self.say(LOAD_WORD, at);
            self.any_of(&BEGUN, PASS);
            if passed.is_multiple_of(4) {
                self.say(XOR_X, 0);
                self.say(MULTIPLY, key);
                self.say(TO_X, 0);
            }
        }
        self.fold();
    }

    /// Mixes the first bits of the number into the last ones. (Nought stays nought.)
    fn fold(&mut self) {
        self.say(FROM_X, 0);
        self.say(SHIFT_RIGHT, FOLD);
        self.say(XOR_X, 0);
        self.say(TO_X, 0);
    }

    fn end(mut self, share: u16) -> Filter {
        let decide = self.0.len();
        self.say(FROM_X, 0);
        self.say(MULTIPLY, SPREAD);
        self.say(SHIFT_RIGHT, u32::BITS - PARTS.ilog2());
        self.0.push((IF_NOT_LESS, 1, 0, u32::from(share)));
        self.say(RETURN, 0);
        let pass = self.0.len();
        self.say(RETURN, u32::MAX);
        for (at, instruction) in self.0.iter_mut().enumerate() {
            let to = match instruction {
                (JUMP, _, _, PASS) => pass,
                (JUMP, _, _, DECIDE) => decide,
                _ => continue,
            };
            instruction.3 = u32::try_from(to - at - 1).unwrap_or(0);
        }
        Filter(self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::time::Duration;

    use protocol::load::part;

    use super::*;

    fn invite(number: usize, more: &str) -> String {
        format!(
            "INVITE sip:102@example.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{number}\r\n\
             From: <sip:a@example.test>;tag=1\r\nTo: <sip:102@example.test>\r\nCall-ID: c{number}\r\n\
             CSeq: 1 INVITE\r\n{more}Content-Length: 0\r\n\r\n"
        )
    }

    const KEY: u32 = 0x1234_5679;

    /// What arrives of these.
    fn arrive(share: u16, sent: &[String]) -> Vec<String> {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        let spared: Box<[Box<str>]> = ["112".into(), "911".into()].into();
        // One takes the place of another.
        for share in [512, share] {
            let spared = Box::clone(&spared);
            Filter::of(&Deafness { share, key: KEY, spared }).attach(&socket).unwrap();
        }
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        sender.connect(socket.local_addr().unwrap()).unwrap();
        let (mut heard, mut buffer) = (Vec::new(), [0; 2000]);
        for text in sent {
            sender.send(text.as_bytes()).unwrap();
            // What begins nothing always comes: by it is seen that what came before was dropped.
            sender.send(b"ACK sip:x SIP/2.0").unwrap();
            loop {
                let length = socket.recv(&mut buffer).unwrap();
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if text.starts_with("ACK") {
                    break;
                }
                heard.push(text);
            }
        }
        heard
    }

    #[test]
    fn a_share_of_what_is_new_passes_and_of_copies_all_or_none() {
        let all: Vec<_> = (0..1000).map(|number| invite(number, "")).collect();
        let heard = arrive(768, &all);
        assert!((180..320).contains(&heard.len()), "{} of 1000", heard.len());
        assert_eq!(arrive(768, &all), heard, "the same ones again");
        assert!(arrive(512, &all).iter().filter(|one| heard.contains(one)).count() == heard.len());
        assert_eq!(arrive(1024, &all).len(), 0);
        assert_eq!(arrive(0, &all).len(), 1000);
    }

    /// The machine knows which those are that the kernel drops, however long they are.
    #[test]
    fn the_kernel_counts_as_we_do() {
        let lengths =
            (0..900).map(|number| invite(number, &format!("Subject: {}\r\n", "x".repeat(number))));
        let all: Vec<_> = lengths.collect();
        let passes: Vec<_> =
            all.iter().filter(|one| part(KEY, one.as_bytes()) >= 512).cloned().collect();
        assert!((350..550).contains(&passes.len()), "{}", passes.len());
        assert_eq!(arrive(512, &all), passes);
    }

    #[test]
    fn what_goes_on_with_something_always_passes() {
        let calls = |uri: &str| invite(1, "").replacen("sip:102@example.test", uri, 1);
        let passes = [
            invite(1, "Route: <sip:192.0.2.10;lr>\r\n"),
            invite(1, "Proxy-Authorization: Digest x\r\n"),
            invite(1, &format!("Subject: {}\r\nAuthorization: Digest x\r\n", "x".repeat(250))),
            calls("urn:service:sos.fire"),
            calls("sip:112@example.test"),
            calls("sip:911@example.test"),
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nCSeq: 1 INVITE\r\n"
                .into(),
            invite(1, "").replace("INVITE", "BYE"),
            "INVITE".into(),
            "\r\n\r\n".into(),
        ];
        let heard = arrive(1024, &passes);
        let missing: Vec<_> = passes.iter().filter(|one| !heard.contains(one)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let other = [calls("sip:1123@example.test"), calls("sip:12@example.test"), invite(1, "")];
        assert_eq!(arrive(1024, &other), Vec::<String>::new());
    }

    /// Whatever the length, nothing is looked at behind the end: what is too short to be judged passes.
    #[test]
    fn every_length_is_judged() {
        let long = invite(1, &format!("Subject: {}\r\n", "x".repeat(700)));
        let cut: Vec<_> = (1..long.len()).map(|length| long[..length].to_owned()).collect();
        let short = BLOCK as usize;
        for share in [1, 512] {
            let passes = |one: &&String| one.len() < short || part(KEY, one.as_bytes()) >= share;
            assert_eq!(arrive(share, &cut), cut.iter().filter(passes).cloned().collect::<Vec<_>>());
        }
    }
}
