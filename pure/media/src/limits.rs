//! How much of everything: the limits of this crate, and why.

use std::time::Duration;

use crate::clock::RATE;

/// Samples of one packet: 200 ms, the most that RFC 3551 §4.2 wants everybody to read. Longer ones are dropped.
pub const PACKET_SAMPLES: usize = RATE as usize / 5;

/// Octets of one packet, before it is read: 200 ms of the widest, G.711 and G.722.
pub const PACKET_OCTETS: usize = 1_600;

/// Octets of an Opus packet that we send: ten times what a frame of speech takes.
pub const OPUS_PACKET: usize = 600;

/// Samples of an Opus packet: 120 ms, the longest there is (RFC 7587 §3.2).
pub const OPUS_SAMPLES: usize = RATE as usize * 120 / 1_000;

/// Packets that wait in a jitter buffer. With 10 ms each, more than two seconds; nobody talks with such a delay. At
/// most 1.6 MB, when a stranger fills each with 200 ms.
pub const WAITING: usize = 256;

/// The least delay of the jitter buffer beyond the quickest packet: a frame is asked for at once, and 5 ms more.
pub const LEAST_DELAY: Duration = Duration::from_millis(25);

/// The most. Beyond it people fall into each other's words (ITU-T G.114), and loss is the smaller evil.
pub const MOST_DELAY: Duration = Duration::from_millis(400);

/// A packet this far from its place in time does not belong to the clock that we follow; two in a row are a new clock.
pub const CLOCK_JUMP: Duration = Duration::from_secs(2);

/// Packets in a row that come too late; then the sender's clock stood still, and we follow it.
pub const LATE_IN_A_ROW: u8 = 8;

/// Transit times that the jitter buffer remembers: about five seconds of packets.
pub const TRANSITS: usize = 250;

/// Payload types that one stream accepts: there are no more.
pub const PAYLOAD_TYPES: usize = 128;

/// Keys that wait to be sent. Nobody's thumb is faster by more than that; a program can wait.
pub const KEYS: usize = 64;

/// Frames that a late wake makes up for: 100 ms. What is older is left out, as the other side has played on.
pub const FRAMES_BEHIND: u64 = 5;

/// Samples of a recording: one hour, 115 MB.
pub const RECORDING: usize = RATE as usize * 3_600;

/// Sines of one chord. No tone of any network has more than four.
pub const SINES: usize = 8;

/// Steps of one cadence. Special information tones have the most: three and a pause.
pub const CADENCE: usize = 16;

/// Frames in a packet that we send, whatever the other side's ptime: 200 ms, the most that everybody must read (RFC 3551 §4.2).
pub const FRAMES_SENT: usize = 10;

/// The highest sampling rate that is converted. Studios use it; the weights of an odd rate up there take 25 MB.
pub const HIGHEST_RATE: u32 = 192_000;

/// Frames that wait at a seat of a conference: one is always under way, and a wake may come a little late.
pub const FRAMES_AT_THE_TABLE: usize = 2;
