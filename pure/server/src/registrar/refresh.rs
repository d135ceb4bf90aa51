//! The usual REGISTER: a phone that is here comes again, with the Contact that it has here alone (RFC 3261 §10.2.4); perhaps under another
//! Call-ID, for it was switched off meanwhile.
//!
//! What it says is compared with what lies there, and written over that: no binding is taken out. What is decided is what [`changed`](super::Registrar::changed) would decide, in the same order; whatever is not usual is left to that.

use protocol::Fault;
use sip::Message;
use sip::header::Contact;

use super::contact::Asked;
use super::outbound::Outbound;
use super::{Common, expires, expiry, said};
use crate::limits;
use crate::location::{Lies, Only, Said};
use crate::push;
use crate::turn::Turn;

/// What a REGISTER asks for that has one Contact and no more.
pub(super) fn alone(request: &Message, outbound: Outbound) -> Option<Asked<'_>> {
    let mut contacts = request.all::<Contact>();
    let contact = contacts.next()?.ok()?;
    if contacts.next().is_some() { None } else { Asked::read(&contact, outbound) }
}

/// The binding as it would be, and where it lies; nothing when that is not all. Nothing is changed yet.
pub(super) fn refreshed<'a>(
    turn: &mut Turn<'_>,
    aor: &[u8],
    (request, common): (&Message, &'a Common<'_>),
    (known, asked): (Only<'_>, &'a Asked<'_>),
) -> Result<Option<(Lies, Said<'a>)>, Fault> {
    let is_it = known.said.uri == asked.uri
        && known.said.features == asked.features
        && common.call_id.len() <= limits::BINDING_PART;
    if !is_it || !common.path.is_empty() || turn.house.settings.registrar.max_contacts == 0 {
        return Ok(None);
    }
    let least = push::least_expiry(turn.house, aor, asked.uri);
    let wish = asked.expires.or_else(|| expires(request));
    let Some(lasts) = expiry::granted(turn, wish, least)? else { return Ok(None) };
    let goes_on = known.said.call_id == common.call_id;
    if goes_on && common.cseq <= known.said.cseq {
        return Err(Fault::OutOfOrder);
    }
    let (since, first_cseq) = match asked.instance() {
        Some(_) if goes_on => (known.said.since, known.said.first_cseq),
        _ => (turn.now, common.cseq),
    };
    let times = (turn.now + lasts, since, first_cseq);
    let said = said(turn, aor, (request, common), (asked, times))?;
    Ok(Some((known.at, said)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use machine::{Dice, Time};
    use protocol::{Flow, Identity, Transport};

    use super::*;
    use crate::house::House;
    use crate::location::Binding;
    use crate::registrar::{Registrar, common};
    use crate::settings::Settings;

    fn flow() -> Flow {
        let (transport, identity) = (Transport::Tcp, Identity::NONE);
        let peer = "198.51.100.1:5060".parse().unwrap();
        Flow { transport, listener: 0, connection: 3, peer, identity }
    }

    fn request(call_id: &str, cseq: u32, rows: &str) -> Message {
        let wire = format!(
            "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/TCP 198.51.100.1;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:a@h>\r\n\
             Call-ID: {call_id}\r\nCSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n{rows}Content-Length: 0\r\n\r\n"
        );
        Message::parse(wire).unwrap()
    }

    fn shown(said: &[Said<'_>]) -> String {
        format!("{said:?}")
    }

    /// What the longer way makes of a REGISTER.
    fn longer(registrar: &Registrar, (house, now): (&House, Time), request: &Message) -> String {
        let common = common(flow(), request, Outbound::of(request).unwrap()).unwrap();
        let changed =
            Turn::lend(now, house, |turn| registrar.changed(turn, b"a", request, &common));
        match changed {
            Ok(all) => shown(&all.iter().map(Binding::said).collect::<Vec<_>>()),
            Err(fault) => format!("{fault:?}"),
        }
    }

    /// What this one makes of it, with the same dice, where it says anything.
    fn shorter(
        registrar: &Registrar,
        (house, now): (&House, Time),
        request: &Message,
    ) -> Option<String> {
        let common = common(flow(), request, Outbound::of(request).unwrap()).unwrap();
        let asked = alone(request, common.outbound)?;
        let known = registrar.location.only(now, b"a")?;
        Turn::lend(now, house, |turn| {
            match refreshed(turn, b"a", (request, &common), (known, &asked)) {
                Ok(done) => done.map(|(_, said)| shown(&[said])),
                Err(fault) => Some(format!("{fault:?}")),
            }
        })
    }

    /// A phone registers, and says something else five minutes later.
    #[test]
    fn what_is_done_in_its_place_is_what_is_done_otherwise() {
        let (mut dice, start) = (Dice::new(1), Time(1_000_000_000_000));
        let house = House::new(Settings::of("h", Vec::new()), &mut dice);
        let plain = "Contact: <sip:a@198.51.100.1>;q=0.5\r\n";
        let phone = "Contact: <sip:a@198.51.100.1>;+sip.instance=\"<urn:uuid:1>\";video\r\n";
        let flows = "Supported: outbound, path\r\n\
                     Contact: <sip:a@198.51.100.1>;+sip.instance=\"<urn:uuid:1>\";reg-id=1\r\n";
        let (contacts, long) = ([plain, phone, flows], "x".repeat(limits::BINDING_PART + 1));
        let more =
            ["", "Expires: 0\r\n", "Expires: 1\r\n", "Expires: 900\r\n", "Path: <sip:p;lr>\r\n"];
        let said = |call_id| {
            let rows = contacts.iter().flat_map(|rows| more.map(|more| [rows, more].concat()));
            let cseqs = |rows: String| [1, 5, 6, 300].map(|cseq| request(call_id, cseq, &rows));
            rows.flat_map(cseqs).collect::<Vec<_>>()
        };
        let mut in_its_place = 0;
        for first in contacts {
            let mut registrar = Registrar::new(&mut dice);
            let first = request("one", 5, first);
            let common = common(flow(), &first, Outbound::of(&first).unwrap()).unwrap();
            let all =
                Turn::lend(start, &house, |turn| registrar.changed(turn, b"a", &first, &common));
            assert!(registrar.location.replace(b"a", &all.unwrap()));
            let at = (&house, start + Duration::from_secs(300));
            for request in ["one", "two", "another", &long].iter().flat_map(|name| said(name)) {
                let (long, short) =
                    (longer(&registrar, at, &request), shorter(&registrar, at, &request));
                assert_eq!(short.as_ref().unwrap_or(&long), &long, "{request:?}");
                in_its_place += usize::from(short.is_some());
            }
        }
        assert!(in_its_place > 100, "{in_its_place}");
    }
}
