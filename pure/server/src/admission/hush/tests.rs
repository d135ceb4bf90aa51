//! What the driver is told in a flood, and when it is over.

use super::*;

/// So many come in each second of which so many can be begun, for some seconds: the share that the driver drops at the end, and how
/// often it changed.
fn after(hush: &mut Hush, from: u64, seconds: u64, rates: (u64, u64)) -> (u16, usize) {
    after_by(Transport::Udp, hush, (from, seconds), rates)
}

/// The same by such a transport.
fn after_by(
    transport: Transport,
    hush: &mut Hush,
    (from, seconds): (u64, u64),
    (offered, can): (u64, u64),
) -> (u16, usize) {
    let mut told = u16::try_from(WHOLE - hush.open).unwrap();
    let mut changes = 0;
    for step in 0..seconds * 10 {
        let passed = offered * (WHOLE - u64::from(told)) / WHOLE / 10;
        (0..passed).for_each(|_| hush.seen(transport, Work::Much));
        (0..passed.min(can / 10)).for_each(|_| hush.begun());
        (can / 10..passed).for_each(|_| hush.turned_away());
        let now = Time((from * 10 + step + 1) * 100_000_000);
        let begins = if offered > can { Width::Narrow } else { hush.width() };
        if let Some(Unread { share, .. }) = hush.update(now, begins)
            && share != told
        {
            (told, changes) = (share, changes + 1);
        }
    }
    (told, changes)
}

#[test]
fn as_many_pass_as_can_be_answered() {
    let mut hush = Hush::new(7);
    assert_eq!(after(&mut hush, 0, 5, (900, 1000)), (0, 0), "nobody while nothing is wrong");
    assert_eq!(after(&mut hush, 5, 5, (1200, 1000)), (0, 0), "nor while all can be answered");
    let (dropped, _) = after(&mut hush, 10, 5, (16_000, 1000));
    assert!((920..=965).contains(&dropped), "nine in ten: {dropped}");
    let (dropped, _) = after(&mut hush, 15, 10, (16_000, 1000));
    assert!((952..=960).contains(&dropped), "a tenth more than there is time for: {dropped}");
    assert_eq!(after(&mut hush, 25, 60, (16_000, 1000)).1, 0, "what is right stays");
    let (dropped, _) = after(&mut hush, 85, 5, (1_000_000, 1000));
    assert!((1010..=1020).contains(&dropped), "some always pass: {dropped}");
    assert_eq!(after(&mut hush, 90, 3, (500, 1000)).0, 0, "soon nobody, when it is over");
}

/// Half seconds in each of which so many come, so many are begun, and so many are lost.
fn half_seconds(hush: &mut Hush, from: u64, counts: &[(u64, u64, u64)]) {
    for (nth, (came, begun, lost)) in (from..).zip(counts) {
        (*lost..*came).for_each(|_| hush.seen(Transport::Udp, Work::Much));
        (0..*begun).for_each(|_| hush.begun());
        (begun + lost..*came).for_each(|_| hush.turned_away());
        hush.hears(Backlog { lost: *lost, ..Backlog::default() });
        hush.update(Time(nth * 500_000_000), Width::Narrow);
    }
}

/// What was lost in the first second comes again in the next one, and is no more than there was.
#[test]
fn what_comes_twice_in_the_first_moments_is_not_taken_for_twice_as_many() {
    let mut hush = Hush::new(7);
    let pass = |hush: &Hush| 768 * hush.open / WHOLE;
    half_seconds(&mut hush, 1, &[(946, 178, 375)]);
    for (nth, again) in (2..42).zip([170, 40].into_iter().chain(std::iter::repeat(0))) {
        let came = pass(&hush) + again;
        half_seconds(&mut hush, nth, &[(came, came.min(192), 0)]);
    }
    assert!((192..=213).contains(&pass(&hush)), "{} of 192", pass(&hush));
}

