//! RFC 4733: keys pressed during a call.

mod section_2_3;
mod section_2_5_1;
mod section_2_5_2;

use offhook_tests::speaker::Speaker;
use rtp::{Event, Packet};

/// The payload type of events in these tests.
const EVENTS: u8 = 101;

/// The event packets that a speaker sent, each with its event.
fn events(speaker: &Speaker) -> Vec<(Packet<'_>, Event)> {
    let sent = speaker.rtp();
    let events = sent.into_iter().filter(|(_, packet)| packet.payload_type == EVENTS);
    events
        .map(|(_, packet)| {
            let event = Event::parse(packet.payload).unwrap().next().unwrap();
            (packet, event)
        })
        .collect()
}

/// A speaker that pressed these keys a second after its beginning, and lived on for two seconds.
fn pressed(keys: &str) -> Speaker {
    let mut speaker = Speaker::new(1);
    speaker.run(1_000);
    keys.chars().for_each(|key| speaker.stream.press(key).unwrap());
    speaker.run(2_000);
    speaker
}

/// What a listener makes of these event payloads, each with its timestamp, in packets of a source that it knows.
fn heard(payloads: &[(u32, &[u8])]) -> Speaker {
    let mut speaker = Speaker::new(2);
    let known: [(u32, &[u8]); 2] = [(0, &[]), (160, &[])];
    for (sequence, (timestamp, payload)) in (0..).zip(known.iter().chain(payloads)) {
        let payload_type = if payload.is_empty() { 8 } else { EVENTS };
        let (timestamp, payload) =
            (*timestamp, if payload.is_empty() { &[0xD5; 160] } else { *payload });
        let mut octets = Vec::new();
        Packet { payload_type, sequence, timestamp, ssrc: 9, payload, ..Packet::default() }
            .write(&mut octets);
        speaker.run(20).hear(&octets);
    }
    speaker
}
