//! Traps 33 to 36: who is it, and whose name may it use?

use std::time::Duration;

use machine::Dice;
use offhook_tests::exchange::Exchange;
use offhook_tests::office::{Office, Phone, Request, Sent, rows, settings, status};
use offhook_tests::puppet::{Puppet, read};
use protocol::auth::{Algorithm, Answers, Credentials, Names, Tries};
use protocol::doors::Asker;
use protocol::{Answer, Input, Question, Transport};
use server::Settings;
use server::settings::{Shard, User};
use sim::Weather;
use sip::header::{AuthParams, AuthenticationInfo, WwwAuthenticate};
use sip::{Message, Method, Name};

fn register(phone: &Phone) -> Request {
    phone.register(&format!("Contact: <{}>\r\n", phone.contact()))
}

/// The nth challenge of a 401.
fn asked(sent: &[Sent], at: usize) -> AuthParams<'_> {
    sent[0].message.all::<WwwAuthenticate>().nth(at).unwrap().unwrap().0
}

fn is_stale(sent: &[Sent]) -> bool {
    let challenges = [Name::WwwAuthenticate, Name::ProxyAuthenticate];
    challenges.iter().any(|name| rows(sent, *name).iter().any(|row| row.contains("stale=true")))
}

/// Trap 33: names are quoted or not, in any case, with blanks or without; `nc` is hexadecimal; the strongest digest stands first.
#[test]
fn trap_33_every_way_to_write_right_credentials_is_right() {
    type Rewrite = fn(String) -> String;
    let ways: [Rewrite; 5] = [
        |row| row,
        |row| {
            row.replace("qop=auth", "qop=\"auth\"")
                .replace("algorithm=SHA-256", "algorithm=\"sha-256\"")
        },
        |row| row.replace(", ", ","),
        |row| row.replace('=', " = ").replace("nonce", "NONCE").replace("Digest", "dIGEST"),
        |row| row.replace("realm=", "opaque=\"\", unknown=\"a, b\", realm="),
    ];
    for (nth, way) in ways.into_iter().enumerate() {
        for count in [1, 10] {
            let mut office = Office::default();
            let phone = Phone::udp(101);
            let first = office.receive(phone.flow, register(&phone).wire());
            assert_eq!(asked(&first, 0).text("algorithm").unwrap(), "SHA-256");
            let row = phone.answer(&register(&phone), &asked(&first, 0), ("auth", count));
            let again = register(&phone).again().row(&format!("Authorization: {}", way(row)));
            assert_eq!(status(&office.receive(phone.flow, again.wire())), 200, "{nth} {count}");
        }
    }
}

/// Trap 33: several realms in one request; ours is found among them, wherever it stands.
#[test]
fn trap_33_the_credentials_for_us_are_found_among_others() {
    let mut office = Office::default();
    let phone = Phone::udp(101);
    let first = office.receive(phone.flow, register(&phone).wire());
    let other = "Authorization: Digest username=\"x\", realm=\"other\", nonce=\"n\", uri=\"sip:a\", response=\"r\"";
    let row = format!(
        "Authorization: {}",
        phone.answer(&register(&phone), &asked(&first, 1), ("auth", 1))
    );
    let again =
        register(&phone).again().row(other).row("Authorization: Basic eA==").row(&row).row(other);
    assert_eq!(status(&office.receive(phone.flow, again.wire())), 200);
}

/// Trap 33: a digest that is not offered is not taken: whoever turned MD5 off is safe from those who broke it.
#[test]
fn trap_33_md5_that_is_off_is_off() {
    let strong = Settings { algorithms: vec![Algorithm::Sha256], ..settings() };
    let phone = Phone::udp(101);
    let mut office = Office::new(strong);
    let first = office.receive(phone.flow, register(&phone).wire());
    assert_eq!(rows(&first, Name::WwwAuthenticate).len(), 1);
    let weaker = rows(&first, Name::WwwAuthenticate)[0].replace("SHA-256", "MD5");
    let weaker =
        Message::parse(format!("SIP/2.0 401 x\r\nWWW-Authenticate: {weaker}\r\n\r\n")).unwrap();
    let row = phone.credentials(&register(&phone), &weaker);
    assert_eq!(status(&office.receive(phone.flow, register(&phone).again().row(&row).wire())), 401);
    assert_eq!(status(&office.converse(&phone, &register(&phone).again().again())), 200);
}