/// Where the processor comes in bursts somebody is always turned away: that does not say that no more can be begun.
#[test]
fn when_few_are_turned_away_more_can_be_begun_than_is() {
    let mut hush = Hush::new(7);
    after_by(Transport::Tcp, &mut hush, (0, 20), (10_000, 1000));
    let before = hush.open;
    for nth in 41..61 {
        let came = 2_500 * hush.open / WHOLE;
        (0..came).for_each(|_| hush.seen(Transport::Tcp, Work::Much));
        (0..came - came / 32).for_each(|_| hush.begun());
        (0..came / 32).for_each(|_| hush.turned_away());
        hush.update(Time(nth * 500_000_000), Width::Narrow);
    }
    assert!(hush.open * 10 >= before * 18, "half as many come: {} after {before}", hush.open);
}

/// The last of a flood are turned away while hardly anybody comes any more: that they were does not keep the others out.
#[test]
fn when_a_flood_is_over_all_pass_after_a_second() {
    let mut hush = Hush::new(7);
    after_by(Transport::Tcp, &mut hush, (0, 20), (10_000, 1000));
    half_seconds(&mut hush, 41, &[(25, 15, 0), (14, 14, 0)]);
    assert_eq!(hush.open, WHOLE);
}

/// By streams nobody repeats himself, so the first moment says what there is.
#[test]
fn by_streams_it_is_soon_known_how_many_come() {
    let mut hush = Hush::new(7);
    let (dropped, _) = after_by(Transport::Tcp, &mut hush, (0, 2), (10_000, 1000));
    let pass = 10_000 * (WHOLE - u64::from(dropped)) / WHOLE;
    assert!((1000..1250).contains(&pass), "{pass} of 1000");
}

/// Where others have the processor now and then, one half second says nothing.
#[test]
fn a_moment_in_which_few_come_opens_nothing() {
    let mut hush = Hush::new(7);
    after_by(Transport::Tcp, &mut hush, (0, 20), (10_000, 1000));
    let before = hush.open;
    half_seconds(&mut hush, 41, &[(20, 20, 0), (540, 400, 0), (530, 510, 0), (530, 500, 0)]);
    assert_eq!(hush.open, before);
}

/// Half seconds in which 7,500 a second come by streams, of which so many can be begun: how many passed in the last one.
fn by_streams(hush: &mut Hush, from: u64, can: &[u64]) -> u64 {
    let mut came = 0;
    for (nth, can) in (from..).zip(can) {
        came = 3750 * hush.open / WHOLE;
        let begun = came.min(*can);
        (0..came).for_each(|_| hush.seen(Transport::Tcp, Work::Much));
        (0..begun).for_each(|_| hush.begun());
        (begun..came).for_each(|_| hush.turned_away());
        hush.update(Time(nth * 500_000_000), Width::Narrow);
    }
    came
}

/// That many were turned away in the first moments keeps ever fewer out when there is time for more.
#[test]
fn by_streams_ever_more_pass_after_a_second_of_calm() {
    let mut hush = Hush::new(7);
    let passed = by_streams(&mut hush, 1, &[&[370, 270][..], &[700; 7]].concat());
    assert!((500..750).contains(&passed), "{passed} of 700");
}

/// Somebody else had the processor when it was learnt how much can be begun.
#[test]
fn by_streams_more_and_more_pass_while_it_is_calm() {
    let mut hush = Hush::new(7);
    let passed = by_streams(&mut hush, 1, &[&[110; 3][..], &[370; 14]].concat());
    assert!((350..=500).contains(&passed), "{passed} of 370");
    let passed = by_streams(&mut hush, 20, &[370; 12]);
    assert!((370..=420).contains(&passed), "{passed} of 370");
}

/// What waits long is too much, though nobody is turned away.
#[test]
fn by_streams_nothing_opens_while_something_waits_long() {
    let mut hush = Hush::new(7);
    by_streams(&mut hush, 1, &[110; 3]);
    let before = hush.open;
    for nth in 4..8 {
        hush.hears(Backlog { waited: LATE * 2, ..Backlog::default() });
        by_streams(&mut hush, nth, &[370]);
    }
    assert_eq!(hush.open, before);
}

/// What is answered when it is read is turned away by nobody, so that it comes in thousands does not say that there is time for more calls.
#[test]
fn by_streams_those_who_only_ask_whether_we_live_make_no_calm() {
    let mut hush = Hush::new(7);
    by_streams(&mut hush, 1, &[110; 3]);
    let before = hush.open;
    for nth in 4..8 {
        (0..10_000).for_each(|_| hush.seen(Transport::Tcp, Work::Sign));
        by_streams(&mut hush, nth, &[110]);
    }
    assert!(hush.open <= before + 1 + before / 16, "{} after {before}", hush.open);
}

