//! `Cluster`: where shards hand wishes in.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::atlas::{self, Atlas, Place};
use crate::clerk::{self, Clerk, Errand};
use crate::ear;
use crate::limits;
use crate::standing::{News, Standing};
use crate::url::Url;
use crate::wire::{Trust, Wire};
use crate::wish::{Tell, Wish, Word};

/// What is told of the store's troubles, and of their end: of which server.
type Trouble = Box<dyn Fn(&str, News) + Send + Sync>;

/// What is told of a record that has changed: its key.
type Changed = Box<dyn Fn(&[u8]) + Send>;

/// How a store is used.
pub struct Terms {
    /// Where it is.
    pub url: Url,
    /// A file with the certificates of the authorities that are believed where TLS is spoken; without it those of the system are.
    pub authority: Option<PathBuf>,
    /// How many replicas must have a record before it counts as kept.
    pub replicas: u16,
    /// Is told when a server cannot be reached, or refuses what we want, and when that is over.
    pub trouble: Trouble,
    /// Is told which records other nodes have changed, as well as we ourselves.
    pub changed: Changed,
}

impl fmt::Debug for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terms").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The store that several nodes share. Dropping it ends its threads.
#[derive(Debug)]
pub struct Cluster {
    office: Arc<Office>,
    threads: Vec<JoinHandle<()>>,
}

/// What its threads share.
pub(crate) struct Office {
    pub(crate) url: Url,
    trust: Option<Trust>,
    pub(crate) replicas: u16,
    atlas: RwLock<Atlas>,
    poke: SyncSender<()>,
    over: AtomicBool,
    trouble: Trouble,
    standing: Mutex<Standing>,
}

impl fmt::Debug for Office {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Office").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Begins to use a store. Whether it can be reached shows with the first wish: a node starts without it, too.
    ///
    /// # Errors
    /// When the file of the authorities is of no use, or the system gives us no threads.
    pub fn start(terms: Terms) -> io::Result<Self> {
        let Terms { url, authority, replicas, trouble, changed } = terms;
        let trust = url.secure.then(|| Trust::of(authority.as_deref())).transpose()?;
        let (poke, poked) = sync_channel(1);
        let office = Arc::new(Office {
            url,
            trust,
            replicas,
            atlas: RwLock::default(),
            poke,
            over: AtomicBool::new(false),
            trouble,
            standing: Mutex::default(),
        });
        let (draws, hears) = (Arc::clone(&office), Arc::clone(&office));
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            thread::Builder::new().name(name.into()).spawn(work)
        };
        let map = spawn("store-map", Box::new(move || draw(&draws, &poked)))?;
        let ear = spawn("store-ear", Box::new(move || ear::listen(&hears, &*changed)))?;
        Ok(Self { office, threads: vec![map, ear] })
    }

    /// Hands a wish in, and returns at once. `tell` is called by any thread, now or later.
    pub fn ask(&self, wish: Wish, tell: Tell) {
        self.office.hand(Errand { wish, tell, moves: 0, asking: false });
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.office.over.store(true, Ordering::Release);
        self.office.poke();
        self.office.change(Atlas::close);
        for thread in self.threads.drain(..) {
            // One that panicked has told nobody that anything is kept.
            drop(thread.join());
        }
    }
}

