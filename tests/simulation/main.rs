//! A file per trouble. Every world has a seed; one that has once found something stays.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too: what cannot go on stops here"
)]

mod bans_kept;
mod bans_shared;
mod call_records;
mod cancels;
mod crowded;
mod deaf;
mod disk;
mod elsewhere;
mod everything_at_once;
mod failover;
mod floods;
mod forgery;
mod forks;
mod full_room;
mod garbage;
mod glare;
mod groups;
mod guesses;
mod hangups;
mod hard_work;
mod impostors;
mod in_your_name;
mod long_rings;
mod nats;
mod neighbours;
mod nonces_across;
mod numbers;
mod overload;
mod partitions;
mod registrations;
mod reloads;
mod replays;
mod restarts;
mod secrets;
mod shared_store;
mod signal;
mod slow_names;
mod soak;
mod sound;
mod storms;
mod tampering;
mod tolls;
mod ways;