#[test]
fn what_passes_again_is_on_trial_unless_the_flood_has_fallen_by_half() {
    let mut hush = Hush::new(7);
    let (before, _) = after(&mut hush, 0, 5, (16_000, 1000));
    let (dropped, changes) = after(&mut hush, 5, 4, (12_000, 1000));
    assert!(dropped < before && changes == 1, "a quarter less: {dropped} after {before}");
    let now = Time(9_000_000_000);
    assert_eq!(hush.trial.parts(now), u64::from(before - dropped));
    let until = (9..15).find(|from| after(&mut hush, *from, 1, (4_000, 1000)).1 > 0).unwrap();
    assert!(hush.open >= 2 * (WHOLE - u64::from(dropped)), "{}", hush.open);
    assert_eq!(hush.trial.parts(Time((until + 1) * 1_000_000_000)), 0);
}

/// A hundred a second that could be left out, and thousands that could not: to leave out those few would help nobody.
#[test]
fn what_is_always_read_narrows_nobody_else() {
    let mut hush = Hush::new(7);
    for step in 1..=600 {
        (0..10).for_each(|_| hush.seen(Transport::Udp, Work::Much));
        (0..9).for_each(|_| hush.turned_away());
        // One of those, and a hundred of the others less one.
        (0..100).for_each(|_| hush.begun());
        hush.hears(Backlog { read: 110, ..Backlog::default() });
        assert_eq!(hush.update(Time(step * 100_000_000), Width::Narrow), None);
    }
}

#[test]
fn nobody_who_comes_by_a_stream_is_on_trial() {
    let mut hush = Hush::new(7);
    let (before, _) = after_by(Transport::Tcp, &mut hush, (0, 5), (16_000, 1000));
    let (dropped, _) = after_by(Transport::Tcp, &mut hush, (5, 4), (12_000, 1000));
    assert!(dropped < before, "more pass: {dropped} after {before}");
    assert_eq!(hush.trial.parts(Time(9_000_000_000)), 0);
}

