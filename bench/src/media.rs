//! What a packet of media costs (RFC 3550).

use std::hint::black_box;

use rtp::Packet;

/// 20 ms of G.711: 160 octets.
const SOUND: [u8; 160] = [0xD5; 160];

fn packet(sequence: u16) -> Packet<'static> {
    let timestamp = u32::from(sequence).wrapping_mul(160);
    Packet {
        payload_type: 8,
        sequence,
        timestamp,
        ssrc: 0x0FF0_0FF0,
        payload: &SOUND,
        ..Packet::default()
    }
}

pub(crate) fn rtp_read(count: u64) {
    let mut datagram = Vec::new();
    packet(7).write(&mut datagram);
    for _ in 0..count {
        let read = Packet::parse(black_box(&datagram));
        assert!(black_box(read).is_ok_and(|packet| packet.sequence == 7));
    }
}

pub(crate) fn rtp_write(count: u64) {
    let mut datagram = Vec::with_capacity(200);
    for number in 0..count {
        datagram.clear();
        black_box(packet(number as u16)).write(&mut datagram);
        black_box(&datagram);
    }
}

/// A receiver report with one block (RFC 3550 §6.4.2).
const REPORT: [u8; 32] = [
    0x81, 201, 0, 7, 0, 0, 0, 1, // version, count, type, length; who reports
    0, 0, 0, 2, 12, 0, 0, 3, 0, 0, 0, 99, 0, 0, 0,
    5, // about whom; loss; highest sequence; jitter
    0x12, 0x34, 0x56, 0x78, 0, 1, 0, 0, // last sender report, and how long ago
];

pub(crate) fn rtcp_read(count: u64) {
    for _ in 0..count {
        let read = rtp::rtcp::parse(black_box(&REPORT));
        assert!(black_box(read).is_ok_and(|packets| packets.len() == 1));
    }
}
