//! What a stream must stand: strangers, echoes, restarts, late wakes.

use std::any::Any;

use super::*;

#[test]
fn a_peer_that_begins_anew_is_heard_on() {
    let mut call = Call::fair();
    call.run(3_000);
    let agreement = call.ends[0].stream.agreement().clone();
    call.ends[0].stream = Stream::new(call.now, agreement, Dice::new(99));
    call.run(3_000);
    assert!(call.heard(1) > 5.8, "{}", call.heard(1));
    let report = call.report(1);
    assert_eq!((report.received.sources, report.received.lost), (2, 0));
}

/// A packet that the network did not carry.
fn inject(call: &mut Call, to: usize, packet: Packet<'_>) {
    let (now, mut octets, mut out) = (call.now, Vec::new(), Vec::new());
    packet.write(&mut octets);
    call.ends[to].stream.receive(now, &octets, &mut out);
    call.carry(to, out);
}

#[test]
fn one_packet_of_a_stranger_is_not_heard_and_presses_no_key() {
    let mut call = Call::fair();
    call.run(1_000);
    for (payload_type, payload) in [(8, &[0x2A; 160][..]), (101, &[5, 0, 0, 160][..])] {
        inject(&mut call, 1, Packet { payload_type, ssrc: 4711, payload, ..Packet::default() });
        call.run(200);
    }
    call.run(1_000);
    assert_eq!((call.ends[1].keys.as_str(), call.report(1).received.sources), ("", 1));
    assert_eq!(call.report(1).received.concealed, 0);
}

#[test]
fn a_stranger_is_not_heard_as_long_as_the_other_side_speaks() {
    let mut call = Call::fair();
    call.run(1_000);
    for sequence in 0..100 {
        let timestamp = u32::from(sequence) * 160;
        let head = Packet { sequence, timestamp, ssrc: 4711, payload_type: 8, ..Packet::default() };
        inject(&mut call, 1, Packet { payload: &[0x2A; 160], ..head });
        call.run(20);
    }
    assert_eq!(call.report(1).received.sources, 1);
    assert!(call.heard(1) > 2.8, "{}", call.heard(1));
}

#[test]
fn a_packet_that_is_too_long_is_not_played() {
    let mut call = Call::fair();
    call.run(1_000);
    let last = rtp_of(&call.ends[0]).last().unwrap().1;
    let (sequence, timestamp) = (last.1.wrapping_add(1), last.2.wrapping_add(160));
    let ssrc = call.ends[0].stream.ssrc();
    let head = Packet { sequence, timestamp, ssrc, payload_type: 8, ..Packet::default() };
    inject(&mut call, 1, Packet { payload: &[0x2A; 1_601], ..head });
    assert_eq!(call.report(1).received.unreadable, 1);
}

#[test]
fn a_sender_that_restarts_under_its_old_ssrc_is_followed_at_once() {
    let mut call = Call::fair();
    call.run(2_000);
    // Its numbers jump far, its timestamps a second back.
    call.ends[0].stream.mouth.jump(30_000, -8_000);
    call.run(200);
    assert!(call.report(1).received.jitter < ms(2), "{:?}", call.report(1));
    call.run(1_800);
    assert!(call.heard(1) > 3.75, "{}", call.heard(1));
    let received = call.report(1).received;
    assert_eq!((received.stray, received.late), (1, 0));
}

#[test]
fn what_was_lost_of_an_earlier_source_stays_lost() {
    let mut call = Call::new(|dice| if dice.chance(10) { vec![] } else { vec![ms(30)] });
    call.run(10_000);
    let before = call.report(1).received.lost;
    let agreement = call.ends[0].stream.agreement().clone();
    call.ends[0].stream = Stream::new(call.now, agreement, Dice::new(99));
    call.weather = Box::new(|_| vec![ms(30)]);
    call.run(3_000);
    let after = call.report(1).received;
    assert!(before > 20 && after.lost >= before && after.sources == 2, "{before} {after:?}");
}

#[test]
fn what_was_said_about_an_earlier_ssrc_is_not_said_about_the_new_one() {
    let mut call = Call::fair();
    call.run(10_000);
    assert!(call.report(0).there.is_some());
    let ssrc = call.ends[0].stream.ssrc();
    inject(&mut call, 0, Packet { ssrc, payload_type: 8, ..Packet::default() });
    assert!(call.report(0).there.is_none());
}

#[test]
fn what_waited_when_we_stopped_listening_is_not_played_later() {
    let mut call = Call::fair();
    call.run(1_000);
    call.ends[1].stream.turn(Direction::SendOnly);
    call.weather = Box::new(|_| vec![]);
    call.run(1_000);
    let before = call.heard(1);
    call.ends[1].stream.turn(Direction::SendRecv);
    call.run(1_000);
    assert_eq!(call.heard(1), before);
}

