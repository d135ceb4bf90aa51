//! WebSocket from the client's side: one connection to a server, or words why not (RFC 7118 §4.1, §9.1).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use offhook_net::tls::Terms;
use offhook_net::{Plan, Program};
use protocol::transport::distrust::Why;
use protocol::{Flow, Identity, Input, Listener, Output, Transport};
use sip::Status;

use crate::authority::Authority;
use crate::echo::{House, PATIENCE, options};
use crate::secure::load;

const HERE: &str = "127.0.0.1:0";

fn client(transport: Transport, change: impl FnOnce(&mut Plan)) -> House {
    let mut plan = Plan::new().client(transport, HERE.parse().unwrap());
    change(&mut plan);
    House::open(plan, Program::new())
}

fn server(transport: Transport, change: impl FnOnce(&mut Plan)) -> House {
    let mut plan = Plan::new().on(transport, HERE.parse().unwrap());
    change(&mut plan);
    House::open(plan, Program::new())
}

fn to(transport: Transport, peer: SocketAddr) -> Flow {
    Flow { transport, listener: 0, connection: 0, peer, identity: Identity::NONE }
}

/// The next answer that a house hears.
fn answered(house: &House) -> (Flow, Option<Status>) {
    let (_, Input::Received(flow, message)) = house.input() else { panic!() };
    (flow, message.status())
}

/// Why a request could not be sent.
fn untold(house: &House) -> Why {
    match house.input().1 {
        Input::Untrusted(_, distrust) => distrust.why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_said_before_the_upgrade_is_said_after_it_over_one_connection() {
    let (server, client) = (server(Transport::Ws, |_| ()), client(Transport::Ws, |_| ()));
    let flow = to(Transport::Ws, server.address(0));
    let listener: &Listener = &client.handle.listeners()[0];
    assert!(listener.is_client() && listener.advertised.ends_with(".invalid"));
    for name in ["one", "two", "three"] {
        client.put(0, Output::Send(flow, options(name, "").into()));
    }
    let flows: Vec<Flow> = (0..3).map(|_| answered(&client)).map(|(flow, _)| flow).collect();
    assert!(flows[0].connection != 0 && flows.iter().all(|flow| *flow == flows[0]));
    assert_eq!(server.count(|counters| &counters.connections_accepted), 1);
    // The server may ask by the same connection.
    let (_, Input::Received(back, _)) = server.input() else { panic!() };
    server.put(0, Output::Send(back, options("back", "").into()));
    let (_, Input::Received(came, message)) = client.input() else { panic!() };
    assert!(message.is_request() && came == flows[0]);
}

/// "When establishing a connection using SIP over secure WebSocket transport, the client MUST authenticate the server using the server's
/// certificate"
///
/// Proves: rfc7118-9.1-2.
#[test]
fn over_wss_the_server_proves_who_it_is_or_hears_nothing() {
    let authority = Authority::new();
    let terms = authority.terms(&["a.example"]);
    let server = server(Transport::Wss, |plan| plan.tls = Some(load(&terms)));
    let ask = |client: &House, domain: &str| {
        client.put(0, Output::Introduce(domain.into()));
        let flow = to(Transport::Wss, server.address(0)).proving(domain);
        client.put(0, Output::Send(flow, options("one", "").into()));
    };
    let trusting = |terms: &Terms| {
        let terms = Terms { certificate: None, ..terms.clone() };
        client(Transport::Wss, |plan| plan.tls = Some(load(&terms)))
    };
    let good = trusting(&terms);
    ask(&good, "a.example");
    let (flow, status) = answered(&good);
    assert_eq!((flow.transport, status), (Transport::Wss, Some(Status::OK)));
    let heard = || server.count(|counters| &counters.stream_messages_in);
    assert_eq!(heard(), 1);
    ask(&good, "b.example");
    assert!(matches!(untold(&good), Why::OtherName(_)));
    let stranger = trusting(&Authority::new().terms(&["a.example"]));
    ask(&stranger, "a.example");
    assert!(matches!(untold(&stranger), Why::UnknownAuthority));
    assert_eq!(heard(), 1);
}

/// "In case there is no HTTP 101 response during the WebSocket handshake, it is considered a transaction error": whoever wanted it sent is
/// told, with the words of the server.
///
/// Proves: rfc7118-7-2.
#[test]
fn who_does_not_take_websockets_is_named_and_why() {
    for (answer, words) in [
        ("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "HTTP 401"),
        ("HTTP/1.1 404 Not Found\r\n\r\n", "HTTP 404"),
        ("SIP/2.0 400 Bad Request\r\n\r\n", "does not speak HTTP"),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            "did not understand",
        ),
        ("", "did not answer"),
    ] {
        let listener = TcpListener::bind(HERE).unwrap();
        let client = client(Transport::Ws, |_| ());
        let flow = to(Transport::Ws, listener.local_addr().unwrap());
        client.put(0, Output::Send(flow, options("one", "").into()));
        let (mut peer, _) = listener.accept().unwrap();
        peer.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut asked = [0; 200];
        let count = peer.read(&mut asked).unwrap();
        let asked = String::from_utf8_lossy(&asked[..count]).into_owned();
        assert!(asked.contains(&format!("\r\nHost: {}\r\n", flow.peer)), "{asked}");
        peer.write_all(answer.as_bytes()).unwrap();
        drop(peer);
        let Why::NoWebSocket(why) = untold(&client) else { panic!("{answer}") };
        assert!(why.contains(words), "{answer}: {why}");
        assert_eq!(client.count(|counters| &counters.connections_failed), 1);
    }
}

#[test]
fn a_server_that_says_nothing_has_its_time() {
    let listener = TcpListener::bind(HERE).unwrap();
    let client = client(Transport::Ws, |plan| plan.patience.connect = Duration::from_millis(300));
    let flow = to(Transport::Ws, listener.local_addr().unwrap());
    client.put(0, Output::Send(flow, options("one", "").into()));
    assert_eq!(
        untold(&client),
        Why::NoWebSocket("the server did not answer the request to upgrade".into())
    );
}