/// Trap 33: the URI of the credentials may be written another way than the Request-URI, but leads to the same user; for another
/// request they are no good, and that is said (RFC 7616 §3.4.6).
#[test]
fn trap_33_credentials_for_another_request_are_400() {
    for (uri, code) in [
        ("sip:199@example.test", 404),
        ("sip:%3199@EXAMPLE.test;transport=udp", 404),
        ("sip:101@example.test", 400),
        ("sip:199@elsewhere.example", 400),
        ("tel:199", 400),
    ] {
        let mut office = Office::default();
        let phone = Phone::udp(101);
        let request = phone.request("MESSAGE", "sip:199@example.test");
        let first = office.receive(phone.flow, request.wire());
        let written = Request { uri: uri.into(), ..request.clone() };
        let row = phone.credentials(&written, &first[0].message);
        let sent = office.receive(phone.flow, request.again().row(&row).wire());
        assert_eq!(status(&sent), code, "{uri}");
    }
}

/// Trap 33: names and passwords may hold any letter, and the challenge says how they are written (RFC 7616 §4).
#[test]
fn trap_33_letters_of_every_language_are_let_in() {
    let password = "p\u{e4}\u{df}w\u{f6}rt \u{5bc6}\u{7801}";
    let users = vec![User::new("101", password)];
    let mut office = Office::new(Settings { users, ..settings() });
    let phone = Phone::udp(101);
    let first = office.receive(phone.flow, register(&phone).wire());
    for row in rows(&first, Name::WwwAuthenticate) {
        assert!(row.contains("charset=\"UTF-8\""), "{row}");
    }
    let mut answers = Answers::new(vec![Credentials::for_any_realm("101", password)]);
    answers.learn(&first[0].message, &mut Tries::default(), &mut Dice::new(1)).unwrap();
    let (_, row) = answers.rows("REGISTER", b"sip:example.test", b"").remove(0);
    let row = format!("Authorization: {}", String::from_utf8(row).unwrap());
    assert_eq!(status(&office.receive(phone.flow, register(&phone).again().row(&row).wire())), 200);
    let mut plain = Office::default();
    let first = plain.receive(phone.flow, register(&phone).wire());
    assert!(!rows(&first, Name::WwwAuthenticate)[0].contains("charset"), "ASCII needs no word");
}

/// Trap 33: who wishes so gets users' names as hashes, and knows them again (RFC 7616 §3.4.4).
#[test]
fn trap_33_a_name_may_come_as_a_hash() {
    let phone = Phone::udp(101);
    for (names, code) in [(Names::Hashed, 200), (Names::Plain, 401)] {
        for at in [0, 1] {
            let mut office = Office::new(Settings { names, ..settings() });
            let first = office.receive(phone.flow, register(&phone).wire());
            let asked = asked(&first, at);
            let offered = asked.text("userhash").is_some_and(|yes| yes == "true");
            assert_eq!(offered, names == Names::Hashed);
            let (algorithm, _) = Algorithm::of(&asked.text("algorithm").unwrap()).unwrap();
            let hash = algorithm.user_hash("101", "example.test");
            let row = phone.answer(&register(&phone), &asked, ("auth", 1));
            let row = row.replace("\"101\"", &format!("\"{hash}\", userhash=true"));
            let again = register(&phone).again().row(&format!("Authorization: {row}"));
            assert_eq!(status(&office.receive(phone.flow, again.wire())), code, "{names:?} {at}");
        }
    }
}

/// Trap 34: a nonce and its count open the gate once, whatever else changes: the branch, the call, the method, the target, the source.
#[test]
fn trap_34_what_was_heard_opens_nothing() {
    let mut office = Office::default();
    let (alice, mallory) = (Phone::udp(101), Phone::udp(106));
    let message = alice.request("MESSAGE", "sip:102@example.test");
    let first = office.receive(alice.flow, message.wire());
    let row = alice.credentials(&message, &first[0].message);
    let right = message.again().row(&row);
    assert_eq!(status(&office.receive(alice.flow, right.wire())), 480);
    for caught in [right.again(), right.clone().call("other"), right.clone().call("third").again()]
    {
        for source in [alice.flow, mallory.flow] {
            let sent = office.receive(source, caught.again().call(&source.peer.to_string()).wire());
            assert_eq!((status(&sent), is_stale(&sent)), (407, true));
        }
    }
    let mut other = right.again().call("method");
    other.method = "SUBSCRIBE".into();
    let sent = office.receive(mallory.flow, other.wire());
    assert_eq!(
        (status(&sent), is_stale(&sent)),
        (407, false),
        "stale is said of right digests only"
    );
}

