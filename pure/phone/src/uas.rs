//! What must be true of a request before anything is done about it, in the order of RFC 3261 §8.2.

use std::collections::{BTreeMap, VecDeque};

use machine::Time;
use protocol::transaction::{ServerId, Timers, merged};
use sip::header::{ContentEncoding, Require};
use sip::uri::unescape;
use sip::{Message, Method, Name, Status, Uri};

use crate::refusal::Refusal;
use crate::transfer::named_by;
use crate::{abilities, limits};

/// Requests that came lately, to know them again when they come by another path (RFC 3261 §8.2.2.2).
#[derive(Debug, Default)]
pub(crate) struct Seen {
    by_key: BTreeMap<Box<[u8]>, ServerId>,
    order: VecDeque<(Time, Box<[u8]>)>,
}

impl Seen {
    /// Notes a request; a refusal when it came before in another transaction.
    fn note(
        &mut self,
        now: Time,
        timers: &Timers,
        id: ServerId,
        request: &Message,
    ) -> Result<(), Refusal> {
        while self.order.front().is_some_and(|(until, _)| *until <= now)
            || self.order.len() >= limits::SEEN
        {
            let Some((_, key)) = self.order.pop_front() else { break };
            self.by_key.remove(&key);
        }
        let Some(key) = merged(request).map(|parts| Box::from(parts.join(&b'\n'))) else {
            return Ok(());
        };
        if self.by_key.get(&key).is_some_and(|other| *other != id) {
            return Err(Refusal::saying(Status::LOOP_DETECTED, "Merged Request"));
        }
        self.order.push_back((now + timers.patience(), key.clone()));
        self.by_key.insert(key, id);
        Ok(())
    }

    /// Checks a request, and notes it.
    pub(crate) fn admit(
        &mut self,
        (now, timers): (Time, &Timers),
        id: ServerId,
        request: &Message,
        user: &str,
    ) -> Result<(), Refusal> {
        sip::check(request).map_err(|error| {
            Refusal::saying(Status::BAD_REQUEST, format!("Bad Request: {error}"))
        })?;
        method(request)?;
        address(request, user)?;
        self.note(now, timers, id, request)?;
        extensions(request)?;
        replacement(request)?;
        content(request)
    }
}

/// RFC 3261 §8.2.1: what we know and do not take is 405, what nobody knows is 501.
fn method(request: &Message) -> Result<(), Refusal> {
    let method = request.method().unwrap_or(Method::Other(""));
    if abilities::takes(method) {
        return Ok(());
    }
    let status = match method {
        Method::Other(_) => Status::NOT_IMPLEMENTED,
        _ => Status::METHOD_NOT_ALLOWED,
    };
    Err(Refusal::new(status).with(Name::Allow, abilities::ALLOW))
}

/// RFC 3261 §8.2.2.1: any To is fine, but the Request-URI must be ours.
fn address(request: &Message, user: &str) -> Result<(), Refusal> {
    let ours = unescape(user.as_bytes());
    let known = match Uri::parse(request.request_uri().unwrap_or_default()) {
        Ok(Uri::Sip(uri)) => uri.user.is_none_or(|user| unescape(user) == ours),
        Ok(Uri::Tel(uri)) => uri.digits().as_bytes() == &*ours,
        Ok(Uri::Other(..)) | Err(_) => return Err(Refusal::new(Status::UNSUPPORTED_URI_SCHEME)),
    };
    if known { Ok(()) } else { Err(Refusal::new(Status::NOT_FOUND)) }
}

/// RFC 3261 §8.2.2.3: what is required and not ours is named in the refusal.
fn extensions(request: &Message) -> Result<(), Refusal> {
    let required = request.all::<Require<'_>>().filter_map(Result::ok).map(|tag| tag.0);
    let required: Vec<_> = required.filter(|tag| !abilities::knows(tag)).collect();
    if required.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(Status::BAD_EXTENSION).with(Name::Unsupported, required.join(", ")))
}

/// RFC 3891 §3, RFC 3911 §4: only an INVITE can take the place of a call, or join one.
fn replacement(request: &Message) -> Result<(), Refusal> {
    for name in [Name::Replaces, Name::Join] {
        if request.has(name) && request.method() != Some(Method::Invite) {
            let why = format!("Bad Request: {}", name.as_str());
            return Err(Refusal::saying(Status::BAD_REQUEST, why));
        }
    }
    Ok(())
}

/// RFC 3261 §8.2.3: bodies that we would have to read and cannot.
fn content(request: &Message) -> Result<(), Refusal> {
    let Some(body) = request.content() else { return Ok(()) };
    let no = |phrase: &str| Refusal::saying(Status::UNSUPPORTED_MEDIA_TYPE, phrase);
    if body.octets().len() > limits::BODY {
        return Err(Refusal::new(Status::REQUEST_ENTITY_TOO_LARGE));
    }
    if body.handling() == sip::header::Handling::Optional {
        return Ok(());
    }
    let encodings = request.all::<ContentEncoding<'_>>().filter_map(Result::ok);
    if encodings.into_iter().any(|coding| !coding.0.eq_ignore_ascii_case(abilities::ENCODING)) {
        return Err(
            no("Unsupported Content-Encoding").with(Name::AcceptEncoding, abilities::ENCODING)
        );
    }
    let reads = abilities::accept(request.method());
    // RFC 3892 §2.2: a token is for somebody else, and need not be understood.
    let token = named_by(request);
    let understood = |part: &sip::Body<'_>| {
        let id = part.named("Content-ID");
        let is_token = id.is_some() && id == token.as_ref().map(String::as_bytes);
        is_token
            || part.media().is_some_and(|media| {
                reads.split(", ").any(|known| {
                    known.split_once('/').is_some_and(|(kind, sub)| media.is(kind, sub))
                })
            })
    };
    match body.not_understood(&understood) {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(no("Unsupported Media Type").with(Name::Accept, reads)),
        Err(error) => Err(Refusal::saying(Status::BAD_REQUEST, format!("Bad Request: {error}"))),
    }
}
