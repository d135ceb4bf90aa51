//! `Answer` and `Refusal`: what is said back. A refusal says in words what is wrong and what to do.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::desk::Reader;
use crate::shown::shown;

/// What is said back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    kind: &'static str,
    extra: Option<Box<(HeaderName, HeaderValue)>>,
    body: Body,
}

/// The octets of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    /// All at once; taken when they are sent.
    Whole(Option<Bytes>),
    /// As they come, for one reader of events.
    Stream(mpsc::Receiver<Bytes>, #[allow(dead_code, reason = "gives its place back")] Reader),
}

/// Why somebody does not get what was asked for.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// For programs: one word that does not change.
    pub(crate) code: &'static str,
    what: String,
    hint: String,
    extra: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Answer {
    /// An answer for programs.
    pub(crate) fn json(value: &Value) -> Self {
        Self::text("application/json", shown(value) + "\n")
    }

    /// A text of some kind.
    pub(crate) fn text(kind: &'static str, text: String) -> Self {
        let body = Body::Whole(Some(text.into()));
        Self { status: StatusCode::OK, kind, extra: None, body }
    }

    /// A stream of events.
    pub(crate) const fn stream(frames: mpsc::Receiver<Bytes>, reader: Reader) -> Self {
        let body = Body::Stream(frames, reader);
        Self { status: StatusCode::OK, kind: "text/event-stream", extra: None, body }
    }

    /// The same with another status.
    pub(crate) fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// As it is sent. Whatever it is, a browser must not take it for something else, keep it, or show it within another page.
    pub(crate) fn response(self) -> Response<Body> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        for (name, value) in GUARDS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.extend(self.extra.map(|extra| (Some(extra.0), extra.1)));
        response
    }
}

const GUARDS: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &'static str, what: impl Into<String>) -> Self {
        Self { status, code, what: what.into(), hint: String::new(), extra: None }
    }

    /// The request cannot be understood.
    pub(crate) fn bad(code: &'static str, what: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, what)
    }

    /// A shard does not answer.
    pub(crate) fn busy() -> Self {
        let what = "a shard has ended, or is too busy to answer";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", what).hint("try again in a moment")
    }

    /// What to do.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// With a header field.
    pub(crate) fn with(self, name: HeaderName, value: HeaderValue) -> Self {
        Self { extra: Some(Box::new((name, value))), ..self }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let Refusal { status, code, what, hint, extra } = refusal;
        let mut words = json!({ "error": code, "what": what });
        if !hint.is_empty()
            && let Some(words) = words.as_object_mut()
        {
            words.insert("hint".into(), hint.into());
        }
        Self { extra, ..Self::json(&words).status(status) }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(octets) => Poll::Ready(octets.take().map(|octets| Ok(Frame::data(octets)))),
            Self::Stream(frames, _) => {
                frames.poll_recv(context).map(|octets| octets.map(|octets| Ok(Frame::data(octets))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(octets) => {
                SizeHint::with_exact(octets.as_ref().map_or(0, Bytes::len) as u64)
            }
            Self::Stream(..) => SizeHint::default(),
        }
    }
}
