//! `Sessions`: how calls begin and end (RFC 6076 §4.3 to §4.9), as the proxy in the middle sees them.

use std::time::Duration;

use protocol::{CallRecord, Ender};
use sip::Status;

use super::Delays;

/// What became of the calls that passed through a shard.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    /// Calls by what came of their INVITE, in the order of [`Outcome::ALL`].
    outcomes: [u64; Outcome::ALL.len()],
    /// Answered calls that somebody hung up.
    pub completed: u64,
    /// Answered calls that ended otherwise: nobody was seen to hang them up.
    pub lost: u64,
    /// From the INVITE to the first sign that somebody rings, or to the answer, of calls that were answered (§4.3.1).
    pub successful_delay: Delays,
    /// From the INVITE to the first sign that somebody rings, or to the refusal, of calls that were not (§4.3.2).
    pub failed_delay: Delays,
    /// From the answer to the BYE, of calls that somebody hung up (§4.5.1).
    pub duration: Delays,
    /// From the BYE to its 200 (§4.4.1).
    pub disconnected: Delays,
    /// From the BYE to the answer that refused it, or until nobody had answered it (§4.4.2).
    pub not_disconnected: Delays,
}

/// What came of an INVITE that begins a call. Those whose sender was asked who it is are none: they come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered: 200.
    Answered,
    /// It was sent elsewhere: 3xx.
    Redirected,
    /// The one who was called could not or would not: 480, 486, 600, 603. That is not the network's doing (§4.7).
    Declined,
    /// Its caller gave up: 487.
    Cancelled,
    /// Somebody on the way failed, was overloaded, or was silent: 408, 500, 503, 504 (§4.8).
    Ineffective,
    /// Anything else.
    Failed,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Answered,
        Self::Redirected,
        Self::Declined,
        Self::Cancelled,
        Self::Ineffective,
        Self::Failed,
    ];

    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Redirected => "redirected",
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
            Self::Ineffective => "ineffective",
            Self::Failed => "failed",
        }
    }

    const fn of(status: u16) -> Self {
        match status {
            200..300 => Self::Answered,
            300..400 => Self::Redirected,
            480 | 486 | 600 | 603 => Self::Declined,
            487 => Self::Cancelled,
            408 | 500 | 503 | 504 => Self::Ineffective,
            _ => Self::Failed,
        }
    }
}

impl Sessions {
    /// How many had this outcome.
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(outcome as usize).copied().unwrap_or_default()
    }

    /// All attempts whose outcome is known.
    pub fn attempts(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// SER (§4.6): which part of the calls was answered, of those that were not redirected.
    pub fn establishment(&self) -> Option<f64> {
        self.of_direct(&[Outcome::Answered])
    }

    /// SEER (§4.7): the same, and what people decline does not count against us.
    pub fn effectiveness(&self) -> Option<f64> {
        self.of_direct(&[Outcome::Answered, Outcome::Declined])
    }

    /// ISA (§4.8): which part of the attempts failed on the way.
    pub fn ineffective(&self) -> Option<f64> {
        ratio(self.count(Outcome::Ineffective), self.attempts())
    }

    /// SCR (§4.9): which part of the attempts became a call that somebody hung up. A call that is still up is not completed.
    pub fn completion(&self) -> Option<f64> {
        ratio(self.completed, self.attempts())
    }

    fn of_direct(&self, outcomes: &[Outcome]) -> Option<f64> {
        let these: u64 = outcomes.iter().map(|outcome| self.count(*outcome)).sum();
        ratio(these, self.attempts().saturating_sub(self.count(Outcome::Redirected)))
    }

    /// A call was answered.
    pub(crate) fn answered(&mut self, record: &CallRecord) {
        self.note(Outcome::Answered);
        let first = record.rang.or(record.answered).unwrap_or(record.began);
        self.successful_delay.note(first - record.began);
    }

    /// A call is over, answered or not.
    pub(crate) fn ended(&mut self, record: &CallRecord) {
        let ended = record.ended.unwrap_or(record.began);
        match (record.answered, record.ender) {
            (None, _) => {
                self.note(Outcome::of(record.status));
                self.failed_delay.note(record.rang.unwrap_or(ended) - record.began);
            }
            (Some(answered), Ender::Caller | Ender::Callee | Ender::Operator) => {
                self.completed += 1;
                self.duration.note(ended - answered);
            }
            (Some(_), _) => self.lost += 1,
        }
    }

    /// Somebody has hung up, and that was answered so after this time.
    pub(crate) fn hung_up(&mut self, status: Status, after: Duration) {
        match status.is_success() {
            true => self.disconnected.note(after),
            false => self.not_disconnected.note(after),
        }
    }

    fn note(&mut self, outcome: Outcome) {
        if let Some(count) = self.outcomes.get_mut(outcome as usize) {
            *count += 1;
        }
    }

    /// Adds what another shard has counted.
    pub(super) fn add(&mut self, other: &Self) {
        self.outcomes.iter_mut().zip(other.outcomes).for_each(|(count, more)| *count += more);
        self.completed += other.completed;
        self.lost += other.lost;
        self.successful_delay.add(&other.successful_delay);
        self.failed_delay.add(&other.failed_delay);
        self.duration.add(&other.duration);
        self.disconnected.add(&other.disconnected);
        self.not_disconnected.add(&other.not_disconnected);
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use machine::Time;
    use protocol::Transport;

    use super::*;

    fn record(status: u16) -> CallRecord {
        let began = Time(1_000_000_000);
        let mut record = CallRecord::new(began, (Transport::Udp, ([192, 0, 2, 1], 5060).into()));
        record.status = status;
        record.rang = Some(began + Duration::from_millis(80));
        record.ended = Some(began + Duration::from_secs(70));
        record
    }

    #[test]
    fn ratios_are_those_of_rfc_6076() {
        let mut sessions = Sessions::default();
        assert_eq!((sessions.establishment(), sessions.completion()), (None, None));
        for status in [302, 486, 487, 408, 503, 404] {
            sessions.ended(&record(status));
        }
        for ender in [Ender::Caller, Ender::Callee, Ender::Timer] {
            let mut answered = record(200);
            answered.answered = Some(answered.began + Duration::from_secs(10));
            sessions.answered(&answered);
            answered.ender = ender;
            sessions.ended(&answered);
        }
        assert_eq!(sessions.attempts(), 9);
        assert_eq!(sessions.establishment(), Some(3.0 / 8.0));
        assert_eq!(sessions.effectiveness(), Some(4.0 / 8.0));
        assert_eq!(sessions.ineffective(), Some(2.0 / 9.0));
        assert_eq!(sessions.completion(), Some(2.0 / 9.0));
        assert_eq!(sessions.lost, 1);
        assert_eq!(sessions.successful_delay.sum(), Duration::from_millis(240));
        assert_eq!(sessions.failed_delay.sum(), Duration::from_millis(480));
        assert_eq!(sessions.duration.sum(), Duration::from_secs(120));
        sessions.hung_up(Status::OK, Duration::from_millis(30));
        sessions.hung_up(Status::REQUEST_TIMEOUT, Duration::from_secs(32));
        assert_eq!(sessions.disconnected.sum(), Duration::from_millis(30));
        assert_eq!(sessions.not_disconnected.sum(), Duration::from_secs(32));
        let mut twice = sessions.clone();
        twice.add(&sessions);
        assert_eq!(twice.disconnected.sum(), Duration::from_millis(60));
        assert_eq!((twice.attempts(), twice.establishment()), (18, sessions.establishment()));
    }
}
