//! What transactions cost, without a user above and a network below (RFC 3261 §17).

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Duration;

use machine::{Dice, Time};
use protocol::transaction::{Timers, Up};
use protocol::{Flow, Identity, Transactions, Transport};
use sip::{Message, Status};

/// A request, its transaction at either end, its answer, and both forgotten when their time has come.
pub(crate) fn transaction(count: u64) {
    let [here, there] = [([192, 0, 2, 1], 5060), ([192, 0, 2, 2], 5060)].map(SocketAddr::from);
    let flow = |peer| Flow {
        transport: Transport::Udp,
        listener: 0,
        connection: 0,
        peer,
        identity: Identity::NONE,
    };
    let mut dice = Dice::new(1);
    let mut client = Transactions::new(Timers::default(), &mut dice);
    let mut server = Transactions::new(Timers::default(), &mut dice);
    let (mut out, mut up, mut now) = (Vec::new(), Vec::new(), Time(1));
    for number in 0..count {
        now = now + Duration::from_millis(1);
        let Ok(request) = Message::parse(request(number)) else { continue };
        client.request(now, flow(there), request.clone(), &mut out);
        let Some(Up::Request(id, ..)) = server.receive(now, flow(here), request.clone(), &mut out)
        else {
            continue;
        };
        let answer = request.reply(Status::OK).wire();
        server.respond(now, id, answer.clone(), &mut out);
        if let Ok(answer) = Message::parse(answer) {
            black_box(client.receive(now, flow(there), answer, &mut out));
        }
        client.wake(now, &mut out, &mut up);
        server.wake(now, &mut out, &mut up);
        out.clear();
    }
    black_box((client.len(), server.len()));
}

fn request(number: u64) -> String {
    format!(
        "MESSAGE sip:b@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{number}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@192.0.2.1>;tag=1\r\nTo: <sip:b@192.0.2.2>\r\nCall-ID: x{number}@192.0.2.1\r\n\
         CSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"
    )
}
