//! What is said of how it goes.

use machine::Time;

use super::super::hush::Width;
use super::{Turned, Valve};

/// Tenths of a second in which so much is begun and so much turned away: what was said of it, with its tenth.
fn pass(
    valve: &mut Valve,
    from: u64,
    tenths: u64,
    (begun, away): (u64, u64),
) -> Vec<(u64, Turned)> {
    let mut said = Vec::new();
    for tenth in from..from + tenths {
        said.extend(
            valve.passes(Time(tenth * 100_000_000), Width::Whole).map(|turned| (tenth, turned)),
        );
        (0..begun).for_each(|_| valve.begun());
        (0..away).for_each(|_| valve.turned_away());
    }
    said
}

#[test]
fn it_is_narrow_while_somebody_is_turned_away_and_two_seconds_more() {
    let mut valve = Valve::default();
    assert_eq!(pass(&mut valve, 10, 20, (100, 0)), []);
    assert_eq!(valve.rate(), None);
    assert_eq!(pass(&mut valve, 30, 20, (70, 5)), [(32, Turned::Narrow)]);
    let rate = valve.rate().unwrap();
    assert!((690..=750).contains(&rate), "{rate}");
    // One window in which all goes well is not the end.
    assert_eq!(pass(&mut valve, 50, 2, (70, 0)), []);
    assert_eq!(pass(&mut valve, 52, 2, (70, 1)), []);
    let said = pass(&mut valve, 54, 30, (30, 0));
    assert!(matches!(said[..], [(74..=78, Turned::Open)]), "{said:?}");
    assert!(!valve.is_narrow());
}

#[test]
fn a_night_in_which_nothing_comes_ends_it() {
    let mut valve = Valve::default();
    pass(&mut valve, 10, 5, (10, 10));
    assert!(valve.is_narrow());
    assert_eq!(valve.passes(Time(9_000_000_000_000), Width::Whole), Some(Turned::Open));
}
