//! Whatever comes, in whatever order, at whatever time: a stream goes on, and grows over no limit.

use proptest::prelude::*;
use rtp::Ntp;
use rtp::rtcp::{ReportBlock, SenderInfo};

use super::*;
use crate::limits;

/// Something that happens to a stream.
#[derive(Clone, Debug)]
enum Happening {
    /// A packet of one of a few sources: type, number, timestamp, octets.
    Packet(u8, (u8, u16, u32, usize)),
    /// The next packet of a source, as a well-behaved sender would send it: so many octets.
    Next(u8, usize),
    /// Octets.
    Octets(Vec<u8>),
    /// A report with these numbers in it.
    Report(u8, [u32; 6]),
    /// Time passes, in milliseconds.
    Wait(u64),
    Press(char),
    Turn(Direction),
}

fn happening() -> impl Strategy<Value = Happening> {
    let kind = prop_oneof![Just(0u8), Just(8), Just(13), Just(101), any::<u8>()];
    let length = prop_oneof![Just(160usize), 0..20usize, Just(4), 1500..2000usize];
    let sequence = prop_oneof![any::<u16>(), 0..10u16, 65_530..=65_535u16];
    let timestamp = prop_oneof![any::<u32>(), 0..2_000u32, (u32::MAX - 2_000)..=u32::MAX];
    let wait = prop_oneof![Just(20u64), 0..200u64, 0..100_000u64];
    let directions =
        vec![Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];
    let packet = (kind, sequence, timestamp, length.clone());
    prop_oneof![
        4 => (0..3u8, packet).prop_map(|(source, packet)| Happening::Packet(source, packet)),
        4 => (0..3u8, length).prop_map(|(source, length)| Happening::Next(source, length)),
        1 => prop::collection::vec(any::<u8>(), 0..64).prop_map(Happening::Octets),
        1 => (0..3u8, any::<[u32; 6]>()).prop_map(|(source, n)| Happening::Report(source, n)),
        4 => wait.prop_map(Happening::Wait),
        1 => prop::sample::select(vec!['1', 'D', '#', 'x']).prop_map(Happening::Press),
        1 => prop::sample::select(directions).prop_map(Happening::Turn),
    ]
}

/// A stream, its clock, and the next numbers of the well-behaved senders.
struct Life {
    end: End,
    now: Time,
    next: [(u16, u32); 3],
}

impl Life {
    fn live(&mut self, happening: Happening) {
        match happening {
            Happening::Packet(source, (payload_type, sequence, timestamp, length)) => {
                let ssrc = self.ssrc(source);
                let payload = &vec![0x55; length];
                let head = Packet { payload_type, sequence, timestamp, ssrc, ..Packet::default() };
                self.receive(Packet { payload, ..head });
            }
            Happening::Next(source, length) => {
                let ssrc = self.ssrc(source);
                let next = &mut self.next[usize::from(source)];
                let (sequence, timestamp) = *next;
                *next = (sequence.wrapping_add(1), timestamp.wrapping_add(length as u32));
                let payload = &vec![0x2A; length];
                let head =
                    Packet { payload_type: 8, sequence, timestamp, ssrc, ..Packet::default() };
                self.receive(Packet { payload, ..head });
            }
            Happening::Octets(octets) => {
                self.end.stream.receive(self.now, &octets, &mut Vec::new());
                self.end.stream.receive_rtcp(self.now, &octets, &mut Vec::new());
            }
            Happening::Report(source, numbers) => {
                let octets = report(self.ssrc(source), self.end.stream.ssrc(), numbers);
                self.end.stream.receive_rtcp(self.now, &octets, &mut Vec::new());
            }
            Happening::Wait(millis) => self.wait(millis),
            Happening::Press(key) => drop(self.end.stream.press(key)),
            Happening::Turn(direction) => self.end.stream.turn(direction),
        }
    }

    /// Source 0 uses our own SSRC.
    fn ssrc(&self, source: u8) -> u32 {
        if source == 0 { self.end.stream.ssrc() } else { source.into() }
    }

    fn receive(&mut self, packet: Packet<'_>) {
        let mut octets = Vec::new();
        packet.write(&mut octets);
        self.end.stream.receive(self.now, &octets, &mut Vec::new());
    }

    /// A driver that is on time for short waits, and asleep for long ones.
    fn wait(&mut self, millis: u64) {
        let until = self.now + ms(millis);
        let mut out = Vec::new();
        while millis < 1_000 && self.end.stream.deadline() <= until {
            self.now = self.now.max(self.end.stream.deadline());
            self.end.stream.wake(self.now, &mut self.end.audio, &mut out);
        }
        self.now = until;
        self.end.stream.wake(self.now, &mut self.end.audio, &mut out);
        assert!(self.end.stream.deadline() > self.now);
    }

    fn check(&self) {
        let stream = &self.end.stream;
        for ear in stream.ear.iter().chain(&stream.candidate) {
            assert!(ear.buffer.waiting() <= limits::WAITING);
        }
        let report = stream.report();
        for quality in report.here.into_iter().chain(report.there) {
            assert!((0.0..=1.0).contains(&quality.loss), "{quality:?}");
            assert!((1.0..=4.5).contains(&quality.mos), "{quality:?}");
        }
        assert!(report.received.buffer <= limits::MOST_DELAY);
    }
}

fn report(ssrc: u32, about: u32, [a, b, c, d, e, f]: [u32; 6]) -> Vec<u8> {
    let block = ReportBlock {
        ssrc: about,
        fraction_lost: a as u8,
        lost: b.cast_signed() >> 8,
        highest_sequence: c,
        jitter: d,
        last_sr: e,
        delay_since_last_sr: f,
    };
    let ntp = Ntp(u64::from(a) << 32 | u64::from(b));
    let info = SenderInfo { ntp, timestamp: c, ..SenderInfo::default() };
    rtp::rtcp::write(&[Rtcp::SenderReport { ssrc, info, reports: vec![block], extension: &[] }])
}

proptest! {
    #[test]
    fn whatever_happens_a_stream_goes_on(
        happenings in prop::collection::vec(happening(), 1..120),
    ) {
        let agreement = Agreement::plain(Codec::Pcma, Some(101));
        let mut life = Life { end: end(1, 400.0, agreement), now: START, next: [(0, 0); 3] };
        for happening in happenings {
            life.live(happening);
            life.check();
        }
        life.end.stream.close(life.now, &mut Vec::new());
    }
}
