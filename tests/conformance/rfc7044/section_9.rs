//! §9, §10: History-Info in requests; and Diversion (RFC 5806).

use offhook_tests::office::{Office, Phone, Sent, found, reply, requests, rows, trusting};
use protocol::{Input, Transport};
use server::settings::{Proxy, Recurse, Route, Settings};
use sip::Name;

fn telling(recurse: Recurse) -> Settings {
    Settings { proxy: Proxy { history: true, recurse, ..Proxy::default() }, ..trusting() }
}

fn history(sent: &[Sent]) -> Vec<String> {
    rows(sent, Name::HistoryInfo)
}

/// Calls 102 with these rows; the copies.
fn call(office: &mut Office, more: &str) -> Vec<Sent> {
    let alice = Phone::udp(101);
    let mut invite = alice.invite("sip:102@example.test");
    invite.rows += more;
    requests(&office.receive(alice.flow, invite.wire()), "INVITE")
}

/// Registers phones for 102, the first of them preferred; where they are.
fn phones(office: &mut Office, qs: &[&str]) -> Vec<Phone> {
    let phones: Vec<_> = (2..)
        .zip(qs)
        .map(|(host, _)| Phone { user: "102".into(), ..Phone::udp(100 + host) })
        .collect();
    let contact = |(phone, q): (&Phone, &&str)| format!("<{}>;q={q}", phone.contact());
    let contacts: Vec<_> = phones.iter().zip(qs).map(contact).collect();
    office.register_at(&phones[0], &contacts.join(", "));
    phones
}

/// §9.1, §9.2, §10.4: who wrote nothing is spoken for, and a registered phone is where the same user is.
#[test]
fn a_phone_is_told_whose_number_was_dialled() {
    let mut office = Office::new(telling(Recurse::Never));
    let bob = phones(&mut office, &["1.0"]).remove(0);
    assert_eq!(
        history(&call(&mut office, "")),
        [
            "<sip:102@example.test>;index=1".to_owned(),
            format!("<{}>;index=1.1;rc=1", bob.contact())
        ]
    );
}

/// §10.3: what came is kept, a further hop is a further level, and a gap is a nought.
#[test]
fn what_others_have_told_is_kept_and_continued() {
    for (last, from) in [("sip:102@example.test", "1.1"), ("sip:other@example.test", "1.1.0")] {
        let mut office = Office::new(telling(Recurse::Never));
        phones(&mut office, &["1.0"]);
        let rows = format!(
            "History-Info: <sip:900@far.test>;index=1\r\nHistory-Info: <{last}>;index=1.1;mp=1\r\n"
        );
        let told = history(&call(&mut office, &rows));
        assert_eq!(
            told[..2].concat(),
            format!("<sip:900@far.test>;index=1<{last}>;index=1.1;mp=1")
        );
        assert!(told.last().unwrap().ends_with(&format!(";index={from}.1;rc={from}")), "{told:?}");
        assert_eq!(told.len(), if from == "1.1" { 3 } else { 4 });
    }
}

/// §9.3, §10.2: the second phone is told what the first one said; phones that ring together know nothing of each other.
#[test]
fn what_was_tried_before_is_told_with_its_answer() {
    let mut office = Office::new(telling(Recurse::Never));
    let bobs = phones(&mut office, &["1.0", "0.5"]);
    let first = call(&mut office, "").remove(0);
    let sent = office.receive(first.flow, reply(&first.message, 486, ""));
    let second = requests(&sent, "INVITE");
    assert_eq!(
        history(&second)[1..],
        [
            format!("<{}?Reason=SIP%3Bcause%3D486>;index=1.1;rc=1", bobs[0].contact()),
            format!("<{}>;index=1.2;rc=1", bobs[1].contact()),
        ]
    );
    let mut office = Office::new(telling(Recurse::Never));
    phones(&mut office, &["1.0", "1.0"]);
    for (number, copy) in (1..).zip(call(&mut office, "")) {
        let told = history(std::slice::from_ref(&copy));
        assert!(told[1].contains(&format!(";index=1.{number};rc=1")) && told.len() == 2);
    }
}

