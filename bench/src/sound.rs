//! What the sound of a call costs, frame by frame (RFC 3551, ITU-T G.711).

use std::hint::black_box;

use machine::{Dice, Time};
use media::g711::Law;
use media::{Agreement, Audio, Codec, Direction, Output, Stream};

/// A frame of 20 ms that is no silence.
fn frame() -> [i16; media::FRAME] {
    std::array::from_fn(|at| (at as i16 - 160) * 75)
}

/// A mouth and an ear that cost nothing.
struct Still([i16; media::FRAME]);

impl Audio for Still {
    fn speak(&mut self, frame: &mut [i16]) {
        frame.copy_from_slice(&self.0);
    }

    fn hear(&mut self, frame: &[i16]) {
        black_box(frame);
    }
}

pub(crate) fn encode(count: u64) {
    let frame = frame();
    for _ in 0..count {
        black_box(Law::A.encode(black_box(&frame)));
    }
}

pub(crate) fn decode(count: u64) {
    let octets = Law::A.encode(&frame());
    for _ in 0..count {
        black_box(Law::A.decode(black_box(&octets)));
    }
}

fn stream(direction: Direction) -> Stream {
    let agreement = Agreement { direction, ..Agreement::plain(Codec::Pcma, Some(101)) };
    Stream::new(Time(0), agreement, Dice::new(direction as u128 + 1))
}

pub(crate) fn send(count: u64) {
    let (mut stream, mut audio, mut out) = (stream(Direction::SendOnly), Still(frame()), vec![]);
    for _ in 0..count {
        out.clear();
        stream.wake(stream.deadline(), &mut audio, &mut out);
        black_box(&out);
    }
}

pub(crate) fn receive(count: u64) {
    let (mut sender, mut receiver) = (stream(Direction::SendOnly), stream(Direction::RecvOnly));
    let (mut audio, mut sent, mut out) = (Still(frame()), vec![], vec![]);
    for _ in 0..count {
        sent.clear();
        out.clear();
        let now = sender.deadline();
        sender.wake(now, &mut audio, &mut sent);
        for output in &sent {
            if let Output::Rtp(datagram) = output {
                receiver.receive(now, black_box(datagram), &mut out);
            }
        }
        receiver.wake(now, &mut audio, &mut out);
        black_box(&out);
    }
    let received = receiver.report().received;
    assert!(received.lost == 0 && received.packets > 0 || count < 3);
}
