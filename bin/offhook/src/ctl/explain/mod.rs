//! `offhook ctl explain "101 dials +44…"`: where a call would go, and why. It reads the config, and asks a server that serves nobody:
//! what that decides, the one that serves decides too.

mod said;
mod sentence;

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use machine::{Dice, Time};
use protocol::{Flow, Listener, Transport};
use server::Node;
use server::explain::{Explanation, Verdict};
use server::settings::Shard;
use sip::Message;

use crate::check;
use crate::config::Config;
use crate::log::Log;
use crate::outcome::Outcome;
use crate::serve::house;
use sentence::Sentence;

/// What `offhook ctl explain` is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Who calls whom: "101 dials +442079460000", "sip:carol@other.test calls sip:101@example.test", "101 dials 102 at
    /// 2026-11-28T20:00"
    pub sentence: String,
    /// The config file
    #[arg(long, value_name = "FILE", default_value = "offhook.toml")]
    pub config: PathBuf,
    /// The address that the call comes from
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub from: IpAddr,
    /// The address of [listen] that it comes to; without it, the first
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listener: Option<SocketAddr>,
    /// Another method than INVITE
    #[arg(long, default_value = "INVITE")]
    pub method: String,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// Explains one call. Exit code 0: it is let through; 1: it is refused; 2: the question or the config is wrong.
pub fn run(arguments: &Arguments, log: Log) -> Outcome {
    let config = match Config::load(&arguments.config) {
        Ok(config) => config,
        Err(mistakes) => return check::refuse(&mistakes, log),
    };
    match explain(&config, arguments, now()) {
        Ok((call, explanation)) => {
            let text = if arguments.json {
                said::json(&call, &explanation)
            } else {
                said::text(&call, &explanation)
            };
            // Whoever closed stdout has seen enough.
            let _ = std::io::stdout().lock().write_all(text.as_bytes());
            match explanation.verdict {
                Verdict::Refused(..) => Outcome::Failed,
                _ => Outcome::Fine,
            }
        }
        Err(why) => {
            let _ = writeln!(std::io::stderr().lock(), "{why}");
            Outcome::Wrong
        }
    }
}

/// The call that is explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    method: String,
    /// Who calls, as a URI.
    from: String,
    /// Whom, as a Request-URI.
    to: String,
    source: IpAddr,
    when: String,
}

/// Asks a node of this config.
fn explain(
    config: &Config,
    arguments: &Arguments,
    now: Time,
) -> Result<(Call, Explanation), String> {
    let listeners = listeners(config);
    let settings = house::settings(
        config,
        (&listeners, &[]),
        house::Fixed::default(),
        Shard { number: 0, count: 1 },
    );
    let sentence = Sentence::read(&arguments.sentence, &settings, now)?;
    let listener = match arguments.listener {
        None => listeners.first(),
        Some(at) => listeners.iter().find(|listener| listener.bound == at),
    };
    let Some(listener) = listener else {
        return Err(match arguments.listener {
            Some(at) => format!("nothing listens at {at}: [listen] has {}", all(&listeners)),
            None => "the server listens nowhere".into(),
        });
    };
    let flow = Flow::to(listener, SocketAddr::new(arguments.from, 5060));
    let call = Call {
        method: arguments.method.clone(),
        from: sentence.from,
        to: sentence.to,
        source: arguments.from,
        when: sentence.when,
    };
    let request = Message::parse(request(&call)).map_err(|_| "that is no call".to_owned())?;
    let mut node = Node::new(settings, Dice::new(0));
    Ok((call, node.explain(sentence.at, flow, &request)))
}

/// The request that such a call begins with.
fn request(call: &Call) -> String {
    let Call { method, from, to, source, .. } = call;
    let host = match source {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    format!(
        "{method} {to} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:5060;branch=z9hG4bKexplain\r\nMax-Forwards: 70\r\n\
         From: <{from}>;tag=explain\r\nTo: <{to}>\r\nCall-ID: explain\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:{host}:5060>\r\nContent-Length: 0\r\n\r\n"
    )
}

/// The listeners as a server of this config would have them.
fn listeners(config: &Config) -> Vec<Listener> {
    let transports =
        [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];
    let addresses = config.listen.transports().into_iter().zip(transports);
    let all = addresses.flat_map(|((_, at), transport)| at.iter().map(move |at| (transport, *at)));
    (0..).zip(all).map(|(number, (transport, at))| Listener::new(number, transport, at)).collect()
}

fn all(listeners: &[Listener]) -> String {
    let all: Vec<_> = listeners.iter().map(|listener| listener.bound.to_string()).collect();
    all.join(", ")
}

fn now() -> Time {
    net::Clock::start().now()
}

#[cfg(test)]
mod tests;
