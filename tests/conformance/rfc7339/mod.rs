//! Neighbours tell each other how much is too much: the loss-based scheme.

mod section_4;
mod section_5;
mod section_5_10;

use std::time::Duration;

use machine::Time;
use offhook_tests::office::{Office, Phone, Sent, trusting};
use protocol::Input;
use protocol::doors::Backlog;
use server::Settings;
use server::settings::{Overload, Route};
use sip::header::Via;

/// An office that sends what is for `far.test` to 203.0.113.7, trusts everybody, and knows the server of [`upstream`] and another one.
fn office() -> Office {
    let routes = vec![Route::domain("far.test", Some("sip:203.0.113.7:5060"))];
    let unlimited = ["198.51.100.1/32", "198.51.100.6/32"].map(|known| known.parse().unwrap());
    let unlimited = unlimited.to_vec();
    let overload = Overload { unlimited, ..Overload::default() };
    let mut office = Office::new(Settings { routes, overload, ..trusting() });
    office.now = Time(1_700_000_000_000_000_000);
    office
}

/// A server that sends us its users' calls, and says in its Via what it wants to know.
fn upstream(office: &mut Office, call: usize, asks: &str) -> Vec<Sent> {
    asked(office, &Phone::udp(101), call, asks)
}

/// The same of anybody.
fn asked(office: &mut Office, server: &Phone, call: usize, asks: &str) -> Vec<Sent> {
    let mut request = server.invite("sip:102@example.test").call(&format!("up{call}"));
    request.branch += &format!("{call}{asks}");
    office.receive(server.flow, request.wire())
}

/// What the topmost Via of a message says.
fn param(sent: &Sent, name: &str) -> Option<String> {
    let via = sent.message.get::<Via>().unwrap();
    let value = via.params.unquoted(name)?;
    Some(String::from_utf8(value).unwrap())
}

/// The responses among what was sent.
fn responses(sent: &[Sent]) -> Vec<Sent> {
    sent.iter().filter(|sent| sent.message.status().is_some()).cloned().collect()
}

/// Turns of the driver, a tenth of a second apart, in each of which so many calls come: what is answered. A turn has time for some sixty
/// new calls.
fn pass(office: &mut Office, tenths: u64, calls: usize, asks: &str) -> Vec<Sent> {
    let mut sent = Vec::new();
    for _ in 0..tenths {
        begin_turn(office);
        for call in 0..calls {
            let number = office.now.0 as usize / 1_000_000 % 1_000_000 * 1000 + call;
            sent.extend(responses(&upstream(office, number, asks)));
        }
        sent.extend(responses(&office.turn_ends()));
    }
    sent
}

/// A tenth of a second later the driver has read something.
fn begin_turn(office: &mut Office) {
    office.now = office.now + Duration::from_millis(100);
    office.tell(Input::Waited(Backlog::default()));
}
