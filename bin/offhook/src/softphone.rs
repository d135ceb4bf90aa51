//! `Softphone`: a phone with real sockets, on a thread of its own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use machine::{Dice, Time};
use net::tls::{CannotUse, Terms, Tls};
use net::{Handle, Plan, Program, Running, Sink};
use phone::{Account, Phone, Unable};
use protocol::{Output, Transport};

use crate::config::Dns;
use crate::names::Names;
use crate::seed::throw;

/// A phone with real sockets.
#[derive(Debug)]
pub(crate) struct Softphone {
    running: Running<Phone>,
    handle: Handle<Phone>,
    /// Whoever looks after the address of this machine ends when this is gone.
    _roams: Option<Sender<()>>,
}

/// The address of this machine that a phone uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// This one, whatever happens.
    Fixed(IpAddr),
    /// The one that reaches the server, which is here; now it is that one, and when it becomes another, the phone moves.
    Facing(SocketAddr, IpAddr),
}

impl Home {
    /// Where sockets are bound, and what others are told.
    fn place(self) -> (IpAddr, IpAddr) {
        match self {
            Self::Fixed(ip) => (ip, ip),
            Self::Facing(_, ip @ IpAddr::V4(_)) => (Ipv4Addr::UNSPECIFIED.into(), ip),
            Self::Facing(_, ip @ IpAddr::V6(_)) => (Ipv6Addr::UNSPECIFIED.into(), ip),
        }
    }
}

impl Softphone {
    /// A phone at any free port of this machine. It does nothing before it is told to.
    pub(crate) fn start(
        account: &Account,
        home: Home,
        authorities: &[PathBuf],
        sink: impl Sink + 'static,
    ) -> Result<Self, String> {
        Self::start_on(account, (home, 0), authorities, sink)
    }

    /// The same at this port.
    pub(crate) fn start_on(
        account: &Account,
        (home, port): (Home, u16),
        authorities: &[PathBuf],
        sink: impl Sink + 'static,
    ) -> Result<Self, String> {
        let (bound, told) = home.place();
        let at = SocketAddr::new(bound, port);
        let mut plan = match account.transport() {
            // Whoever wants TLS wants nothing else to be listened to.
            Transport::Tls => Plan::new().on(Transport::Tls, at),
            web @ (Transport::Ws | Transport::Wss) => Plan::new().client(web, at),
            Transport::Udp | Transport::Tcp => {
                Plan::new().on(Transport::Udp, at).on(Transport::Tcp, at)
            }
        };
        plan.media.address = Some(bound);
        if account.has_one_address() {
            plan.patience.connect = LONG_DISTANCE;
        }
        if account.transport().is_secure() {
            plan.tls = Some(trust(authorities).map_err(|error| error.to_string())?);
        }
        let bound = plan.bind().map_err(|error| error.to_string())?;
        let words = |error: std::io::Error| error.to_string();
        let mut dice = Dice::new(throw().map_err(words)?);
        let sink = Arc::new(sink);
        let names = Names::start(&Dns::default(), &sink).map_err(words)?;
        let program = Program::new().resolver(names).sink(sink);
        let running = bound.start(program, |_, listeners| {
            Phone::new(account.clone(), listeners.to_vec(), Dice::new(dice.seed())).at(told)
        });
        let running = running.map_err(words)?;
        let handle = running.handle();
        let _roams = match home {
            Home::Fixed(_) => None,
            Home::Facing(server, _) => Some(roam(running.handle(), (server, told))),
        };
        Ok(Self { handle, running, _roams })
    }

    /// The address that it sends SIP from.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        let bound = self.handle.listeners().first().map(|listener| listener.bound)?;
        let home = self.ask(|phone, _, _| phone.home()).ok()?;
        Some(SocketAddr::new(home, bound.port()))
    }

    /// Does something with the phone, and waits for what comes of it.
    pub(crate) fn ask<R: Send + 'static>(
        &self,
        command: impl FnOnce(&mut Phone, Time, &mut Vec<Output>) -> R + Send + 'static,
    ) -> Result<R, String> {
        self.handle.ask(0, command).map_err(|error| error.to_string())
    }

    /// As [`ask`](Self::ask), for a command that the phone may be unable to obey.
    pub(crate) fn obey<R: Send + 'static>(
        &self,
        command: impl FnOnce(&mut Phone, Time, &mut Vec<Output>) -> Result<R, Unable> + Send + 'static,
    ) -> Result<R, String> {
        self.ask(command)?.map_err(|unable| unable.to_string())
    }

    /// Hangs up what is up, takes the registration back, and ends: when both are done, or after [`FAREWELL`].
    pub(crate) fn leave(self) -> Result<(), String> {
        self.ask(|phone, now, out| {
            let calls: Vec<_> = phone.calls().collect();
            for call in calls {
                // It may be ending already.
                let _ = phone.hang_up(now, call, out);
            }
            if phone.is_registered() {
                phone.unregister(now, out);
            }
        })?;
        let until = Instant::now() + FAREWELL;
        while !self.ask(|phone, _, _| phone.is_idle())? && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.stop()
    }

    /// Ends it now.
    fn stop(self) -> Result<(), String> {
        self.handle.stop();
        self.running.join().map_err(|error| error.to_string())
    }
}

/// Looks now and then from which address the server is reached, and moves the phone when that is another. Without any way there it waits for one.
fn roam(handle: Handle<Phone>, (server, mut home): (SocketAddr, IpAddr)) -> Sender<()> {
    let (leave, left) = channel();
    std::thread::spawn(move || {
        while left.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            let Ok(ip) = facing(server) else { continue };
            if ip != home && !ip.is_unspecified() {
                home = ip;
                if handle.tell(0, move |phone, now, out| phone.moved(now, ip, out)).is_err() {
                    return;
                }
            }
        }
    });
    leave
}

/// How often: a call that goes on elsewhere is to be silent for less than a second. Asking costs two calls of the kernel.
const LOOK: Duration = Duration::from_millis(300);

/// TLS without a certificate of our own: nobody calls us but over connections that we have opened.
fn trust(authorities: &[PathBuf]) -> Result<Tls, CannotUse> {
    Tls::load(&Terms { authorities: authorities.to_vec(), ..Terms::default() })
}

/// How long the other side is given to say goodbye. On a line that loses one packet in ten a BYE is sent five times in this time (0, 0.5,
/// 1.5, 3.5, 7.5 s; RFC 3261 §17.1.2.2); after three, one call in a thousand would stay up at the other side.
const FAREWELL: Duration = Duration::from_secs(8);

/// How long a connection to the only server there is may take to open. The kernel asks at 0, 1, 3, 7 and 15 s; on a line that loses one packet in ten
/// each way, one connection in four thousand does not open in this time, and one in 150 would not in the time after which others are tried.
const LONG_DISTANCE: Duration = Duration::from_secs(20);

/// The address of this machine that reaches `server`.
pub(crate) fn facing(server: SocketAddr) -> std::io::Result<IpAddr> {
    let any: IpAddr = if server.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    // Nothing is sent: the kernel only picks the way.
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    socket.local_addr().map(|address| address.ip())
}

/// Some address that is not on this machine (RFC 5737): the way to it is the way out.
pub(crate) const ELSEWHERE: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5060);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_reached_from_loopback() {
        let server = SocketAddr::from(([127, 0, 0, 1], 5060));
        assert_eq!(facing(server).unwrap(), server.ip());
    }
}
