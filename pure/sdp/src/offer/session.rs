//! `Session`: a conversation of offers and answers (RFC 3264; who may offer when: RFC 6337).

use std::net::IpAddr;

use super::formats::Memory;
use super::slot::{Life, Slot};
use super::{Agreed, Refusal, Stream, StreamId, compose};
use crate::{Attribute, Connection, Description, Direction, Line, Media, Origin, Timing, limits};

/// Our side of a session. Add the [`Stream`]s that are wanted, then let descriptions go through it; it keeps the places of the `m=`
/// lines, the meanings of payload types, and the version in `o=`.
///
/// To change something, change a stream ([`stream_mut`](Self::stream_mut), [`hold`](Self::hold)…) and make a new offer.
#[derive(Clone, Debug)]
pub struct Session {
    origin: Origin,
    /// The version of what was sent last; 0 before anything was.
    version: u64,
    /// What was sent last, agreed to or not.
    sent: Option<Description>,
    pub(super) streams: Vec<Option<Stream>>,
    pub(super) slots: Vec<Slot>,
    agreed: Vec<Agreed>,
    exchange: Exchange,
}

/// Whether somebody waits for an answer.
#[derive(Clone, Debug)]
enum Exchange {
    Quiet,
    /// They wait: their offer.
    Received(Box<Description>),
    /// We wait. If it is refused, the places are these again.
    Offered(Vec<Slot>),
}

impl Session {
    /// A session without streams. The origin's address is what the session's `c=` says; its version is ours to count.
    pub const fn new(origin: Origin) -> Self {
        Self {
            origin,
            version: 0,
            sent: None,
            streams: Vec::new(),
            slots: Vec::new(),
            agreed: Vec::new(),
            exchange: Exchange::Quiet,
        }
    }

    /// Adds a stream. It takes the first fitting section of an offer, or gets its own in ours, below all others (RFC 3264 §8.1).
    pub fn add(&mut self, stream: Stream) -> StreamId {
        self.streams.push(Some(stream));
        StreamId(self.streams.len().saturating_sub(1))
    }

    /// Removes a stream: port 0 from the next description on (RFC 3264 §8.2).
    pub fn remove(&mut self, id: StreamId) {
        if let Some(stream) = self.streams.get_mut(id.0) {
            *stream = None;
        }
    }

    /// A stream of ours, as we wish it.
    pub fn stream(&self, id: StreamId) -> Option<&Stream> {
        self.streams.get(id.0)?.as_ref()
    }

    /// The same, to be changed. The other side learns of it from our next offer or answer.
    pub fn stream_mut(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.streams.get_mut(id.0)?.as_mut()
    }

    /// We want to hear nothing from the next offer on: `sendonly`, or `inactive` if we did not send either (RFC 3264 §8.4).
    pub fn hold(&mut self, id: StreamId) {
        if let Some(stream) = self.stream_mut(id) {
            stream.direction = stream.direction.and(Direction::SendOnly);
        }
    }

    /// Both ways again from the next offer on.
    pub fn resume(&mut self, id: StreamId) {
        if let Some(stream) = self.stream_mut(id) {
            stream.direction = Direction::SendRecv;
        }
    }

    /// What stands agreed now.
    pub fn agreed(&self) -> &[Agreed] {
        &self.agreed
    }

    /// What was agreed for a stream.
    pub fn agreed_for(&self, id: StreamId) -> Option<&Agreed> {
        self.agreed.iter().find(|agreed| agreed.stream == id)
    }

    /// How many `m=` lines its last description has, those that are off among them.
    pub const fn sections(&self) -> usize {
        self.slots.len()
    }

    /// What we can do, for the answer to an OPTIONS: our streams with port 0 (RFC 3264 §9). Nothing is offered by it.
    pub fn capabilities(&self) -> Description {
        let mut description = Description::new(self.origin.clone());
        description.lines.splice(0..0, self.connection());
        let sections = self.streams.iter().flatten().map(|stream| {
            let listed = Memory::default().list(stream);
            let ours = (stream, &stream.secrecy.possible());
            Media { port: 0, ..compose::live(ours, &listed, stream.direction, self.address()) }
        });
        description.media = sections.take(limits::SECTIONS).collect();
        description
    }

    /// Makes an offer of all our streams, first or further (RFC 3264 §5, §8). A section that the other side turned off stays off.
    pub fn offer(&mut self) -> Result<Description, Refusal> {
        match self.exchange {
            Exchange::Quiet => {}
            Exchange::Received(_) => return Err(Refusal::AnswerPending),
            Exchange::Offered(_) => return Err(Refusal::OfferPending),
        }
        let mut slots = self.slots.clone();
        self.place_new(&mut slots)?;
        for slot in &mut slots {
            let stream = slot.stream.and_then(|id| self.stream(id)).filter(|_| slot.is_on());
            (slot.life, slot.written) = match stream {
                Some(stream) => {
                    let listed = slot.memory.list(stream);
                    let cover = (stream, &stream.secrecy.offered(stream, &slot.written));
                    let ours = compose::live(cover, &listed, stream.direction, self.address());
                    (Life::On(listed), ours)
                }
                None => (Life::Off, compose::off(&slot.written)),
            };
            slot.memory.learn(&slot.written);
        }
        let offer = self.publish(&slots, vec![Line::Timing(Timing::default())]);
        self.exchange = Exchange::Offered(std::mem::replace(&mut self.slots, slots));
        Ok(offer)
    }