/// Trap 34: a phone that asks again and again is handed the next nonce in time, with a proof that we know its password, too
/// (RFC 7616 §3.5).
#[test]
fn trap_34_the_next_nonce_comes_before_the_old_one_ends() {
    let mut office = Office::default();
    let phone = Phone::udp(101);
    let first = office.receive(phone.flow, register(&phone).wire());
    let asked = asked(&first, 0);
    let say = |office: &mut Office, nth: u32, row: &str| {
        let mut next = register(&phone);
        next.cseq += nth;
        next.branch += &nth.to_string();
        office.receive(phone.flow, next.row(&format!("Authorization: {row}")).wire())
    };
    let sent = say(&mut office, 1, &phone.answer(&register(&phone), &asked, ("auth", 1)));
    assert_eq!((status(&sent), sent[0].message.has(Name::AuthenticationInfo)), (200, false));
    office.wait(Duration::from_secs(200));
    let sent = say(&mut office, 2, &phone.answer(&register(&phone), &asked, ("auth", 2)));
    assert_eq!(status(&sent), 200);
    let AuthenticationInfo(info) = sent[0].message.get().unwrap();
    assert_eq!(
        (info.text("qop").unwrap(), info.text("nc").unwrap()),
        ("auth".into(), "00000002".into())
    );
    let next = info.text("nextnonce").unwrap();
    office.wait(Duration::from_secs(200));
    let old = say(&mut office, 3, &phone.answer(&register(&phone), &asked, ("auth", 3)));
    assert_eq!((status(&old), is_stale(&old)), (401, true));
    let challenge =
        rows(&first, Name::WwwAuthenticate)[0].replace(&asked.text("nonce").unwrap(), &next);
    let challenge =
        Message::parse(format!("SIP/2.0 401 x\r\nWWW-Authenticate: {challenge}\r\n\r\n")).unwrap();
    let row = phone.credentials(&register(&phone), &challenge);
    assert_eq!(status(&say(&mut office, 4, row.split_once(' ').unwrap().1)), 200);
}

/// Trap 34: a nonce of one shard is good on all of them, and each of its counts once in the whole house.
#[test]
fn trap_34_a_nonce_is_good_on_every_shard_and_a_count_once_on_all() {
    let mut exchange = Exchange::with(4, Weather::FAIR, 8, |_| {});
    let alice = exchange.puppet("101", Transport::Udp);
    let bob = exchange.puppet("102", Transport::Udp);
    exchange.register(bob, 1);
    exchange.register(alice, 1);
    let say = |exchange: &mut Exchange, message: &Message| {
        exchange.say(alice, |_| message.clone());
        exchange.live(50);
        exchange.look(alice).statuses().last().unwrap().clone()
    };
    let text = |number: u32| {
        move |puppet: &mut Puppet| {
            read(puppet.draft(Method::Message, "sip:102@example.test", number, 1))
        }
    };
    let first = exchange.say(alice, text(100));
    exchange.live(50);
    let challenge = exchange.look(alice).last_response(407);
    let mut caught =
        exchange.pull(alice, |puppet, _| puppet.again_with_credentials(&first, &challenge));
    // Nobody answers at Bob's, so what comes back is the refusal of the gate, or nothing.
    let before = exchange.look(bob).heard.len();
    exchange.say(alice, |_| caught.clone());
    exchange.live(50);
    assert_eq!(exchange.look(bob).heard.len(), before + 1);
    for call in 200..240 {
        let id = format!("{call}@caught");
        let via = exchange.pull(alice, |puppet, _| puppet.via());
        let mut edit = caught.edit();
        edit.replace_raw(Name::CallId, id.as_bytes()).replace_raw(Name::Via, via.as_bytes());
        caught = edit.finish().unwrap();
        assert_eq!(say(&mut exchange, &caught), "407", "{call}");
        let refusal = exchange.look(alice).last_response(407);
        assert!(
            refusal
                .rows(Name::ProxyAuthenticate)
                .all(|row| { String::from_utf8_lossy(row).contains("stale=true") })
        );
    }
    let heard =
        exchange.look(bob).heard.iter().filter(|(_, one)| one.method() == Some(Method::Message));
    let calls: std::collections::BTreeSet<_> =
        heard.map(|(_, one)| one.call_id().to_vec()).collect();
    assert_eq!(calls.len(), 1, "what was caught reaches nobody");
    // The next counts of the same nonce, in calls at home on other shards, are let in without another challenge.
    let challenges = |exchange: &Exchange| {
        exchange.look(alice).statuses().iter().filter(|word| *word == "407").count()
    };
    let before = challenges(&exchange);
    for call in 300..320 {
        let fresh = exchange.pull(alice, |puppet, _| text(call)(puppet));
        let signed = exchange.pull(alice, |puppet, _| puppet.with_credentials(&fresh));
        exchange.say(alice, |_| signed);
        exchange.live(20);
    }
    assert_eq!(challenges(&exchange), before);
    exchange.live(100_000);
    exchange.assert_nothing_is_left();
}

