//! What proved somebody at one node is said again at the other, whose clock is not the same.

use std::time::Duration;

use offhook_tests::office::{Phone, Request, answers, settings, status};
use server::settings::Settings;
use sip::header::WwwAuthenticate;

use super::Pair;

fn asks(office: Settings) -> Settings {
    Settings { challenge: settings().challenge, ..office }
}

/// Asks who is registered: any number of times, at any node.
fn question(phone: &Phone, nth: u32) -> Request {
    let mut request = phone.register("");
    (request.cseq, request.branch) = (nth, format!("z9hG4bK-again-{nth}"));
    request
}

/// The clock of the first node is ahead by so many seconds; the nonce is one of its own, and was used there at once.
fn said_again(ahead: u64, after: u64) -> Vec<u16> {
    let mut pair = Pair::new(asks);
    pair.offices[0].now = pair.offices[0].now + Duration::from_secs(ahead);
    let phone = Phone::udp(101);
    let asked = pair.hear(0, &phone, &question(&phone, 1)).remove(0).message;
    let challenge = asked.get::<WwwAuthenticate>().unwrap();
    let proof =
        format!("Authorization: {}", phone.answer(&question(&phone, 2), &challenge.0, ("auth", 1)));
    let first = pair.hear(0, &phone, &question(&phone, 2).row(&proof));
    assert_eq!(answers(&first, phone.flow), [200]);
    pair.wait(Duration::from_secs(after));
    let again = pair.hear(1, &phone, &question(&phone, 3).row(&proof));
    vec![status(&again)]
}

/// A nonce lives five minutes. At the node whose clock is behind it lives on, and so does the memory of its use.
#[test]
fn what_was_said_to_a_node_that_is_ahead_cannot_be_said_again_to_one_that_is_behind() {
    for ahead in [0, 1, 60, 240] {
        for after in [1, 299, 301, 300 + ahead - ahead / 10, 301 + ahead] {
            assert_eq!(said_again(ahead, after), [401], "{ahead} s ahead, {after} s later");
        }
    }
}