#[test]
fn two_ends_with_the_same_ssrc_part() {
    let plain = || Agreement::plain(Codec::Pcmu, None);
    let (one, mut other) = (end(5, 400.0, plain()), end(6, 600.0, plain()));
    other.stream.mouth.ssrc = one.stream.ssrc();
    let mut call = Call::between(one, other, |dice| vec![ms(20 + dice.below(30))]);
    call.run(10_000);
    assert_ne!(call.ends[0].stream.ssrc(), call.ends[1].stream.ssrc());
    assert!(call.heard(0) > 9.0 && call.heard(1) > 9.0, "{} {}", call.heard(0), call.heard(1));
}

#[test]
fn an_echo_of_ourselves_is_dropped_and_changes_the_ssrc_once() {
    let mut end = end(5, 400.0, Agreement::plain(Codec::Pcmu, None));
    let (mut now, first) = (START, end.stream.ssrc());
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..1_000 {
        now = now.max(end.stream.deadline());
        let mut out = Vec::new();
        end.stream.wake(now, &mut end.audio, &mut out);
        for output in out {
            if let Output::Rtp(octets) = output {
                end.stream.receive(now, &octets, &mut Vec::new());
            }
        }
        seen.insert(end.stream.ssrc());
    }
    assert_eq!((seen.len(), seen.contains(&first)), (1, false));
    assert_eq!(end.stream.report().received.looped, 999 - end.stream.report().sent.reports + 1);
}

#[test]
fn payload_types_that_nobody_agreed_on_are_ignored() {
    let mut call = Call::fair();
    call.run(1_000);
    call.ends[0].stream.agree(call.now, Agreement::plain(Codec::Pcmu, None));
    call.run(1_000);
    let received = call.report(1).received;
    assert_eq!((received.unknown, received.lost), (48, 0)); // two are still under way
    assert!(call.heard(1) < 1.1);
}

#[test]
fn a_late_wake_makes_up_for_a_little_and_leaves_out_the_rest() {
    let mut stream = Stream::new(START, Agreement::plain(Codec::Pcmu, None), Dice::new(1));
    let mut audio = Pair { mouth: Tone::sine(400.0), ear: Recorder::default() };
    let mut out = Vec::new();
    stream.wake(START + ms(1_990), &mut audio, &mut out);
    let rtp = |out: &[Output]| out.iter().filter(|output| matches!(output, Output::Rtp(_))).count();
    assert_eq!(rtp(&out), 6);
    assert_eq!(stream.deadline(), START + ms(2_000));
    out.clear();
    stream.wake(START + ms(1_999), &mut audio, &mut out);
    assert_eq!(rtp(&out), 0);
}

#[test]
fn after_a_late_wake_nothing_old_is_played() {
    let mut call = Call::fair();
    call.run(2_000);
    let [speaker, listener] = &mut call.ends;
    let (mut out, end) = (Vec::new(), call.now + ms(1_000));
    while speaker.stream.deadline() <= end {
        let now = speaker.stream.deadline();
        speaker.stream.wake(now, &mut speaker.audio, &mut out);
        for output in out.drain(..) {
            if let Output::Rtp(octets) = output {
                listener.stream.receive(now, &octets, &mut Vec::new());
            }
        }
    }
    listener.stream.wake(end, &mut listener.audio, &mut out);
    let waiting = listener.stream.ear.as_ref().unwrap().buffer.waiting();
    assert!(waiting <= 8, "{waiting}");
}

#[test]
fn a_stream_that_said_nothing_leaves_without_a_word() {
    let mut stream = Stream::new(START, Agreement::plain(Codec::Pcmu, None), Dice::new(1));
    let mut out = Vec::new();
    stream.close(START, &mut out);
    assert_eq!(out, []);
}

#[test]
fn a_bye_is_noted_and_does_not_silence_who_goes_on() {
    let mut call = Call::fair();
    call.run(1_000);
    let mut out = Vec::new();
    let now = call.now;
    call.ends[0].stream.close(now, &mut out);
    call.carry(0, out);
    call.run(31);
    assert!(call.report(1).received.left.is_some());
    call.run(1_000);
    assert!(call.report(1).received.left.is_none());
    assert!(call.heard(1) > 1.9);
}

#[test]
fn a_stream_may_be_handed_to_another_thread() {
    fn is_sent<T: Send + Any>(_: &T) {}
    is_sent(&Stream::new(START, Agreement::plain(Codec::Pcmu, None), Dice::new(1)));
}

/// "the participant MUST check to see if any of the other participants time out", at each report.
/// Proves: rfc3550-6.3.5-1, rfc3550-6.3.5-3.
#[test]
fn whoever_is_silent_for_five_intervals_is_no_member_any_more() {
    let mut call = Call::fair();
    call.run(10_000);
    let members = |call: &Call| {
        let interval = call.ends[0].stream.interval(call.now);
        (interval.members, interval.senders)
    };
    assert_eq!(members(&call), (2, 2));
    call.weather = Box::new(|_| vec![]);
    call.run(24_000);
    assert_eq!(members(&call), (2, 1), "no sender any more, but still a member");
    call.run(2_000);
    assert_eq!(members(&call), (1, 1));
    call.weather = Box::new(|_| vec![ms(30)]);
    call.run(1_000);
    assert_eq!(members(&call), (2, 2));
}
