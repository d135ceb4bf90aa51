//! §8: what our phone makes of an asserted identity.

use crate::handset::{Bench, account, reply};

/// "if a User Agent Server receives a message from a previous element that it does not trust, it MUST NOT use the P-Asserted-Identity header field in any
/// way": Bob, who comes from his own address, is whom the From says; from our server it counts.
/// Proves: rfc3325-8-1.
#[test]
fn a_stranger_s_word_of_who_somebody_is_is_not_heard() {
    for (registered, asserted, status) in [
        (false, "sip:mallory@biloxi.example", "200"),
        (true, "sip:mallory@biloxi.example", "403"),
        (true, "sip:bob@192.0.2.9", "200"),
    ] {
        let account = account().server("192.0.2.9").unwrap();
        let mut bench = Bench::with(account.shows_calls(&["sip:bob@192.0.2.9"]));
        if registered {
            bench.act(|phone, now, out| phone.register(now, out));
            let register = bench.only();
            bench.tell(reply(&register, 200, "r", ("", "")));
        }
        let rows = format!("Event: dialog\r\nP-Asserted-Identity: <{asserted}>\r\n");
        let asked = bench.request("SUBSCRIBE", &rows, "");
        let from = b"<sip:bob@192.0.2.9>;tag=b1";
        let asked = asked.edit().replace_raw(sip::Name::From, from).finish().unwrap();
        bench.tell(asked);
        assert_eq!(bench.titles()[0], status, "{asserted}");
    }
}
