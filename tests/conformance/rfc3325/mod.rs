//! RFC 3325, Asserted Identity within Trusted Networks, as a proxy at the border keeps it.

mod section_5;
mod section_6;
mod section_7;
mod section_8;

use std::net::SocketAddr;

use offhook_tests::office::{Office, Phone, Request, Sent, requests, settings};
use protocol::Flow;
use server::settings::{Proxy, Route, Settings, Trust};

/// The carrier, whom we trust.
pub(crate) const CARRIER: &str = "192.0.2.50:5060";
/// Another server, whom we do not.
pub(crate) const STRANGER: &str = "192.0.2.60:5060";

/// An office with routes to both: +44 to the carrier, +33 to the other. The carrier calls our users without being asked who it is.
pub(crate) fn office() -> Office {
    let mut routes = vec![
        Route::prefix("+44", "sip:192.0.2.50"),
        Route::prefix("+33", "sip:192.0.2.60"),
        Route::domain("carrier.test", Some("sip:192.0.2.50")),
        Route::domain("stranger.test", Some("sip:192.0.2.60")),
    ];
    routes.iter_mut().take(2).for_each(|route| route.trust = Trust::Proven);
    let trusted = vec!["192.0.2.48/29".parse().unwrap()];
    let proxy = Proxy { trusted, ..Proxy::default() };
    let mut office = Office::new(Settings { proxy, routes, ..settings() });
    office.register(&Phone::udp(102));
    office
}

/// 101 calls a number, and proves who it is; the INVITE that goes out.
pub(crate) fn called(number: &str, rows: &[&str]) -> Sent {
    let alice = Phone::udp(101);
    let mut invite = alice.invite(&format!("sip:{number}@example.test"));
    for row in rows {
        invite = invite.row(row);
    }
    let sent = office().converse(&alice, &invite);
    requests(&sent, "INVITE").pop().unwrap_or_else(|| panic!("{sent:?}"))
}

/// A call to 102 from one of those servers: the INVITE that reaches the phone.
pub(crate) fn calls_102(from: &str, rows: &[&str]) -> (Office, Sent) {
    let peer: SocketAddr = from.parse().unwrap();
    let flow = Flow { peer, ..Phone::udp(101).flow };
    let domain = if from == CARRIER { "carrier.test" } else { "stranger.test" };
    let mut invite: Request = Phone { user: "4420".into(), flow }.invite("sip:102@example.test");
    invite.from = format!("<sip:4420@{domain}>;tag=1");
    for row in rows {
        invite = invite.row(row);
    }
    let mut office = office();
    let sent = office.receive(flow, invite.wire());
    let copy = requests(&sent, "INVITE").pop().unwrap_or_else(|| panic!("{sent:?}"));
    (office, copy)
}

pub(crate) fn rows_of(sent: &Sent, name: sip::Name) -> Vec<String> {
    let rows = sent.message.rows(name);
    rows.map(|row| String::from_utf8_lossy(row).into_owned()).collect()
}
