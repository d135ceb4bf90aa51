//! `States`: which addresses have failed lately, and which of some targets to try next (RFC 3263 §4.3, RFC 3261 §21.5.4).
//!
//! The state belongs to an address and a transport, not to a name: two names of one dead server cost one failure, and a second
//! address of a name does not suffer from the first.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use machine::Time;

use super::Target;
use crate::limits;
use crate::transport::Transport;

/// How a target stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nothing is known against it.
    Alive,
    /// It has failed, its time is up, and the next request will find out whether it is back.
    Due,
    /// It has failed; tried before this moment only when nobody better is left.
    Suspect(Time),
    /// One request is finding out whether it is back; for the others it is suspect, until this moment at most.
    Probing(Time),
    /// It asked to be left alone until this moment: a 503 with Retry-After. The last to be tried.
    Excused(Time),
}

/// Whether a request may be the one that finds out whether a target is back. If it is not, that request waits: a caller should not,
/// where the wait is long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// It may.
    Take,
    /// It goes to those that are known to be alive, while there are any.
    Avoid,
}

/// What went wrong with a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The transport could not deliver: refused, unreachable, broken, or not who it should be.
    Undelivered,
    /// Nobody answered.
    Unanswered,
    /// It answered 503, and when to come back.
    RetryAfter(Duration),
    /// Somebody asks it again and again, and it does not answer: it is suspect for so long, or until it does.
    Watched(Duration),
}

type Key = (Transport, SocketAddr);

/// The states of all addresses that have failed. Those that are not in here are alive.
#[derive(Clone, Debug, Default)]
pub struct States {
    failed: BTreeMap<Key, Failed>,
    soonest: BTreeSet<(Time, Key)>,
}

#[derive(Clone, Copy, Debug)]
struct Failed {
    /// How often in a row.
    times: u32,
    until: Time,
    reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Failure,
    Probe,
    Excuse,
}

impl States {
    /// Takes the next target to try out of `left`: the first that is alive; else the suspect whose time is up soonest; those that
    /// asked to be left alone come last. Somebody is always found while anybody is left.
    ///
    /// A target whose time is up takes its old place again, for one request that takes the risk; tell its end by
    /// [`succeeded`](Self::succeeded) or [`failed`](Self::failed).
    pub fn next(&mut self, now: Time, left: &mut Vec<Target>, risk: Risk) -> Option<Target> {
        let place = self.pick(now, left.iter().map(Target::key), risk)?;
        Some(left.remove(place))
    }

    /// The same for any list of addresses: the place of the one to try next.
    pub fn pick(
        &mut self,
        now: Time,
        keys: impl Iterator<Item = (Transport, SocketAddr)>,
        risk: Risk,
    ) -> Option<usize> {
        let rank = |(place, key): (usize, Key)| match self.state(now, key) {
            State::Alive => (0, Time(0), place, key),
            State::Due if risk == Risk::Take => (0, Time(0), place, key),
            State::Due => (1, Time(0), place, key),
            State::Suspect(until) | State::Probing(until) => (1, until, place, key),
            State::Excused(until) => (2, until, place, key),
        };
        let (_, _, place, key) = keys.enumerate().map(rank).min()?;
        if self.state(now, key) == State::Due && risk == Risk::Take {
            let (until, reason) = (now + PROBE, Reason::Probe);
            self.set(key, |failed| Failed { until, reason, ..failed });
        }
        Some(place)
    }

    /// It answered: anything but a 503 with Retry-After, a provisional response too.
    pub fn succeeded(&mut self, key: (Transport, SocketAddr)) {
        if let Some(failed) = self.failed.remove(&key) {
            self.soonest.remove(&(failed.until, key));
        }
    }

    /// Whoever asks it again and again was answered. True when that is news. It is left alone all the same as long as it asked for that.
    pub fn is_back(&mut self, now: Time, key: (Transport, SocketAddr)) -> bool {
        let news = !matches!(self.state(now, key), State::Alive | State::Excused(_));
        if news {
            self.succeeded(key);
        }
        news
    }

    /// It failed. A 503 without Retry-After is none of this: the next target is tried, but nothing is held against this one. True
    /// when that is news: others may want to know.
    pub fn failed(&mut self, now: Time, key: (Transport, SocketAddr), failure: Failure) -> bool {
        let state = self.state(now, key);
        self.set(key, |failed| match failure {
            Failure::RetryAfter(pause) => {
                let until = now + pause.min(limits::RETRY_AFTER);
                Failed {
                    times: failed.times,
                    until: until.max(failed.until),
                    reason: Reason::Excuse,
                }
            }
            Failure::Watched(pause) => {
                let (until, reason) = (now + pause, Reason::Failure);
                Failed { until: until.max(failed.until), reason, ..failed }
            }
            // Many requests at once fail at once: that is one failure.
            _ if matches!(state, State::Suspect(_) | State::Excused(_)) => failed,
            _ => {
                let times = failed.times.saturating_add(1);
                Failed { times, until: now + pause(times), reason: Reason::Failure }
            }
        });
        self.state(now, key) != state
    }

