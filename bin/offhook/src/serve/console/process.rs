//! What the system says of this process (proc(5)), under the names that every exporter gives it.

use std::fs;

use console::{Exposition, Kind};
use machine::Time;

/// Writes the metrics of the process. What the system does not say is left out.
pub(super) fn measure(page: &mut Exposition, started: Time) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in parentheses, may hold anything; behind it stand numbers, from the third on.
    let fields: Vec<&str> =
        stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace().collect();
    let number = |place: usize| fields.get(place - 3).and_then(|field| field.parse::<u64>().ok());
    let ticks = number(14).zip(number(15)).map(|(user, system)| user + system);
    let mut family =
        page.family(Kind::Counter, "process_cpu_seconds_total", "CPU time of the process.");
    if let Some(ticks) = ticks {
        family.sample(&[], ticks as f64 / TICKS);
    }
    let mut gauge = |name, help, value: Option<u64>| {
        let mut family = page.family(Kind::Gauge, name, help);
        if let Some(value) = value {
            family.sample(&[], value);
        }
    };
    gauge("process_virtual_memory_bytes", "Memory that the process has asked for.", number(23));
    let resident = number(24).map(|pages| pages * PAGE);
    gauge("process_resident_memory_bytes", "Memory that the process really has.", resident);
    gauge("process_threads", "Threads of the process.", number(20));
    let open = fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as u64);
    gauge("process_open_fds", "Files and sockets that are open.", open);
    gauge("process_max_fds", "Files and sockets that may be open.", most_files());
    gauge(
        "process_start_time_seconds",
        "When the server began, in seconds since 1970.",
        Some(started.as_secs()),
    );
}

fn most_files() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// The kernel counts the time of processes in hundredths of a second, whatever its own clock does (time(7), USER_HZ).
const TICKS: f64 = 100.0;
/// Octets of a page, on the machines that we are built for.
const PAGE: u64 = 4_096;
