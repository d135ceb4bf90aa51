//! Who holds a port: looked up in `/proc` when binding fails.

use std::net::SocketAddr;
use std::{fs, path::PathBuf};

use protocol::Transport;

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its name.
    pub name: Box<str>,
}

/// The process that holds a port, as far as we may see it: one of another user stays hidden, except from root.
pub fn holder(transport: Transport, address: SocketAddr) -> Option<Process> {
    let table = if transport == Transport::Udp { "udp" } else { "tcp" };
    let inodes: Vec<String> = ["", "6"]
        .iter()
        .filter_map(|family| fs::read_to_string(format!("/proc/net/{table}{family}")).ok())
        .flat_map(|text| inodes(&text, table, address.port()))
        .collect();
    let links: Vec<PathBuf> =
        inodes.iter().map(|inode| PathBuf::from(format!("socket:[{inode}]"))).collect();
    let pids = fs::read_dir("/proc")
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let pid = pids.into_iter().find(|pid: &u32| holds(*pid, &links))?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(Process { pid, name: name.trim_end().into() })
}

/// The sockets in a table of `/proc/net` that are bound to a port (and, for TCP, listen).
fn inodes(text: &str, table: &str, port: u16) -> Vec<String> {
    // TCP_LISTEN in include/net/tcp_states.h.
    const LISTENING: &str = "0A";
    let ours = format!(":{port:04X}");
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
            let counts = table == "udp" || *state == LISTENING;
            (local.ends_with(&ours) && counts).then(|| (*inode).to_owned())
        })
        .collect()
}

fn holds(pid: u32, links: &[PathBuf]) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    files
        .filter_map(|file| fs::read_link(file.ok()?.path()).ok())
        .any(|target| links.contains(&target))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    fn the_holder_of_a_port_is_found_by_number_and_name() {
        let comm = fs::read_to_string("/proc/self/comm").unwrap();
        let us = Process { pid: std::process::id(), name: comm.trim_end().into() };
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let tcp = TcpListener::bind("[::1]:0").unwrap();
        assert_eq!(holder(Transport::Udp, udp.local_addr().unwrap()), Some(us.clone()));
        assert_eq!(holder(Transport::Tcp, tcp.local_addr().unwrap()), Some(us));
        let free = udp.local_addr().unwrap();
        drop(udp);
        assert_eq!(holder(Transport::Udp, free), None);
    }
}
