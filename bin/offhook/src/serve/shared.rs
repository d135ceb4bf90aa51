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
        let reading = read_board(reader, Arc::clone(&nodes), log).map_err(words)?;
        Ok(Some(Self { cluster, nodes, written, reading }))
    }

    /// The part that answers questions, and where the nodes are to be named.
    pub(crate) fn keeper(self) -> (impl net::Keeper + 'static, Nodes) {
        let nodes = Arc::clone(&self.nodes);
        let Self { cluster, written, reading, .. } = self;
        let clock = Shards { nodes: Arc::clone(&nodes), started: Clock::start() };
        (Keeper { cluster, written, clock, reading }, nodes)
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

/// Reads the board again and again, and tells all shards what is new there, and what is gone: who is banned by another node. Looks at the clock on
/// the wall as well.
fn read_board(
    (cluster, written): (Weak<Cluster>, Written),
    nodes: Nodes,
    log: Log,
) -> io::Result<Sender<()>> {
    let (stop, stopped) = channel();
    let read = move || {
        let mut seen = BTreeSet::new();
        let mut apart = 0;
        while stopped.recv_timeout(BOARD) == Err(RecvTimeoutError::Timeout) {
            if let Some((handle, _)) = nodes.get() {
                apart = look_at_the_clock(handle.now(), apart, log);
            }
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

/// How many seconds the clock on the wall is ahead of that of the shards now; says so when that is not as it was: the other nodes take what is
/// registered here by their clocks.
fn look_at_the_clock(now: Time, before: i64, log: Log) -> i64 {
    let wall = Clock::start().now();
    let seconds = |time: Time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let apart = seconds(wall).saturating_sub(seconds(now));
    if apart.abs_diff(before) < NOTICEABLE {
        return before;
    }
    let what = "the clock on the wall is so many seconds ahead of where it was at the start: other nodes take it that whoever registers here is gone so \
                much earlier, until this server is started again";
    log.warning("clock_set", &[("seconds", apart.into()), ("what", what.into())]);
    apart
}

/// Seconds by which a clock is set and not kept right.
const NOTICEABLE: u64 = 10;

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

struct Keeper {
    cluster: Arc<Cluster>,
    written: Written,
    clock: Shards,
    #[allow(dead_code, reason = "what ends with it")]
    reading: Sender<()>,
}

/// The clock that the shards live by. What they say of a moment is read by it, wherever the clock on the wall was set since the start.
struct Shards {
    nodes: Nodes,
    /// As good, until they live.
    started: Clock,
}

impl Shards {
    /// Milliseconds until then; never none, which would be for ever.
    fn left(&self, until: Time) -> u64 {
        let now = self.nodes.get().map_or_else(|| self.started.now(), |(handle, _)| handle.now());
        (until.0.saturating_sub(now.0) / MILLISECOND).max(1)
    }
}

impl net::Keeper for Keeper {
    /// Bindings are shared: what else is to be kept is for the board, and nobody waits for it.
    fn keep(&self, record: Arc<Record>, _: Reply) {
        let Record { key, value, until } = Arc::unwrap_or_clone(record);
        let mut written = board(&self.written);
        if written.len() < cluster::limits::BOARD {
            written.insert(value.clone());
        }
        drop(written);
        self.cluster.ask(Wish::Pin { key, value, life: self.clock.left(until) }, Box::new(drop));
    }

    fn share(&self, share: Share, reply: Reply) {
        let Share { record: Record { key, value, until }, before, told } = share;
        let wish = Wish::Share { key, before, value, life: self.clock.left(until), told };
        let answer = |word| match word {
            Word::Kept => Answer::Kept,
            Word::Differs(octets) => Answer::Differs(octets),
            _ => Answer::NotKept,
        };
        self.cluster.ask(wish, Box::new(move |word| reply.give(answer(word))));
    }

    fn recall(&self, key: Box<[u8]>, reply: Reply) {
        let answer = |word| match word {
            Word::Found(octets) => Answer::Recalled(octets),
            _ => Answer::NotRecalled,
        };
        self.cluster.ask(Wish::Recall { key }, Box::new(move |word| reply.give(answer(word))));
    }

    fn spend(&self, nonce: Box<str>, count: u32, until: Time, reply: Reply) {
        let key = format!("{nonce}:{count:x}").into_bytes().into();
        let answer = |word| match word {
            Word::First(first) => Answer::Spent(first),
            _ => Answer::Nothing,
        };
        let wish = Wish::Spend { key, life: self.clock.left(until) };
        self.cluster.ask(wish, Box::new(move |word| reply.give(answer(word))));
    }
}

const MILLISECOND: u64 = 1_000_000;
