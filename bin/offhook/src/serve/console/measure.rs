//! What the parts around the shards have counted, as metrics.

use std::sync::Arc;

use console::{Exposition, Kind};
use net::{ByTransport, Count, Counters, Histogram};

use crate::records::Counts;

/// How a number is read off the counters of a part.
type Of<C> = fn(&C) -> u64;

/// A counter of a driver, and the label under which it stands.
type Sample = (&'static str, fn(&Counters) -> &Count);

/// A family of counters of a driver: under the label `what`, or one number without a label.
struct Counted {
    kind: Kind,
    name: &'static str,
    help: &'static str,
    samples: &'static [Sample],
}

/// What the drivers of all shards have done.
pub(super) fn driver(page: &mut Exposition, shards: &[Arc<Counters>]) {
    for counted in COUNTED {
        let mut family = page.family(counted.kind, counted.name, counted.help);
        for (what, of) in counted.samples {
            let sum: u64 = shards.iter().map(|counters| of(counters).get()).sum();
            match *what {
                "" => family.sample(&[], sum),
                what => family.sample(&[("what", what)], sum),
            };
        }
    }
    connections(page, shards);
    turns(page, shards);
}

/// Connections by transport.
fn connections(page: &mut Exposition, shards: &[Arc<Counters>]) {
    let mut family =
        page.family(Kind::Gauge, "offhook_connections", "Connections that are open now.");
    for transport in ByTransport::ALL {
        let open =
            |counters: &Arc<Counters>| counters.connections_by.of(transport).map_or(0, Count::get);
        let sum: u64 = shards.iter().map(open).sum();
        family.sample(&[("transport", &transport.token().to_ascii_lowercase())], sum);
    }
}

static COUNTED: &[Counted] = &[
    Counted {
        kind: Kind::Counter,
        name: "offhook_datagrams_total",
        help: "Datagrams of signalling: `in`, `out`, `unsent` could not be sent, `overflowed` were dropped by the kernel because we were slow, \
               `keep_alive` held nothing else.",
        samples: &[
            ("in", |counters| &counters.datagrams_in),
            ("out", |counters| &counters.datagrams_out),
            ("unsent", |counters| &counters.datagrams_unsent),
            ("overflowed", |counters| &counters.datagrams_overflowed),
            ("keep_alive", |counters| &counters.keep_alives),
        ],
    },
    Counted {
        kind: Kind::Gauge,
        name: "offhook_backlog_microseconds",
        help: "How long what came last had to wait until it was read, because a shard was busy with what came before; of all shards together.",
        samples: &[("", |counters| &counters.waited)],
    },
    Counted {
        kind: Kind::Counter,
        name: "offhook_stream_messages_total",
        help: "Messages that came on connections.",
        samples: &[("", |counters| &counters.stream_messages_in)],
    },
    Counted {
        kind: Kind::Counter,
        name: "offhook_stream_messages_unheard_total",
        help: "Requests on connections that were thrown away unread because there was far too much to do.",
        samples: &[("", |counters| &counters.stream_messages_unheard)],
    },
    Counted {
        kind: Kind::Counter,
        name: "offhook_barred_total",
        help: "Datagrams, messages and connections of banned addresses, which were not heard.",
        samples: &[("", |counters| &counters.barred)],
    },
    Counted {
        kind: Kind::Counter,
        name: "offhook_connections_total",
        help: "Connections: `accepted`, `opened` by us, `failed` to open, `refused` because there were too many, closed because the peer was `slow`, \
               `silent` (or without any proof of who it is) when there was no room, or did not read (`deaf`).",
        samples: &[
            ("accepted", |counters| &counters.connections_accepted),
            ("opened", |counters| &counters.connections_opened),
            ("failed", |counters| &counters.connections_failed),
            ("refused", |counters| &counters.connections_refused),
            ("slow", |counters| &counters.connections_slow),
            ("silent", |counters| &counters.connections_evicted),
            ("deaf", |counters| &counters.connections_deaf),
        ],
    },
    Counted {
        kind: Kind::Counter,
        name: "offhook_tls_handshakes_total",
        help: "TLS handshakes: `done`, of these `resumed`; `failed`, too `slow`, or `evicted` to make room.",
        samples: &[
            ("done", |counters| &counters.handshakes),
            ("resumed", |counters| &counters.handshakes_resumed),
            ("failed", |counters| &counters.handshakes_failed),
            ("slow", |counters| &counters.handshakes_slow),
            ("evicted", |counters| &counters.handshakes_evicted),
        ],
    },
    Counted {
        kind: Kind::Counter,
        name: "offhook_moved_total",
        help: "Messages and answers that went from one shard to another; `lost` when its inbox was full.",
        samples: &[
            ("moved", |counters| &counters.moved),
            ("lost", |counters| &counters.moved_lost),
        ],
    },
    Counted {
        kind: Kind::Counter,
        name: "offhook_panics_total",
        help: "Panics that were survived: please report them.",
        samples: &[("", |counters| &counters.panics)],
    },
];

/// How long turns of each shard took.
fn turns(page: &mut Exposition, shards: &[Arc<Counters>]) {
    let help = "How long the turns of a shard took: what comes waits for one at most. The sum is what the buckets say at least.";
    let mut family = page.family(Kind::Histogram, "offhook_shard_turn_seconds", help);
    for (shard, counters) in shards.iter().enumerate() {
        let counts = counters.turns.get();
        let total: u64 = counts.iter().sum();
        // Bucket `n` holds what took less than 2ⁿ µs, and at least half of that.
        let bound = |bucket: usize| f64::from(1_u32 << bucket) / 1_000_000.0;
        let least = counts
            .iter()
            .enumerate()
            .skip(1)
            .map(|(bucket, count)| bound(bucket) / 2.0 * *count as f64);
        let sum: f64 = least.sum();
        let up_to = counts.iter().scan(0, |before, count| {
            *before += count;
            Some(*before)
        });
        let buckets = up_to.take(Histogram::BUCKETS - 1).enumerate();
        let buckets = buckets.map(|(bucket, count)| (bound(bucket), count));
        family.histogram(&[("shard", &shard.to_string())], buckets, (total, sum));
    }
}

/// What the resolver has done.
pub(super) fn dns(page: &mut Exposition, counts: &dns::Counts) {
    let samples: [(&str, Of<dns::Counts>); 11] = [
        ("searches", |counts| counts.searches.get()),
        ("unlocated", |counts| counts.unlocated.get()),
        ("refused", |counts| counts.refused.get()),
        ("cached", |counts| counts.cached.get()),
        ("stale", |counts| counts.stale.get()),
        ("sent", |counts| counts.sent.get()),
        ("long", |counts| counts.long.get()),
        ("silent", |counts| counts.silent.get()),
        ("useless", |counts| counts.useless.get()),
        ("strange", |counts| counts.strange.get()),
        ("withdrawn", |counts| counts.withdrawn.get()),
    ];
    let help = "The resolver: `searches` for servers, `unlocated` without a target, `refused` because too many were under way; questions that were `cached`, `stale` answers used, `sent` ones; `long` answers, `silent` and `useless` servers, `strange` answers that fit no question, `withdrawn` offers of TLS.";
    let mut family = page.family(Kind::Counter, "offhook_dns_total", help);
    for (what, of) in samples {
        family.sample(&[("what", what)], of(counts));
    }
}

/// What has become of call records.
pub(super) fn records(page: &mut Exposition, counts: &Counts) {
    page.family(
        Kind::Counter,
        "offhook_call_records_total",
        "Call records: `written`, each in each file, or `lost` because a file took none or too many calls ended at once.",
    )
    .sample(&[("what", "written")], counts.written())
    .sample(&[("what", "lost")], counts.lost());
}

/// What the store has done; all zero when nothing is kept.
pub(super) fn store(page: &mut Exposition, counts: Option<&store::Counts>) {
    let get = |of: fn(&store::Counts) -> &store::Count| counts.map_or(0, |counts| of(counts).get());
    let micros = get(|counts| &counts.micros);
    page.family(
        Kind::Counter,
        "offhook_store_records_total",
        "Records handed to the store: `written`, or `refused` by the disk.",
    )
    .sample(&[("what", "written")], get(|counts| &counts.written))
    .sample(&[("what", "refused")], get(|counts| &counts.refused));
    page.single(
        Kind::Counter,
        "offhook_store_syncs_total",
        "Groups of records that were written together.",
        get(|counts| &counts.groups),
    );
    page.single(
        Kind::Counter,
        "offhook_store_sync_seconds_total",
        "Time that writing them took.",
        micros as f64 / 1_000_000.0,
    );
    page.single(
        Kind::Gauge,
        "offhook_store_refusing",
        "1 while the disk takes no records.",
        get(|counts| &counts.refusing),
    );
}
