//! Traps 35 to 38: who may register what, and all of it or nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use machine::Dice;
use offhook_tests::attendant::Habits;
use offhook_tests::exchange::Exchange;
use offhook_tests::office::{Office, Phone, Sent, rows, settings, status, trusting};
use protocol::Transport;
use sim::Weather;
use sip::header::Contact;
use sip::{Header as _, Method, Name};

/// Trap 35: whatever a stranger may send, it is asked who it is; ACK and CANCEL never are. A To tag changes nothing.
#[test]
fn trap_35_every_method_of_a_stranger_is_challenged() {
    for method in [
        "REGISTER",
        "INVITE",
        "MESSAGE",
        "SUBSCRIBE",
        "PUBLISH",
        "REFER",
        "OPTIONS",
        "NOTIFY",
        "INFO",
        "UPDATE",
        "PRACK",
        "BYE",
        "FOO",
        "ACK",
        "CANCEL",
    ] {
        for tag in ["", ";tag=guess"] {
            let mut office = Office::new(settings());
            let stranger = Phone::udp(166);
            let mut request = stranger.request(method, "sip:102@example.test");
            request.to += tag;
            let sent = office.receive(stranger.flow, request.wire());
            match method {
                "ACK" => assert!(sent.is_empty()),
                "CANCEL" => assert_eq!(status(&sent), 481),
                "REGISTER" => assert_eq!(status(&sent), 401),
                _ => assert_eq!(status(&sent), 407, "{method}{tag}"),
            }
            assert_eq!(office.node.transactions(), 0, "{method} leaves nothing");
        }
    }
}

/// Trap 36: the name in From (and To, of a REGISTER) belongs to the credentials, or it is 403, for every method.
#[test]
fn trap_36_nobody_uses_another_s_name() {
    for method in ["INVITE", "MESSAGE", "SUBSCRIBE", "PUBLISH", "REFER", "REGISTER"] {
        let mut office = Office::default();
        let mallory = Phone::udp(106);
        let mut request = if method == "REGISTER" {
            mallory.register("Contact: <sip:106@198.51.100.6>\r\n")
        } else {
            mallory.request(method, "sip:102@example.test")
        };
        request.from = "<sip:101@example.test>;tag=m".into();
        if method == "REGISTER" {
            request.to = "<sip:101@example.test>".into();
        }
        assert_eq!(status(&office.converse(&mallory, &request)), 403, "{method}");
    }
}

fn say(office: &mut Office, nth: u32, rows: &str) -> Vec<Sent> {
    let phone = Phone::udp(102);
    let mut request = phone.register(rows);
    request.cseq = nth;
    request.branch += &format!("{nth}-{}", rows.len());
    office.receive(phone.flow, request.wire())
}

fn bindings(sent: &[Sent]) -> BTreeMap<String, u32> {
    let contacts = rows(sent, Name::Contact);
    contacts
        .iter()
        .map(|row| {
            let contact = Contact::parse(row.as_bytes()).unwrap();
            let uri = contact.address().unwrap().uri;
            (String::from_utf8_lossy(uri).into_owned(), contact.expires().unwrap())
        })
        .collect()
}

/// Trap 37: `*` needs `Expires: 0` and nothing beside it; what is too short is 423 with the least; CSeqs only rise; a REGISTER that is
/// refused has changed nothing.
#[test]
fn trap_37_all_of_a_register_or_nothing() {
    let mut office = Office::new(trusting());
    let first = bindings(&say(&mut office, 10, "Contact: <sip:a@h1>, <sip:b@h2>;expires=100\r\n"));
    assert_eq!(first.values().copied().collect::<Vec<_>>(), [3600, 100]);
    for (nth, rows, code) in [
        (11, "Contact: *\r\n", 400),
        (12, "Contact: *\r\nExpires: 60\r\n", 400),
        (13, "Contact: *, <sip:a@h1>\r\nExpires: 0\r\n", 400),
        (14, "Contact: <sip:c@h3>, <sip:d@h4>;expires=1\r\n", 423),
        (15, "Contact: <sip:c@h3>, <mailto:x@y>\r\n", 403),
        (9, "Contact: <sip:a@h1>;expires=0\r\n", 500),
        (8, "Contact: <sip:c@h3>, <sip:a@h1>\r\n", 500),
    ] {
        let sent = say(&mut office, nth, rows);
        assert_eq!(status(&sent), code, "{rows}");
        assert_eq!(sent[0].message.has(Name::MinExpires), code == 423);
        assert_eq!(bindings(&say(&mut office, 1000 + nth, "")), first, "{rows}");
    }
    assert!(bindings(&say(&mut office, 2000, "Contact: *\r\nExpires: 0\r\n")).is_empty());
}

