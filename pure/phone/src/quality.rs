//! How good the sound of a call was, in the words of the doors.

use media::{Codec, Report};
use protocol::doors::{CallQuality, Grade};

/// What a stream has counted; and its suite of SRTP, and how many packets were refused by that.
pub(crate) fn of(report: &Report, codec: Codec, srtp: Option<(&'static str, u64)>) -> CallQuality {
    CallQuality {
        codec: codec.name(),
        srtp: srtp.map(|(suite, _)| suite),
        refused: srtp.map_or(0, |(_, refused)| refused),
        sent: report.sent.packets,
        received: report.received.packets,
        lost: report.received.lost,
        late: report.received.late,
        concealed: report.received.concealed,
        round_trip: report.round_trip,
        here: report.here.map(|quality| grade(&quality)),
        there: report.there.map(|quality| grade(&quality)),
    }
}

fn grade(quality: &media::Quality) -> Grade {
    let part = |value: f64, most: f64| (value.clamp(0.0, most)).round() as u16;
    Grade {
        loss: part(quality.loss * 1000.0, 1000.0),
        jitter: quality.jitter,
        mos: part(quality.mos * 100.0, 500.0),
    }
}
