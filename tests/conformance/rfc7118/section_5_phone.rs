//! §5 and §4.1: what a phone does that is a SIP WebSocket client.

use phone::PhoneEvent;
use protocol::doors::Question;
use protocol::{Flow, Identity, Input, Listener, Transport};
use sip::header::Via;
use sip::{Message, Method, Name};

use crate::handset::{Bench, HOME, SDP, account, picked_up, reply, rows};

/// The way between us, the server, and the phone.
fn flow(transport: Transport) -> Flow {
    let peer = "192.0.2.9:8080".parse().unwrap();
    Flow { transport, listener: 0, connection: 5, peer, identity: Identity::NONE }
}

fn phone(transport: Transport) -> Bench {
    let account = account().by(transport).server("192.0.2.9:8080").unwrap();
    let out = Listener::client(0, transport, HOME.parse().unwrap(), "df7jal23ls0d");
    Bench::on(account, vec![out])
}

fn tell(bench: &mut Bench, transport: Transport, message: Message) {
    bench.input(Input::Received(flow(transport), message));
}

/// "SIP WebSocket Clients MUST accept responses without such a parameter in the top Via header regardless of whether the Via "sent-by"
/// field contains a domain name."
/// Proves: rfc7118-5.3-4.
#[test]
fn trap_54_a_phone_says_that_it_is_nowhere_and_takes_what_comes_over_its_connection() {
    for transport in [Transport::Ws, Transport::Wss] {
        let mut bench = phone(transport);
        bench.act(|phone, now, out| phone.register(now, out));
        let sent = bench.sent_with_times();
        let [(_, by, register)] = &sent[..] else { panic!("{sent:?}") };
        assert_eq!((by.transport, by.peer, by.connection), (transport, flow(transport).peer, 0));
        let via = register.get::<Via<'_>>().unwrap();
        assert_eq!(
            (via.transport.0, via.host.to_string().as_str()),
            (transport.token(), "df7jal23ls0d.invalid")
        );
        assert!(
            rows(register, Name::Contact)[0]
                .contains("<sip:alice@df7jal23ls0d.invalid;transport=ws>")
        );
        let ok = reply(
            register,
            200,
            "r",
            ("Contact: <sip:alice@df7jal23ls0d.invalid;transport=ws>;expires=60", ""),
        );
        assert!(!rows(&ok, Name::Via)[0].contains("received"));
        tell(&mut bench, transport, ok);
        let registered = |event: &PhoneEvent| matches!(event, PhoneEvent::Registered { .. });
        assert!(bench.events().iter().any(registered));
    }
}

/// A dialog's requests go over the connection too, whatever its Contact and routes say: there is no other way.
#[test]
fn whatever_a_contact_says_everything_goes_over_the_connection() {
    let mut bench = phone(Transport::Ws);
    let call = bench
        .act(|phone, now, out| {
            phone.call(now, "sip:bob@biloxi.example", Box::new(media::Silence), out)
        })
        .unwrap();
    let invite = bench.only();
    let routed = "Contact: <sip:bob@198.51.100.7>\r\nRecord-Route: <sip:x@inside.example:443;transport=ws;lr>";
    tell(&mut bench, Transport::Ws, reply(&invite, 200, "bob", (routed, SDP)));
    bench.hang_up(call);
    let sent = bench.sent_with_times();
    let methods: Vec<_> = sent.iter().filter_map(|(_, _, message)| message.method()).collect();
    assert_eq!(methods, [Method::Ack, Method::Bye]);
    assert!(sent.iter().all(|(_, by, _)| by.peer == flow(Transport::Ws).peer), "{sent:?}");
    let asks = |question: &Question| matches!(question, Question::Resolve(_));
    assert!(!bench.questions().iter().any(asks), "nobody asks where inside.example is");
}

/// "In case there is no HTTP 101 response during the WebSocket handshake, it is considered a transaction error"
#[test]
fn without_the_upgrade_a_request_has_failed() {
    let mut bench = phone(Transport::Ws);
    bench.act(|phone, now, out| phone.register(now, out));
    bench.input(Input::Failed(flow(Transport::Ws).any_connection()));
    let failed =
        |event: &PhoneEvent| matches!(event, PhoneEvent::NotRegistered { status: 503, .. });
    assert!(bench.events().iter().any(failed));
}

/// "client and server transactions using WebSocket … MUST follow the procedures and timer values for reliable transports"
/// Proves: rfc7118-5-1.
#[test]
fn a_phone_repeats_nothing_over_websocket() {
    let mut bench = phone(Transport::Wss);
    let _ = bench.calls("sip:bob@biloxi.example");
    bench.wait(20_000);
    assert!(bench.titles().is_empty());
    let mut bench = phone(Transport::Wss);
    let (_, invite) = bench.calls("sip:bob@biloxi.example");
    tell(&mut bench, Transport::Wss, picked_up(&invite));
    assert_eq!(bench.titles(), ["ACK"]);
}
