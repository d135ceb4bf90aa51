//! The sound of a call: whatever comes on its media sockets and whenever, the call goes on, nothing we send is malformed, and
//! what it counts makes sense.

use std::time::Duration;

use machine::{Dice, Time};
use media::{Agreement, Codec, Direction, Output, Pair, Recorder, Silence, Stream};

/// A script: an octet that says what happens, another one that says how much, and so on.
pub fn run(octets: &[u8]) {
    let mut now = Time(1_700_000_000_000_000_000);
    let agreement = Agreement::plain(Codec::Pcma, Some(101));
    let mut stream = Stream::new(now, agreement, Dice::new(1));
    let mut audio = Pair { mouth: Silence, ear: Recorder::new(1_600) };
    let (mut script, mut out) = (octets, Vec::new());
    while let Some(([what, much], rest)) = script.split_first_chunk() {
        script = rest;
        match what % 8 {
            0 => now = now + Duration::from_millis(u64::from(*much)),
            1 => now = now + Duration::from_millis(500 * u64::from(*much)),
            2 => stream.turn(direction(*much)),
            3 => drop(stream.press(char::from(*much))),
            kind => {
                let (datagram, rest) = script.split_at(usize::from(*much).min(script.len()));
                script = rest;
                receive(&mut stream, now, kind, datagram, &mut out);
            }
        }
        if stream.deadline() <= now {
            stream.wake(now, &mut audio, &mut out);
        }
        assert!(stream.deadline() > now);
        out.drain(..).for_each(check);
    }
    stream.close(now, &mut out);
    out.drain(..).for_each(check);
    let report = stream.report();
    for quality in report.here.into_iter().chain(report.there) {
        assert!((0.0..=1.0).contains(&quality.loss) && (1.0..=4.5).contains(&quality.mos));
    }
}

fn receive(stream: &mut Stream, now: Time, kind: u8, datagram: &[u8], out: &mut Vec<Output>) {
    match kind {
        4 => stream.receive(now, datagram, out),
        5 => stream.receive_rtcp(now, datagram, out),
        // Something that is nearly right: a header of ours, so that the fuzzer need not find one.
        _ => {
            let payload_type = if kind == 6 { 8 } else { 101 };
            let head = [0x80, payload_type];
            stream.receive(now, &[&head, datagram].concat(), out);
        }
    }
}

fn direction(number: u8) -> Direction {
    match number % 4 {
        0 => Direction::SendRecv,
        1 => Direction::SendOnly,
        2 => Direction::RecvOnly,
        _ => Direction::Inactive,
    }
}

fn check(output: Output) {
    match output {
        Output::Rtp(octets) => assert!(rtp::Packet::parse(&octets).is_ok()),
        Output::Rtcp(octets) => assert!(rtp::rtcp::parse(&octets).is_ok()),
        Output::Key(key) => assert!("0123456789*#ABCD".contains(key)),
    }
}
