//! §4: a phone that has an instance asks for a GRUU, and is reached by it.

use sip::{Message, Name};

use crate::handset::{Bench, account, number, picked_up, reply, rows, titles};

const INSTANCE: &str = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
const GRUU: &str =
    "sip:alice@atlanta.example;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6;x=%41";

/// A phone with an instance, and its REGISTER.
fn asking() -> (Bench, Message) {
    let mut bench = Bench::with(account().server("192.0.2.9").unwrap().instance(INSTANCE));
    bench.act(phone::Phone::register);
    let register = bench.only();
    (bench, register)
}

/// The next REGISTER, whenever it comes.
fn next(bench: &mut Bench) -> Message {
    for _ in 0..600 {
        bench.wait(1000);
        if let Some(register) = bench.sent().pop() {
            return register;
        }
    }
    panic!("it is not refreshed");
}

/// The 200 with these parameters of its Contact.
fn granted(register: &Message, params: &str) -> Message {
    let contact = rows(register, Name::Contact).concat();
    let own = contact.split('>').next().unwrap();
    reply(register, 200, "r", (&format!("Contact: {own}>;expires=600{params}"), ""))
}

/// "it MUST include the Supported header field …. MUST include "gruu""; "MUST include a "sip.instance" media feature tag"; no GRUU stands in the
/// REGISTER, and its Contact is neither the address of record nor a GRUU of it; "Proxy-Require is … NOT RECOMMENDED"; a refresh has the same Call-ID.
/// Proves: rfc5627-4.1-1, rfc5627-4.1-2, rfc5627-4.1-3, rfc5627-4.1-4, rfc5627-4.1-5, rfc5627-4.1-6, rfc5627-4.1-7, rfc5627-4.1-8,
/// rfc5627-4.1-10.
#[test]
fn a_phone_with_an_instance_asks_for_a_gruu() {
    let (mut bench, register) = asking();
    let pair = format!(";pub-gruu=\"{GRUU}\";temp-gruu=\"sip:tgruu.7hs@atlanta.example;gr\"");
    bench.tell(granted(&register, &pair));
    let again = next(&mut bench);
    for register in [&register, &again] {
        assert!(rows(register, Name::Supported).concat().contains("gruu"));
        let contact = rows(register, Name::Contact).concat();
        assert!(contact.contains(&format!(";+sip.instance=\"<{INSTANCE}>\"")), "{contact}");
        assert!(contact.starts_with("<sip:alice@192.0.2.1:5060>") && !contact.contains("gruu"));
        assert!(!register.has(Name::ProxyRequire));
    }
    assert_eq!((again.call_id(), number(&again)), (register.call_id(), number(&register) + 1));
}

/// "a UA compliant to this specification SHOULD use one of its GRUUs as its remote target", learned "through that registration", "opaquely", not to be
/// modified "in any way"; in requests and in 2xx. "a UA SHOULD include a Supported header with the option tag "gruu" in requests and responses".
/// Proves: rfc5627-A-1, rfc5627-A-2, rfc5627-A-6, rfc5627-4.2-8, rfc5627-4.2-9, rfc5627-4.2-10, rfc5627-4.2-11, rfc5627-4.4.1-1,
/// rfc5627-4.4.1-2, rfc5627-4.4.1-3.
#[test]
fn it_is_reached_by_its_gruu() {
    let (mut bench, register) = asking();
    bench.tell(granted(&register, &format!(";pub-gruu=\"{GRUU}\"")));
    let (_, invite) = bench.calls("sip:bob@biloxi.example");
    bench.tell(picked_up(&invite));
    bench.sent();
    let (_, _, ok) = bench.taken();
    for message in [invite, ok] {
        assert_eq!(rows(&message, Name::Contact), [format!("<{GRUU}>")]);
        assert!(rows(&message, Name::Supported).concat().contains("gruu"));
    }
}

