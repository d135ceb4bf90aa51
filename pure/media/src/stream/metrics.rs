//! How good a call is, as extended reports say it, both ways (RFC 3611 §4.7).

use std::time::Duration;

use rtp::rtcp::VoipMetrics;

use super::{Extended, Stream};
use crate::bursts::GMIN;
use crate::clock::{FRAME_TIME, time_of};
use crate::limits;
use crate::quality::Quality;

impl Stream {
    /// What we tell the other side of how we hear it, if it asked for that and we have heard something.
    pub(super) fn metrics(&self) -> Option<VoipMetrics> {
        let ear = self.ear.as_ref().filter(|_| self.agreement.extended == Extended::VoipMetrics)?;
        let report = self.report();
        let quality = report.here?;
        let (tally, bursts) = (ear.ledger.tally(), ear.ledger.bursts());
        let part = |of: u64| (256 * of).checked_div(tally.expected).unwrap_or(0).min(255) as u8;
        let late = report.received.late.min(tally.lost);
        let long = |packets: u64| {
            millis(FRAME_TIME * u32::try_from(packets.min(LONGEST)).unwrap_or(u32::MAX))
        };
        let buffer = time_of(ear.buffer.delay().unsigned_abs());
        let tenths = (quality.mos * 10.0).round().clamp(10.0, 50.0) as u8;
        Some(VoipMetrics {
            ssrc: ear.source.ssrc(),
            loss_rate: part(tally.lost - late),
            discard_rate: part(late),
            burst_density: bursts.burst_density,
            gap_density: bursts.gap_density,
            burst_duration: long(bursts.burst),
            gap_duration: long(bursts.gap),
            round_trip: millis(report.round_trip.unwrap_or_default()),
            end_system_delay: millis(buffer + FRAME_TIME),
            signal_level: UNKNOWN.cast_signed(),
            noise_level: UNKNOWN.cast_signed(),
            rerl: UNKNOWN,
            gmin: GMIN,
            r_factor: quality.r.round().clamp(0.0, 100.0) as u8,
            external_r_factor: UNKNOWN,
            mos_lq: tenths,
            mos_cq: tenths,
            rx_config: CONCEALS_AND_ADAPTS,
            buffer_nominal: millis(buffer),
            buffer_maximum: millis(buffer),
            buffer_absolute: millis(limits::MOST_DELAY),
        })
    }
}

/// How the other side says that it hears us, in the place of what we guessed. What was lost on the way its reception report says; phones count
/// other things as lost in their metrics (Linphone: what came before its buffer was ready).
pub(super) fn told(metrics: &VoipMetrics, guessed: Quality) -> Quality {
    let r = if metrics.r_factor <= 100 { f64::from(metrics.r_factor) } else { guessed.r };
    let mos = match metrics.mos_cq {
        tenths @ 10..=50 => f64::from(tenths) / 10.0,
        _ => guessed.mos,
    };
    Quality { r, mos, ..guessed }
}

fn millis(time: Duration) -> u16 {
    u16::try_from(time.as_millis()).unwrap_or(u16::MAX)
}

/// What is not measured (RFC 3611 §4.7.3 to §4.7.6).
const UNKNOWN: u8 = 127;
/// Losses are concealed by what was heard before; the buffer adapts, and does not say how fast (RFC 3611 §4.7.6).
const CONCEALS_AND_ADAPTS: u8 = 0b1011_0000;
/// Packets of a burst or a gap that a report can say: 16 bits of milliseconds.
const LONGEST: u64 = 3_276;
