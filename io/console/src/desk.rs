//! `Desk`: what every request may use: the house, the events, and questions to nodes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use hyper::StatusCode;
use machine::Time;
use protocol::Output;
use server::Node;
use tokio::sync::broadcast::Receiver;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::answer::Refusal;
use crate::gate::Gate;
use crate::house::House;
use crate::{Hub, limits};

/// What every request may use.
pub(crate) struct Desk {
    pub(crate) house: Arc<dyn House>,
    hub: RefCell<Option<Hub>>,
    pub(crate) gate: Gate,
    readers: Rc<Cell<usize>>,
}

/// A reader's place; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Reader(Rc<Cell<usize>>);

impl Desk {
    pub(crate) fn new(house: Arc<dyn House>, hub: Hub, gate: Gate) -> Self {
        Self { house, hub: RefCell::new(Some(hub)), gate, readers: Rc::default() }
    }

    /// Events from now on; nothing when there will be no more.
    pub(crate) fn events(&self) -> Option<Receiver<Arc<str>>> {
        self.hub.borrow().as_ref().map(Hub::read)
    }

    /// There will be no more events: their readers come to an end.
    pub(crate) fn close(&self) {
        self.hub.borrow_mut().take();
    }

    /// Asks a node something, on its own thread, and waits for what it says; not for ever.
    pub(crate) async fn ask<R: Send + 'static>(
        &self,
        shard: u16,
        question: impl FnOnce(&mut Node, Time, &mut Vec<Output>) -> R + Send + 'static,
    ) -> Result<R, Refusal> {
        let (give, take) = oneshot::channel();
        // Whoever asked may have gone.
        let command =
            move |node: &mut Node, now, out: &mut _| drop(give.send(question(node, now, out)));
        if !self.house.tell(shard, Box::new(command)) {
            return Err(Refusal::busy());
        }
        let answer = timeout(limits::ANSWER, take).await;
        answer.ok().and_then(Result::ok).ok_or_else(Refusal::busy)
    }

    /// Asks every node the same, one after another.
    pub(crate) async fn ask_all<R: Send + 'static>(
        &self,
        question: impl Fn(&mut Node, Time, &mut Vec<Output>) -> R + Clone + Send + 'static,
    ) -> Result<Vec<R>, Refusal> {
        let mut answers = Vec::new();
        for shard in 0..self.house.shards() {
            answers.push(self.ask(shard, question.clone()).await?);
        }
        Ok(answers)
    }

    /// A place for a reader of events.
    pub(crate) fn reader(&self) -> Result<Reader, Refusal> {
        let count = self.readers.get();
        if count >= limits::READERS {
            let what = format!("there are {count} readers of events already");
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_readers", what));
        }
        self.readers.set(count + 1);
        Ok(Reader(Rc::clone(&self.readers)))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}
