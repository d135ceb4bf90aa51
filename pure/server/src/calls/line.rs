//! `Line`: what a request of either side of a call looks like when it comes to us, kept packed for as long as the call is up: so that one can
//! be written in its name (RFC 3261 §12.2.1.1).

use protocol::dialog::{CallId, Dialog, DialogId, Routes, Tag};
use protocol::{CallRecord, Ender, Flow, Text, Texts};
use sip::header::{CSeq, Contact};
use sip::{Message, Method, Name, Uri};

use super::hangup::REASON;
use crate::house::House;
use crate::limits;
use crate::proxy::{came_across, sip_uri};

/// One of the two who talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Caller,
    Callee,
}

/// What both sides have said of themselves.
#[derive(Debug, Default)]
pub(super) struct Line {
    texts: Texts,
    /// The highest CSeq of the caller's requests, and of the callee's; 0: there was none.
    cseqs: [u32; 2],
}

/// What is kept of a call, besides its record.
#[derive(Clone, Copy)]
enum Kept {
    CallerTag = 1,
    CalleeTag,
    /// The Contact of each side; nothing for a callee that is where the record says.
    CallerAt,
    CalleeAt,
    /// The routes beyond us, on the way to each side, as they are to be written.
    ToCaller,
    ToCallee,
    /// The user part of our own Record-Route: it knows the flows by which both are reached.
    Pass,
    /// The listener by which the INVITE came.
    Listener,
}

impl Side {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }

    /// This side has hung up.
    pub(super) const fn ender(self) -> Ender {
        match self {
            Self::Caller => Ender::Caller,
            Self::Callee => Ender::Callee,
        }
    }
}

impl Line {
    /// A request of one side passes.
    pub(super) fn passes(&mut self, by: Side, request: &Message) {
        let number = request.get::<CSeq>().map_or(0, |cseq| cseq.number);
        let [caller, callee] = &mut self.cseqs;
        let highest = if by == Side::Caller { caller } else { callee };
        *highest = number.max(*highest);
    }

    /// It was answered. When our Record-Route did not come back, its requests will not pass here, and nothing is kept of it; nor is it when
    /// that would be too much. The Contact of who has answered is mostly where it was called, which the record knows.
    pub(super) fn answered(
        &mut self,
        house: &House,
        came: Flow,
        (invite, answer): (&Message, &Message),
        called: &[u8],
    ) {
        let rows: Vec<&[u8]> = answer.elements(Name::RecordRoute).take(limits::ROUTES).collect();
        // The lowest of ours: of a call that passes here twice, this is the first time. Both of a pair show the same pass.
        let ours = rows.iter().enumerate().rev().find_map(|(at, row)| {
            let pass = pass(row).filter(|user| house.seal.read(user, answer).is_some())?;
            Some((at, pass))
        });
        let Some((at, ours)) = ours else { return };
        let (above, below) = rows.split_at(at);
        let to_caller = below.get(1..).unwrap_or_default();
        let pair = above.last().is_some_and(|last| pass(last) == Some(ours));
        let beyond = above.len() - usize::from(pair);
        let to_callee: Vec<_> = above.iter().take(beyond).rev().copied().collect();
        let (to_caller, to_callee) = (to_caller.join(&b", "[..]), to_callee.join(&b", "[..]));
        let [caller_at, callee_at] = [invite, answer].map(contact);
        // What an UPDATE has said before the answer is newer than the INVITE.
        let caller_at = match self.texts.get(Kept::CallerAt as u8) {
            b"" => caller_at,
            newer => newer,
        };
        let all = [
            (Kept::CallerTag, invite.from_tag().unwrap_or_default()),
            (Kept::CalleeTag, answer.to_tag().unwrap_or_default()),
            (Kept::CallerAt, caller_at),
            (Kept::CalleeAt, if callee_at == called { b"" } else { callee_at }),
            (Kept::ToCaller, &to_caller),
            (Kept::ToCallee, &to_callee),
            (Kept::Pass, ours),
            (Kept::Listener, &came.listener.to_be_bytes()),
        ];
        let mut texts = Texts::default();
        if all.iter().map(|(_, text)| text.len()).sum::<usize>() <= limits::LINE {
            texts.put(all.iter().map(|(kind, text)| (*kind as u8, [*text, b""])));
        }
        self.texts = texts;
        self.passes(Side::Caller, invite);
    }

