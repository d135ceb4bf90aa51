//! Push notification with SIP, as registrar and proxy of one house.

use std::time::Duration;

use offhook_tests::office::{Office, Phone, Request, Sent, settings, trusting};
use protocol::doors::{Question, Sleeper};
use protocol::{Answer, Input, Ticket};
use server::settings::{Push, Settings};

mod section_5;
mod section_5_6_2;

/// What the phones of these tests say of their notification service.
const PN: &str = "pn-provider=fcm;pn-param=project;pn-prid=phone%2Done";

fn house(settings: Settings) -> Settings {
    let providers = vec!["apns".into(), "fcm".into()];
    Settings { push: Some(Push { providers, wait: Duration::from_secs(10) }), ..settings }
}

/// A house that trusts everybody and wakes phones.
fn office() -> Office {
    Office::new(house(trusting()))
}

/// A house that wakes phones, and asks everybody who it is.
fn strict() -> Office {
    Office::new(house(settings()))
}

/// A REGISTER of a phone that can be woken.
fn register(phone: &Phone, cseq: u32, params: &str, rows: &str) -> Request {
    let contact = format!("Contact: <{};{params}>{rows}", phone.contact());
    let mut request = phone.register("").row(&contact);
    request.cseq = cseq;
    request.branch += &cseq.to_string();
    request
}

/// The notifications that were asked for since this was asked last.
fn pushes(office: &mut Office) -> Vec<(Ticket, Sleeper)> {
    let (pushes, others): (Vec<_>, Vec<_>) = std::mem::take(&mut office.asked)
        .into_iter()
        .partition(|(_, question)| matches!(question, Question::Push(_)));
    office.asked = others;
    let sleeper = |(ticket, question): (Ticket, Question)| match question {
        Question::Push(sleeper) => Some((ticket, *sleeper)),
        _ => None,
    };
    pushes.into_iter().filter_map(sleeper).collect()
}

/// The service takes a notification, or does not.
fn answer(office: &mut Office, ticket: Ticket, answer: Answer) -> Vec<Sent> {
    office.tell(Input::Answered(ticket, answer))
}
