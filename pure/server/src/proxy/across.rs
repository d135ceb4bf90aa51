//! Across: a phone whose flow another node of our cluster has is reached through that node, much as an edge proxy is asked to find a
//! flow again (RFC 5626 §5.3): a Route names the flow, sealed for this Call-ID and for a minute. Nothing else is let in between nodes.

use std::time::Duration;

use machine::Time;
use protocol::doors::Neighbour;
use protocol::locate::State;
use protocol::{Flow, Output, Transport};
use sip::uri::SipUri;
use sip::{Bytes, Message};

use super::Proxy;
use super::target::{Target, Way};
use crate::house::House;
use crate::octets::{cut, put_flow, put_neighbour, take_flow, take_neighbour};
use crate::turn::Turn;

/// The parameter of such a Route.
const ACROSS: &str = "across";

/// The Route that leads to a flow of another node.
fn route(turn: &mut Turn<'_>, request: &Message, (node, flow): (Neighbour, Flow)) -> Bytes {
    let mut octets = (turn.now + GOOD_FOR).0.to_be_bytes().to_vec();
    put_neighbour(&mut octets, node);
    put_flow(&mut octets, flow);
    let token = turn.house.seal.closed(turn.dice, &purpose(request), &octets);
    let transport = transport(turn.house).uri_token();
    format!("<sip:{token}@{};transport={transport};lr;{ACROSS}>", node.at).into()
}

impl Proxy {
    /// Has a target visit the node that has its flow, and gives the flow to that node. A binding that is of our own is left as it is; and
    /// of a node that has just failed the other way is tried first, when there is one: that may lead to a node again.
    pub(super) fn visit(
        &self,
        turn: &mut Turn<'_>,
        request: &Message,
        target: &mut Target,
    ) -> Option<Flow> {
        while let Way::Across(node, flow) = &target.way {
            let (node, flow) = (**node, *flow);
            let name: Box<str> = node.at.ip().to_string().into();
            let to = towards(turn.house, node)?.proving(&name);
            let state = self.states.state(turn.now, (to.transport, to.peer));
            if !matches!(state, State::Alive | State::Due)
                && let Some(spare) = target.spare()
            {
                *target = spare;
                continue;
            }
            if !to.identity.is_none() {
                turn.out.push(Output::Introduce(name));
            }
            let route = route(turn, request, (node, flow));
            target.path.insert(0, route);
            return Some(to);
        }
        None
    }
}

/// The way to another node.
pub(super) fn towards(house: &House, node: Neighbour) -> Option<Flow> {
    let cluster = house.settings.cluster?;
    house.listener(cluster.listener).map(|listener| Flow::to(listener, node.at))
}

/// What nodes speak: TLS with an authority of their own, or TCP.
fn transport(house: &House) -> Transport {
    let listener = house.settings.cluster.and_then(|cluster| house.listener(cluster.listener));
    listener.map_or(Transport::Tcp, |listener| listener.transport)
}

/// True for what came from another node, or says that it did.
pub(crate) fn came(house: &House, flow: Flow) -> bool {
    house.settings.cluster.is_some_and(|cluster| cluster.listener == flow.listener)
}

