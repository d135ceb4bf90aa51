//! Each count of a nonce is taken once by all nodes of a cluster, also by one whose clock is behind.

use std::time::Duration;

use offhook_tests::office::{self, Office, Phone, status};
use protocol::{Answer, Input, Question, Ticket};
use server::settings::Settings;

fn node(number: u8) -> Office {
    Office::new(Settings { challenge: office::settings().challenge, ..office::node(number, 1) })
}

/// A node wants to know from the store whether a count was used, and how long the store is to remember that it is now.
fn spends(office: &mut Office) -> Option<(Ticket, Duration)> {
    let (ticket, question) = office.asked.pop()?;
    let Question::SpendAnywhere { until, .. } = question else { panic!("{question:?}") };
    Some((ticket, until - office.now))
}

#[test]
fn as_long_as_a_node_takes_a_nonce_the_store_knows_its_counts() {
    for ahead in [0, 30, 240, 299] {
        let (mut fast, mut slow) = (node(0), node(1));
        let began = slow.now;
        fast.now = fast.now + Duration::from_secs(ahead);
        let phone = Phone::udp(101);
        let request = phone.register(&format!("Contact: <{}>\r\n", phone.contact()));
        let sent = fast.receive(phone.flow, request.wire());
        assert_eq!(status(&sent), 401);
        let heard = request.again().row(&phone.credentials(&request, &sent[0].message));
        fast.receive(phone.flow, heard.wire());
        let (_, remembered) = spends(&mut fast).expect("it is noted for all");
        let mut asked = 0;
        for later in (0..900).step_by(10) {
            slow.wait((began + Duration::from_secs(later)) - slow.now);
            let mut again = heard.clone();
            again.call_id += &later.to_string();
            again.branch += &later.to_string();
            let mut sent = slow.receive(phone.flow, again.wire());
            if let Some((ticket, _)) = spends(&mut slow) {
                asked += 1;
                assert!(
                    Duration::from_secs(later) < remembered,
                    "{ahead} s ahead: after {later} s"
                );
                sent = slow.tell(Input::Answered(ticket, Answer::Spent(false)));
            }
            assert_eq!(status(&sent), 401, "{ahead} s ahead: after {later} s");
        }
        assert!(asked >= 30, "{ahead} s ahead: {asked}");
    }
}

/// So far nobody's clock is ahead: such a nonce would be good for longer than the store knows its counts.
#[test]
fn a_nonce_from_far_ahead_is_stale() {
    let (mut fast, mut slow) = (node(0), node(1));
    fast.now = fast.now + Duration::from_secs(400);
    let phone = Phone::udp(101);
    let request = phone.register("");
    let sent = fast.receive(phone.flow, request.wire());
    let heard = request.again().row(&phone.credentials(&request, &sent[0].message));
    let sent = slow.receive(phone.flow, heard.wire());
    assert_eq!((status(&sent), spends(&mut slow)), (401, None));
    let challenge = office::rows(&sent, sip::Name::WwwAuthenticate).join(" ");
    assert!(challenge.contains("stale=true"), "{challenge}");
}
