//! A datagram on a media port: what was read is written as it came, or means the same.

use rtp::{Event, Kind, Packet, rtcp};

/// Reads `octets` as RTP and as RTCP.
pub fn run(octets: &[u8]) {
    let _ = Kind::of(octets);
    if let Ok(packet) = Packet::parse(octets) {
        let mut written = Vec::new();
        packet.write(&mut written);
        assert_eq!(Packet::parse(&written), Ok(packet));
        if let Ok(events) = Event::parse(packet.payload) {
            assert!(events.take(1 << 16).count() < 1 << 16);
        }
    }
    if let Ok(packets) = rtcp::parse(octets) {
        let written = rtcp::write(&packets);
        assert_eq!(rtcp::parse(&written), Ok(packets));
    }
}
