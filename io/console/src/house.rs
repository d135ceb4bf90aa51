//! `House`: what the console knows of the server around it, plugged in by the program.

use std::net::{IpAddr, SocketAddr};

use machine::Time;
use protocol::Output;
use server::Node;

use crate::Exposition;

/// Something to be done with a shard's node, on its own thread.
pub type Command = Box<dyn FnOnce(&mut Node, Time, &mut Vec<Output>) + Send>;

/// How a reload says what came of it.
pub type TellReloaded = Box<dyn FnOnce(Result<u64, Vec<String>>) + Send>;

/// The server around the console. Nothing here may wait: it is called on the console's only thread.
pub trait House: Send + Sync + 'static {
    /// How many shards there are.
    fn shards(&self) -> u16;

    /// The shard of all calls with this Call-ID.
    fn home_of_call(&self, call_id: &[u8]) -> u16;

    /// Does something with the node of a shard, soon. False when the shard has ended, or has too much to obey already.
    fn tell(&self, shard: u16, command: Command) -> bool;

    /// What can be said at once.
    fn status(&self) -> Status;

    /// Reads the config again, elsewhere, and tells what came of it: which generation is in force, or each mistake in words; then nothing has
    /// changed.
    fn reload(&self, tell: TellReloaded);

    /// Somebody at this address was not let in, for this reason.
    fn refused(&self, source: IpAddr, code: &'static str) {
        let _ = (source, code);
    }

    /// Begins nothing new from now on, and ends when what has begun is finished.
    fn drain(&self) -> Draining;

    /// Writes the metrics of everything but the nodes.
    fn measure(&self, page: &mut Exposition);
}

/// What can be said of the server at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The version of the program.
    pub version: &'static str,
    /// The time now.
    pub now: Time,
    /// When it began to serve.
    pub started: Time,
    /// Which config this is: 1 is the one that it began with, and each reload adds 1.
    pub generation: u64,
    /// Where it listens.
    pub listeners: Vec<Listening>,
    /// True once it begins nothing new.
    pub draining: bool,
    /// What is wrong, each in a sentence; nothing when all is well.
    pub troubles: Vec<String>,
}

/// A place where the server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// What is spoken there: `udp`, `tcp`, `tls`, `ws`, `wss`, `console`.
    pub transport: String,
    /// Where.
    pub address: SocketAddr,
}

/// A drain that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draining {
    /// Seconds after which the server ends, whatever is unfinished.
    pub seconds: u64,
}
