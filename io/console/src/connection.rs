//! One connection: HTTP/1.1 by hyper, with limits for everything that a peer can make long.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::answer::{Answer, Body, Refusal};
use crate::desk::Desk;
use crate::gate::Way;
use crate::patience::Patient;
use crate::seats::Seat;
use crate::{api, limits};

/// Says that the console ends.
pub(crate) type End = watch::Receiver<()>;

/// Serves whoever is at the other end, until it goes, is too slow, or says what is no HTTP.
pub(crate) async fn serve<S>(desk: Rc<Desk>, seat: Seat, way: Way, stream: S, mut end: End)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let (desk, seat) = (&desk, &seat);
    let service = service_fn(move |request: Request<Incoming>| async move {
        Ok::<_, Infallible>(answer(desk, seat, way, &request).await)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::PATIENCE)
        .max_buf_size(limits::HEAD)
        .max_headers(limits::HEADERS)
        .half_close(false)
        .serve_connection(TokioIo::new(Patient::new(stream, limits::DEAF)), service);
    let (mut connection, mut end) = (pin!(connection), pin!(end.changed()));
    let mut ending = false;
    let ended = poll_fn(|context| {
        if !ending && end.as_mut().poll(context).is_ready() {
            // What is being answered is answered to the end.
            ending = true;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(context)
    });
    // How a peer went is nobody's business: what it asked for is answered, or it did not want to know.
    drop(ended.await);
}

async fn answer(
    desk: &Rc<Desk>,
    seat: &Seat,
    way: Way,
    request: &Request<Incoming>,
) -> Response<Body> {
    let admitted = desk.gate.admits(way, request.uri(), request.headers());
    let answer: Result<Answer, Refusal> = match admitted {
        Ok(()) => {
            seat.prove();
            api::answer(desk, request).await
        }
        Err(refusal) => {
            if let Way::Tcp(source) = way {
                desk.house.refused(source, refusal.code);
            }
            Err(refusal)
        }
    };
    answer.unwrap_or_else(Into::into).response()
}
