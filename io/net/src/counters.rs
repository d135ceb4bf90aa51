//! `Counters`: what one shard has done. Written by its thread, read by anybody at any time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::Transport;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// What it is now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    pub(crate) fn one(&self) {
        self.add(1);
    }

    pub(crate) fn less(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

/// What one shard has done since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Datagrams of signalling that came.
    pub datagrams_in: Count,
    /// Datagrams of signalling that were sent.
    pub datagrams_out: Count,
    /// Datagrams that could not be sent.
    pub datagrams_unsent: Count,
    /// How long what came had to wait, as told to the machine in the last turn, in microseconds.
    pub waited: Count,
    /// The share of new requests that the kernel drops for us at this moment because there is too much to do, in 1024ths.
    pub deafened: Count,
    /// Datagrams that the kernel dropped because our buffer was full.
    pub datagrams_overflowed: Count,
    /// Datagrams that held only a keep-alive: line ends, zeros, or a question by STUN, which is answered.
    pub keep_alives: Count,
    /// Messages that came on connections.
    pub stream_messages_in: Count,
    /// Requests on connections that were not read because there was too much to do.
    pub stream_messages_unheard: Count,
    /// Octets that came, and were no message.
    pub malformed: Count,
    /// Datagrams, messages and connections of barred sources.
    pub barred: Count,
    /// Connections that were accepted.
    pub connections_accepted: Count,
    /// Connections that we opened.
    pub connections_opened: Count,
    /// Connections that we could not open.
    pub connections_failed: Count,
    /// Connections that were refused because there are too many.
    pub connections_refused: Count,
    /// Connections that were closed because the peer was too slow to write, or said nothing.
    pub connections_slow: Count,
    /// Connections that had said nothing yet, or proven nothing, and were closed to make room.
    pub connections_evicted: Count,
    /// Connections that were closed because the peer did not read.
    pub connections_deaf: Count,
    /// TLS handshakes that came to their end.
    pub handshakes: Count,
    /// Those of them that were short, because the peer had been here before.
    pub handshakes_resumed: Count,
    /// TLS handshakes that failed: a certificate that is not good, no common way to talk, or no TLS at all.
    pub handshakes_failed: Count,
    /// TLS handshakes that took too long.
    pub handshakes_slow: Count,
    /// TLS handshakes that had to make room for others.
    pub handshakes_evicted: Count,
    /// Connections that are open now.
    pub connections: Count,
    /// The same by transport.
    pub connections_by: ByTransport,
    /// Datagrams of media that came.
    pub media_in: Count,
    /// Datagrams of media that were sent.
    pub media_out: Count,
    /// Datagrams of media that could not be sent.
    pub media_unsent: Count,
    /// Messages and answers that were moved to another shard.
    pub moved: Count,
    /// What was dropped because another shard's inbox was full.
    pub moved_lost: Count,
    /// Panics of the machine that were survived.
    pub panics: Count,
    /// How long turns took.
    pub turns: Histogram,
}

/// What is counted for each transport that has connections.
#[derive(Debug, Default)]
pub struct ByTransport([Count; Self::ALL.len()]);

impl ByTransport {
    /// The transports that have connections.
    pub const ALL: [Transport; 4] = [Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];

    /// The count of one of them.
    pub fn of(&self, transport: Transport) -> Option<&Count> {
        let place = Self::ALL.iter().position(|known| *known == transport)?;
        self.0.get(place)
    }
}

/// Durations, counted by powers of two of a microsecond.
#[derive(Debug, Default)]
pub struct Histogram([AtomicU64; Self::BUCKETS]);

impl Histogram {
    /// How many buckets: the first holds what took less than 1 µs, bucket `n` what took less than 2ⁿ µs, the last all the rest.
    pub const BUCKETS: usize = 24;

    /// The counts.
    pub fn get(&self) -> [u64; Self::BUCKETS] {
        self.0.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    pub(crate) fn note(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bucket = (u64::BITS - micros.leading_zeros()) as usize;
        if let Some(count) = self.0.get(bucket.min(Self::BUCKETS - 1)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_bucket_of_its_power_of_two() {
        let histogram = Histogram::default();
        for nanos in [0, 999, 1_000, 1_999, 2_000, 1_000_000, u64::MAX] {
            histogram.note(Duration::from_nanos(nanos));
        }
        let counts = histogram.get();
        assert_eq!(counts[..3], [2, 2, 1]);
        assert_eq!(counts[10], 1, "1000 µs is less than 1024");
        assert_eq!(counts[23], 1);
    }
}