/// Half a second in which so many registrations come and so many are lost, and all that are read are answered, though it was not all read for so long:
/// what the driver is told then.
fn registered(
    hush: &mut Hush,
    nth: u64,
    (came, lost): (u64, u64),
    waited: Duration,
) -> Option<Unread> {
    (0..came).for_each(|_| hush.seen(Transport::Udp, Work::Answer));
    (0..came).for_each(|_| hush.begun());
    hush.hears(Backlog { waited, lost, read: came, unread: !waited.is_zero() });
    hush.update(Time(nth * 500_000_000), Width::Narrow)
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn no_more_waits_than_is_read_before_anybody_repeats_himself() {
    let mut hush = Hush::new(7);
    let told = registered(&mut hush, 1, (1000, 9000), LATE);
    let share = dropped(WHOLE * 19 / 160);
    assert_eq!(told, Some(Unread { share, room: Some(256) }), "an eighth of a second, or little");
    assert_eq!(hush.trial.parts(Time(500_000_000)), 0, "late is welcome");
    assert_eq!(registered(&mut hush, 2, (1000, 0), LATE * 2), None, "what is right stays");
    let told = registered(&mut hush, 3, (30, 0), Duration::ZERO);
    assert_eq!(told, Some(Unread::default()), "it is over");
}

/// What is read in any case may be too much: to let less wait would only lose what belongs to calls.
#[test]
fn when_something_else_is_too_much_as_much_waits_as_usual() {
    let mut hush = Hush::new(7);
    for nth in 1..20 {
        let other = Backlog { lost: 500, read: 1000, ..Backlog::default() };
        hush.hears(other);
        let told = registered(&mut hush, nth, (200, 0), Duration::ZERO);
        assert!(told.is_none_or(|told| told.room.is_none()), "{told:?}");
    }
}

/// How much passes after so many half seconds, in each of which it was never all read; the rest of the time the same of what comes passes.
fn never_read(hush: &mut Hush, half_seconds: u64) -> u64 {
    for nth in 1..=half_seconds {
        registered(hush, 1 + nth, (1100, 0), SECOND / 2 * u32::try_from(nth).unwrap());
    }
    hush.open
}

/// Nobody tells for how many there is no room while some are dropped on our behalf. Those who could wait come with those who were not heard: that passes.
#[test]
fn when_it_is_never_all_read_too_much_passes() {
    let hush = || {
        let mut hush = Hush::new(7);
        registered(&mut hush, 1, (1000, 9000), LATE);
        hush
    };
    let before = hush().open;
    assert_eq!([1, 3, 8].map(|times| never_read(&mut hush(), times)), [before; 3]);
    assert_eq!(never_read(&mut hush(), 12), (0..4).fold(before, |open, _| open * 15 / 16));
}

/// In the first moments it seems that more can be begun than can.
#[test]
fn what_can_be_begun_is_told_again_when_the_first_moments_are_over() {
    let mut hush = Hush::new(7);
    registered(&mut hush, 1, (2000, 8000), LATE);
    let before = hush.open;
    registered(&mut hush, 2, (1200, 0), SECOND * 6 / 10);
    assert_eq!(hush.open, WHOLE * 1200 * 18 / 16 / 10_000);
    assert!(hush.open < before);
}

/// The machine stood still just after something was counted: that hardly anything was begun since says nothing.
#[test]
fn a_machine_that_stood_still_does_not_close_everything() {
    let mut hush = Hush::new(7);
    registered(&mut hush, 1, (1000, 9000), LATE);
    let before = hush.open;
    registered(&mut hush, 2, (20, 0), SECOND * 6 / 10);
    assert_eq!(hush.open, before / 2);
}

/// A phone registers by UDP while a flood of calls comes by TCP: those are thinned as they come.
#[test]
fn a_few_datagrams_do_not_say_what_those_do_who_come_by_streams() {
    let mut hush = Hush::new(7);
    hush.seen(Transport::Udp, Work::Answer);
    let (dropped, _) = after_by(Transport::Tcp, &mut hush, (0, 5), (10_000, 1000));
    assert!((890..=925).contains(&dropped), "{dropped}");
    assert!(!hush.is_patient());
}

/// What is told when it is over is told at once: nothing may come for a long time.
#[test]
fn when_the_valve_opens_as_much_waits_as_usual() {
    let mut hush = Hush::new(7);
    registered(&mut hush, 1, (1000, 9000), LATE);
    assert_eq!(hush.update(Time(600_000_000), Width::Whole), Some(Unread::default()));
}

/// Who calls gives up soon, so it is narrowed soon.
#[test]
fn calls_are_not_to_wait_until_all_is_read() {
    let mut hush = Hush::new(7);
    after(&mut hush, 0, 5, (16_000, 1000));
    let before = hush.open;
    let late = |waited| Backlog { waited, unread: true, ..Backlog::default() };
    let mut narrowed = |nth: u64, waited| {
        (0..500).for_each(|_| hush.seen(Transport::Udp, Work::Much));
        (0..500).for_each(|_| hush.begun());
        hush.hears(late(waited));
        hush.update(Time(5_000_000_000 + nth * 500_000_000), Width::Narrow);
        hush.open
    };
    assert_eq!(narrowed(1, SECOND), before);
    assert_eq!(narrowed(2, SECOND * 3 / 2), before * 3 / 4);
}

/// That many ask whether we live says nothing of how long those wait who call; when nobody else comes, they are patient themselves.
#[test]
fn who_asks_whether_we_live_makes_nobody_patient() {
    for (calls, signs, is_patient) in [(0, 100, true), (10, 3000, false), (10, 0, false)] {
        let mut hush = Hush::new(7);
        (0..calls).for_each(|_| hush.seen(Transport::Udp, Work::Much));
        (0..signs).for_each(|_| hush.seen(Transport::Udp, Work::Sign));
        (0..calls + signs).for_each(|_| hush.begun());
        let (read, lost) = (calls + signs, 9 * (calls + signs));
        hush.hears(Backlog { read, lost, ..Backlog::default() });
        hush.update(Time(500_000_000), Width::Narrow);
        assert_eq!(hush.is_patient(), is_patient, "{calls} calls, {signs} signs");
    }
}