/// "MUST be prepared for a Contact header field to contain just a "pub-gruu", just a "temp-gruu", neither, or both", and "for the public GRUU to
/// change"; what is none is not used.
/// Proves: rfc5627-4.2-1, rfc5627-4.2-2.
#[test]
fn whatever_the_registrar_gives_is_taken() {
    let (mut bench, mut register) = asking();
    let mut contact = |params: &str| {
        bench.tell(granted(&register, params));
        let (_, invite) = bench.calls("sip:bob@biloxi.example");
        bench.tell(reply(&invite, 486, "b", ("", "")));
        bench.sent();
        register = next(&mut bench);
        rows(&invite, Name::Contact).concat()
    };
    let plain = "<sip:alice@192.0.2.1:5060>";
    assert_eq!(contact(&format!(";pub-gruu=\"{GRUU}\"")), format!("<{GRUU}>"));
    assert_eq!(contact(";pub-gruu=\"sip:a@b;gr=2\""), "<sip:a@b;gr=2>");
    assert_eq!(contact(";temp-gruu=\"sip:t@b;gr\""), plain);
    assert_eq!(contact(""), plain);
    assert_eq!(contact(";pub-gruu=\"sip:a@b\""), plain);
    assert_eq!(contact(";pub-gruu=\"<<\""), plain);
}

/// "It MUST NOT reuse a GRUU learned through a previous registration that has lapsed".
/// Proves: rfc5627-A-3.
#[test]
fn a_gruu_ends_with_its_registration() {
    let (mut bench, register) = asking();
    bench.tell(granted(&register, &format!(";pub-gruu=\"{GRUU}\"")));
    bench.act(phone::Phone::unregister);
    let gone = bench.only();
    bench.tell(reply(&gone, 200, "r", ("", "")));
    let (_, invite) = bench.calls("sip:bob@biloxi.example");
    assert_eq!(rows(&invite, Name::Contact), ["<sip:alice@192.0.2.1:5060>"]);
}

/// "the UA MUST refresh its registration such that the REGISTER refresh transaction will either complete or timeout prior to the expiration"; "less than
/// 64 seconds, the UA SHOULD refresh its registration halfway".
/// Proves: rfc5627-4.2-4, rfc5627-4.2-5.
#[test]
fn it_is_refreshed_in_time() {
    let (mut bench, register) = asking();
    bench.tell(reply(&register, 200, "r", ("Expires: 60", "")));
    bench.wait(29_999);
    assert_eq!(bench.titles(), [""; 0]);
    bench.wait(1);
    let sent = bench.sent();
    assert_eq!(titles(&sent), ["REGISTER"]);
}

/// A phone that wants to say nothing of itself gives its temporary GRUU, the last that came; all that it has were learned under the Call-ID of its only
/// registration, which it does not end and begin anew for that.
/// Proves: rfc5627-4.2-3, rfc5627-A-4, rfc5627-A-5, rfc5627-A-17, rfc5627-A-18.
#[test]
fn who_wants_to_say_nothing_of_itself_gives_the_temporary_one() {
    let account = account().server("192.0.2.9").unwrap().instance(INSTANCE).temporary_address();
    let mut bench = Bench::with(account);
    bench.act(phone::Phone::register);
    let (first, mut register) = (bench.only(), None);
    for temporary in ["sip:tgruu.7hs@atlanta.example;gr", "sip:tgruu.8ab@atlanta.example;gr"] {
        let asked = register.unwrap_or_else(|| first.clone());
        let pair = format!(";pub-gruu=\"{GRUU}\";temp-gruu=\"{temporary}\"");
        bench.tell(granted(&asked, &pair));
        let (_, invite) = bench.calls("sip:bob@biloxi.example");
        assert_eq!(rows(&invite, Name::Contact), [format!("<{temporary}>")]);
        bench.tell(reply(&invite, 486, "b", ("", "")));
        bench.sent();
        let again = next(&mut bench);
        assert_eq!(again.call_id(), first.call_id());
        assert_ne!(rows(&again, Name::Expires), ["0"]);
        register = Some(again);
    }
}
