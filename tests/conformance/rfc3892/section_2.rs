//! §2, §3: who asked for a call.

use phone::Referrals;
use sip::{Method, Name};

use crate::handset::{Bench, account, rows, within};

/// "A UA accepting a REFER request … MUST copy any Referred-By header field value … into the referenced request without modification"; "A referee
/// SHOULD present the same identity to the referrer and the refer target."
/// Proves: rfc3892-A-5.
#[test]
fn who_asked_is_said_word_for_word() {
    let follow = account().server("192.0.2.9").unwrap().referrals(Referrals::Follow);
    let mut bench = Bench::with(follow);
    let (_, _, ok) = bench.taken();
    let by = "\"Bob\"   <sip:bob@biloxi.example;x=1>;cid=\"2UWQFN309shb3@h\"";
    let rows_of_it = format!("Refer-To: <sip:carol@chicago.example>\r\nReferred-By: {by}\r\n");
    bench.tell(within(&ok, "REFER", 2, &rows_of_it, ""));
    let sent = bench.sent();
    let invite = sent.iter().find(|sent| sent.method() == Some(Method::Invite)).unwrap();
    assert_eq!(rows(invite, Name::ReferredBy), [by]);
    assert!(rows(invite, Name::From)[0].contains("sip:alice@atlanta.example"));
}

/// Two of them name nobody.
#[test]
fn a_refer_in_two_names_is_refused() {
    let mut bench = Bench::new();
    let (_, _, ok) = bench.taken();
    let by = "Referred-By: <sip:bob@biloxi.example>\r\n";
    let rows = format!("Refer-To: <sip:carol@chicago.example>\r\n{by}{by}");
    bench.tell(within(&ok, "REFER", 2, &rows, ""));
    assert_eq!(bench.titles(), ["400"]);
}
