//! `Filter`: what the kernel drops for us when there is more than we can do. A datagram that we would only read to say nothing costs a
//! tenth of a call, and comes seven times; here it costs us nothing.
//!
//! The kernel's packet filter can neither loop nor keep anything. So its program is one long row: is this a request that begins
//! something, and has it no header that tells of something begun before (a Route of a call that is up, credentials that answer a
//! challenge)? Then all of its octets that were looked at make a number, the [part](protocol::load::part) to which it belongs, and that decides. A
//! repeated request has the same octets and the same fate: nobody is let in late.
//!
//! What is doubtful passes, and is judged by the machine: a NOTIFY or a REFER, for a tag in To cannot be looked for; a URI by another scheme, or
//! with a `%` where a number that is spared might stand. Letters count as what they are, capital or small. Not looked at is what lies behind the
//! first 600 octets, and the last 42: a Route that stands only there is not seen.

use std::os::fd::AsRawFd;
use std::{fmt, io};

use protocol::doors::Deafness;
use protocol::load::{
    BEGUN, BEHIND, BEHIND_NUMBER, BLOCK, DIGITS, FOLD, JUDGED, LOOKED_AT, PARTS, SMALL, SPARED,
    SPREAD,
};

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

// linux/bpf_common.h
const LOAD_WORD: u16 = 0x20;
const LOAD_LENGTH: u16 = 0x80;
const LOAD_WORD_FROM_X: u16 = 0x40;
const LOAD_OCTET_FROM_X: u16 = 0x50;
const LOAD_X: u16 = 0x01;
const JUMP: u16 = 0x05;
const IF_EQUAL: u16 = 0x15;
const IF_NOT_LESS: u16 = 0x35;
const ADD: u16 = 0x04;
const OR: u16 = 0x44;
const AND: u16 = 0x54;
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
    /// What lets the requests pass that are to be read. When more is to be spared than there is room for, that is all.
    pub(crate) fn of(deafness: &Deafness) -> Self {
        let spared = &deafness.spared;
        let too_many = spared.len() > SPARED || spared.iter().any(|number| number.len() > DIGITS);
        if deafness.share == 0 || too_many {
            return Self(Vec::new());
        }
        let mut row = Row(Vec::new());
        row.at_least(START + BLOCK + BEHIND, PASS);
        row.begins();
        row.calls();
        row.spare(spared);
        row.say(LOAD_X, 0);
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

    /// Goes so many instructions further when what was loaded is this.
    fn if_equal(&mut self, number: u32, skip: usize) {
        self.0.push((IF_EQUAL, u8::try_from(skip).unwrap_or(0), 0, number));
    }

    /// Goes so many instructions further unless what was loaded is this.
    fn unless_equal(&mut self, number: u32, skip: u8) {
        self.0.push((IF_EQUAL, 0, skip, number));
    }

    /// Everything passes that begins nothing, or of which that cannot be told. X is where the URI stands.
    fn begins(&mut self) {
        self.say(LOAD_WORD, START);
        for (left, (word, length)) in (0_u32..JUDGED.len() as u32).rev().zip(JUDGED) {
            self.unless_equal(u32::from_be_bytes(*word), 2);
            self.say(LOAD_X, START + length + 1);
            self.say(JUMP, left * 3 + 1);
        }
        self.say(JUMP, PASS);
    }

    /// What calls by another scheme passes, as `urn:service:sos` does. X is where the number stands.
    fn calls(&mut self) {
        let word = |letters: &[u8; 4]| u32::from_be_bytes(*letters);
        self.say(LOAD_WORD_FROM_X, 0);
        self.say(OR, SMALL);
        self.if_equal(word(b"sip:"), 8);
        self.if_equal(word(b"tel:"), 7);
        self.unless_equal(word(b"sips"), 5);
        self.say(LOAD_OCTET_FROM_X, 4);
        self.unless_equal(u32::from(b':'), 3);
        self.say(FROM_X, 0);
        self.say(ADD, 5);
        self.say(JUMP, 3);
        self.say(JUMP, PASS);
        self.say(FROM_X, 0);
        self.say(ADD, 4);
        self.say(TO_X, 0);
    }

    /// `sip:112@` passes, and what may be that in other letters (RFC 3986 §2.1).
    fn spare(&mut self, numbers: &[Box<str>]) {
        for (left, at) in (0..DIGITS).rev().zip(0..) {
            self.say(LOAD_OCTET_FROM_X, at);
            self.if_equal(u32::from(b'%'), left * 2 + 1);
        }
        self.say(JUMP, 1);
        self.say(JUMP, PASS);
        for length in 1..=DIGITS {
            let numbers = numbers.iter().map(|number| number.as_bytes());
            let numbers: Vec<_> = numbers.filter(|number| number.len() == length).collect();
            if !numbers.is_empty() {
                self.spare_those(&numbers, u32::try_from(length).unwrap_or(0));
            }
        }
    }

    /// Those that are all so long. Of a long one the first four octets and the last four are looked at.
    fn spare_those(&mut self, numbers: &[&[u8]], length: u32) {
        self.say(LOAD_OCTET_FROM_X, length);
        for (left, octet) in (1..=BEHIND_NUMBER.len()).rev().zip(BEHIND_NUMBER) {
            self.if_equal(u32::from(octet), left);
        }
        let each = if length < 4 { 4 } else { 5 };
        self.say(JUMP, each * u32::try_from(numbers.len()).unwrap_or(0));
        for number in numbers {
            self.say(LOAD_WORD_FROM_X, 0);
            if let Some((last, first)) = number.last_chunk().zip(number.first_chunk()) {
                self.unless_equal(u32::from_be_bytes(*first), 3);
                self.say(LOAD_WORD_FROM_X, length - 4);
                self.unless_equal(u32::from_be_bytes(*last), 1);
            } else {
                let (mut word, mut mask) = ([0; 4], [0; 4]);
                word.iter_mut().zip(*number).for_each(|(octet, digit)| *octet = *digit);
                mask.iter_mut().zip(*number).for_each(|(octet, _)| *octet = u8::MAX);
                self.say(AND, u32::from_be_bytes(mask));
                self.unless_equal(u32::from_be_bytes(word), 1);
            }
            self.say(JUMP, PASS);
        }
    }

    /// Looks at one octet after the other, and mixes each four into the number.
    fn look(&mut self, key: u32) {
        for block in (START..START + LOOKED_AT).step_by(BLOCK as usize) {
            self.fold();
            self.at_least(block + BLOCK + BEHIND, DECIDE);
            let from = self.0.len();
            for at in block..block + BLOCK {
                self.say(LOAD_WORD, at);
                self.say(OR, SMALL);
                for word in BEGUN {
                    // Where to is known when the block has ended.
                    self.0.push((IF_EQUAL, u8::MAX, 0, u32::from_be_bytes(*word) | SMALL));
                }
                if (at - block).is_multiple_of(4) {
                    self.say(XOR_X, 0);
                    self.say(MULTIPLY, key);
                    self.say(TO_X, 0);
                }
            }
            self.say(JUMP, 1);
            let pass = self.0.len();
            self.say(JUMP, PASS);
            for (at, instruction) in self.0.iter_mut().enumerate().skip(from) {
                if let (IF_EQUAL, to, ..) = instruction {
                    *to = u8::try_from(pass - at - 1).unwrap_or(0);
                }
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

    fn numbers(numbers: &[&str]) -> Box<[Box<str>]> {
        numbers.iter().map(|number| Box::from(*number)).collect()
    }

    /// What arrives of these.
    fn arrive(share: u16, sent: &[String]) -> Vec<String> {
        arrive_sparing(&numbers(&["112", "911", "+4930112"]), share, sent)
    }

    fn arrive_sparing(spared: &[Box<str>], share: u16, sent: &[String]) -> Vec<String> {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        // One takes the place of another.
        for share in [512, share] {
            let spared = spared.into();
            Filter::of(&Deafness { share, key: KEY, spared, room: None }).attach(&socket).unwrap();
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

    /// What goes on with something, calls for help, or cannot be judged.
    fn passing() -> Vec<String> {
        let calls = |uri: &str| invite(1, "").replacen("sip:102@example.test", uri, 1);
        let long = |row: &str| invite(1, &format!("Subject: {}\r\n{row}\r\n", "x".repeat(250)));
        let to = |method: &str| invite(1, "").replace("INVITE", method);
        let mut all = [
            "urn:service:sos.fire",
            "URN:service:sos",
            "sip:112@example.test",
            "sip:911@example.test",
            "SIP:112@example.test",
            "Sips:112@example.test",
            "sip:112;phone-context=x@example.test",
            "sip:112:secret@example.test",
            "sip:%31%31%32@example.test",
            "sip:11%32@example.test",
            "tel:112",
            "TEL:911;phone-context=x",
            "sip:+4930112@example.test",
            "im:a@example.test",
        ]
        .map(calls)
        .to_vec();
        for row in [
            "Route: <sip:192.0.2.10;lr>",
            "ROUTE: <sip:192.0.2.10;lr>",
            "route : <sip:192.0.2.10;lr>",
            "Proxy-Authorization: Digest x",
            "proxy-authorization: Digest x",
            "Authorization: Digest x",
            "AUTHORIZATION\t: Digest x",
        ] {
            all.extend([invite(1, &format!("{row}\r\n")), long(row)]);
        }
        all.extend(["BYE", "NOTIFY", "REFER", "invite"].map(to));
        all.extend([
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nCSeq: 1 INVITE\r\n"
                .into(),
            calls("sip:112@example.test").replacen("INVITE", "MESSAGE", 1),
            calls("sip:112@example.test").replacen("INVITE", "SUBSCRIBE", 1),
            "INVITE".into(),
            "\r\n\r\n".into(),
        ]);
        all
    }

    #[test]
    fn what_goes_on_with_something_always_passes() {
        let passes = passing();
        let heard = arrive(1024, &passes);
        let missing: Vec<_> = passes.iter().filter(|one| !heard.contains(one)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let calls = |uri: &str| invite(1, "").replacen("sip:102@example.test", uri, 1);
        let other = [
            calls("sip:1123@example.test"),
            calls("sip:12@example.test"),
            calls("SIPS:1112@example.test"),
            calls("tel:12"),
            calls("sip:+4930113@example.test"),
            calls("sip:+493011@example.test"),
            invite(1, ""),
            invite(1, "Record-Route: <sip:192.0.2.10;lr>\r\n"),
            invite(1, "").replace("Via:", "v:").replace("From:", "f:").replace("To:", "T:"),
            invite(1, "").replacen("INVITE", "REGISTER", 1),
            invite(1, "").replacen("INVITE", "SUBSCRIBE", 1),
        ];
        assert_eq!(arrive(1024, &other), Vec::<String>::new());
    }

    /// The machine knows of which requests the kernel may drop one: what it always reads says nothing of how much it should.
    #[test]
    fn the_machine_judges_as_the_kernel_does() {
        let spared = numbers(&["112", "911", "+4930112", "+4930112345678"]);
        let deafness = Deafness { share: PARTS, key: KEY, spared: Box::clone(&spared), room: None };
        let mut all = passing();
        all.extend((0..60).map(|number| invite(number, "")));
        all.push(invite(60, "Subject: *pro\r\n"));
        let calls = |uri: &str| invite(61, "").replacen("sip:102@example.test", uri, 1);
        // Of a long one both ends are looked at.
        all.extend(["sip:+4930112345678@", "tel:+49399;@:;5678", "sips:+493@x2345678;"].map(calls));
        let mut dice = machine::Dice::new(7);
        let hurt: Vec<_> = (0..3000)
            .map(|nth| {
                let mut one = all[nth % all.len()].clone().into_bytes();
                let at = usize::try_from(dice.below(one.len() as u64)).unwrap();
                let letters = b" \r\n\taPRtT%1;:@";
                let nth = usize::try_from(dice.below(letters.len() as u64)).unwrap();
                let letter = letters[nth];
                match dice.below(3) {
                    0 => one[at] = letter,
                    1 => one[at] ^= 0x20,
                    _ => one.insert(at, letter),
                }
                String::from_utf8(one).unwrap()
            })
            // There this control character looks like a colon.
            .filter(|one| !one.contains('\u{1a}'))
            .collect();
        all.extend(hurt);
        let read = |one: &&String| !deafness.concerns_datagram(one.as_bytes());
        let passes: Vec<_> = all.iter().filter(read).cloned().collect();
        assert!((1000..2900).contains(&passes.len()), "{}", passes.len());
        let heard = arrive_sparing(&spared, PARTS, &all);
        let odd = heard.iter().zip(&passes).find(|(heard, passes)| heard != passes);
        assert_eq!(odd, None);
        assert_eq!(heard.len(), passes.len());
    }

    /// With so many, however long they are, the program still has room; with one more everything is read, and the config says no before.
    #[test]
    fn sixty_four_numbers_are_spared() {
        let calls = |number: &str| invite(1, "").replacen("sip:102@", &format!("SIP:{number}@"), 1);
        let each = |length: usize| move |nth: usize| format!("{nth:0length$}").into_boxed_str();
        let all_long: Box<[_]> = (0..SPARED).map(each(DIGITS)).collect();
        let all_kinds: Box<[_]> = (0..SPARED).map(|nth| each(nth % DIGITS + 1)(nth % 10)).collect();
        for spared in [all_long, all_kinds] {
            let filter = Filter::of(&Deafness {
                share: PARTS,
                key: KEY,
                spared: spared.clone(),
                room: None,
            });
            assert!(!filter.is_empty() && filter.0.len() <= 4096, "{filter:?}");
            let called: Vec<_> = spared.iter().map(|number| calls(number)).collect();
            assert_eq!(arrive_sparing(&spared, PARTS, &called), called);
            let other: Vec<_> = spared.iter().map(|number| calls(&format!("x{number}"))).collect();
            assert_eq!(arrive_sparing(&spared, PARTS, &other), Vec::<String>::new());
        }
        for spared in [(0..=SPARED).map(each(3)).collect(), numbers(&["12345678901234567"])] {
            assert!(
                Filter::of(&Deafness { share: PARTS, key: KEY, spared, room: None }).is_empty()
            );
        }
    }

    /// Whatever the length, nothing is looked at behind the end: what is too short to be judged passes.
    #[test]
    fn every_length_is_judged() {
        let long = invite(1, &format!("Subject: {}\r\n", "x".repeat(700)));
        let cut: Vec<_> = (1..long.len()).map(|length| long[..length].to_owned()).collect();
        let short = (BLOCK + BEHIND) as usize;
        for share in [1, 512] {
            let passes = |one: &&String| one.len() < short || part(KEY, one.as_bytes()) >= share;
            assert_eq!(arrive(share, &cut), cut.iter().filter(passes).cloned().collect::<Vec<_>>());
        }
    }
}
