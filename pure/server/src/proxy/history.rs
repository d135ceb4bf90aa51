//! How a request came to be where it is, told to the next hop: History-Info (RFC 7044) and Diversion (RFC 5806).
//!
//! Written when the settings want it; what came of both is passed on in any case. In responses they pass as they come.

use std::net::IpAddr;

use sip::header::{HistoryInfo, Privacy};
use sip::uri::same;
use sip::{Bytes, Edit, Message, Method, Name, Uri};

use super::context::{Addressee, Branch, Context};
use crate::house::House;
use crate::limits;

/// What a copy tells of its past.
#[derive(Debug)]
pub(crate) struct Past {
    /// History-Info, whole, in the order of its indices.
    history: Vec<Vec<u8>>,
    /// Who sent it on, the last first, before those that it came with.
    diversions: Vec<Bytes>,
    /// True when a phone of ours gets it: it is within our domain.
    stays: bool,
}

impl Past {
    /// That of a branch of a request which begins something; nothing when nothing is to be told.
    pub(super) fn of(house: &House, context: &Context, at: usize) -> Option<Self> {
        let told = house.settings.proxy.history
            && context.begins()
            && context.request.method() != Some(Method::Register);
        let branch = context.branches.get(at).filter(|_| told)?;
        let (mut history, root) = so_far(house, context);
        // What was tried before, and what became of it (§9.3, §10.2). Who still rings is not told of (§10.3, rule 5).
        let earlier = context.branches.iter().take(at).zip(1_usize..);
        for (earlier, number) in earlier.filter(|(earlier, _)| earlier.said != 0) {
            history.push(entry((house, context), earlier, (&root, number), earlier.said));
        }
        // What an address of its own has said is not the last word of this branch.
        history.push(entry((house, context), branch, (&root, at.saturating_add(1)), 0));
        let diversions =
            if branch.target.diverted { context.diversions().to_vec() } else { Vec::new() };
        let stays = matches!(context.addressee, Addressee::User(_)) && !branch.target.diverted;
        Some(Self { history, diversions, stays })
    }

    /// Writes it, with what may be known where it goes (§10.1.2).
    pub(super) fn write(
        &self,
        (house, request): (&House, &Message),
        to: IpAddr,
        edit: &mut Edit<'_>,
    ) {
        let leaves = !self.stays && !house.trusts(to);
        let hidden = leaves
            && request
                .get::<Privacy<'_>>()
                .is_some_and(|privacy| privacy.asks("history") || privacy.asks("header"));
        edit.remove_all(Name::HistoryInfo);
        for entry in &self.history {
            let shown = if hidden { anonymous(house, entry) } else { entry.clone() };
            edit.append_raw(Name::HistoryInfo.as_str(), &shown);
        }
        if hidden {
            // It is done, and nobody need do it again.
            let privacy = request.get::<Privacy<'_>>();
            let kinds = privacy.iter().flat_map(|privacy| privacy.iter());
            let left: Vec<_> = kinds.filter(|kind| !kind.eq_ignore_ascii_case("history")).collect();
            edit.remove_all(Name::Privacy);
            if !left.is_empty() {
                edit.append_raw(Name::Privacy.as_str(), left.join(";").as_bytes());
            }
        } else {
            for diversion in self.diversions.iter().rev() {
                edit.push_raw(Name::Diversion, diversion);
            }
        }
    }
}

/// Who sent a call on, as a 3xx of its own says, or as we know it (RFC 5806 §4).
pub(super) fn diversions(house: &House, context: &Context, response: &Message) -> Vec<Bytes> {
    let said = response.elements(Name::Diversion).take(limits::ROUTES);
    let said: Vec<_> = said.map(|element| response.wire().slice_ref(element)).collect();
    if !said.is_empty() {
        return said;
    }
    let uri = as_sip(house, &context.plan.uri);
    vec![[b"<", &*uri, b">;reason=deflection;counter=1"].concat().into()]
}

/// The entries that there are, with one for who sent the request and wrote none (§9.1); and the index of the last.
fn so_far(house: &House, context: &Context) -> (Vec<Vec<u8>>, String) {
    let request = &context.request;
    let mut history: Vec<_> =
        request.elements(Name::HistoryInfo).take(limits::VIAS).map(<[u8]>::to_vec).collect();
    let last = request.all::<HistoryInfo<'_>>().flatten().last();
    let uri = as_sip(house, &context.plan.uri);
    let index = match last.and_then(|last| Some((last.index()?, is_the_same(last.uri, &uri)))) {
        Some((index, true)) => return (history, index.to_owned()),
        // §10.3, rule 6: somebody before us has told nothing.
        Some((index, false)) => format!("{index}.0"),
        None => "1".to_owned(),
    };
    history.push([b"<", &*uri, b">;index=", index.as_bytes()].concat());
    (history, index)
}

/// One target: where it is, its place in the tree, and how it was found (§9.2, §10.4).
fn entry(
    (house, context): (&House, &Context),
    branch: &Branch,
    (root, number): (&str, usize),
    said: u16,
) -> Vec<u8> {
    let uri = as_sip(house, branch.routing.uri(&branch.target));
    let found = match context.addressee {
        // Whoever sent it there has not said how it knew.
        _ if branch.target.diverted => None,
        _ if is_the_same(&context.plan.uri, branch.routing.uri(&branch.target)) => Some("np"),
        Addressee::User(_) => Some("rc"),
        Addressee::Other => Some("mp"),
    };
    let mut text = [b"<", &*uri].concat();
    if said != 0 {
        text.extend_from_slice(format!("?Reason=SIP%3Bcause%3D{said}").as_bytes());
    }
    text.extend_from_slice(format!(">;index={root}.{number}").as_bytes());
    if let Some(found) = found {
        text.extend_from_slice(format!(";{found}={root}").as_bytes());
    }
    text
}

/// A number as a SIP URI (RFC 3261 §19.1.6); others as they are, without headers, which stand for something else here.
fn as_sip(house: &House, uri: &[u8]) -> Vec<u8> {
    match uri.strip_prefix(b"tel:") {
        Some(number) => [b"sip:", number, b"@", house.domain().as_bytes(), b";user=phone"].concat(),
        None => uri.split(|octet| *octet == b'?').next().unwrap_or_default().to_vec(),
    }
}

/// An entry of our domain without its place; others are not ours to hide.
fn anonymous(house: &House, entry: &[u8]) -> Vec<u8> {
    let Ok(known) = <HistoryInfo<'_> as sip::Header<'_>>::parse(entry) else {
        return entry.to_vec();
    };
    let ours = matches!(Uri::parse(known.uri), Ok(Uri::Sip(uri)) if house.is_ours(&uri) || uri.host.ip().is_some());
    match known.index() {
        Some(index) if ours => {
            format!("<sip:anonymous@anonymous.invalid>;index={index}").into_bytes()
        }
        _ => entry.to_vec(),
    }
}

fn is_the_same(one: &[u8], other: &[u8]) -> bool {
    one == other
        || matches!((Uri::parse(one), Uri::parse(other)), (Ok(one), Ok(other)) if same(&one, &other))
}