/// Trap 37: against a model: whatever a phone adds, changes and removes, the 200 lists exactly what there is.
#[test]
fn trap_37_a_registrar_is_what_its_model_is() {
    for seed in 0..20 {
        let (mut office, mut dice) = (Office::new(trusting()), Dice::new(seed));
        let mut model: BTreeMap<String, u32> = BTreeMap::new();
        for nth in 1..60 {
            let pick = |dice: &mut Dice| format!("sip:{}@host.test", dice.below(8));
            let (one, other) = (pick(&mut dice), pick(&mut dice));
            let expires = [0, 60, 600, 7200][usize::try_from(dice.below(4)).unwrap()];
            match dice.below(8) {
                0 => {
                    say(&mut office, nth, "Contact: *\r\nExpires: 0\r\n");
                    model.clear();
                }
                1 => drop(say(
                    &mut office,
                    nth,
                    &format!("Contact: <{one}>, <{other}>;expires=1\r\n"),
                )),
                _ => {
                    let rows = format!(
                        "Contact: <{one}>;expires={expires}, <{other}>\r\nExpires: 3600\r\n"
                    );
                    say(&mut office, nth, &rows);
                    // Named twice in one REGISTER: the later says how it is.
                    model.insert(one, expires);
                    model.insert(other, 3600);
                    model.retain(|_, expires| *expires > 0);
                }
            }
            let seen = bindings(&say(&mut office, 10_000 + nth, ""));
            assert_eq!(seen, model, "seed {seed}, step {nth}");
        }
    }
}

/// Trap 39: the registrar makes the addresses that lead to one phone; what a phone calls its own is not believed.
#[test]
fn trap_39_a_gruu_is_the_registrar_s() {
    let mut office = Office::new(trusting());
    let bob = Phone::udp(102);
    let contact = "Contact: <sip:102@198.51.100.2>;+sip.instance=\"<urn:uuid:1>\"";
    let forged = ";pub-gruu=\"sip:101@example.test;gr=x\";temp-gruu=\"sip:y@example.test;gr\"";
    let gruus = |office: &mut Office, nth: u32, rows_in: &str| {
        let mut request = bob.register(rows_in);
        request.cseq = nth;
        request.branch += &nth.to_string();
        rows(&office.receive(bob.flow, request.wire()), Name::Contact).remove(0)
    };
    let row = gruus(&mut office, 1, &format!("{contact}{forged}\r\nSupported: gruu\r\n"));
    assert!(row.contains("pub-gruu=\"sip:102@example.test;gr="), "{row}");
    assert!(!row.contains("gr=x") && !row.contains("sip:y@"), "{row}");
    let row = gruus(&mut office, 2, &format!("{contact}{forged}\r\n"));
    assert!(!row.contains("gruu"), "to who does not ask, none is given: {row}");
}

/// Trap 38: a phone comes again between half and nine tenths of its time, each at a moment of its own; one that is refused comes ever
/// more rarely.
#[test]
fn trap_38_phones_do_not_come_all_at_once() {
    let mut exchange = Exchange::new(3, Weather::FAIR);
    let phones: Vec<_> = ["101", "102", "103", "104", "105", "106"]
        .map(|user| exchange.phone(user, Transport::Udp, Habits::POLITE))
        .into();
    exchange.sign_on(&phones);
    exchange.world.tap_on();
    let began = exchange.world.now();
    exchange.live(3_600_000);
    let mut moments: Vec<Duration> = Vec::new();
    for phone in &phones {
        let refresh = exchange.world.tap().sightings().find(|one| {
            one.from == Some(*phone)
                && sip::Message::parse(one.parcel.payload().to_vec())
                    .is_ok_and(|message| message.method() == Some(Method::Register))
        });
        moments.push(refresh.unwrap().at - began);
    }
    for moment in &moments {
        assert!((1700..3300).contains(&moment.as_secs()), "{moment:?}");
    }
    moments.sort();
    let apart =
        moments.windows(2).filter(|pair| pair[1] - pair[0] > Duration::from_secs(1)).count();
    assert!(apart >= 4, "{moments:?}");
}
