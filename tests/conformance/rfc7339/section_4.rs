//! §4: the parameters; §5.1: who knows them.

use super::{office, param, pass, responses, upstream};

const ASKS: &str = ";oc;oc-algo=\"loss,rate\"";

/// Whoever asks is told in every response, whoever does not is told nothing; of the schemes we choose the one that we know.
/// Proves: rfc7339-A-2, rfc7339-A-5, rfc7339-A-6, rfc7339-5.1-5, rfc7339-5.1-6, rfc7339-5.1-7, rfc7339-4.3-2, rfc7339-4.4-1.
#[test]
fn who_asks_is_told_that_all_is_well() {
    let mut office = office();
    let told = responses(&upstream(&mut office, 1, ASKS));
    assert!(!told.is_empty());
    for response in &told {
        assert_eq!(param(response, "oc").as_deref(), Some("0"));
        assert_eq!(param(response, "oc-algo").as_deref(), Some("loss"));
        assert_eq!(param(response, "oc-validity").as_deref(), Some("0"));
        assert!(param(response, "oc-seq").is_some_and(|seq| seq.contains('.')));
    }
    let mut office = super::office();
    for asks in ["", ";oc;oc-algo=\"rate\""] {
        let told = responses(&upstream(&mut office, 2, asks));
        assert!(told.iter().all(|response| param(response, "oc").is_none()), "{asks}");
    }
}

/// Under load the value rises, within its range, and each value has a higher number.
/// Proves: rfc7339-5.1-8, rfc7339-5.3-1, rfc7339-7.1-1, rfc7339-4.4-2, rfc7339-A-10, rfc7339-A-11, rfc7339-5.1-4, rfc7339-5.8-1.
#[test]
fn under_load_neighbours_are_asked_for_less_and_then_for_more_again() {
    let mut office = office();
    let told = pass(&mut office, 40, 150, ASKS);
    let values: Vec<u64> = told.iter().filter_map(|one| param(one, "oc")?.parse().ok()).collect();
    assert!(values.iter().any(|value| *value > 20), "{values:?}");
    assert!(values.iter().all(|value| *value <= 100));
    assert!(told.iter().all(|one| param(one, "oc-algo").as_deref() == Some("loss")));
    let seqs: Vec<f64> = told.iter().filter_map(|one| param(one, "oc-seq")?.parse().ok()).collect();
    assert!(seqs.is_sorted(), "{seqs:?}");
    assert!(seqs.first() < seqs.last());
    // It is over: that is said too, with a newer number.
    let after = pass(&mut office, 120, 1, ASKS);
    let last = after.last().unwrap();
    assert_eq!(param(last, "oc").as_deref(), Some("0"));
    assert_eq!(param(last, "oc-validity").as_deref(), Some("0"));
    assert!(param(last, "oc-seq").unwrap().parse::<f64>().unwrap() > *seqs.last().unwrap());
}
