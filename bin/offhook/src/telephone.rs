//! `Telephone`: a telephone for programs: an account, and a few verbs that wait for what comes of them. With real sockets, on a thread of its own.
//!
//! ```no_run
//! use std::time::Duration;
//! use media::{Callbacks, Tone};
//! use offhook::telephone::{PhoneEvent, Telephone};
//! use phone::Account;
//!
//! let account = Account::new("sip:101@192.0.2.10")?.password("secret");
//! let telephone = Telephone::open(&account)?;
//! telephone.register(Duration::from_secs(5))?;
//! let call = telephone.call("102", Box::new(Tone::sine(440.0)))?;
//! telephone.until_up(call, Duration::from_secs(60))?;
//! telephone.press(call, "1234#")?;
//! while let Some(event) = telephone.next(Duration::from_secs(10)) {
//!     println!("{event:?}");
//! }
//! telephone.hang_up(call)?;
//! telephone.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is said and heard is a [`media::Audio`]: a tone, a recording, or with [`media::Callbacks`] two functions of yours that are handed 20 ms at a time. In the
//! simulator, with virtual time, the same [`phone::Phone`] lives in a world of `offhook-sim`: `pure/phone/examples`.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use machine::Time;
use net::Sink;
use phone::{Account, Audio, Call, Phone, Token, Unable};
use protocol::Output;
use protocol::doors::Event;

pub use phone::PhoneEvent;

use crate::softphone::{ELSEWHERE, Home, Softphone, facing};

/// A telephone.
#[derive(Debug)]
pub struct Telephone {
    phone: Softphone,
    events: Mutex<Receiver<PhoneEvent>>,
}

impl Telephone {
    /// A telephone for this account, at the address of this machine that faces its server.
    ///
    /// # Errors
    /// No way leads to the server, or no port is free; in words.
    pub fn open(account: &Account) -> Result<Self, String> {
        let server = account.place().to_socket_addrs().ok().and_then(|mut all| all.next());
        let at = facing(server.unwrap_or(ELSEWHERE)).map_err(|error| error.to_string())?;
        Self::open_at(account, at)
    }

    /// The same, at this address of this machine.
    ///
    /// # Errors
    /// No port is free there; in words.
    pub fn open_at(account: &Account, at: IpAddr) -> Result<Self, String> {
        Self::open_on(account, SocketAddr::new(at, 0))
    }

    /// The same, at a port by which others know it: for one that is called without a server.
    ///
    /// # Errors
    /// The port is not free; in words.
    pub fn open_on(account: &Account, at: SocketAddr) -> Result<Self, String> {
        let (to, events) = sync_channel(crate::limits::LOG_LINES);
        let phone =
            Softphone::start_on(account, (Home::Fixed(at.ip()), at.port()), &[], Teller(to))?;
        Ok(Self { phone, events: Mutex::new(events) })
    }

    /// The address that it sends SIP from.
    pub fn address(&self) -> Option<SocketAddr> {
        self.phone.address()
    }

    /// What happens next; nothing, when nothing happens for so long.
    pub fn next(&self, wait: Duration) -> Option<PhoneEvent> {
        let events = self.events.lock().ok()?;
        events.recv_timeout(wait).ok()
    }

    /// Registers, and stays registered.
    ///
    /// # Errors
    /// The registrar says no, or nothing in time.
    pub fn register(&self, wait: Duration) -> Result<(), String> {
        self.phone.ask(|phone, now, out| phone.register(now, out))?;
        self.wait(wait, "the registrar does not answer", |event| match event {
            PhoneEvent::Registered { .. } => Some(Ok(())),
            PhoneEvent::NotRegistered { .. } => Some(Err(format!("not registered: {event:?}"))),
            _ => None,
        })
    }

    /// Shows this token from now on, in the place of that of the same authorization server; the next refresh of the registration carries it.
    ///
    /// # Errors
    /// The telephone is closed.
    pub fn renew_token(&self, token: Token) -> Result<(), String> {
        self.phone.ask(move |phone, _, _| phone.renew_token(&token))
    }