/// A target with two addresses is one target: what the first address could not take is no answer of the second.
#[test]
fn another_address_of_the_same_target_tells_nothing_of_the_first() {
    let mut office = Office::new(telling(Recurse::Never));
    office.register_at(&Phone::udp(102), "<sip:102@pair.test>");
    assert!(call(&mut office, "").is_empty());
    let ticket = office.asked.remove(0).0;
    let pair = found(&[(Transport::Udp, "192.0.2.71:5060"), (Transport::Udp, "192.0.2.72:5060")]);
    let first = requests(&office.tell(Input::Answered(ticket, pair)), "INVITE").remove(0);
    let second = requests(&office.tell(Input::Failed(first.flow)), "INVITE");
    assert_ne!(second[0].flow.peer, first.flow.peer);
    assert_eq!(history(&second), history(&[first]));
}

/// RFC 5806 §4, RFC 7044 §10.4: a phone that sends its calls on is named, and how it knew where to is not.
#[test]
fn who_has_sent_a_call_on_is_told() {
    for (said, told) in [
        ("", "<sip:102@example.test>;reason=deflection;counter=1"),
        (
            "Diversion: <sip:102@example.test>;reason=user-busy\r\n",
            "<sip:102@example.test>;reason=user-busy",
        ),
    ] {
        let mut office = Office::new(telling(Recurse::ToUsers));
        phones(&mut office, &["1.0"]);
        let mailbox = Phone::udp(105);
        office.register(&mailbox);
        let first = call(&mut office, "Diversion: <sip:1@far.test>;reason=away\r\n").remove(0);
        let rows_of_302 = format!("Contact: <sip:105@example.test>\r\n{said}");
        let mut sent = office.receive(first.flow, reply(&first.message, 302, &rows_of_302));
        sent.extend(office.locate());
        let on = requests(&sent, "INVITE");
        assert_eq!(on[0].flow.peer, mailbox.flow.peer);
        assert_eq!(rows(&on, Name::Diversion), [told, "<sip:1@far.test>;reason=away"]);
        let last = history(&on).pop().unwrap();
        assert!(last.starts_with(&format!("<{}>;index=1.", mailbox.contact())), "{last}");
        assert!(!last.contains(";rc=") && !last.contains(";mp="), "{last}");
    }
}

/// §10.1.2: outside of the trust domain a caller who wants it so leaves no trace of our places.
#[test]
fn a_caller_who_wants_privacy_leaves_no_trace_outside() {
    let routes = vec![Route::prefix("0", "sip:192.0.2.99")];
    for (privacy, hidden, left) in [
        ("", false, None),
        ("Privacy: history\r\n", true, None),
        ("Privacy: id;history\r\n", true, Some("id")),
    ] {
        let mut office =
            Office::new(Settings { routes: routes.clone(), ..telling(Recurse::Never) });
        let alice = Phone::udp(101);
        let mut invite = alice.invite("sip:0123@example.test");
        invite.rows += privacy;
        let sent = requests(&office.receive(alice.flow, invite.wire()), "INVITE");
        let told = history(&sent).concat();
        assert_eq!(rows(&sent, Name::Privacy).first().map(String::as_str), left);
        assert_eq!(!told.contains("0123@example.test"), hidden, "{told}");
        assert_eq!(told.contains("<sip:anonymous@anonymous.invalid>;index=1"), hidden, "{told}");
    }
}

/// Without the setting what came passes, and nothing is added; within a dialog there is nothing to tell.
#[test]
fn nothing_is_told_unasked() {
    let mut office = Office::new(trusting());
    phones(&mut office, &["1.0"]);
    let theirs = "History-Info: <sip:900@far.test>;index=1\r\nDiversion: <sip:1@far.test>\r\n";
    let sent = call(&mut office, theirs);
    assert_eq!(history(&sent), ["<sip:900@far.test>;index=1"]);
    assert_eq!(rows(&sent, Name::Diversion), ["<sip:1@far.test>"]);
}
