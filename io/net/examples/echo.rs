//! The smallest server: answers every request with 200, by UDP and TCP.
//!
//!     cargo run --release -p offhook-net --example echo -- 127.0.0.1:5070 [shards]

use std::env;
use std::net::SocketAddr;

use machine::{Machine, Time};
use offhook_net::{Plan, Program};
use protocol::{Input, Output, Transport};
use sip::{Draft, Method, Status};

/// Answers every request with 200, and keeps nothing.
struct Echo;

impl Machine for Echo {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, _: Time, input: Input, out: &mut Vec<Output>) {
        if let Input::Received(flow, request) = input
            && request.method().is_some_and(|method| method != Method::Ack)
        {
            let answer = Draft::reply_tagged(&request, Status::OK, "OK", "echo").wire();
            out.push(Output::Send(flow, answer));
        }
    }

    fn wake(&mut self, _: Time, _: &mut Vec<Output>) {}

    fn deadline(&self) -> Option<Time> {
        None
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let address: SocketAddr = arguments.next().as_deref().unwrap_or("127.0.0.1:0").parse()?;
    let shards: u16 = arguments.next().as_deref().unwrap_or("1").parse()?;
    let bound = Plan::new()
        .on(Transport::Udp, address)
        .on(Transport::Tcp, address)
        .shards(shards)
        .bind()?;
    for listener in bound.listeners() {
        println!("{} {}", listener.transport, listener.bound);
    }
    for notice in bound.notices() {
        println!("{notice}");
    }
    let last =
        move |message: &sip::Message| message.call_id().last().map_or(0, |octet| u16::from(*octet));
    bound.start(Program::new().steer(last), |_, _| Echo)?.join()?;
    Ok(())
}