    /// Calls somebody, and does not wait.
    ///
    /// # Errors
    /// See [`Unable`].
    pub fn call(&self, whom: &str, audio: Box<dyn Audio>) -> Result<Call, String> {
        let whom = whom.to_owned();
        self.phone.obey(move |phone, now, out| phone.call(now, &whom, audio, out))
    }

    /// Waits until somebody has picked a call up.
    ///
    /// # Errors
    /// It ended otherwise, or nobody did in time.
    pub fn until_up(&self, call: Call, wait: Duration) -> Result<(), String> {
        self.wait(wait, "nobody has picked up", |event| match event {
            PhoneEvent::Established { call: up } if *up == call => Some(Ok(())),
            PhoneEvent::Ended { call: over, status, reason, .. } if *over == call => {
                Some(Err(format!("{status} {reason}")))
            }
            _ => None,
        })
    }

    /// Waits until somebody calls: the call, and who it is.
    ///
    /// # Errors
    /// Nobody did in time.
    pub fn until_called(&self, wait: Duration) -> Result<(Call, Box<str>), String> {
        self.wait(wait, "nobody has called", |event| match event {
            PhoneEvent::Incoming { call, from, .. } => Some(Ok((*call, from.clone()))),
            _ => None,
        })
    }

    /// Waits until a call is over: the status that ended it, 200 for a call that was up.
    ///
    /// # Errors
    /// It is not over in time.
    pub fn until_over(&self, call: Call, wait: Duration) -> Result<u16, String> {
        self.wait(wait, "the call goes on", |event| match event {
            PhoneEvent::Ended { call: over, status, .. } if *over == call => Some(Ok(*status)),
            _ => None,
        })
    }

    /// Picks up.
    ///
    /// # Errors
    /// See [`Unable`].
    pub fn answer(&self, call: Call, audio: Box<dyn Audio>) -> Result<(), String> {
        self.phone.obey(move |phone, now, out| phone.answer(now, call, audio, out))
    }

    /// Presses keys, one after the other.
    ///
    /// # Errors
    /// See [`Unable`].
    pub fn press(&self, call: Call, keys: &str) -> Result<(), String> {
        let keys = keys.to_owned();
        self.phone.obey(move |phone, now, out| {
            keys.chars().try_for_each(|key| phone.press(now, call, key, out))
        })
    }

    /// Asks the other side to call somebody else instead.
    ///
    /// # Errors
    /// See [`Unable`].
    pub fn transfer(&self, call: Call, to: &str) -> Result<(), String> {
        let to = to.to_owned();
        self.phone.obey(move |phone, now, out| phone.transfer(now, call, &to, out))
    }

    /// Hangs up.
    ///
    /// # Errors
    /// See [`Unable`].
    pub fn hang_up(&self, call: Call) -> Result<(), String> {
        self.phone.obey(move |phone, now, out| phone.hang_up(now, call, out))
    }

    /// Everything else that a [`Phone`] can do, on its own thread.
    ///
    /// # Errors
    /// The phone has ended, or is unable to.
    pub fn with<R: Send + 'static>(
        &self,
        deed: impl FnOnce(&mut Phone, Time, &mut Vec<Output>) -> Result<R, Unable> + Send + 'static,
    ) -> Result<R, String> {
        self.phone.obey(deed)
    }

    /// Hangs up what is up, takes the registration back, and ends.
    ///
    /// # Errors
    /// Its thread has failed.
    pub fn close(self) -> Result<(), String> {
        self.phone.leave()
    }

    fn wait<R>(
        &self,
        wait: Duration,
        otherwise: &str,
        mut is_it: impl FnMut(&PhoneEvent) -> Option<Result<R, String>>,
    ) -> Result<R, String> {
        let until = Instant::now() + wait;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let event = self.next(left).ok_or(otherwise)?;
            if let Some(found) = is_it(&event) {
                return found;
            }
        }
    }
}

/// Passes on what the phone tells. What nobody takes is dropped: calls do not wait for those who watch them.
struct Teller(SyncSender<PhoneEvent>);

impl Sink for Teller {
    fn event(&self, _: Time, _: u16, event: Event) {
        if let Event::Phone(event) = event {
            let _ = self.0.try_send(event);
        }
    }
}
