//! RFC 3550 §6.2: how often reports are sent; §6.3: by which rules.

use std::time::Duration;

use machine::Time;
use media::{Agreement, Codec, Minimum};
use offhook_tests::speaker::{START, Speaker, talk};

/// e - 3/2, by which the drawn time is divided (§6.3.1).
const COMPENSATION: f64 = 1.218_28;

/// The times between the reports of a call of ten minutes.
fn gaps(minimum: Minimum) -> Vec<f64> {
    let agreement = Agreement { minimum, ..Agreement::plain(Codec::Pcmu, None) };
    let (mut alice, mut bob) = (Speaker::with(1, agreement.clone()), Speaker::with(2, agreement));
    talk(&mut alice, &mut bob, 600_000);
    let times: Vec<Time> = alice.rtcp().iter().map(|(time, _)| *time).collect();
    times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect()
}

/// "The RECOMMENDED value for a fixed minimum interval is 5 seconds": half to one and a half of it, divided by e - 3/2. Reports
/// are never turned off.
/// Proves: rfc3550-6.2-7, rfc3550-6.2-8, rfc3550-6.2-10, rfc3550-A.8-1.
#[test]
fn reports_come_every_five_seconds_on_the_mean_and_never_in_a_crowd() {
    let gaps = gaps(Minimum::Fixed);
    let (least, most) = (2.5 / COMPENSATION - 0.03, 7.5 / COMPENSATION + 0.03);
    assert!(gaps.iter().all(|gap| (least..most).contains(gap)), "{gaps:?}");
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    assert!((mean - 5.0 / COMPENSATION).abs() < 0.4, "{mean}");
    // Drawn from the whole range.
    assert!(gaps.iter().any(|gap| *gap < 2.8) && gaps.iter().any(|gap| *gap > 5.4));
}

/// "The RECOMMENDED value for the reduced minimum in seconds is 360 divided by the session bandwidth in kilobits/second":
/// 4.5 s at 80 kbit/s.
/// Proves: rfc3550-6.2-12.
#[test]
fn the_reduced_minimum_comes_from_the_bandwidth() {
    let gaps = gaps(Minimum::Reduced);
    let (least, most) = (2.25 / COMPENSATION - 0.03, 6.75 / COMPENSATION + 0.03);
    assert!(gaps.iter().all(|gap| (least..most).contains(gap)), "{gaps:?}");
    assert!(gaps.iter().any(|gap| *gap < 2.5 / COMPENSATION - 0.03), "{gaps:?}");
}

/// "At application startup, a delay SHOULD be imposed before the first compound RTCP packet is sent"; half the minimum.
/// Proves: rfc3550-6.2-9.
#[test]
fn the_first_report_waits() {
    for seed in 0..50 {
        let mut speaker = Speaker::new(seed);
        let first = speaker.run(10_000).rtcp()[0].0 - START;
        let (least, most) = (1.25 / COMPENSATION - 0.01, 3.75 / COMPENSATION + 0.01);
        assert!((least..most).contains(&first.as_secs_f64()), "{first:?}");
    }
}

/// "SHOULD still use randomization of the RTCP transmission interval to avoid unintended synchronization"
/// Proves: rfc3550-6.3-2.
#[test]
fn streams_that_begin_together_do_not_report_together() {
    let first = |seed| Speaker::new(seed).run(10_000).rtcp()[0].0;
    let mut times: Vec<Time> = (0..20).map(first).collect();
    times.sort_unstable();
    times.dedup();
    assert_eq!(times.len(), 20);
    let spread = *times.last().unwrap() - times[0];
    assert!(spread > Duration::from_millis(1_000), "{spread:?}");
}
