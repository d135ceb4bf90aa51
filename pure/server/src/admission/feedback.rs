//! `Feedback`: tells neighbours that understand it how much less they are to send us (RFC 7339, the loss-based scheme).
//!
//! Whoever asks for it in its Via hears it in every response of ours, repeated ones too: the parameters are written when a response goes
//! out. What they ask for with goes no further: it is taken off when the request comes.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use machine::{HashKey, Map, Time};
use sip::header::{Via, is_load};
use sip::{Bytes, Header as _, Message, Name, Param, Params};

use crate::limits;

/// What we tell, and whom.
#[derive(Debug)]
pub(crate) struct Feedback {
    /// Neighbours that have asked.
    asked: Map<SocketAddr, Neighbour>,
    order: VecDeque<SocketAddr>,
    /// When what they are told was found.
    at: Time,
    /// Somebody is told to send less.
    asks_less: bool,
}

/// One that is told, by what becomes of its own requests: who sends more than we can do is not paid for by others.
#[derive(Clone, Copy, Debug, Default)]
struct Neighbour {
    /// How long it is remembered.
    until: Time,
    /// How much less it is to send of what is new, in thousandths.
    less: u64,
    /// What it is told: of all its requests, in a hundred.
    loss: u64,
    count: Count,
}

/// What came of it since then.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    new: u64,
    within: u64,
    refused: u64,
}

/// How long a neighbour is remembered that does not ask again (§5.8: an hour).
const REMEMBERED: Duration = Duration::from_secs(3600);

/// How long what we tell is good: two periods, should the next not arrive.
const VALIDITY: Duration = Duration::from_millis(1000);

/// How often what we tell changes.
const PERIOD: Duration = Duration::from_millis(400);

/// The only scheme that we know: each client must (§4.2).
const LOSS: &[u8] = b"loss";

impl Feedback {
    pub(crate) fn new(key: HashKey) -> Self {
        let (asked, order) = (key.map(), VecDeque::new());
        Self { asked, order, at: Time::default(), asks_less: false }
    }

    /// A request came: does its sender want to be told? Then the request without that.
    pub(crate) fn asks(
        &mut self,
        now: Time,
        from: SocketAddr,
        request: &Message,
    ) -> Option<Message> {
        let bare = bare(request)?;
        let via = request.get::<Via>()?;
        if via.params.has("oc") && knows_loss(&via) {
            self.note(now, from);
        }
        Some(bare)
    }

    fn note(&mut self, now: Time, from: SocketAddr) {
        let until = now + REMEMBERED;
        if let Some(known) = self.asked.get_mut(&from) {
            known.until = until;
            return;
        }
        self.asked.insert(from, Neighbour { until, ..Neighbour::default() });
        self.order.push_back(from);
        if self.order.len() > limits::TOLD
            && let Some(oldest) = self.order.pop_front()
        {
            self.asked.remove(&oldest);
        }
    }

    /// What somebody is told whom we tell.
    fn told(&self, now: Time, to: SocketAddr) -> Option<&Neighbour> {
        self.asked.get(&to).filter(|neighbour| neighbour.until > now)
    }

    /// Is this somebody whom we tell?
    pub(crate) fn tells(&self, now: Time, to: SocketAddr) -> bool {
        !self.asked.is_empty() && self.told(now, to).is_some()
    }

    /// True when anybody has asked.
    pub(crate) fn has_asked(&self) -> bool {
        !self.asked.is_empty()
    }

    /// A request of a neighbour came that belongs to something.
    pub(crate) fn within(&mut self, of: SocketAddr) {
        self.count(of, |count| count.within += 1);
    }

    /// One that begins something.
    pub(crate) fn begun(&mut self, of: SocketAddr) {
        self.count(of, |count| count.new += 1);
    }

    /// One for which there was no time.
    pub(crate) fn refused(&mut self, of: SocketAddr) {
        self.count(of, |count| {
            count.new += 1;
            count.refused += 1;
        });
    }

