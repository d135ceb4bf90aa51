//! What is not sound: comfort noise, keys that come as tones, and what extended reports say.

use rtp::rtcp::{Block, VoipMetrics};

use super::*;
use crate::level;

/// Says 400 Hz in a cadence: a second of it, three of silence.
fn spoken() -> Tone {
    Tone::sine(400.0).cadence(&[(ms(1000), ms(3000))])
}

fn with_noise() -> Agreement {
    let noise = Some(13);
    Agreement {
        send_noise: noise,
        receive_noise: noise,
        ..Agreement::plain(Codec::Pcma, Some(101))
    }
}

/// RFC 3389 §4: static payload type 13, no marker; RFC 3551 §4.1: the marker begins speech anew.
#[test]
fn silence_is_told_and_not_sent_and_speech_comes_back_whole() {
    let mut call = Call::between(
        End {
            audio: Pair { mouth: spoken(), ear: Recorder::default() },
            ..end(1, 0.0, with_noise())
        },
        end(2, 600.0, with_noise()),
        |dice| vec![ms(20 + dice.below(10))],
    );
    call.run(12_000);
    let sent: Vec<_> =
        call.ends[0].sent.iter().filter(|(_, octets)| Kind::of(octets) == Kind::Rtp).collect();
    let sent: Vec<_> = sent.iter().map(|(_, octets)| Packet::parse(octets).unwrap()).collect();
    let noises: Vec<_> = sent.iter().filter(|packet| packet.payload_type == 13).collect();
    assert!((15..30).contains(&noises.len()), "{}", noises.len());
    assert!(noises.iter().all(|packet| !packet.marker && packet.payload.len() == 9));
    assert!(sent.len() < 260, "{}: of 600", sent.len());
    assert_eq!(sent.iter().filter(|packet| packet.marker).count(), 3);
    assert!((2.9..3.1).contains(&call.heard(1)), "{}", call.heard(1));
    let report = call.report(1);
    assert_eq!((report.received.concealed, report.received.lost), (0, 0), "{report:?}");
}

/// The silence at the other end sounds as its noise was, and nobody takes it for a line that is dead.
#[test]
fn the_noise_of_the_other_side_is_heard_in_its_silence() {
    let mut call =
        Call::between(end(1, 0.0, with_noise()), end(2, 600.0, with_noise()), |_| vec![ms(30)]);
    call.ends[0].audio.mouth = Tone::chord(&[300.0, 700.0, 1100.0, 1900.0], -58.0);
    call.run(4_000);
    let heard = call.ends[1].audio.ear.take();
    let loud = level::of(&heard[heard.len() - 16_000..]);
    assert!((-56.0..-48.0).contains(&loud), "{loud}");
    assert!(call.report(0).sent.packets < 40, "{}", call.report(0).sent.packets);
}

#[test]
fn who_does_not_know_comfort_noise_gets_every_packet() {
    let mut call = Call::fair();
    call.ends[0].audio.mouth = spoken();
    call.run(4_000);
    assert!(call.report(0).sent.packets >= 199);
}

/// Keys are heard in the sound where no events were agreed on, and only there.
#[test]
fn keys_come_as_tones_where_there_are_no_events() {
    for (receive_keys, heard) in [(None, "159#"), (Some(101), "")] {
        let deaf =
            Agreement { send_keys: None, receive_keys, ..Agreement::plain(Codec::Pcmu, None) };
        let mut call = Call::between(end(1, 0.0, deaf.clone()), end(2, 600.0, deaf), |dice| {
            vec![ms(20 + dice.below(30))]
        });
        call.ends[0].audio.mouth = Tone::chord(&[], 0.0);
        call.run(500);
        "159#".chars().for_each(|key| call.ends[0].stream.press(key).unwrap());
        call.run(2_000);
        assert_eq!(call.ends[1].keys, heard);
    }
}