/// Two shards of one house: what the second asks, the first answers when the test says so.
struct TwoShards {
    maker: Office,
    other: Office,
}

impl TwoShards {
    fn new() -> Self {
        let shard = |number| Settings {
            shard: Shard { number, count: 2 },
            nonce_secret: Some(1),
            challenge: vec!["INVITE".into(), "OPTIONS".into()],
            ..settings()
        };
        Self { maker: Office::new(shard(0)), other: Office::new(shard(1)) }
    }

    /// A request for the second shard, with the nonce of the first.
    fn request(&mut self, phone: &Phone, request: &Request) -> String {
        let first = self.maker.receive(phone.flow, request.wire());
        request.again().row(&phone.credentials(request, &first[0].message)).wire()
    }

    /// The first shard answers what the second has asked.
    fn ask(&mut self) -> Answer {
        let (ticket, question) = self.other.asked.pop().unwrap();
        assert!(matches!(question, Question::Spend { keeper: 0, count: 1, .. }), "{question:?}");
        let sent = self.maker.tell(Input::Asked(Asker { shard: 1, ticket }, question));
        assert!(sent.is_empty());
        self.maker.told.pop().unwrap()
    }
}

/// Trap 34: while the shard that made the nonce is asked, the request waits, and its repeats are absorbed.
#[test]
fn trap_34_a_request_waits_for_the_word_of_another_shard() {
    let mut house = TwoShards::new();
    let phone = Phone::udp(101);
    for (answer, code) in
        [(None, 200), (Some(Answer::Spent(false)), 401), (Some(Answer::Nothing), 401)]
    {
        let wire = house
            .request(&phone, &phone.request("OPTIONS", "sip:example.test").call(&code.to_string()));
        let sent = house.other.receive(phone.flow, wire.clone());
        assert!(sent.is_empty() && house.other.node.forwarding() == 1);
        assert!(house.other.receive(phone.flow, wire.clone()).is_empty(), "a repeat");
        assert_eq!(house.other.asked.len(), 1);
        let ticket = house.other.asked[0].0;
        let told = house.ask();
        assert_eq!(told, Answer::Spent(true));
        let sent = house.other.tell(Input::Answered(ticket, answer.unwrap_or(told)));
        assert_eq!((status(&sent), is_stale(&sent)), (code, code == 401));
        assert_eq!(status(&house.other.receive(phone.flow, wire)), code, "a repeat gets the same");
        house.other.wait(Duration::from_secs(33));
        assert_eq!((house.other.node.transactions(), house.other.node.forwarding()), (0, 0));
    }
}

/// Trap 34: a caller may hang up while it waits; a shard that never answers keeps nobody waiting for ever.
#[test]
fn trap_34_who_waits_may_leave_and_does_not_wait_for_ever() {
    let phone = Phone::udp(101);
    for cancels in [true, false] {
        let mut house = TwoShards::new();
        let invite = phone.invite("sip:102@example.test");
        let wire = house.request(&phone, &invite);
        house.other.receive(phone.flow, wire);
        let (ticket, _) = house.other.asked[0];
        let mut cancel = invite.again();
        cancel.method = "CANCEL".into();
        (cancel.rows, cancel.body) = (String::new(), String::new());
        let sent = if cancels {
            house.other.receive(phone.flow, cancel.wire())
        } else {
            house.other.wait(Duration::from_secs(33))
        };
        let codes: Vec<_> =
            sent.iter().filter_map(|sent| sent.message.status()).map(sip::Status::code).collect();
        if cancels {
            assert_eq!(codes, [200, 487]);
        } else {
            assert_eq!(codes.first(), Some(&100));
            assert!(codes.contains(&407), "{codes:?}");
        }
        assert!(
            house.other.tell(Input::Answered(ticket, Answer::Spent(true))).is_empty(),
            "too late"
        );
        house.other.wait(Duration::from_secs(100));
        assert_eq!((house.other.node.transactions(), house.other.node.forwarding()), (0, 0));
    }
}