    fn count(&mut self, of: SocketAddr, deed: impl FnOnce(&mut Count)) {
        if let Some(neighbour) = self.asked.get_mut(&of) {
            deed(&mut neighbour.count);
        }
    }

    /// Finds anew what each is to be told; new things are begun at this rate, when not at any.
    pub(crate) fn update(&mut self, now: Time, rate: Option<u64>) {
        let narrow = rate.is_some();
        if now - self.at < PERIOD && (narrow || !self.asks_less) {
            return;
        }
        (self.at, self.asks_less) = (now, false);
        for one in &self.order {
            let Some(neighbour) = self.asked.get_mut(one) else { continue };
            neighbour.update(rate);
            self.asks_less |= neighbour.less > 0;
        }
    }

    /// A response that goes to a neighbour, with what it is to be told; nothing for others, and for requests.
    pub(crate) fn tell(&self, now: Time, to: SocketAddr, wire: &Bytes) -> Option<Bytes> {
        let neighbour = self.told(now, to).filter(|_| wire.starts_with(b"SIP/2.0 "))?;
        let response = Message::parse(wire.clone()).ok()?;
        let via = response.get::<Via>()?;
        let told = |text: &mut Vec<u8>| {
            write_bare(&via, text);
            self.write(neighbour.loss, text);
        };
        Some(response.edit().replace_written(Name::Via, told).wire())
    }

    /// `;oc=20;oc-algo="loss";oc-validity=1000;oc-seq=1282321615.78200`
    fn write(&self, loss: u64, text: &mut Vec<u8>) {
        let validity = if loss == 0 { 0 } else { VALIDITY.as_millis() };
        let (seconds, rest) = (self.at.as_secs(), self.at.0 / 10_000 % 100_000);
        let told = format!(
            ";oc={loss};oc-algo=\"loss\";oc-validity={validity};oc-seq={seconds}.{rest:05}"
        );
        text.extend_from_slice(told.as_bytes());
    }
}

impl Neighbour {
    /// While nothing of it is refused, a little less is asked for each time. A single refusal says little: what was refused is held against
    /// so many more.
    fn update(&mut self, rate: Option<u64>) {
        let Count { new, within, refused } = std::mem::take(&mut self.count);
        let sent = 1000 - self.less;
        let sent = match refused {
            _ if rate.is_none() => 1000,
            0 => sent + sent / 32 + 1,
            refused => sent - sent * refused / (new + FEW),
        };
        self.less = 1000 - sent.clamp(LEAST, 1000);
        // §5.3: of all requests, those within calls too, of which none is to be left out.
        let share = (new * 1000).checked_div(new + within).unwrap_or(1000);
        self.loss = (self.less * share / 10_000).min(100);
    }
}

/// As many requests in a period are too few to say what share of them is refused.
const FEW: u64 = 8;

/// The least that neighbours are asked to send, in thousandths: else we would not know when it is over.
const LEAST: u64 = 20;

/// A message whose topmost Via says nothing of load: what somebody further on has written there is not ours to pass on (§5.4, §5.6).
pub(crate) fn bare(message: &Message) -> Option<Message> {
    if !message.via_marks().load {
        return None;
    }
    let via = message.get::<Via>()?;
    let bare = |text: &mut Vec<u8>| write_bare(&via, text);
    message.edit().replace_written(Name::Via, bare).finish().ok()
}

/// The same of octets.
pub(crate) fn without(wire: Bytes) -> Bytes {
    let bare = Message::parse(wire.clone()).ok().and_then(|message| bare(&message));
    bare.map_or(wire, |message| message.wire().clone())
}

/// Does the list in `oc-algo` name what we speak (§4.2)? Whoever names none at all means it.
fn knows_loss(via: &Via<'_>) -> bool {
    let Some(list) = via.params.unquoted("oc-algo") else { return true };
    list.split(|octet| *octet == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(LOSS))
}

fn write_bare(via: &Via<'_>, text: &mut Vec<u8>) {
    Via { params: Params::new(b""), ..*via }.write(text);
    for param in via.params.iter().filter(|param: &Param<'_>| !is_load(param.name.as_bytes())) {
        param.write(text);
    }
}
