//! §2.4.2, §2.4.3: what the phone makes of a REFER.

use phone::{PhoneEvent, Referrals};
use sip::{Method, Name};

use super::{CAROL, obedient, of, refer};
use crate::handset::{Bench, account, number, picked_up, rows, titles, uri, within};

fn code(bench: &mut Bench) -> u16 {
    bench.only().status().unwrap().code()
}

/// "If approval is granted, the UA MUST contact the resource identified by the URI in the Refer-To"; "the UA MUST return a 202 Accepted response
/// before the REFER transaction expires". Asked for, approval is the program's, or the account's.
/// Proves: rfc3515-A-3, rfc3515-A-6.
#[test]
fn a_refer_is_accepted_at_once_and_followed_when_it_may_be() {
    let (mut bench, _, ok) = obedient();
    bench.tell(refer(&ok, 2, CAROL));
    let sent = bench.sent();
    assert_eq!(titles(&sent), ["202", "NOTIFY", "INVITE"]);
    assert_eq!(uri(&sent[2]), "sip:carol@chicago.example");

    let mut bench = Bench::new();
    let (call, _, ok) = bench.taken();
    bench.events();
    bench.tell(refer(&ok, 2, CAROL));
    assert_eq!(bench.titles(), ["202", "NOTIFY"], "nobody is called unasked");
    let to = "sip:carol@chicago.example".into();
    assert_eq!(bench.events(), [PhoneEvent::Referred { call, to }]);
    bench.act(|phone, now, out| phone.follow(now, call, out)).unwrap();
    assert_eq!(bench.titles(), ["INVITE"]);
}

/// "MUST return a 400 (Bad Request) if the request contained zero or more than one Refer-To"; "A UA not capable of accessing non-SIP URIs SHOULD NOT
/// accept REFER requests to them".
/// Proves: rfc3515-A-4, rfc3515-A-5.
#[test]
fn what_cannot_be_called_is_refused() {
    let (mut bench, _, ok) = obedient();
    bench.tell(refer(&ok, 2, ""));
    assert_eq!(code(&mut bench), 400);
    bench.tell(refer(&ok, 3, &format!("{CAROL}{CAROL}")));
    assert_eq!(code(&mut bench), 400);
    bench.tell(refer(&ok, 4, "Refer-To: <http://169.254.169.254/>\r\n"));
    assert_eq!(code(&mut bench), 416);
    bench.tell(refer(&ok, 5, "Refer-To: <sip:carol@chicago.example;method=SUBSCRIBE>\r\n"));
    assert_eq!(code(&mut bench), 403);
}

/// Whoever does not talk to us cannot make us call; nor can anybody, when the account says so; nor does one call serve for many.
#[test]
fn strangers_and_floods_are_refused() {
    let (mut bench, _, ok) = obedient();
    let stranger = bench.request("REFER", CAROL, "");
    bench.tell(stranger);
    assert_eq!(code(&mut bench), 403);
    for number in 2..6 {
        bench.tell(refer(&ok, number, CAROL));
        bench.sent();
    }
    bench.tell(refer(&ok, 6, CAROL));
    assert_eq!(code(&mut bench), 486);

    let stubborn = account().server("192.0.2.9").unwrap().referrals(Referrals::Refuse);
    let mut bench = Bench::with(stubborn);
    let (_, _, ok) = bench.taken();
    bench.tell(refer(&ok, 2, CAROL));
    assert_eq!(code(&mut bench), 603);
}

/// Before anybody has picked up there is nothing to transfer.
#[test]
fn a_ringing_call_refers_to_nobody() {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", "", crate::handset::SDP);
    bench.tell(invite);
    let call = bench.incoming();
    bench.ring(call);
    let ringing = bench.only();
    bench.tell(within(&ringing, "REFER", 2, CAROL, ""));
    assert_eq!(code(&mut bench), 403);
}

/// RFC 4488: whoever wants to hear nothing is told nothing, and is told so.
#[test]
fn who_wants_no_news_gets_none() {
    let (mut bench, _, ok) = obedient();
    bench.tell(refer(&ok, 2, &format!("{CAROL}Refer-Sub: false\r\n")));
    let sent = bench.sent();
    assert_eq!(titles(&sent), ["202", "INVITE"]);
    assert_eq!(rows(&sent[0], Name::ReferSub), ["false"]);
    bench.tell(picked_up(&sent[1]));
    assert_eq!(bench.titles(), ["ACK"]);
}

/// The new call has the credentials of the account and the mouth of the old one; the old one stays until the other side hangs it up.
#[test]
fn the_new_call_goes_on_for_the_old_one() {
    let (mut bench, call, ok) = obedient();
    bench.tell(refer(&ok, 2, CAROL));
    let invite = of(&bench.sent(), Method::Invite).remove(0);
    assert_eq!(number(&invite), 1);
    bench.events();
    bench.tell(picked_up(&invite));
    let events = bench.events();
    let new = events.iter().find_map(|event| match event {
        PhoneEvent::GoesOn { call: old, new } if *old == call => Some(*new),
        _ => None,
    });
    bench.sent();
    bench.tell(within(&ok, "BYE", 3, "", ""));
    assert_eq!(bench.titles(), ["200"]);
    assert_eq!(bench.act(|phone, _, _| phone.calls().collect::<Vec<_>>()), [new.unwrap()]);
}
