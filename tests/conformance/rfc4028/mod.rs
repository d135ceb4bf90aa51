//! RFC 4028, Session Timers in SIP, as a proxy and as our phone keeps them.

mod section_10;
mod section_4;
mod section_7_2;
mod section_7_4;
mod section_8_1;
mod section_8_2;
mod section_9;

use offhook_tests::office::{Office, Phone, Request, Sent, requests, trusting};
use server::settings::{Proxy, SessionTimer, Settings};

/// An office that asks for half an hour and takes five minutes; 102 is registered.
fn office() -> Office {
    let session_timer = Some(SessionTimer { expires: 1800, min: 300 });
    let proxy = Proxy { session_timer, ..Proxy::default() };
    let mut office = Office::new(Settings { proxy, ..trusting() });
    office.register(&Phone::udp(102));
    office
}

fn invite(rows: &str) -> Request {
    let mut invite = Phone::udp(101).invite("sip:102@example.test");
    invite.rows += rows;
    invite
}

/// The INVITE with these rows, as it goes on.
fn forwarded(office: &mut Office, rows: &str) -> Sent {
    let sent = office.receive(Phone::udp(101).flow, invite(rows).wire());
    requests(&sent, "INVITE").pop().unwrap_or_else(|| panic!("{sent:?}"))
}
