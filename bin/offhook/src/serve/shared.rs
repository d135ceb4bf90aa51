//! `Shared`: what all nodes of a cluster have: the store of `io/cluster`, plugged into the driver of `io/net`.

use std::io;
use std::sync::{Arc, OnceLock};

use cluster::{Cluster, Terms, Url, Wish, Word};
use machine::Time;
use net::{Clock, Handle, Reply};
use protocol::doors::Share;
use protocol::{Answer, Record};
use server::{Node, Steering};

use crate::config::{Config, StoreUrl};
use crate::log::Log;

/// Where the nodes of this server are told what others have changed, once they live.
type Nodes = Arc<OnceLock<(Handle<Node>, Steering)>>;

/// The store that nodes share.
pub(crate) struct Shared {
    cluster: Cluster,
    nodes: Nodes,
}

impl Shared {
    /// Begins to use the store of the config; nothing, when it is none that is shared.
    ///
    /// # Errors
    /// In words.
    pub(crate) fn open(config: &Config, log: Log) -> Result<Option<Self>, String> {
        let StoreUrl::Redis(url) = &config.store.url else { return Ok(None) };
        let url = Url::parse(url.reveal())?;
        let nodes = Nodes::default();
        let told = Arc::clone(&nodes);
        let terms = Terms {
            url,
            replicas: config.store.replicas,
            trouble: Box::new(move |news| match news {
                Ok(server) => log.info("store_works_again", &[("server", (&server).into())]),
                Err(what) => log.error("store_refuses", &[("what", (&what).into())]),
            }),
            changed: Box::new(move |aor| tell(&told, aor)),
        };
        let cluster = Cluster::start(terms).map_err(|error: io::Error| error.to_string())?;
        Ok(Some(Self { cluster, nodes }))
    }

    /// The part that answers questions, and where the nodes are to be named.
    pub(crate) fn keeper(self) -> (impl net::Keeper + 'static, Nodes) {
        let nodes = Arc::clone(&self.nodes);
        (Keeper(self.cluster), nodes)
    }
}

/// The node that an address is at home with is told.
fn tell(nodes: &Nodes, aor: &[u8]) {
    let Some((handle, steering)) = nodes.get() else { return };
    let aor: Box<[u8]> = aor.into();
    let home = steering.home_of(&aor);
    // One that has too much to do asks the store when somebody calls.
    let _ = handle.tell(home, move |node, now, out| node.changed_elsewhere(now, &aor, out));
}

struct Keeper(Cluster);

impl net::Keeper for Keeper {
    /// What is for this machine alone is kept nowhere.
    fn keep(&self, _: Record, _: Reply) {}

    fn share(&self, share: Share, reply: Reply) {
        let Share { record: Record { key, value, until }, before, told } = share;
        let wish = Wish::Share { key, before, value, life: left(until), told };
        let answer = |word| match word {
            Word::Kept => Answer::Kept,
            Word::Differs(octets) => Answer::Differs(octets),
            _ => Answer::NotKept,
        };
        self.0.ask(wish, Box::new(move |word| reply.give(answer(word))));
    }

    fn recall(&self, key: Box<[u8]>, reply: Reply) {
        let answer = |word| match word {
            Word::Found(octets) => Answer::Recalled(octets),
            _ => Answer::NotRecalled,
        };
        self.0.ask(Wish::Recall { key }, Box::new(move |word| reply.give(answer(word))));
    }

    fn spend(&self, nonce: Box<str>, count: u32, until: Time, reply: Reply) {
        let key = format!("{nonce}:{count:x}").into_bytes().into();
        let answer = |word| match word {
            Word::First(first) => Answer::Spent(first),
            _ => Answer::Nothing,
        };
        let wish = Wish::Spend { key, life: left(until) };
        self.0.ask(wish, Box::new(move |word| reply.give(answer(word))));
    }
}

/// Milliseconds until then; never none, which would be for ever.
fn left(until: Time) -> u64 {
    let now = Clock::start().now();
    (until.0.saturating_sub(now.0) / MILLISECOND).max(1)
}

const MILLISECOND: u64 = 1_000_000;
