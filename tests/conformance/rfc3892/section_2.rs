//! §2, §3: who asked for a call.

use phone::Referrals;
use sip::{Method, Name};

use crate::handset::{Bench, account, picked_up, reply, rows, titles, within};

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

/// What signs for Bob; it is read by whoever is called, and by nobody on the way.
const TOKEN: &str = "--s\r\nContent-Type: message/sipfrag\r\n\r\nRefer-To: <sip:carol@chicago.example>\r\n--s\r\nContent-Type: \
                     application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\nMIAGCSqGSIb3DQEHA6CAMIACAQ==\r\n--s--\r\n";

/// "MUST copy any Referred-By header field value and token into the referenced request without modification", whether the token is all that the REFER
/// carries or one part of it; "A referee SHOULD NOT reject a request that contains a Referred-By token encrypted to a key it does not possess".
/// Proves: rfc3892-A-3, rfc3892-A-4.
#[test]
fn the_token_goes_with_it_word_for_word() {
    let kind = "multipart/signed;protocol=\"application/pkcs7-signature\";micalg=sha1;boundary=s";
    let described = format!("Content-Type: {kind}\r\nContent-ID: <2UWQ@h>\r\n");
    let mixed = format!("--m\r\n{described}\r\n{TOKEN}\r\n--m--\r\n");
    let in_parts = "Content-Type: multipart/mixed;boundary=m\r\n";
    for (rows_of_it, body) in [(&*described, TOKEN), (in_parts, &*mixed)] {
        let follow = account().server("192.0.2.9").unwrap().referrals(Referrals::Follow);
        let mut bench = Bench::with(follow);
        let (_, _, ok) = bench.taken();
        let refer = format!(
            "Refer-To: <sip:carol@chicago.example>\r\nReferred-By: <sip:bob@biloxi.example>;cid=\"2UWQ@h\"\r\n{rows_of_it}"
        );
        bench.tell(within(&ok, "REFER", 2, &refer, body));
        let sent = bench.sent();
        assert!(titles(&sent).contains(&"202".to_owned()), "{:?}", titles(&sent));
        let invite = sent.iter().find(|sent| sent.method() == Some(Method::Invite)).unwrap();
        assert_eq!(rows(invite, Name::ReferredBy), ["<sip:bob@biloxi.example>;cid=\"2UWQ@h\""]);
        let parts = invite.content().unwrap().parts().unwrap().unwrap();
        assert!(parts[0].is("application", "sdp") && parts.len() == 2);
        assert_eq!(parts[1].named("Content-ID"), Some(&b"<2UWQ@h>"[..]));
        assert_eq!(parts[1].named("Content-Type"), Some(kind.as_bytes()));
        assert_eq!(parts[1].octets(), TOKEN.as_bytes());
        bench.tell(picked_up(invite));
        assert!(bench.titles().contains(&"ACK".to_owned()));
    }
}

/// "Implementations that send requests containing multipart message bodies MUST send a session description as a non-multipart message body if the remote
/// implementation requests this": who takes no parts is called without the token.
/// Proves: rfc3261-7.4.1-4.
#[test]
fn who_takes_no_parts_gets_the_offer_alone() {
    let follow = account().server("192.0.2.9").unwrap().referrals(Referrals::Follow);
    let mut bench = Bench::with(follow);
    let (_, _, ok) = bench.taken();
    let refer = "Refer-To: <sip:carol@chicago.example>\r\nReferred-By: <sip:bob@biloxi.example>;cid=\"t@h\"\r\n\
                 Content-Type: multipart/signed;boundary=s\r\nContent-ID: <t@h>\r\n";
    bench.tell(within(&ok, "REFER", 2, refer, TOKEN));
    let is_invite = |sent: &sip::Message| sent.method() == Some(Method::Invite);
    let invite = bench.sent().into_iter().find(is_invite).unwrap();
    bench.tell(reply(&invite, 415, "c", ("Accept: application/sdp", "")));
    let again = bench.sent().into_iter().find(is_invite).unwrap();
    assert_eq!(rows(&again, Name::ContentType), ["application/sdp"]);
    let offer = invite.content().unwrap().find("application", "sdp").unwrap().unwrap();
    assert_eq!(again.body(), offer.octets());
    // And whoever refuses that too is not asked for ever.
    bench.tell(reply(&again, 415, "c", ("Accept: application/sdp", "")));
    assert!(!bench.sent().iter().any(is_invite));
}

/// Whoever is called by somebody with a token takes the call, and reads the offer.
#[test]
fn a_call_with_a_token_is_taken() {
    let mut bench = Bench::new();
    let token = format!(
        "--m\r\nContent-Type: multipart/signed;boundary=s\r\nContent-ID: <t@h>\r\n\r\n{TOKEN}\r\n"
    );
    let offer = crate::handset::SDP;
    let body = format!("{token}--m\r\nContent-Type: application/sdp\r\n\r\n{offer}\r\n--m--\r\n");
    let by = "Referred-By: <sip:carol@chicago.example>;cid=\"t@h\"\r\nContent-Type: multipart/mixed;boundary=m\r\n";
    let invite = bench.request("INVITE", by, &body);
    bench.tell(invite);
    let call = bench.incoming();
    bench.answer(call);
    let ok = bench.only();
    assert!(ok.status().is_some_and(sip::Status::is_success) && !ok.body().is_empty());
    // Without its name in Referred-By it is something that we would have to read.
    let nameless = bench.request("INVITE", &by.replace(";cid=\"t@h\"", ""), &body);
    bench.tell(nameless);
    assert_eq!(bench.titles(), ["415"]);
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