impl Office {
    /// A connection to a server.
    pub(crate) fn open_wire(&self, (host, port): &Place) -> io::Result<Wire> {
        Wire::open((&self.url, self.trust.as_ref()), (host, *port))
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Has the map drawn anew, soon.
    pub(crate) fn poke(&self) {
        // One that was poked already needs no more.
        let _ = self.poke.try_send(());
    }

    /// Servers that may know the others.
    pub(crate) fn known(&self) -> Vec<Place> {
        let atlas = self.atlas.read().unwrap_or_else(PoisonError::into_inner);
        let mut known = atlas.places();
        known.extend(self.url.seeds.iter().cloned());
        known
    }

    fn change<R>(&self, change: impl FnOnce(&mut Atlas) -> R) -> R {
        change(&mut self.atlas.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives an errand to whoever serves its slot.
    fn hand(&self, errand: Errand) {
        let slot = clerk::slot_of(&errand.wish, &self.url.prefix);
        let atlas = self.atlas.read().unwrap_or_else(PoisonError::into_inner);
        match atlas.desk(slot) {
            Some(desk) => put_on(desk, errand),
            None => {
                drop(atlas);
                self.poke();
                errand.tell(Word::Unreachable);
            }
        }
    }

    /// Gives it to a master of which another has told.
    pub(crate) fn hand_to(self: &Arc<Self>, place: &Place, errand: Errand) {
        let desk = self.change(|atlas| atlas.desk_of(place, |place| self.open(place)).cloned());
        match desk {
            Some(desk) => put_on(&desk, errand),
            None => errand.tell(Word::Unreachable),
        }
    }

    /// A desk with a clerk behind it.
    fn open(self: &Arc<Self>, place: &Place) -> Option<SyncSender<Errand>> {
        let (desk, inbox) = sync_channel(limits::WAITING);
        let clerk = Clerk::new(Arc::clone(self), place.clone(), inbox);
        let thread = thread::Builder::new().name("store-clerk".into()).spawn(move || clerk.run());
        thread.ok().map(|_| desk)
    }

    /// A server cannot be reached.
    pub(crate) fn fails(&self, place: &Place, why: &str) {
        self.tell(place, |standing| standing.fails(place, why));
    }

    /// It can be reached.
    pub(crate) fn answers(&self, place: &Place) {
        self.tell(place, |standing| standing.answers(place));
    }

    /// It can be reached, and refuses what we want.
    pub(crate) fn refuses(&self, place: &Place, why: &str) {
        self.tell(place, |standing| standing.refuses(Instant::now(), place, why));
    }

    /// It has taken what we want.
    pub(crate) fn takes(&self, place: &Place) {
        self.tell(place, |standing| standing.takes(Instant::now(), place));
    }

    /// Takes a new map.
    fn redraw(self: &Arc<Self>, map: atlas::Map) {
        let places = self.change(|atlas| {
            atlas.redraw(map, |place| self.open(place));
            atlas.places()
        });
        let replaced = self.standing().redraw(&places);
        replaced.iter().for_each(|place| self.tell(place, |_| Some(News::Replaced)));
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, place: &Place, change: impl FnOnce(&mut Standing) -> Option<News>) {
        // While it is held, so that what happened first is told first.
        let mut standing = self.standing();
        if let Some(news) = change(&mut standing) {
            (self.trouble)(&format!("{}:{}", place.0, place.1), news);
        }
    }
}

fn put_on(desk: &SyncSender<Errand>, errand: Errand) {
    if let Err(TrySendError::Full(errand) | TrySendError::Disconnected(errand)) =
        desk.try_send(errand)
    {
        errand.tell(Word::Unreachable);
    }
}

/// Draws the map, again when something has changed or failed, and now and then.
fn draw(office: &Arc<Office>, poked: &Receiver<()>) {
    let mut pause = limits::MAP;
    while !office.is_over() {
        let known = office.known();
        let found = known.iter().find_map(|place| {
            let map = atlas::survey(office, place);
            match map {
                Ok(map) if !map.is_empty() => {
                    office.answers(place);
                    Some(map)
                }
                Ok(_) => None,
                Err(error) => {
                    office.fails(place, &error.to_string());
                    None
                }
            }
        });
        if let Some(map) = found {
            office.redraw(map);
            pause = limits::MAP;
        } else {
            pause = pause.min(limits::MAP_IN_TROUBLE);
        }
        let blank = office.change(|atlas| atlas.is_blank());
        let pause = if blank { limits::MAP_IN_TROUBLE } else { pause };
        match poked.recv_timeout(pause) {
            Ok(()) => thread::sleep(limits::MAP_IN_TROUBLE / 3),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
