//! What proved somebody once is said again: to the same server, by somebody else, later, in another life (RELIABILITY R18). No count of a nonce is good
//! twice, and "stale" is said only to who knows the password: its phone then need not ask anybody.

use std::time::Duration;

use machine::Dice;
use offhook_tests::office::{Office, Phone, Request, settings, status};
use server::Node;
use sip::Message;
use sip::header::WwwAuthenticate;

/// A REGISTER that nobody has seen, and its number.
struct Speaker {
    office: Office,
    phone: Phone,
    challenge: Message,
    nth: u32,
}

/// What is said to it.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Welcome,
    /// Right, but not with this nonce, or this count of it.
    Stale,
    /// As to a stranger.
    WhoIsIt,
    Refused(u16),
}

impl Speaker {
    fn new() -> Self {
        let (mut office, phone) = (Office::new(settings()), Phone::udp(101));
        let asked = office.receive(phone.flow, register(&phone, 0).wire()).remove(0);
        Self { office, phone, challenge: asked.message, nth: 0 }
    }

    /// Says who it is, with this count; the request is changed before its answer is worked out, and the answer before it is said.
    fn says(
        &mut self,
        count: u32,
        before: impl FnOnce(&mut Request),
        after: impl FnOnce(String) -> String,
    ) -> Said {
        self.nth += 1;
        let request = register(&self.phone, self.nth);
        let mut other = request.clone();
        before(&mut other);
        let asked = self.challenge.get::<WwwAuthenticate>().unwrap();
        let answer = after(self.phone.answer(&other, &asked.0, ("auth", count)));
        let request = request.row(&format!("Authorization: {answer}"));
        let sent = self.office.receive(self.phone.flow, request.wire());
        let challenge = sent[0].message.get::<WwwAuthenticate>();
        let stale = challenge.and_then(|asked| asked.0.text("stale").map(|stale| stale == "true"));
        match (status(&sent), stale) {
            (200, _) => Said::Welcome,
            (401, Some(true)) => Said::Stale,
            (401, _) => Said::WhoIsIt,
            (status, _) => Said::Refused(status),
        }
    }

    /// With this count, and all else right.
    fn counts(&mut self, count: u32) -> Said {
        self.says(count, |_| {}, |answer| answer)
    }

    /// With this count, and wrong.
    fn guesses(&mut self, count: u32) -> Said {
        self.says(count, |_| {}, |answer| answer.replace("response=\"", "response=\"f0"))
    }
}

fn register(phone: &Phone, nth: u32) -> Request {
    let mut request = phone.register(&format!("Contact: <{}>\r\n", phone.contact()));
    (request.cseq, request.branch) = (nth + 1, format!("z9hG4bK-replay-{nth}"));
    request
}

#[test]
fn a_count_is_good_once_and_a_lower_one_only_when_it_was_overtaken() {
    let mut speaker = Speaker::new();
    assert_eq!(speaker.counts(1), Said::Welcome);
    assert_eq!(speaker.counts(1), Said::Stale, "the same again");
    assert_eq!((speaker.counts(5), speaker.counts(3)), (Said::Welcome, Said::Welcome));
    assert_eq!((speaker.counts(3), speaker.counts(5)), (Said::Stale, Said::Stale));
    assert_eq!((speaker.counts(200), speaker.counts(9)), (Said::Welcome, Said::Stale));
    assert_eq!(speaker.guesses(201), Said::WhoIsIt, "wrong is not stale");
    assert_eq!(speaker.guesses(200), Said::WhoIsIt, "nor with a count that was used");
    assert_eq!(speaker.counts(201), Said::Welcome, "a guess uses nothing up");
}

#[test]
fn an_answer_is_good_for_its_own_request_alone() {
    let mut speaker = Speaker::new();
    let method = |request: &mut Request| request.method = "OPTIONS".into();
    assert_eq!(speaker.says(1, method, |answer| answer), Said::WhoIsIt);
    let elsewhere = |request: &mut Request| request.uri = "sip:elsewhere.test".into();
    assert_eq!(speaker.says(1, elsewhere, |answer| answer), Said::Refused(400));
    let other = |answer: String| answer.replace("nc=00000001", "nc=00000002");
    assert_eq!(speaker.says(1, |_| {}, other), Said::WhoIsIt, "the count is in the answer");
    assert_eq!(speaker.counts(1), Said::Welcome);
}

#[test]
fn who_has_overheard_it_elsewhere_gains_nothing() {
    let mut speaker = Speaker::new();
    assert_eq!(speaker.counts(1), Said::Welcome);
    speaker.phone.flow.peer = ([203, 0, 113, 9], 5060).into();
    assert_eq!(speaker.counts(1), Said::Stale);
    assert_eq!(speaker.guesses(2), Said::WhoIsIt);
}

#[test]
fn it_grows_old_and_does_not_outlive_a_server_that_counts_by_itself() {
    let mut speaker = Speaker::new();
    assert_eq!(speaker.counts(1), Said::Welcome);
    speaker.office.node = Node::new(settings(), Dice::new(2));
    assert_eq!(speaker.counts(2), Said::Stale, "nobody knows any more what was used");
    assert_eq!(speaker.guesses(2), Said::WhoIsIt);
    let mut speaker = Speaker::new();
    speaker.office.wait(Duration::from_secs(24 * 3600));
    assert_eq!((speaker.counts(1), speaker.guesses(1)), (Said::Stale, Said::WhoIsIt));
}
