//! `Stage`: the server and the two phones of the demo, and what is heard from all three.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Instant;

use machine::Dice;
use net::{Carry, Heard, Running, Sink};
use phone::Account;
use server::Node;

use super::side::Side;
use crate::config::{Config, Credential, Listen};
use crate::ear::Ear;
use crate::limits;
use crate::seed::throw;
use crate::serve;
use crate::softphone::{Home, Softphone};

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The server.
    Server,
    /// A phone.
    Phone(Side),
}

/// What is heard of all three.
pub(super) type Ears = Receiver<(Who, Heard)>;

/// One of the two who talk.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) number: String,
    pub(super) phone: Softphone,
}

/// The server and the two phones.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) config: Config,
    pub(super) server: Running<Node>,
    pub(super) actors: [Actor; 2],
    heard: Ears,
}

impl Stage {
    /// Starts them on loopback: the server at port 5060, or at any when that is taken.
    pub(super) fn set() -> Result<Self, String> {
        let words = |error: std::io::Error| error.to_string();
        let mut config = Config::starter(&mut Dice::new(throw().map_err(words)?));
        let bound = serve::bind(&config).or_else(|_| {
            config.listen = Listen::on_any_port(Ipv4Addr::LOCALHOST.into());
            serve::bind(&config)
        })?;
        let (to, heard) = sync_channel(limits::LOG_LINES);
        let ear = Ear::new(to.clone(), Carry::Messages, |heard| (Who::Server, heard));
        let secret = throw().map_err(words)?;
        let server = serve::start_alone(&config, bound, secret, ear).map_err(words)?;
        let address = server.handle().listeners().first().map(|listener| listener.bound);
        let address = address.ok_or("the server listens nowhere")?;
        let cast = |side: Side| {
            let ear = Ear::new(to.clone(), Carry::Events, move |heard| (Who::Phone(side), heard));
            Actor::cast(&config, side, address, ear)
        };
        let actors = [cast(Side::Alice)?, cast(Side::Bob)?];
        Ok(Self { config, server, actors, heard })
    }

    /// What is heard next, until `until`.
    pub(super) fn next(&self, until: Instant) -> Result<Option<(Who, Heard)>, String> {
        match self.heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(heard) => Ok(Some(heard)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                Err("the server and the phones have ended".into())
            }
        }
    }

    /// The phones say goodbye and end. The server, and what is heard of it from now on.
    pub(super) fn dismiss(self) -> Result<(Running<Node>, Ears), String> {
        let Self { server, actors, heard, .. } = self;
        actors.into_iter().try_for_each(|actor| actor.phone.leave())?;
        Ok((server, heard))
    }
}

impl Actor {
    /// A phone for an extension of the server at `address`.
    fn cast(
        config: &Config,
        side: Side,
        address: SocketAddr,
        ear: impl Sink + 'static,
    ) -> Result<Self, String> {
        let extension = side.of(&[0, 1]);
        let extension = config.extensions.get(*extension).ok_or("an extension is missing")?;
        let Credential::Password(password) = &extension.credential else {
            return Err("an extension has no password".into());
        };
        let number = extension.number.clone();
        let account = Account::new(&format!("sip:{number}@localhost"))
            .and_then(|account| account.server(&address.to_string()))
            .map_err(|error| error.to_string())?;
        let account = account.password(password.reveal()).display_name(side.name());
        let phone = Softphone::start(&account, Home::Fixed(address.ip()), &[], ear)?;
        Ok(Self { number, phone })
    }
}
