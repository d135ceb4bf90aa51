//! `Shared`: what all nodes of a cluster have: the store of `io/cluster`, plugged into the driver of `io/net`.

use std::collections::BTreeSet;
use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use cluster::{Cluster, News, Notice, Terms, Url, Wish, Word};
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
    cluster: Arc<Cluster>,
    nodes: Nodes,
    written: Written,
    /// Ends the reading of the board when it is dropped.
    reading: Sender<()>,
}

/// What was written to the board since it was read last: until it is there somebody has to see to it.
type Written = Arc<Mutex<BTreeSet<Box<[u8]>>>>;

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
            authority: config.store.authority.clone(),
            replicas: config.store.replicas,
            trouble: Box::new(move |server, news| tell_of(&log, server, news)),
            changed: Box::new(move |aor| tell(&told, aor)),
        };
        let words = |error: io::Error| error.to_string();
        let cluster = Arc::new(Cluster::start(terms).map_err(words)?);
        let written = Written::default();
        let reader = (Arc::downgrade(&cluster), Arc::clone(&written));
        let reading = read_board(reader, Arc::clone(&nodes)).map_err(words)?;
        Ok(Some(Self { cluster, nodes, written, reading }))
    }

    /// The part that answers questions, and where the nodes are to be named.
    pub(crate) fn keeper(self) -> (impl net::Keeper + 'static, Nodes) {
        let nodes = Arc::clone(&self.nodes);
        (Keeper(self.cluster, self.written, self.reading), nodes)
    }
}

/// How a server of the store stands.
fn tell_of(log: &Log, server: &str, news: News) {
    match news {
        News::Fails(why) => {
            let what = format!("{server}: {why}");
            log.error("store_refuses", &[("what", (&what).into())]);
        }
        News::Works => log.info("store_works_again", &[("server", server.into())]),
        News::Replaced => {
            let what = "others have its place";
            log.info("store_works_again", &[("server", server.into()), ("what", what.into())]);
        }
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

/// Reads the board again and again, and tells all shards what is new there, and what is gone: who is banned by another node.
fn read_board(
    (cluster, written): (Weak<Cluster>, Written),
    nodes: Nodes,
) -> io::Result<Sender<()>> {
    let (stop, stopped) = channel();
    let read = move || {
        let mut seen = BTreeSet::new();
        while stopped.recv_timeout(BOARD) == Err(RecvTimeoutError::Timeout) {
            let Some(cluster) = cluster.upgrade() else { return };
            let (say, said) = channel();
            // Should it be answered too late, nobody listens any more.
            cluster.ask(Wish::Board, Box::new(move |word| drop(say.send(word))));
            drop(cluster);
            let (Ok(Word::Pinned(all)), Some((handle, _))) =
                (said.recv_timeout(BOARD), nodes.get())
            else {
                continue;
            };
            let news = all.iter().filter(|notice| !seen.contains(&notice.value));
            let news: Vec<Notice> = news.cloned().collect();
            seen.append(&mut std::mem::take(&mut *board(&written)));
            let now: BTreeSet<_> = all.into_iter().map(|notice| notice.value).collect();
            let gone: Vec<Box<[u8]>> = seen.difference(&now).cloned().collect();
            // Who has too much to do hears it the next time.
            if news.is_empty() && gone.is_empty() || tell_all(handle, &Arc::new((news, gone))) {
                seen = now;
            }
        }
    };
    thread::Builder::new().name("store-board".into()).spawn(read)?;
    Ok(stop)
}

/// What is new on the board, and what is gone.
type Changes = (Vec<Notice>, Vec<Box<[u8]>>);

/// Tells all shards what is new on the board, and what is gone; false when one has too much to do.
fn tell_all(handle: &Handle<Node>, changes: &Arc<Changes>) -> bool {
    (0..handle.shards()).all(|shard| {
        let changes = Arc::clone(changes);
        let heed = move |node: &mut Node, now, out: &mut Vec<_>| {
            let (news, gone) = &*changes;
            for Notice { value, left } in news {
                node.heed(now, (value, *left), out);
            }
            gone.iter().for_each(|value| node.miss(now, value, out));
        };
        handle.tell(shard, heed).is_ok()
    })
}

/// How often the board is read.
const BOARD: Duration = Duration::from_secs(2);

/// Nobody stops while it is held.
fn board(written: &Written) -> MutexGuard<'_, BTreeSet<Box<[u8]>>> {
    written.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Keeper(Arc<Cluster>, Written, #[allow(dead_code, reason = "what ends with it")] Sender<()>);

impl net::Keeper for Keeper {
    /// Bindings are shared: what else is to be kept is for the board, and nobody waits for it.
    fn keep(&self, Record { key, value, until }: Record, _: Reply) {
        let mut written = board(&self.1);
        if written.len() < cluster::limits::BOARD {
            written.insert(value.clone());
        }
        drop(written);
        self.0.ask(Wish::Pin { key, value, life: left(until) }, Box::new(drop));
    }

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