    /// How an address stands.
    pub fn state(&self, now: Time, key: (Transport, SocketAddr)) -> State {
        match self.failed.get(&key) {
            None => State::Alive,
            Some(Failed { until, .. }) if *until <= now => State::Due,
            Some(Failed { until, reason: Reason::Failure, .. }) => State::Suspect(*until),
            Some(Failed { until, reason: Reason::Probe, .. }) => State::Probing(*until),
            Some(Failed { until, reason: Reason::Excuse, .. }) => State::Excused(*until),
        }
    }

    /// All that have failed, for people to see.
    pub fn all(&self, now: Time) -> impl Iterator<Item = (Transport, SocketAddr, State)> + '_ {
        self.failed.keys().map(move |key| (key.0, key.1, self.state(now, *key)))
    }

    fn set(&mut self, key: Key, change: impl FnOnce(Failed) -> Failed) {
        let fresh = Failed { times: 0, until: Time(0), reason: Reason::Failure };
        let before = self.failed.get(&key).copied();
        if before.is_none()
            && self.failed.len() >= limits::TARGET_STATES
            && let Some((_, forgotten)) = self.soonest.pop_first()
        {
            self.failed.remove(&forgotten);
        }
        if let Some(before) = before {
            self.soonest.remove(&(before.until, key));
        }
        let after = change(before.unwrap_or(fresh));
        self.soonest.insert((after.until, key));
        self.failed.insert(key, after);
    }
}

/// How long a target is suspect after so many failures in a row: 30 s, doubled each time, five minutes at most. A server that
/// restarts is back within half a minute; one that is gone costs one request in five minutes.
fn pause(times: u32) -> Duration {
    let doubled =
        FIRST_PAUSE.saturating_mul(1_u32.checked_shl(times.saturating_sub(1)).unwrap_or(u32::MAX));
    doubled.min(LONGEST_PAUSE)
}

const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How long a probe may last: a transaction of 32 s (RFC 3261 §17.1.1.2), and some.
const PROBE: Duration = Duration::from_secs(40);

#[cfg(test)]
mod tests {
    use super::*;

    fn target(last: u8) -> Target {
        let address = SocketAddr::from(([192, 0, 2, last], 5060));
        Target { transport: Transport::Udp, address, domain: "a.example".into() }
    }

    fn at(secs: u64) -> Time {
        Time(secs * 1_000_000_000)
    }

    /// The order in which targets are tried when each of them fails in silence, told by the last number of their addresses.
    fn order(states: &mut States, now: Time, targets: &[u8]) -> Vec<u8> {
        let mut left: Vec<Target> = targets.iter().map(|last| target(*last)).collect();
        let next = || states.next(now, &mut left, Risk::Take);
        std::iter::from_fn(next)
            .map(|target| match target.address.ip() {
                std::net::IpAddr::V4(ip) => ip.octets()[3],
                std::net::IpAddr::V6(_) => 0,
            })
            .collect()
    }

    #[test]
    fn the_dead_are_tried_last_and_never_dropped() {
        let mut states = States::default();
        assert_eq!(order(&mut states, at(0), &[1, 2, 3]), [1, 2, 3]);
        states.failed(at(0), target(1).key(), Failure::Undelivered);
        states.failed(at(1), target(2).key(), Failure::Unanswered);
        assert_eq!(order(&mut states, at(2), &[1, 2, 3]), [3, 1, 2]);
        states.failed(at(2), target(3).key(), Failure::RetryAfter(Duration::from_secs(5)));
        assert_eq!(order(&mut states, at(3), &[3, 2, 1]), [1, 2, 3]);
    }

    #[test]
    fn the_state_is_of_an_address_and_a_transport() {
        let mut states = States::default();
        states.failed(at(0), target(1).key(), Failure::Undelivered);
        let tcp = Target { transport: Transport::Tcp, ..target(1) };
        let other_port = Target { address: SocketAddr::from(([192, 0, 2, 1], 5070)), ..target(1) };
        assert_eq!(states.state(at(1), tcp.key()), State::Alive);
        assert_eq!(states.state(at(1), other_port.key()), State::Alive);
        let other_name = Target { domain: "b.example".into(), ..target(1) };
        assert_eq!(states.state(at(1), other_name.key()), State::Suspect(at(30)));
    }