/// The flow of ours that a Route of another node names; nothing, when it is none, not for this request, too old, or of an earlier life.
pub(crate) fn named(
    house: &House,
    (uri, request): (&SipUri<'_>, &Message),
    now: Time,
) -> Option<Flow> {
    let us = house.settings.cluster?.us;
    let token = uri.user.filter(|_| uri.params.has(ACROSS))?;
    let octets = house.seal.opened(&purpose(request), token)?;
    let mut rest = &octets[..];
    let until = Time(u64::from_be_bytes(cut(&mut rest)?));
    let (node, flow) = (take_neighbour(&mut rest)?, take_flow(&mut rest)?);
    let lives = node.life == us.life || flow.connection == 0;
    (until > now && node.at == us.at && lives && rest.is_empty()).then_some(flow)
}

/// A token is good for one Call-ID.
fn purpose(request: &Message) -> Vec<u8> {
    [b"across ", request.call_id()].concat()
}

/// Longer than a request and its repetitions need, and than clocks differ.
const GOOD_FOR: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use machine::Dice;
    use protocol::{Identity, Listener};
    use sip::Uri;

    use super::*;
    use crate::proxy::Plan;
    use crate::proxy::pass::{End, Pass};
    use crate::seal::Seal;
    use crate::settings::{Cluster, Settings};

    fn house(at: &str, life: u32) -> House {
        let at = at.parse().unwrap();
        let listeners = vec![Listener::new(0, Transport::Tcp, at)];
        let us = Neighbour { at, life };
        let cluster = Some(Cluster { us, listener: 0 });
        let settings = Settings { cluster, secret: 7, ..Settings::of("h", listeners) };
        House::new(settings, &mut Dice::new(1))
    }

    fn token(flow: Flow, node: Neighbour, call_id: &str, house: &House) -> String {
        let mut octets = Time(100).0.to_be_bytes().to_vec();
        put_neighbour(&mut octets, node);
        put_flow(&mut octets, flow);
        let purpose = [b"across ", call_id.as_bytes()].concat();
        house.seal.closed(&mut Dice::new(3), &purpose, &octets)
    }

    #[test]
    fn a_route_across_is_good_at_its_node_for_its_call_in_its_life_and_for_a_minute() {
        let there = house("10.0.0.2:5070", 5);
        let node = Neighbour { at: "10.0.0.2:5070".parse().unwrap(), life: 5 };
        let peer = "192.0.2.9:40000".parse().unwrap();
        let (transport, identity) = (Transport::Tcp, Identity::NONE);
        let flow = Flow { transport, listener: 1, connection: 9, peer, identity };
        let token = token(flow, node, "c", &there);
        let named = |house: &House, call_id: &str, token: &str, now| {
            let wire = format!("BYE sip:h SIP/2.0\r\nCall-ID: {call_id}\r\n\r\n");
            let request = Message::parse(wire).unwrap();
            let text = format!("sip:{token}@10.0.0.2:5070;transport=tcp;lr;across");
            let Ok(Uri::Sip(uri)) = Uri::parse(text.as_bytes()) else { panic!("{text}") };
            super::named(house, (&uri, &request), Time(now))
        };
        assert_eq!(named(&there, "c", &token, 99), Some(flow));
        assert_eq!(named(&there, "d", &token, 99), None, "another call");
        assert_eq!(named(&there, "c", &token, 100), None, "too old");
        assert_eq!(named(&house("10.0.0.2:5070", 6), "c", &token, 99), None, "another life");
        assert_eq!(named(&house("10.0.0.3:5070", 5), "c", &token, 99), None, "another node");
        for at in 0..token.len() {
            let half = if at == 0 { "0" } else { &token[..at] };
            assert_eq!(named(&there, "c", half, 99), None, "{at} octets");
            let mut other = token.clone().into_bytes();
            other[at] = if other[at] == b'0' { b'1' } else { b'0' };
            let other = String::from_utf8(other).unwrap();
            assert_eq!(named(&there, "c", &other, 99), None, "{at}");
        }
    }

    /// The call was set up through a node that is gone: another one, to which the same name leads, reads what that one has signed.
    #[test]
    fn any_node_knows_the_way_within_a_call_from_what_another_has_signed() {
        let here = house("10.0.0.2:5070", 5);
        let node = Neighbour { at: "10.0.0.1:5070".parse().unwrap(), life: 1 };
        let peer = "192.0.2.9:40000".parse().unwrap();
        let (transport, identity) = (Transport::Tcp, Identity::NONE);
        let flow = Flow { transport, listener: 1, connection: 9, peer, identity };
        let seal = Seal::new(7);
        let request = |rest: &str| {
            let wire = format!(
                "BYE sip:b@192.0.2.9 SIP/2.0\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\n\
                 Call-ID: c\r\n{rest}\r\n"
            );
            Message::parse(wire).unwrap()
        };
        let far = Some(End { flow, node: Some(node) });
        let pass = seal.write(&request(""), &Pass { near: None, far });
        let target = |user: &str| {
            let bye = request(&format!("Route: <sip:{user}@10.0.0.1;lr>\r\n"));
            let plan = Plan::of(&bye, (flow, Time(1)), &here, &seal);
            (plan.routes.len(), plan.target(&here))
        };
        let (left, found) = target(&pass);
        assert_eq!(left, 0, "the route of the node that is gone is taken off");
        assert!(matches!(&found.way, Way::Across(to, by) if **to == node && *by == flow));
        assert!(matches!(found.spares[..], [Target { way: Way::Uri, .. }]), "then its Contact");
        let forged = pass.replacen(|_| true, "x", 1);
        let (left, found) = target(&forged);
        assert!(left == 1 && matches!(found.way, Way::Uri), "what nobody has signed stays a route");
    }
}
