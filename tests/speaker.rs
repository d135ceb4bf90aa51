//! A stream of sound that is woken when it is due, and everything that it put out.

use std::time::Duration;

use machine::{Dice, Time};
use media::{Agreement, Codec, Output, Pair, Recorder, Stream, Tone};
use rtp::Packet;
use rtp::rtcp::Rtcp;

/// When these streams begin to live.
pub const START: Time = Time(1_700_000_000_000_000_000);

/// A stream that says a tone and records.
pub struct Speaker {
    /// The stream.
    pub stream: Stream,
    /// Its mouth and its ear.
    pub audio: Pair<Tone, Recorder>,
    /// Its present.
    pub now: Time,
    /// What it put out, and when.
    pub out: Vec<(Time, Output)>,
}

impl Speaker {
    /// A stream with A-law and keys under 101; the seed makes its random choices.
    pub fn new(seed: u128) -> Self {
        Self::with(seed, Agreement::plain(Codec::Pcma, Some(101)))
    }

    /// A stream under this agreement.
    pub fn with(seed: u128, agreement: Agreement) -> Self {
        let audio = Pair { mouth: Tone::sine(400.0), ear: Recorder::default() };
        let stream = Stream::new(START, agreement, Dice::new(seed));
        Self { stream, audio, now: START, out: Vec::new() }
    }

    /// Lives for so many milliseconds.
    pub fn run(&mut self, millis: u64) -> &mut Self {
        let end = self.now + Duration::from_millis(millis);
        while self.stream.deadline() <= end {
            self.now = self.now.max(self.stream.deadline());
            let mut out = Vec::new();
            self.stream.wake(self.now, &mut self.audio, &mut out);
            self.keep(out);
        }
        self.now = end;
        self
    }

    /// Takes a datagram on its RTP port.
    pub fn hear(&mut self, datagram: &[u8]) {
        let mut out = Vec::new();
        self.stream.receive(self.now, datagram, &mut out);
        self.keep(out);
    }

    /// Ends the stream.
    pub fn close(&mut self) -> &mut Self {
        let mut out = Vec::new();
        self.stream.close(self.now, &mut out);
        self.keep(out);
        self
    }

    fn keep(&mut self, out: Vec<Output>) {
        self.out.extend(out.into_iter().map(|output| (self.now, output)));
    }

    /// The RTP packets that it sent, and when.
    pub fn rtp(&self) -> Vec<(Time, Packet<'_>)> {
        let mut sent = Vec::new();
        for (time, output) in &self.out {
            if let Output::Rtp(octets) = output {
                sent.push((*time, Packet::parse(octets).unwrap()));
            }
        }
        sent
    }

    /// The RTCP datagrams that it sent, and when.
    pub fn rtcp(&self) -> Vec<(Time, &[u8])> {
        let mut sent = Vec::new();
        for (time, output) in &self.out {
            if let Output::Rtcp(octets) = output {
                sent.push((*time, octets.as_ref()));
            }
        }
        sent
    }

    /// The packets of its last RTCP datagram.
    pub fn last_report(&self) -> Vec<Rtcp<'_>> {
        rtp::rtcp::parse(self.rtcp().last().expect("a report").1).unwrap()
    }

    /// The keys that it was told of.
    pub fn keys(&self) -> String {
        let keys = self.out.iter().filter_map(|(_, output)| match output {
            Output::Key(key) => Some(*key),
            _ => None,
        });
        keys.collect()
    }
}

/// Two streams speak with each other for so many milliseconds; what one puts out, the other has within 5 ms.
pub fn talk(one: &mut Speaker, other: &mut Speaker, millis: u64) {
    for _ in 0..millis / 5 {
        let said = [advance(one), advance(other)];
        said[0].iter().for_each(|octets| other.hear(octets));
        said[1].iter().for_each(|octets| one.hear(octets));
    }
}

/// What it sends within 5 ms.
fn advance(speaker: &mut Speaker) -> Vec<Vec<u8>> {
    let before = speaker.out.len();
    speaker.run(5);
    let sent = speaker.out[before..].iter().filter_map(|(_, output)| match output {
        Output::Rtp(octets) | Output::Rtcp(octets) => Some(octets.to_vec()),
        Output::Key(_) => None,
    });
    sent.collect()
}