    /// One side says where it is reached from now on (§12.2.1.2, §12.2.2).
    pub(super) fn moves(&mut self, side: Side, message: &Message) {
        let kind = if side == Side::Caller { Kept::CallerAt } else { Kept::CalleeAt };
        let at = contact(message);
        if !at.is_empty() && at.len() <= limits::LINE {
            self.texts.replace(kind as u8, at);
        }
    }

    /// The BYE that one side would send, as it would come to us, and the way by which the INVITE came. Nothing, when the call does not pass here.
    pub(super) fn bye(
        &self,
        house: &House,
        record: &CallRecord,
        by: Side,
    ) -> Option<(Flow, Message)> {
        let kept = |kind: Kept| self.texts.get(kind as u8);
        let call_id = record.text(Text::CallId);
        let uris = [Text::From, Text::To].map(|kind| record.text(kind));
        let tags = [Kept::CallerTag, Kept::CalleeTag].map(|kind| Tag::of(kept(kind)));
        let pass = std::str::from_utf8(kept(Kept::Pass)).ok().filter(|pass| !pass.is_empty())?;
        let [caller_at, callee_at] = [Kept::CallerAt, Kept::CalleeAt].map(kept);
        let callee_at =
            if callee_at.is_empty() { record.text(Text::AnsweredBy) } else { callee_at };
        let ([from, to], [local, remote]) = (uris, tags);
        let call_id = CallId::of(call_id);
        let (id, uris, target, beyond, cseq) = match by {
            Side::Caller => {
                let id = DialogId { call_id, local, remote };
                (id, [from, to], callee_at, kept(Kept::ToCallee), self.cseqs[0])
            }
            Side::Callee => {
                let id = DialogId { call_id, local: remote, remote: local };
                (id, [to, from], caller_at, kept(Kept::ToCaller), self.cseqs[1])
            }
        };
        let cut = |text: &[u8]| text.len() >= limits::CALL_TEXT;
        let is_sip = Uri::parse(target).is_ok_and(|uri| uri.sip().is_some());
        if !is_sip || cut(id.call_id.as_bytes()) || uris.iter().any(|uri| cut(uri)) {
            return None;
        }
        let us = house.settings.listeners.first()?;
        let ours = format!("<sip:{pass}@{};lr>", us.advertised);
        let routes = [ours.as_bytes(), beyond];
        let routes = if beyond.is_empty() { &routes[..1] } else { &routes[..] };
        let mut dialog = Dialog::kept(id, uris, (target, Routes::written(routes)), cseq);
        let draft = dialog.request(Method::Bye).raw(Name::Reason, REASON);
        Some((self.came(house, record)?, Message::parse(draft.wire()).ok()?))
    }

    /// The way of the INVITE. What came from another node of a cluster is no request of a phone: then it is any other.
    fn came(&self, house: &House, record: &CallRecord) -> Option<Flow> {
        let kept = self.texts.get(Kept::Listener as u8).first_chunk().copied();
        let listener = u16::from_be_bytes(kept.unwrap_or_default());
        let (transport, peer) = record.source;
        let identity = protocol::Identity::NONE;
        let came = Flow { transport, listener, connection: 0, peer, identity };
        if !came_across(house, came) {
            return Some(came);
        }
        let mut others = house.settings.listeners.iter();
        let other = others.find(|other| other.number != listener)?;
        Some(Flow { transport: other.transport, listener: other.number, ..came })
    }
}

/// The pass in a route, when it is ours.
fn pass(route: &[u8]) -> Option<&[u8]> {
    sip_uri(route)?.user
}

/// The URI of its Contact, whatever that is; nothing without one.
fn contact(message: &Message) -> &[u8] {
    match message.get::<Contact<'_>>() {
        Some(Contact::At(address)) => address.uri,
        Some(Contact::All) | None => b"",
    }
}