    #[test]
    fn when_its_time_is_up_one_request_finds_out() {
        let mut states = States::default();
        states.failed(at(0), target(1).key(), Failure::Unanswered);
        assert_eq!(order(&mut states, at(29), &[1, 2]), [2, 1]);
        assert_eq!(states.state(at(30), target(1).key()), State::Due);
        // Not by a request that must not wait.
        let mut left = vec![target(1), target(2)];
        assert_eq!(states.next(at(30), &mut left, Risk::Avoid), Some(target(2)));
        assert_eq!(states.next(at(30), &mut left, Risk::Avoid), Some(target(1)));
        assert_eq!(states.state(at(30), target(1).key()), State::Due);
        // The first is the probe; the second does not wait for it.
        assert_eq!(order(&mut states, at(30), &[1, 2]), [1, 2]);
        assert_eq!(order(&mut states, at(30), &[1, 2]), [2, 1]);
        states.succeeded(target(1).key());
        assert_eq!(order(&mut states, at(31), &[1, 2]), [1, 2]);
        assert_eq!(states.all(at(31)).count(), 0);
    }

    #[test]
    fn a_probe_whose_end_nobody_told_ends_by_itself() {
        let mut states = States::default();
        states.failed(at(0), target(1).key(), Failure::Unanswered);
        assert_eq!(order(&mut states, at(30), &[1]), [1]);
        assert_eq!(states.state(at(69), target(1).key()), State::Probing(at(70)));
        assert_eq!(states.state(at(70), target(1).key()), State::Due);
    }

    #[test]
    fn who_fails_again_waits_longer_but_a_burst_is_one_failure() {
        let mut states = States::default();
        let key = target(1).key();
        assert!(states.failed(at(0), key, Failure::Undelivered));
        for _ in 0..100 {
            assert!(!states.failed(at(0), key, Failure::Undelivered));
        }
        let mut now = at(0);
        for pause in [30, 60, 120, 240, 300, 300] {
            let until = now + Duration::from_secs(pause);
            assert_eq!(states.state(now, key), State::Suspect(until));
            now = until;
            assert_eq!(order(&mut states, now, &[1]), [1]);
            states.failed(now, key, Failure::Unanswered);
        }
        states.succeeded(key);
        states.failed(now, key, Failure::Undelivered);
        assert_eq!(states.state(now, key), State::Suspect(now + Duration::from_secs(30)));
    }

    #[test]
    fn retry_after_is_honoured_within_reason() {
        let mut states = States::default();
        let key = target(1).key();
        states.failed(at(0), key, Failure::RetryAfter(Duration::from_secs(120)));
        assert_eq!(states.state(at(119), key), State::Excused(at(120)));
        // Whoever tries all the same and fails does not shorten it.
        states.failed(at(1), key, Failure::Undelivered);
        assert_eq!(states.state(at(119), key), State::Excused(at(120)));
        assert_eq!(states.state(at(120), key), State::Due);
        states.failed(at(120), key, Failure::RetryAfter(Duration::from_secs(1_000_000)));
        assert_eq!(states.state(at(121), key), State::Excused(at(120) + limits::RETRY_AFTER));
    }

    #[test]
    fn who_is_watched_is_suspect_until_it_answers_or_nobody_watches_any_more() {
        let mut states = States::default();
        let key = target(1).key();
        let watched = Failure::Watched(Duration::from_secs(64));
        assert!(states.failed(at(0), key, watched));
        assert!(states.failed(at(30), key, watched), "a later end is news, too");
        assert_eq!(states.state(at(93), key), State::Suspect(at(94)));
        assert_eq!(states.state(at(94), key), State::Due);
        // A failure of somebody else's does not shorten it.
        states.failed(at(94), key, watched);
        states.failed(at(95), key, Failure::Unanswered);
        assert_eq!(states.state(at(157), key), State::Suspect(at(158)));
        assert!(states.is_back(at(100), key) && !states.is_back(at(100), key));
        assert_eq!(states.state(at(100), key), State::Alive);
        // Who asked to be left alone is.
        states.failed(at(100), key, Failure::RetryAfter(Duration::from_secs(60)));
        assert!(!states.is_back(at(110), key));
        assert_eq!(states.state(at(110), key), State::Excused(at(160)));
    }

    #[test]
    fn the_table_is_bounded_and_forgets_the_soonest() {
        let mut states = States::default();
        for number in 0..=limits::TARGET_STATES as u64 {
            let [.., high, low] = number.to_be_bytes();
            let key = (Transport::Udp, SocketAddr::from(([198, 51, high, low], 5060)));
            states.failed(Time(number), key, Failure::Undelivered);
        }
        assert_eq!(states.failed.len(), limits::TARGET_STATES);
        assert_eq!(states.soonest.len(), limits::TARGET_STATES);
        let first = (Transport::Udp, SocketAddr::from(([198, 51, 0, 0], 5060)));
        assert_eq!(states.state(at(0), first), State::Alive);
    }
}