fn metrics_of(end: &End) -> Option<VoipMetrics> {
    let of = |octets: &[u8]| {
        let blocks =
            rtp::rtcp::parse(octets).ok()?.into_iter().find_map(|packet| match packet {
                Rtcp::Xr { blocks, .. } => Some(blocks),
                _ => None,
            })?;
        blocks.into_iter().find_map(|block| match block {
            Block::VoipMetrics(metrics) => Some(metrics),
            _ => None,
        })
    };
    end.sent.iter().rev().find_map(|(_, octets)| of(octets))
}

/// RFC 3611 §4.7: what was lost, how, and what it was worth; and whoever asked for it knows how well it is heard.
#[test]
fn extended_reports_say_how_good_the_call_is_when_asked_to() {
    let asked =
        || Agreement { extended: Extended::VoipMetrics, ..Agreement::plain(Codec::Pcma, None) };
    let lossy = |dice: &mut Dice| if dice.chance(5) { vec![] } else { vec![ms(40)] };
    let mut call = Call::between(end(1, 400.0, asked()), end(2, 600.0, asked()), lossy);
    call.run(60_000);
    let metrics = metrics_of(&call.ends[1]).unwrap();
    assert_eq!(metrics.ssrc, call.ends[0].stream.ssrc());
    assert!((8..=18).contains(&metrics.loss_rate), "{metrics:?}");
    assert_eq!((metrics.discard_rate, metrics.gmin, metrics.rx_config), (0, 16, 0xB0));
    assert!((70..=85).contains(&metrics.round_trip), "{metrics:?}");
    assert!(
        (60..=88).contains(&metrics.r_factor) && (30..=42).contains(&metrics.mos_cq),
        "{metrics:?}"
    );
    assert!(metrics.gap_duration > 300 && metrics.end_system_delay >= 45, "{metrics:?}");
    let there = call.report(0).there.unwrap();
    assert_eq!(
        (there.r, there.mos),
        (f64::from(metrics.r_factor), f64::from(metrics.mos_cq) / 10.0)
    );

    let mut call = Call::fair();
    call.run(20_000);
    assert_eq!(metrics_of(&call.ends[1]), None, "nobody asked");
}

/// A sender whose clock is off by 300 in a million, for ten minutes: nothing is concealed, and the delay does not grow.
#[test]
fn a_clock_that_is_too_fast_or_too_slow_is_followed() {
    for off in [-300i64, 300] {
        let plain = || Agreement::plain(Codec::Pcma, None);
        let (mut sender, mut receiver) = (end(1, 400.0, plain()), end(2, 600.0, plain()));
        let mut now = START;
        let mut delays = Vec::new();
        for nth in 0..30_000u64 {
            // The sender believes that 20 ms have passed.
            let real = nth as i64 * 20_000_000 * (1_000_000 - off) / 1_000_000;
            let due = START + Duration::from_nanos(real.unsigned_abs());
            let mut out = Vec::new();
            // Its reports are not what this is about.
            while !out.iter().any(|output| matches!(output, Output::Rtp(_))) {
                sender.stream.wake(sender.stream.deadline(), &mut sender.audio, &mut out);
            }
            while receiver.stream.deadline() <= due {
                now = receiver.stream.deadline();
                receiver.stream.wake(now, &mut receiver.audio, &mut Vec::new());
            }
            let rtp = out.iter().filter_map(|output| match output {
                Output::Rtp(octets) => Some(octets),
                _ => None,
            });
            rtp.for_each(|octets| {
                receiver.stream.receive(now.max(due), octets, &mut Vec::new());
            });
            if nth % 3_000 == 2_999 {
                delays.push(receiver.stream.report().received.buffer);
            }
        }
        let report = receiver.stream.report().received;
        assert!(report.concealed < 30, "{off} {report:?}");
        assert_eq!(report.late, 0, "{off}");
        assert!(delays.iter().all(|delay| *delay <= ms(60)), "{off} {delays:?}");
        let heard = receiver.audio.ear.take();
        let found = detect::tone(&heard, 400.0);
        let whole = heard.len() as f64 / f64::from(crate::RATE);
        assert!(found.lasted.as_secs_f64() > 0.995 * whole, "{off} {found:?}");
    }
}
