//! Requests of ours: routes before a dialog, credentials, and the same again (RFC 3261 §8.1, §22.2).

use std::time::Duration;

use machine::Dice;
use protocol::auth::Answers;
use protocol::dialog::{Routes, for_request_uri};
use sip::header::{RetryAfter, Warning};
use sip::{Draft, Edit, Message, Method, Name, Status, Uri};

use crate::account::Account;
use crate::line::{Errand, Outcome};
use crate::outside::Names;
use crate::whither::Hop;

/// The route set that stands before there is a dialog: the configured outbound proxy (RFC 3261 §8.1.1.1).
pub(crate) fn route(account: &Account) -> Routes {
    account.proxy.as_ref().map_or_else(Routes::default, |proxy| Routes::through(proxy))
}

/// Where a request outside of a call goes: to the outbound proxy, to the account's server, or where its own URI points.
pub(crate) fn first_hop(account: &Account, uri: &[u8]) -> Hop {
    if let Some(proxy) = &account.proxy {
        return Hop::Uri(proxy.clone());
    }
    let Ok(Uri::Sip(read)) = Uri::parse(uri) else { return Hop::Server };
    let home = read.hostport().to_string() == *account.domain;
    if home || account.server.is_some() { Hop::Server } else { Hop::Uri(uri.into()) }
}

/// True for a URI that leaves angle brackets around it closed: what is read in a header does, what stood in quotes or in a document need not.
pub(crate) fn fits_brackets(uri: &[u8]) -> bool {
    !uri.iter().any(|octet| *octet <= b' ' || matches!(octet, b'<' | b'>' | b'"' | 0x7f))
}

/// Begins a request that belongs to no call: `to` is who is meant, `uri` where it goes (RFC 3261 §8.1.1).
pub(crate) fn outside(
    account: &Account,
    method: Method<'_>,
    (uri, to): (&[u8], &[u8]),
    names: &Names,
) -> Draft {
    let to = [b"<", &*for_request_uri(to), b">"].concat();
    let draft = route(account)
        .begin(method, uri)
        .raw(Name::MaxForwards, b"70")
        .raw(Name::From, format!("{};tag={}", account.name_addr(), names.tag).as_bytes())
        .raw(Name::To, &to)
        .raw(Name::CallId, names.call_id.as_bytes())
        .raw(Name::CSeq, format!("{} {method}", names.cseq).as_bytes());
    account.sign(draft, Name::UserAgent)
}

/// The request again, when we were only asked who we are and can answer; `number` is its next CSeq.
pub(crate) fn proven(
    (errand, outcome): (&mut Errand, &Outcome),
    answers: &mut Answers,
    number: impl FnOnce() -> u32,
    dice: &mut Dice,
) -> Option<Message> {
    let Outcome::Response(response) = outcome else { return None };
    let asked =
        matches!(outcome.status(), Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED);
    if !asked || answers.learn(response, &mut errand.tries, dice).is_err() {
        return None;
    }
    again(&errand.request, number(), answers)
}

/// The request, with the answers to everything that was asked so far; nothing, when it cannot be written with them: then they are forgotten.
pub(crate) fn signed(draft: Draft, answers: &mut Answers) -> Option<Message> {
    let request = Message::parse(draft.wire()).ok()?;
    let (method, uri) = (request.method()?, request.request_uri()?);
    let rows = answers.rows(method.as_str(), uri, request.body());
    if rows.is_empty() {
        return Some(request);
    }
    let mut edit = request.edit();
    for (name, value) in rows {
        edit.append_raw(name.as_str(), &value);
    }
    written(&mut edit, answers)
}

/// The same request with the next CSeq and new credentials (RFC 3261 §22.2); everything else stays (§8.1.3.5).
pub(crate) fn again(request: &Message, cseq: u32, answers: &mut Answers) -> Option<Message> {
    let (method, uri) = (request.method()?, request.request_uri()?);
    let mut edit = request.edit();
    edit.replace_raw(Name::CSeq, format!("{cseq} {method}").as_bytes())
        .remove_all(Name::Authorization)
        .remove_all(Name::ProxyAuthorization);
    for (name, value) in answers.rows(method.as_str(), uri, request.body()) {
        edit.append_raw(name.as_str(), &value);
    }
    written(&mut edit, answers)
}

/// What was asked may be so long that no request has room for the answer.
fn written(edit: &mut Edit<'_>, answers: &mut Answers) -> Option<Message> {
    let written = edit.finish().ok();
    if written.is_none() {
        *answers = answers.fresh();
    }
    written
}

/// The words of a refusal: its reason phrase, and a Warning's text when there is one (RFC 3261 §20.43).
pub(crate) fn reason(response: &Message) -> String {
    let sip::Start::Response(status, phrase) = response.start() else { return String::new() };
    let phrase = String::from_utf8_lossy(phrase).into_owned();
    let phrase = if phrase.is_empty() { status.phrase().to_owned() } else { phrase };
    match response.get::<Warning<'_>>() {
        Some(warning) => format!("{phrase} ({})", warning.message()),
        None => phrase,
    }
}

/// The seconds of a Retry-After, when there is one (RFC 3261 §20.33).
pub(crate) fn retry_after(response: &Message) -> Option<Duration> {
    let RetryAfter { seconds, .. } = response.get()?;
    // A day at most: more would be a registrar that never wants to see us again.
    Some(Duration::from_secs(seconds.min(86_400).into()))
}
