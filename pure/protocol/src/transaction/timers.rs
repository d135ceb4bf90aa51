//! Timer values (RFC 3261 §17.1.1.1, table 4; RFC 6026 §7).

use std::time::Duration;

/// The base values that all transaction timers follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Round-trip estimate: 500 ms.
    pub t1: Duration,
    /// Cap on retransmission intervals: 4 s.
    pub t2: Duration,
    /// Longest time a message stays in the network: 5 s.
    pub t4: Duration,
}

impl Timers {
    /// Timers B, F, H, J, L and M: how long to go on at all.
    pub fn patience(&self) -> Duration {
        self.t1.saturating_mul(64)
    }

    /// How long an ACK may take that comes: by then an answer has been sent three times (RFC 3261 §13.3.1.4, §17.2.1).
    pub fn acknowledging(&self) -> Duration {
        self.t1.saturating_mul(4)
    }

    /// How long until timer E of a client is set to T2: from then on a request that is not an INVITE gets a 100 (RFC 4320 §4.1).
    pub fn trying_after(&self) -> Duration {
        let (mut waited, mut interval) = (Duration::ZERO, self.t1);
        while interval < self.t2 && !interval.is_zero() {
            waited += interval;
            interval = interval.saturating_mul(2);
        }
        waited
    }

    /// Timer D: 32 s at least over datagrams.
    pub fn timer_d(&self) -> Duration {
        self.patience().max(Duration::from_secs(32))
    }
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
        }
    }
}

/// How long a TU may be silent before we say 100 Trying for it (RFC 3261 §17.2.1).
pub(super) const TRYING_AFTER: Duration = Duration::from_millis(200);
