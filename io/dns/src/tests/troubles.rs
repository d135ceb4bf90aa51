//! R22: a DNS that lies, stalls or exaggerates, and the calls that must not suffer from it.

use super::sea::{Habit, Sea};
use super::zone::Zone;
use crate::limits;
use protocol::limits::{LOOKUPS, TARGETS};

fn host() -> Zone {
    Zone::of("host.test 60 A 198.51.100.9")
}

const HOST: &str = "sip:host.test:5060";
const FOUND: &str = "UDP 198.51.100.9:5060";

/// Whatever lies come before it: the true answer is taken, or another socket is opened to get it.
fn believes_only_the_truth(lie: fn(Vec<u8>) -> Vec<Vec<u8>>) -> Sea {
    let mut sea = Sea::new(&[Habit::Lying(host(), lie)]);
    assert_eq!(sea.find(HOST), (1, FOUND.into()));
    sea.settle();
    sea
}

#[test]
fn answers_with_a_wrong_number_are_not_believed() {
    let sea = believes_only_the_truth(|truth| {
        let mut lie = truth.clone();
        lie[0] ^= 0x55;
        lie[truth.len() - 1] = 66;
        vec![lie, truth]
    });
    assert_eq!(sea.counts.strange.get(), 1);
}

#[test]
fn answers_to_another_question_are_not_believed() {
    let sea = believes_only_the_truth(|truth| {
        let mut lie = truth.clone();
        lie[13] = b'g';
        lie[truth.len() - 1] = 66;
        vec![lie, truth]
    });
    assert_eq!(sea.counts.strange.get(), 1);
}

#[test]
fn questions_are_no_answers() {
    believes_only_the_truth(|truth| {
        let mut question = truth.clone();
        question[2] &= 0x7f;
        vec![question, Vec::new(), vec![0; 5], truth]
    });
}

#[test]
fn who_guesses_gets_few_chances_on_each_socket() {
    let guesses: fn(Vec<u8>) -> Vec<Vec<u8>> = |truth| {
        let guess = |number: u8| {
            let mut lie = truth.clone();
            lie[0] ^= number;
            lie
        };
        (1..=100).map(guess).collect()
    };
    let mut sea = Sea::new(&[Habit::Lying(host(), guesses), Habit::Good(host(), 1)]);
    assert_eq!(sea.find(HOST), (2, FOUND.into()));
    assert_eq!(sea.counts.strange.get(), u64::from(limits::STRANGE) + 1);
    sea.settle();
}

#[test]
fn records_of_other_names_are_not_believed() {
    // The owner of the one record becomes "gost.test".
    let mut sea = Sea::new(&[Habit::Lying(host(), |mut truth| {
        let owner = truth.len() - 25;
        assert_eq!(truth[owner..owner + 5], *b"\x04host");
        truth[owner + 1] = b'g';
        vec![truth]
    })]);
    assert_eq!(sea.find(HOST).1, "Unknown");
}

#[test]
fn half_an_answer_is_none() {
    for keep in [12, 20, 27, 30, 40] {
        let cut = |truth: &[u8]| truth[..keep.min(truth.len() - 1)].to_vec();
        let mut query = crate::wire::query(7, &lookup(), crate::wire::Edns::No).unwrap();
        query[0] = 0;
        let truth = host().answer(&query);
        let reply = crate::wire::read(&cut(&truth), 7, &lookup());
        assert!(
            matches!(reply, crate::wire::Reply::Strange | crate::wire::Reply::Useless),
            "{keep} {reply:?}"
        );
    }
}

fn lookup() -> protocol::locate::Lookup {
    let name = protocol::locate::Domain::of("host.test").unwrap();
    protocol::locate::Lookup { name, kind: protocol::locate::Kind::A }
}

#[test]
fn aliases_in_a_circle_end_in_few_questions() {
    let mut sea =
        Sea::new(&[Habit::Good(Zone::of("a.test 60 CNAME b.test\nb.test 60 CNAME a.test"), 1)]);
    assert_eq!(sea.find("sip:a.test").1, "Unknown");
    assert!(sea.asked.len() <= 10, "{:?}", sea.asked);
    // One link an answer, without end.
    let chain: String =
        (0..200).map(|at| format!("a{at}.test 60 CNAME a{}.test\n", at + 1)).collect();
    let mut sea = Sea::new(&[Habit::Good(Zone::of(&chain), 1)]);
    assert_eq!(sea.find("sip:a0.test:5060").1, "Unknown");
    assert!(sea.asked.len() <= 10, "{:?}", sea.asked);
}

#[test]
fn a_thousand_servers_cost_one_long_answer_and_few_questions() {
    let mut text = String::new();
    for at in 0..1_000 {
        text += &format!("_sip._udp.a.test 60 SRV 1 1 5060 h{at}.a.test\n");
        text += &format!("h{at}.a.test 60 A 198.51.{}.{}\n", at / 200, at % 200 + 1);
    }
    let mut sea = Sea::new(&[Habit::Good(Zone::of(&text), 1)]);
    let (_, found) = sea.find("sip:a.test");
    let targets = found.split(", ").count();
    assert!((1..=TARGETS).contains(&targets), "{found}");
    assert!(sea.asked.iter().any(|asked| asked.ends_with("SRV by TCP")));
    assert!(sea.asked.len() <= LOOKUPS + 1);
}

#[test]
fn a_firewall_that_swallows_naptr_does_not_stop_the_call() {
    let zone = Zone::of("_sip._udp.a.test 60 SRV 1 1 5060 h.a.test\nh.a.test 60 A 198.51.100.1");
    let mut sea = Sea::new(&[Habit::DeafTo("NAPTR", zone)]);
    let (took, found) = sea.find("sip:a.test");
    assert_eq!(found, "UDP 198.51.100.1:5060");
    assert!(took < limits::SEARCH.as_millis() as u64, "{took}");
    sea.settle();
}

#[test]
fn a_server_whose_address_does_not_come_does_not_hold_up_the_others() {
    let zone = Zone::of(
        "_sip._udp.a.test 60 SRV 1 1 5060 quick.a.test
         _sip._udp.a.test 60 SRV 2 1 5060 slow.b.test
         quick.a.test 60 A 198.51.100.1",
    );
    let mut sea = Sea::new(&[Habit::DeafTo("slow.b.test A", zone.clone())]);
    let (took, found) = sea.find("sip:a.test;transport=udp");
    assert_eq!((took, &*found), (2 + limits::LINGER.as_millis() as u64, "UDP 198.51.100.1:5060"));
    // The better one is waited for longer, but not for ever.
    let mut sea = Sea::new(&[Habit::DeafTo(
        "quick.a.test A",
        Zone::of(
            "_sip._udp.a.test 60 SRV 1 1 5060 quick.a.test
         _sip._udp.a.test 60 SRV 2 1 5060 slow.b.test
         slow.b.test 60 A 198.51.100.2",
        ),
    )]);
    let (took, found) = sea.find("sip:a.test;transport=udp");
    assert_eq!(
        (took, &*found),
        (2 + limits::LONG_LINGER.as_millis() as u64, "UDP 198.51.100.2:5060")
    );
    sea.settle();
}

#[test]
fn other_names_are_found_while_one_hangs() {
    let mut sea = Sea::new(&[Habit::DeafTo("hang.test A", host())]);
    sea.locate(1, "sip:hang.test:5060");
    assert_eq!(sea.find(HOST), (1, FOUND.into()));
    sea.settle();
    assert_eq!(sea.told[&1].1, "NoAnswer");
}
