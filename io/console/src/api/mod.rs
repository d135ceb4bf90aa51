//! The API: one table of routes. What is answered, and the document that describes it, come from the same table.

mod bans;
mod calls;
mod document;
mod drain;
mod events;
mod hangup;
mod metrics;
mod registrations;
mod reload;
mod status;
mod targets;

use std::pin::Pin;
use std::rc::Rc;

use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, StatusCode};
use serde_json::Value;

use crate::answer::{Answer, Refusal};
use crate::desk::Desk;
use crate::query::{Plus, Query, unescaped};

/// The OpenAPI document of this API.
pub use document::openapi;

/// One thing that can be asked.
pub(crate) struct Route {
    method: Method,
    /// Segments in braces stand for anything.
    path: &'static str,
    /// What programs call it.
    name: &'static str,
    /// What it does, in a sentence.
    about: &'static str,
    parameters: &'static [Parameter],
    answers: &'static [Said],
    act: Act,
}

/// A parameter, of the path or the query.
struct Parameter {
    name: &'static str,
    kind: ParameterKind,
    about: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ParameterKind {
    /// A segment of the path.
    Path,
    /// A text of the query.
    Text,
    /// A number of the query, from 1 to this.
    Number(usize),
}

/// What may be said back.
struct Said {
    status: u16,
    about: &'static str,
    content: Content,
}

/// What an answer holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// JSON of this schema.
    Json(&'static str),
    /// A text of this kind.
    Text(&'static str),
}

type Act = fn(Rc<Desk>, Asked) -> Pin<Box<dyn Future<Output = Result<Answer, Refusal>>>>;

/// What was asked, taken apart.
pub(crate) struct Asked {
    /// What stands for the segments in braces.
    path: Vec<String>,
    query: Query,
}

impl Asked {
    fn segment(&self, place: usize) -> &str {
        self.path.get(place).map_or("", String::as_str)
    }
}

/// Everything that can be asked, in the order of the document.
static ROUTES: &[&[Route]] = &[
    status::ROUTES,
    registrations::ROUTES,
    calls::ROUTES,
    hangup::ROUTES,
    targets::ROUTES,
    events::ROUTES,
    bans::ROUTES,
    reload::ROUTES,
    drain::ROUTES,
    document::ROUTES,
    metrics::ROUTES,
];

fn routes() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().copied().flatten()
}

/// Answers a request.
pub(crate) async fn answer(
    desk: &Rc<Desk>,
    request: &Request<Incoming>,
) -> Result<Answer, Refusal> {
    let path = request.uri().path();
    let here: Vec<&Route> = routes().filter(|route| fits(route.path, path).is_some()).collect();
    if here.is_empty() {
        return Err(nothing_at(path));
    }
    // The answer to HEAD is that to GET, without what it holds (RFC 9110 §9.3.2); one that does not end cannot be told so.
    let asked = request.method();
    let method = if *asked == Method::HEAD { &Method::GET } else { asked };
    let route = here.iter().find(|route| route.method == *method);
    let route = route.ok_or_else(|| wrong_method(&here, asked))?;
    if !request.body().is_end_stream() {
        let what = "this request takes no body";
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "body", what)
            .with(header::CONNECTION, HeaderValue::from_static("close")));
    }
    let known = route.parameters.iter().filter(|known| known.kind != ParameterKind::Path);
    let known: Vec<_> = known.map(|parameter| parameter.name).collect();
    let query = Query::read(request.uri().query(), &known)?;
    let segments = fits(route.path, path).unwrap_or_default();
    let path = segments.into_iter().map(|segment| unescaped(segment, Plus::Itself));
    (route.act)(Rc::clone(desk), Asked { path: path.collect::<Result<_, _>>()?, query }).await
}

/// What stands for the segments in braces; `None` when the path is another.
fn fits<'a>(pattern: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let mut found = Vec::new();
    let (mut patterns, mut segments) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), segments.next()) {
            (None, None) => return Some(found),
            (Some(pattern), Some(segment)) if pattern.starts_with('{') && !segment.is_empty() => {
                found.push(segment);
            }
            (Some(pattern), Some(segment)) if pattern == segment => {}
            _ => return None,
        }
    }
}

fn nothing_at(path: &str) -> Refusal {
    let what = format!("there is nothing at `{}`", path.escape_debug());
    let hint = "the API is described at /api/v1/openapi.json, metrics are at /metrics";
    Refusal::new(StatusCode::NOT_FOUND, "not_found", what).hint(hint)
}

fn wrong_method(here: &[&Route], asked: &Method) -> Refusal {
    let known: Vec<_> = here.iter().map(|route| route.method.as_str()).collect();
    let known = known.join(", ");
    let what = format!("{} is not known here", asked.as_str().escape_debug());
    let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method", what);
    let refusal = refusal.hint(format!("known here: {known}"));
    match HeaderValue::from_str(&known) {
        Ok(known) => refusal.with(header::ALLOW, known),
        Err(_) => refusal,
    }
}

/// A text of a peer, as far as it is one.
fn text(octets: &[u8]) -> Value {
    String::from_utf8_lossy(octets).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_fit_segment_by_segment() {
        assert_eq!(fits("/a/{b}/c", "/a/x%2Fy/c"), Some(vec!["x%2Fy"]));
        for path in ["/a//c", "/a/x", "/a/x/c/", "/a/x/d", "a/x/c", ""] {
            assert_eq!(fits("/a/{b}/c", path), None, "{path}");
        }
    }

    #[test]
    fn no_two_routes_answer_the_same() {
        let mut all: Vec<_> = routes().map(|route| (route.path, route.method.as_str())).collect();
        let mut names: Vec<_> = routes().map(|route| route.name).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        names.sort_unstable();
        names.dedup();
        assert_eq!((all.len(), names.len()), (count, count));
    }
}
