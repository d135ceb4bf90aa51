//! How many registrations a second this machine's disk keeps, how long each waits for it, and how long a start with a million takes.
//!
//!     cargo run --release -p offhook-store --example rate -- FOLDER [COUNT [AT-ONCE]]

use std::sync::mpsc::channel;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use machine::Time;
use offhook_store::{Durability, Fault, Kept, Store};
use protocol::Record;

fn main() -> Result<(), Fault> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| "rate-data".into());
    let count: u64 = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(1_000_000);
    let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = Time(epoch.as_nanos() as u64);
    let open =
        || Store::open(folder.as_ref(), Durability::Grouped, now, |news| eprintln!("{news:?}"));
    let opened = open()?;
    let (tell, told) = channel();
    let began = Instant::now();
    let waits = arguments.next().and_then(|waits| waits.parse().ok()).unwrap_or(20_000);
    let mut waited = Vec::new();
    for number in 0..count {
        let tell = tell.clone();
        let record = Record {
            key: format!("{number:08}").as_bytes().into(),
            value: vec![b'x'; 200].into(),
            until: Time(now.0 + 3_600_000_000_000),
        };
        let asked = Instant::now();
        let tell = move |kept| tell.send((kept, asked.elapsed())).unwrap_or(());
        opened.store.keep(record, Box::new(tell));
        if number >= waits {
            waited.extend(told.recv());
        }
    }
    drop(tell);
    waited.extend(told);
    assert!(waited.iter().all(|(kept, _)| *kept == Kept::Safely));
    let seconds = began.elapsed().as_secs_f64();
    println!("{count} records in {seconds:.2} s: {:.0} a second", count as f64 / seconds);
    waited.sort_by_key(|(_, time)| *time);
    let part = |share: usize| waited.get(waited.len() * share / 1000).map(|(_, time)| *time);
    println!("half waited {:?}, 99 of 100 {:?}, all {:?}", part(500), part(990), waited.last());
    drop(opened);
    let began = Instant::now();
    let restored = open()?.restored.len();
    println!("start with {restored}: {:.2} s", began.elapsed().as_secs_f64());
    Ok(())
}