    /// Takes the answer to our offer (RFC 3264 §7). When it cannot be used, the offer is over, and what was agreed before stands.
    pub fn accept(&mut self, answer: &Description) -> Result<Vec<Agreed>, Refusal> {
        if !matches!(self.exchange, Exchange::Offered(_)) {
            return Err(Refusal::NothingOffered);
        }
        match self.read_answer(answer) {
            Ok((slots, agreed)) => {
                self.slots = slots;
                self.agreed.clone_from(&agreed);
                self.exchange = Exchange::Quiet;
                Ok(agreed)
            }
            Err(refusal) => {
                self.rejected();
                Err(refusal)
            }
        }
    }

    /// Our offer was refused, or will never be answered: what was agreed before stands (RFC 3264 §4). Our streams keep what we wish of
    /// them; who wanted to hold and may not says [`resume`](Self::resume).
    pub fn rejected(&mut self) {
        match std::mem::replace(&mut self.exchange, Exchange::Quiet) {
            // RFC 3264 §8.3.2: what a payload type was said to mean, it means from then on.
            Exchange::Offered(mut slots) => {
                for (old, new) in slots.iter_mut().zip(std::mem::take(&mut self.slots)) {
                    old.memory = new.memory;
                }
                self.slots = slots;
            }
            other => self.exchange = other,
        }
    }

    /// Keeps an offer that will be answered later, when somebody has picked up: until [`answer_received`](Self::answer_received) or
    /// [`refuse`](Self::refuse) we make none of our own (RFC 3264 §4).
    pub fn receive(&mut self, offer: Description) -> Result<(), Refusal> {
        match self.exchange {
            Exchange::Quiet => {}
            Exchange::Received(_) => return Err(Refusal::AnswerPending),
            Exchange::Offered(_) => return Err(Refusal::OfferPending),
        }
        self.read_offer(&offer)?;
        self.exchange = Exchange::Received(Box::new(offer));
        Ok(())
    }

    /// Answers the offer that was kept.
    pub fn answer_received(&mut self) -> Result<(Description, Vec<Agreed>), Refusal> {
        match std::mem::replace(&mut self.exchange, Exchange::Quiet) {
            Exchange::Received(offer) => self.answer(&offer),
            other => {
                self.exchange = other;
                Err(Refusal::NothingOffered)
            }
        }
    }

    /// The offer that was kept is refused: nothing has changed.
    pub fn refuse(&mut self) {
        if matches!(self.exchange, Exchange::Received(_)) {
            self.exchange = Exchange::Quiet;
        }
    }

    /// Answers an offer, first or further (RFC 3264 §6, §8). When it cannot be answered, nothing has changed.
    pub fn answer(&mut self, offer: &Description) -> Result<(Description, Vec<Agreed>), Refusal> {
        match self.exchange {
            Exchange::Quiet => {}
            Exchange::Received(_) => return Err(Refusal::AnswerPending),
            Exchange::Offered(_) => return Err(Refusal::OfferPending),
        }
        let (slots, agreed) = self.read_offer(offer)?;
        // RFC 3264 §6: t= equals that of the offer.
        let timings = offer.timings().map(Line::Timing);
        let answer = self.publish(&slots, timings.chain(bundle(offer, &slots)).collect());
        self.slots = slots;
        self.agreed.clone_from(&agreed);
        Ok((answer, agreed))
    }

    /// The address of the session's `c=`.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.origin.address.ip()
    }

    fn connection(&self) -> Option<Line> {
        self.address().map(Connection::from).map(Line::Connection)
    }

    /// The description of these places. RFC 3264 §8: its version is one more than that of the one sent before, and the same when
    /// nothing else differs. That one counts even when it was refused, for the other side has seen its version.
    fn publish(&mut self, slots: &[Slot], more: Vec<Line>) -> Description {
        let mut lines: Vec<_> = self.connection().into_iter().collect();
        lines.extend(more);
        let media = slots.iter().map(|slot| slot.written.clone()).collect();
        let mut origin = self.origin.clone();
        origin.version = self.version.to_string().into();
        let mut new = Description { origin, name: "-".into(), lines, media };
        if self.sent.as_ref() != Some(&new) {
            self.version = self.version.saturating_add(1);
            new.origin.version = self.version.to_string().into();
            self.sent = Some(new.clone());
        }
        new
    }
}

/// RFC 9143 §7.3: of the sections that share one way in their offer, those that stand in our answer share it too; but for one that has a port of its own
/// here, which the answer moves out (§7.3.2).
fn bundle(offer: &Description, slots: &[Slot]) -> Option<Line> {
    let groups = offer.attributes().filter(|attribute| &*attribute.name == "group");
    let group = groups.filter_map(|group| group.text().strip_prefix("BUNDLE ")).next()?;
    let named = |mid: &str| group.split_ascii_whitespace().any(|one| one == mid);
    let stand = slots.iter().filter(|slot| slot.is_on()).map(|slot| &slot.written);
    let mut stand = stand.filter(|written| written.mid().is_some_and(named)).peekable();
    let port = stand.peek()?.port;
    let shared = stand.filter(|written| written.port == port).filter_map(Media::mid);
    let value = format!("BUNDLE {}", shared.collect::<Vec<_>>().join(" "));
    Some(Line::Attribute(Attribute::new("group", value)))
}
