//! `bench SCENARIO COUNT` does one thing COUNT times, so that somebody can measure it; `bench --list` says what there is.
//!
//! A new scenario is one line in [`SCENARIOS`] and a function `fn(count: u64)`: what it needs is made before its loop.

mod call;
mod house;
mod media;
mod message;
mod outside;
mod shard;
mod short;
mod sound;
mod strangers;
mod transaction;

use std::process::ExitCode;

/// Something worth measuring.
struct Scenario {
    name: &'static str,
    /// How many units are enough for a steady number under valgrind (50 times slower than life).
    count: u64,
    /// What one unit is.
    unit: &'static str,
    run: fn(u64),
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "sip-index",
        count: 10_000,
        unit: "an INVITE of 1,158 octets and 18 rows indexed",
        run: message::sip_index,
    },
    Scenario {
        name: "sip-parse-invite",
        count: 10_000,
        unit: "the same, and its Via, From, To, Call-ID, CSeq, Contact, Max-Forwards and Route read",
        run: message::sip_parse_invite,
    },
    Scenario {
        name: "sip-cut",
        count: 10_000,
        unit: "the same, cut out of a stream and indexed",
        run: message::sip_cut,
    },
    Scenario {
        name: "sip-step-over",
        count: 10_000,
        unit: "the same in a stream, in a flood: stepped over",
        run: message::sip_step_over,
    },
    Scenario {
        name: "sip-check",
        count: 10_000,
        unit: "an indexed INVITE checked as admission does",
        run: message::sip_check,
    },
    Scenario {
        name: "sip-edit",
        count: 10_000,
        unit: "an INVITE changed and written as a proxy forwards it",
        run: message::sip_edit,
    },
    Scenario {
        name: "sip-edit-index",
        count: 10_000,
        unit: "the same, and its index made from the old one",
        run: message::sip_edit_index,
    },
    Scenario {
        name: "sip-reply",
        count: 10_000,
        unit: "a 180 written to an INVITE",
        run: message::sip_reply,
    },
    Scenario {
        name: "sip-uri-same",
        count: 10_000,
        unit: "two SIP URIs compared",
        run: message::sip_uri_same,
    },
    Scenario {
        name: "rtp-read",
        count: 10_000,
        unit: "one packet of 20 ms G.711 read",
        run: media::rtp_read,
    },
    Scenario {
        name: "rtp-write",
        count: 10_000,
        unit: "one packet of 20 ms G.711 written",
        run: media::rtp_write,
    },
    Scenario {
        name: "rtcp-read",
        count: 10_000,
        unit: "one receiver report read",
        run: media::rtcp_read,
    },
    Scenario {
        name: "g711-encode",
        count: 5_000,
        unit: "one frame of 20 ms encoded in A-law",
        run: sound::encode,
    },
    Scenario {
        name: "g711-decode",
        count: 5_000,
        unit: "one frame of 20 ms decoded from A-law",
        run: sound::decode,
    },
    Scenario {
        name: "stream-send",
        count: 5_000,
        unit: "one frame of 20 ms through a stream: spoken, encoded, a packet",
        run: sound::send,
    },
    Scenario {
        name: "stream-both",
        count: 5_000,
        unit: "one frame of 20 ms through two streams: spoken, sent, received, played",
        run: sound::receive,
    },
    Scenario {
        name: "transaction",
        count: 2_000,
        unit: "a request, its transaction at both ends, its answer, and both forgotten",
        run: transaction::transaction,
    },
    Scenario {
        name: "proxied-call",
        count: 300,
        unit: "the 13 messages of a call through the proxy, from octets to octets",
        run: call::proxied_call,
    },
    Scenario {
        name: "register",
        count: 2_000,
        unit: "a REGISTER of a new Call-ID and its 200",
        run: short::register,
    },
    Scenario {
        name: "register-refresh",
        count: 2_000,
        unit: "a REGISTER of a phone that is here already, and its 200",
        run: short::refresh,
    },
    Scenario {
        name: "register-kept",
        count: 2_000,
        unit: "the same where 400 wait for the disk, and the 200 of the first of them",
        run: short::kept,
    },
    Scenario {
        name: "register-digest",
        count: 1_000,
        unit: "a REGISTER, its 401, the REGISTER with a digest, and its 200",
        run: short::digest,
    },
    Scenario { name: "options", count: 2_000, unit: "an OPTIONS and its 200", run: short::options },
    Scenario {
        name: "bad-message",
        count: 3_200,
        unit: "an OPTIONS that is broken, in one of sixteen ways, and its 400 if it gets one",
        run: strangers::bad,
    },
    Scenario {
        name: "redirect",
        count: 2_000,
        unit: "an INVITE to somebody who is elsewhere, its 302 and the ACK",
        run: short::redirect,
    },
    Scenario {
        name: "challenge",
        count: 2_000,
        unit: "an INVITE of a stranger and its 407",
        run: call::challenge,
    },
    Scenario {
        name: "guess-known",
        count: 1_000,
        unit: "a REGISTER of a user with a wrong digest, and its 401",
        run: strangers::known,
    },
    Scenario {
        name: "guess-unknown",
        count: 1_000,
        unit: "the same of a user that there is not: nobody learns which by the time it takes",
        run: strangers::unknown,
    },
    Scenario {
        name: "guess-far",
        count: 1_000,
        unit: "a guess that is wrong in its first digit; what the guesser hashes is in it",
        run: strangers::far,
    },
    Scenario {
        name: "guess-near",
        count: 1_000,
        unit: "the same, wrong in its last digit: nobody learns how near it is",
        run: strangers::near,
    },
    Scenario {
        name: "expensive-8",
        count: 80,
        unit: "a datagram of 8 kB made to be expensive, of eight kinds",
        run: strangers::expensive_8,
    },
    Scenario {
        name: "expensive-16",
        count: 80,
        unit: "the same of 16 kB: about twice that",
        run: strangers::expensive_16,
    },
    Scenario {
        name: "expensive-32",
        count: 80,
        unit: "the same of 32 kB: about twice that again",
        run: strangers::expensive_32,
    },
    Scenario { name: "steer", count: 10_000, unit: "the shard of a message", run: call::steer },
    Scenario {
        name: "alarm",
        count: 10_000,
        unit: "one alarm set and rung among 1,000",
        run: shard::alarm,
    },
    Scenario {
        name: "alarm-far",
        count: 50_000,
        unit: "one alarm set 32 s away and one rung among 100,000",
        run: shard::alarm_far,
    },
    Scenario {
        name: "dice",
        count: 10_000,
        unit: "64 random bits, for a tag or a branch",
        run: shard::dice,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let scenario = |name: &str| SCENARIOS.iter().find(|scenario| scenario.name == name);
    match words.as_slice() {
        ["--list"] => {
            SCENARIOS.iter().for_each(|s| println!("{}\t{}\t{}", s.name, s.count, s.unit))
        }
        [name, count] => match (scenario(name), count.parse()) {
            (Some(scenario), Ok(count)) => (scenario.run)(count),
            _ => return usage(),
        },
        _ => return usage(),
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("bench --list | bench SCENARIO COUNT");
    ExitCode::from(2)
}
