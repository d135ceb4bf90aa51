//! `Desk`: where records wait until the clerk takes all that are there.

use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clerk::Errand;
use crate::limits;

/// Records that wait, and what the clerk does meanwhile.
pub(crate) struct Desk<T> {
    tray: Mutex<Tray<T>>,
    bell: Condvar,
}

struct Tray<T> {
    errands: Vec<Errand<T>>,
    clerk: At,
    closed: bool,
}

/// What the clerk does.
#[derive(Debug, Default, PartialEq, Eq)]
enum At {
    /// It writes, or wakes by itself soon.
    #[default]
    Work,
    /// It sleeps until a record comes.
    Rest,
}

/// What is next for the clerk.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// To write what it was given.
    Write,
    /// Nobody has brought anything for a while.
    Idle,
    /// Nobody will bring anything any more.
    End,
}

impl<T> Default for Desk<T> {
    fn default() -> Self {
        let tray = Tray { errands: Vec::new(), clerk: At::Work, closed: false };
        Self { tray: Mutex::new(tray), bell: Condvar::new() }
    }
}

impl<T> Desk<T> {
    /// Takes a record; gives it back when too many wait. The clerk is woken only if it would not look by itself.
    pub(crate) fn put(&self, errand: Errand<T>) -> Result<(), Errand<T>> {
        let mut tray = self.tray();
        if tray.closed || tray.errands.len() >= limits::WAITING {
            return Err(errand);
        }
        tray.errands.push(errand);
        let sleeps = mem::take(&mut tray.clerk) == At::Rest;
        drop(tray);
        if sleeps {
            self.bell.notify_one();
        }
        Ok(())
    }

    /// No more records come.
    pub(crate) fn close(&self) {
        self.tray().closed = true;
        self.bell.notify_one();
    }

    /// The clerk is gone: what waits is dropped, and nothing is taken any more.
    pub(crate) fn leave(&self) {
        let mut tray = self.tray();
        tray.closed = true;
        let waiting = mem::take(&mut tray.errands);
        drop(tray);
        drop(waiting);
    }

    /// Waits for records, at least until `earliest`, and moves those that are there into `group`, which is empty. With `idle`: for no longer
    /// than that.
    pub(crate) fn next(
        &self,
        earliest: Instant,
        idle: Option<Duration>,
        group: &mut Vec<Errand<T>>,
    ) -> Next {
        let idle = idle.map(|idle| earliest.max(Instant::now()) + idle);
        let mut tray = self.tray();
        loop {
            let now = Instant::now();
            let until = match (now < earliest, tray.errands.len()) {
                _ if tray.closed && tray.errands.is_empty() => return Next::End,
                (true, waiting) if waiting < limits::A_GROUP && !tray.closed => Some(earliest),
                (false, 0) if idle.is_some_and(|idle| now >= idle) => return Next::Idle,
                (false, 0) => {
                    tray.clerk = At::Rest;
                    idle
                }
                (_, waiting) if waiting <= limits::A_GROUP => {
                    mem::swap(&mut tray.errands, group);
                    return Next::Write;
                }
                _ => {
                    group.extend(tray.errands.drain(..limits::A_GROUP));
                    return Next::Write;
                }
            };
            tray = match until {
                None => self.bell.wait(tray).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(now);
                    let woken = self.bell.wait_timeout(tray, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
            tray.clerk = At::Work;
        }
    }

    fn tray(&self) -> MutexGuard<'_, Tray<T>> {
        self.tray.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use machine::Time;
    use protocol::Record;

    use super::*;

    fn errand() -> Errand<()> {
        let record = Record { key: b"a"[..].into(), value: b"1"[..].into(), until: Time(1) };
        Errand { record: record.into(), tell: None }
    }

    #[test]
    fn a_group_waits_for_its_time_and_is_whole() {
        let (desk, mut group) = (Desk::default(), Vec::new());
        let earliest = Instant::now() + limits::APART;
        for _ in 0..100 {
            desk.put(errand()).unwrap();
        }
        assert_eq!(desk.next(earliest, None, &mut group), Next::Write);
        assert!(Instant::now() >= earliest);
        assert_eq!(group.len(), 100);
    }

    #[test]
    fn what_fills_a_group_and_what_is_left_at_the_end_waits_for_nothing() {
        let (desk, mut group) = (Desk::default(), Vec::new());
        let never = Instant::now() + Duration::from_secs(3_600);
        for _ in 0..=limits::A_GROUP {
            desk.put(errand()).unwrap();
        }
        assert_eq!(desk.next(never, None, &mut group), Next::Write);
        assert_eq!(group.len(), limits::A_GROUP);
        group.clear();
        desk.close();
        assert!(desk.put(errand()).is_err());
        assert_eq!(desk.next(never, None, &mut group), Next::Write);
        assert_eq!(group.len(), 1);
        assert_eq!(desk.next(never, None, &mut group), Next::End);
    }

    #[test]
    fn a_clerk_that_rests_is_woken_and_one_that_has_something_to_do_is_told_when_it_is_quiet() {
        let (desk, mut group) = (Desk::default(), Vec::new());
        let now = Instant::now();
        assert_eq!(desk.next(now, Some(Duration::ZERO), &mut group), Next::Idle);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while desk.tray().clerk != At::Rest {}
                desk.put(errand()).unwrap();
            });
            assert_eq!(desk.next(now, None, &mut group), Next::Write);
        });
        desk.leave();
        assert!(desk.put(errand()).is_err(), "nobody would write it");
    }
}
