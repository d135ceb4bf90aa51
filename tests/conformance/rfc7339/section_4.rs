//! §4: the parameters; §5.1: who knows them.

use offhook_tests::office::Phone;

use super::{asked, begin_turn, office, param, pass, responses, upstream};

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

/// §11: "A malicious SIP entity could gain an advantage by pretending to support this specification but never reducing the amount of
/// traffic it forwards" — it is treated as one that does not, and those who are served are asked for no less.
#[test]
fn a_stranger_that_asks_is_told_nothing_and_has_nobody_told_to_send_less() {
    let (mut office, stranger) = (office(), Phone::udp(105));
    let mut refused = 0;
    for turn in 0..100 {
        begin_turn(&mut office);
        let mut sent = Vec::new();
        for call in 0..150 {
            sent.extend(asked(&mut office, &stranger, turn * 1_000 + call, ASKS));
        }
        // By then who came last goes first: all of these are begun.
        if turn > 20 {
            sent.extend(upstream(&mut office, 1_000_000 + turn, ASKS));
        }
        sent.extend(office.turn_ends());
        for response in responses(&sent) {
            let is_stranger = response.flow.peer == stranger.flow.peer;
            let told = param(&response, "oc");
            let code = response.message.status().unwrap().code();
            refused += usize::from(is_stranger && code == 503);
            assert_eq!(told.as_deref(), (!is_stranger).then_some("0"), "turn {turn}: {code}");
        }
    }
    assert!(refused > 100, "{refused}");
}

/// "…the percentage by which the load forwarded to this server should be reduced": what each is told follows what becomes of its own requests,
/// so that who sends too much is not paid for by others; and that a single one was refused says little.
#[test]
fn each_neighbour_is_asked_for_less_by_what_is_refused_of_its_own() {
    let (mut office, greedy) = (office(), Phone::udp(106));
    let (mut modest, mut others) = (Vec::new(), Vec::new());
    for turn in 0..100 {
        begin_turn(&mut office);
        let mut sent = Vec::new();
        // Who came last goes first: of the modest one all are begun, but for the one that came first.
        if turn == 60 {
            sent.extend(upstream(&mut office, 1_000_000 + turn, ASKS));
        }
        for call in 0..150 {
            sent.extend(asked(&mut office, &greedy, turn * 1_000 + call, ASKS));
        }
        if turn > 20 && turn != 60 {
            sent.extend(upstream(&mut office, 1_000_000 + turn, ASKS));
        }
        sent.extend(office.turn_ends());
        for response in responses(&sent) {
            let told: u64 = param(&response, "oc").unwrap().parse().unwrap();
            let is_greedy = response.flow.peer == greedy.flow.peer;
            let told_to = if is_greedy { &mut others } else { &mut modest };
            told_to.push((turn, told, response.message.status().unwrap().code()));
        }
    }
    let last = |told: &[(usize, u64, u16)]| told.last().map(|(_, told, _)| *told);
    assert!(last(&others).is_some_and(|told| told > 50), "{others:?}");
    let refused = modest.iter().filter(|(_, _, code)| *code == 503).count();
    let most = modest.iter().map(|(_, told, _)| *told).max().unwrap();
    assert!(refused == 1 && (1..=12).contains(&most), "{modest:?}");
    assert!(modest.iter().all(|(turn, told, _)| *turn > 60 || *told == 0), "{modest:?}");
    assert_eq!(last(&modest), Some(0), "it is over: {modest:?}");
}
