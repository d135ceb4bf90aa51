//! Reading keys: each once, however often it is reported (RFC 4733 §2.5.2).

use rtp::Event;

/// The event that was reported last.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KeyReceiver {
    last: Option<Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    event: u8,
    since: u32,
    duration: u16,
    end: bool,
}

impl KeyReceiver {
    /// Takes a report; the key, if it is a new one.
    pub(crate) fn note(&mut self, timestamp: u32, event: Event) -> Option<char> {
        if event.duration == 0 {
            return None; // RFC 4733 §2.3.5: no key lasts no time
        }
        let Some(last) = self.last.as_mut() else { return self.begin(timestamp, event) };
        let passed = timestamp.wrapping_sub(last.since).cast_signed();
        if passed < 0 {
            return None; // of a key that was before
        }
        let is_same = last.event == event.event;
        // RFC 4733 §2.5.2.3: a new segment of the same key begins where the last one ended. Some senders move the timestamp
        // with every report; theirs begins even before that.
        if passed == 0 || is_same && !last.end && passed <= i32::from(last.duration) {
            last.end |= event.end;
            last.since = timestamp;
            last.duration = last.duration.max(event.duration);
            return None;
        }
        self.begin(timestamp, event)
    }

    fn begin(&mut self, since: u32, event: Event) -> Option<char> {
        let Event { event: code, duration, end, .. } = event;
        self.last = Some(Last { event: code, since, duration, end });
        event.key()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn report(event: u8, duration: u16) -> Event {
        Event { event, end: false, volume: 8, duration }
    }

    const fn ended(event: u8, duration: u16) -> Event {
        Event { end: true, ..report(event, duration) }
    }

    fn keys(reports: &[(u32, Event)]) -> String {
        let mut receiver = KeyReceiver::default();
        reports.iter().filter_map(|(timestamp, event)| receiver.note(*timestamp, *event)).collect()
    }

    #[test]
    fn a_key_counts_once_whatever_is_lost() {
        let sent: Vec<_> = [1600, 3200]
            .into_iter()
            .flat_map(|since| {
                [(160, false), (320, false), (480, true), (480, true), (480, true)]
                    .map(|(duration, end)| (since, Event { end, ..report(7, duration) }))
            })
            .collect();
        assert_eq!(keys(&sent), "77");
        for lost in 1..1 << sent.len() {
            let heard: Vec<_> =
                (0..sent.len()).filter(|n| lost >> n & 1 == 0).map(|n| sent[n]).collect();
            let each = [1600, 3200].map(|since| heard.iter().any(|report| report.0 == since));
            assert_eq!(keys(&heard).len(), each.iter().filter(|heard| **heard).count(), "{lost}");
        }
    }

    #[test]
    fn a_repeat_that_comes_after_the_next_key_is_no_key() {
        let late = (1600, ended(1, 800));
        assert_eq!(keys(&[late, (3200, report(2, 160)), late, (3200, report(2, 320))]), "12");
    }

    #[test]
    fn a_long_key_goes_on_in_segments() {
        let next = 1600 + 0xFFFF;
        assert_eq!(keys(&[(1600, report(3, 0xFFFF)), (next, report(3, 160))]), "3");
        assert_eq!(keys(&[(1600, report(3, 0xFFFF)), (next + 1, report(3, 160))]), "33");
        assert_eq!(keys(&[(1600, report(3, 0xFFFF)), (next, report(4, 160))]), "34");
        let grown = (1600, report(3, 160));
        assert_eq!(keys(&[grown, (1600, report(3, 0xFFFF)), (next, report(3, 160))]), "3");
        assert_eq!(keys(&[grown, (1600, ended(3, 0xFFFF)), (next, report(3, 160))]), "33");
    }

    #[test]
    fn a_sender_that_moves_the_timestamp_presses_one_key() {
        let moving: Vec<_> = (1..=5)
            .map(|n| (n * 160, Event { end: n == 5, ..report(9, n as u16 * 160) }))
            .collect();
        assert_eq!(keys(&moving), "9");
    }

    #[test]
    fn what_is_no_key_is_none() {
        assert_eq!(keys(&[(0, report(16, 160)), (800, ended(200, 160))]), "");
        assert_eq!(keys(&[(0, report(5, 0)), (0, report(5, 160))]), "5");
    }

    #[test]
    fn timestamps_wrap() {
        assert_eq!(keys(&[(u32::MAX - 100, ended(1, 160)), (2000, ended(1, 160))]), "11");
    }
}
