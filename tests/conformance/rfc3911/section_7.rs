//! §7: whoever joins a call hears all of it.

use phone::Account;
use protocol::doors::Input;
use protocol::{Flow, Transport};
use sip::{Message, Name};

use crate::handset::{Bench, SDP, account, flow, reply, rows};

/// The status that this sender gets who wants to join a call of Alice's phone, which is registered: by this way, with more rows.
fn joins(account: Account, came: Flow, (from, more): (&str, &str)) -> u16 {
    let mut bench = Bench::with(account.server("192.0.2.9").unwrap());
    bench.act(|phone, now, out| phone.register(now, out));
    let (_, way, register) = bench.sent_with_times().remove(0);
    bench.input(Input::Received(way, reply(&register, 200, "r", ("Expires: 600", ""))));
    let (_, _, ok) = bench.taken();
    let to = rows(&ok, Name::To).concat();
    let tag = to.split(";tag=").nth(1).unwrap();
    let call_id = String::from_utf8_lossy(ok.call_id()).into_owned();
    let join = format!("Join: {call_id};to-tag={tag};from-tag=b1\r\n{more}");
    let invite = bench.request("INVITE", &join, SDP);
    let from = format!("<{from}>;tag=j1");
    let invite = invite.edit().replace_raw(Name::From, from.as_bytes()).finish().unwrap();
    bench.sent();
    bench.input(Input::Received(came, invite));
    let answers = bench.sent();
    answers.iter().find_map(Message::status).unwrap().code()
}

const ALICE: &str = "sip:alice@atlanta.example";
const BOB: &str = "sip:bob@biloxi.example";

/// A From is no proof: our own address in it neither. Who may join the account says, and whoever passes the INVITE on has to look.
#[test]
fn who_joins_is_listed_and_comes_from_who_looks() {
    let (here, elsewhere) = (flow(Transport::Udp), "203.0.113.7:5060".parse().unwrap());
    let elsewhere = Flow { peer: elsewhere, ..here };
    for (listed, from, came, status) in [
        (&[][..], ALICE, here, 403),
        (&[ALICE][..], ALICE, here, 200),
        (&[ALICE], ALICE, elsewhere, 403),
        (&[BOB], ALICE, here, 403),
        (&[BOB], BOB, here, 200),
        (&[BOB], BOB, elsewhere, 403),
    ] {
        let account = account().shows_calls(listed);
        assert_eq!(joins(account, came, (from, "")), status, "{listed:?} {from} {came:?}");
    }
}

/// The address of our server is easily forged in a datagram: who is registered by TCP does not take one for a word of the server.
#[test]
fn a_way_that_is_easier_to_forge_than_our_own_is_not_believed() {
    let account = || account().by(Transport::Tcp).shows_calls(&[BOB]);
    assert_eq!(joins(account(), flow(Transport::Udp), (BOB, "")), 403);
    assert_eq!(joins(account(), flow(Transport::Tcp), (BOB, "")), 200);
}

/// RFC 3325 §8: what the server says of who it is counts more than the From.
#[test]
fn whom_the_server_calls_somebody_else_does_not_join() {
    for (asserted, status) in [
        ("<sip:bob@biloxi.example>", 200),
        ("<tel:+1>, \"Bob\" <sip:bob@biloxi.example>", 200),
        ("<sip:mallory@biloxi.example>", 403),
        ("<tel:+1>", 403),
        ("?", 403),
    ] {
        let row = format!("P-Asserted-Identity: {asserted}\r\n");
        let account = account().shows_calls(&[BOB]);
        assert_eq!(joins(account, flow(Transport::Udp), (BOB, &row)), status, "{asserted}");
    }
}
