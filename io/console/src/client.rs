//! `Client`: the other end, for `offhook ctl`: one request a connection, answered or explained.

use std::error::Error as _;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::{fmt, io};

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, HOST};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::limits;
use crate::query::escaped;

/// Asks a console.
#[derive(Debug)]
pub struct Client {
    runtime: Runtime,
    place: Place,
    token: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// Host and port.
    Tcp(String),
    /// The file of a socket.
    File(PathBuf),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The status: 200 to 299.
    pub status: u16,
    /// What was said.
    pub text: String,
}

/// Why there is no answer, or none that helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody listens there.
    NotRunning {
        /// Where.
        place: String,
        /// What the system says.
        why: String,
    },
    /// It was refused, and why.
    Refused {
        /// The status.
        status: u16,
        /// For programs.
        code: String,
        /// What is wrong.
        what: String,
        /// What to do; may be empty.
        hint: String,
    },
    /// Whoever listens there does not speak as a console does.
    Strange(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning { place, why } => write!(
                f,
                "no server answers at {place} ({why}): is it running, and does its config have `console` in [listen]?"
            ),
            Self::Refused { what, hint, .. } if hint.is_empty() => f.write_str(what),
            Self::Refused { what, hint, .. } => write!(f, "{what}: {hint}"),
            Self::Strange(what) => write!(f, "that is no console of Offhook: {what}"),
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Client {
    /// For the console at a URL: `http://HOST:PORT`, or `unix:FILE`.
    ///
    /// # Errors
    /// In words, when it is no such URL.
    pub fn new(url: &str, token: Option<String>) -> Result<Self, String> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        Ok(Self { runtime: runtime.map_err(|error| error.to_string())?, place: place(url)?, token })
    }

    /// Asks, and reads the whole answer.
    ///
    /// # Errors
    /// When nobody answers, or the answer is no.
    pub fn ask(&self, method: &str, path: &str) -> Result<Heard, Trouble> {
        self.runtime.block_on(async {
            let response = self.send(method, path).await?;
            whole(response).await
        })
    }

    /// Asks, and passes each line of the answer on as it comes, until there are no more or nobody wants more.
    ///
    /// # Errors
    /// When nobody answers, or the answer is no.
    pub fn follow(
        &self,
        path: &str,
        mut each: impl FnMut(&str) -> ControlFlow<()>,
    ) -> Result<(), Trouble> {
        self.runtime.block_on(async {
            let mut response = self.send("GET", path).await?;
            if !response.status().is_success() {
                return whole(response).await.map(drop);
            }
            let mut rest = Vec::new();
            while let Some(line) = next_line(&mut response, &mut rest).await? {
                if each(line.trim_end()).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    /// A text as it may stand in a path or a query.
    pub fn escaped(text: &str) -> String {
        escaped(text)
    }

    async fn send(&self, method: &str, path: &str) -> Result<Response<Incoming>, Trouble> {
        let strange = |error: &dyn std::error::Error| Trouble::Strange(error.to_string());
        let stream = self.connect().await?;
        let shaken = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = shaken.map_err(|error| strange(&error))?;
        tokio::spawn(connection);
        let host = match &self.place {
            Place::Tcp(host) => host,
            Place::File(_) => "localhost",
        };
        let mut request = Request::builder().method(method).uri(path).header(HOST, host);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(|error| strange(&error))?;
        match timeout(limits::REPLY_PATIENCE, sender.send_request(request)).await {
            Ok(response) => response.map_err(|error| Trouble::Strange(words(&error))),
            Err(_) => Err(Trouble::Strange("it does not answer in time".into())),
        }
    }

    async fn connect(&self) -> Result<Box<dyn Stream>, Trouble> {
        let stream: io::Result<Box<dyn Stream>> = match &self.place {
            Place::Tcp(host) => TcpStream::connect(host).await.map(|stream| Box::new(stream) as _),
            Place::File(path) => {
                UnixStream::connect(path).await.map(|stream| Box::new(stream) as _)
            }
        };
        stream.map_err(|error| Trouble::NotRunning {
            place: match &self.place {
                Place::Tcp(host) => format!("http://{host}"),
                Place::File(path) => path.display().to_string(),
            },
            why: error.to_string(),
        })
    }
}

/// The next line of an answer that comes bit by bit; nothing when there are no more.
async fn next_line(
    response: &mut Response<Incoming>,
    rest: &mut Vec<u8>,
) -> Result<Option<String>, Trouble> {
    loop {
        if let Some(end) = rest.iter().position(|octet| *octet == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
        }
        if rest.len() > limits::REPLY {
            return Err(Trouble::Strange("a line without an end".into()));
        }
        let Some(frame) = response.body_mut().frame().await else { return Ok(None) };
        let frame = frame.map_err(|error| Trouble::Strange(words(&error)))?;
        rest.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
    }
}

async fn whole(response: Response<Incoming>) -> Result<Heard, Trouble> {
    let status = response.status();
    let body = Limited::new(response.into_body(), limits::REPLY).collect().await;
    let octets = body.map_err(|error| Trouble::Strange(error.to_string()))?.to_bytes();
    let text = String::from_utf8_lossy(&octets).into_owned();
    if status.is_success() {
        return Ok(Heard { status: status.as_u16(), text });
    }
    let read: Value = serde_json::from_str(&text).unwrap_or_default();
    let word = |name: &str| read.get(name).and_then(Value::as_str).map(str::to_owned);
    Err(match (word("error"), word("what")) {
        (Some(code), Some(what)) => {
            let hint = word("hint").unwrap_or_default();
            Trouble::Refused { status: status.as_u16(), code, what, hint }
        }
        _ => Trouble::Strange(format!("it answers {status}")),
    })
}

/// An error with what is behind it.
fn words(error: &hyper::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

fn place(url: &str) -> Result<Place, String> {
    if let Some(path) = url.strip_prefix("unix:") {
        return Ok(Place::File(path.into()));
    }
    let Some(host) = url.strip_prefix("http://") else {
        return Err(format!("`{url}` is neither http://HOST:PORT nor unix:FILE"));
    };
    let host = host.strip_suffix('/').unwrap_or(host);
    let well = !host.is_empty()
        && !host.contains(['/', '?', '#', '@'])
        && !host.contains(char::is_whitespace);
    if !well {
        return Err(format!("`{url}` is not http://HOST:PORT"));
    }
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    Ok(Place::Tcp(if has_port { host.into() } else { format!("{host}:80") }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_url_leads() {
        for (url, host) in [
            ("http://127.0.0.1:8060", "127.0.0.1:8060"),
            ("http://[::1]:8060/", "[::1]:8060"),
            ("http://[::1]", "[::1]:80"),
            ("http://pbx", "pbx:80"),
        ] {
            assert_eq!(place(url), Ok(Place::Tcp(host.into())), "{url}");
        }
        assert_eq!(place("unix:/run/x"), Ok(Place::File("/run/x".into())));
        for url in ["https://pbx", "pbx:8060", "http://", "http://a/b", "http://a@b", ""] {
            assert!(place(url).is_err(), "{url}");
        }
    }
}
