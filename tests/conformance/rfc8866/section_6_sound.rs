//! §6.4, §6.7: what `ptime` and the direction mean for what is sent.

use media::{Agreement, Codec, Direction, Opus};
use offhook_tests::speaker::Speaker;
use rtp::rtcp::Rtcp;

/// "The time SHALL be calculated as the sum of the time the media present in the packet represents. For frame-based codecs, the time SHOULD be an integer
/// multiple of the frame size": the samples of a packet are as many as its timestamps count, and frames of 20 ms are whole.
/// Proves: rfc8866-6-5, rfc8866-6-6.
#[test]
fn a_packet_has_whole_frames_for_the_time_that_was_asked_for() {
    for (ptime, millis) in [(10, 20), (20, 20), (30, 40), (40, 40), (60, 60), (100, 100)] {
        for codec in [Codec::Pcma, Codec::G722, Codec::Opus(Opus::default())] {
            let agreement = Agreement { ptime, ..Agreement::plain(codec, None) };
            let mut speaker = Speaker::with(1, agreement);
            let sent = speaker.run(2_000).rtp();
            let steps: Vec<_> = sent
                .windows(2)
                .map(|pair| pair[1].1.timestamp.wrapping_sub(pair[0].1.timestamp))
                .collect();
            // Opus takes one frame a packet, however long it is asked to wait.
            let millis = if matches!(codec, Codec::Opus(_)) {
                steps[0] * 1000 / codec.clock_rate()
            } else {
                millis
            };
            assert!(millis.is_multiple_of(20), "{codec:?} {ptime}");
            let step = codec.clock_rate() * millis / 1000;
            assert!(steps.iter().all(|one| *one == step), "{codec:?} {ptime}: {steps:?}");
            if matches!(codec, Codec::Pcma) {
                assert!(sent.iter().all(|(_, packet)| packet.payload.len() == step as usize));
            }
        }
    }
}

/// "An RTP-based system in receive-only mode MUST still send RTCP packets"; send-only "applies only to the media, and any associated control protocol (e.g.,
/// RTCP) SHOULD still be received and processed as normal"; "an RTP-based system MUST still send RTCP …, even if started in inactive mode."
/// Proves: rfc8866-6.7-2, rfc8866-6.7-3, rfc8866-6.7-4.
#[test]
fn reports_go_and_come_whoever_speaks() {
    for direction in [Direction::RecvOnly, Direction::SendOnly, Direction::Inactive] {
        let agreement = Agreement { direction, ..Agreement::plain(Codec::Pcma, None) };
        let mut speaker = Speaker::with(1, agreement);
        speaker.run(20_000);
        assert!(speaker.rtcp().len() >= 3, "{direction:?}: {}", speaker.rtcp().len());
        assert_eq!(speaker.rtp().is_empty(), !direction.sends(), "{direction:?}");
        let bye = Rtcp::ReceiverReport { ssrc: 9, reports: vec![], extension: &[] };
        let now = speaker.now;
        let mut out = Vec::new();
        speaker.stream.receive_rtcp(now, &rtp::rtcp::write(&[bye]), &mut out);
        let received = speaker.stream.report().received;
        assert_eq!((received.reports, received.unreadable), (1, 0), "{direction:?}");
    }
}
