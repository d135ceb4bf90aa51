//! Whose phone it is: from the command line, and from the phone's file.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

use phone::Account;
use protocol::Transport;
use sip::Uri;

use crate::config::{Mistakes, PhoneFile, SRTP, Secret, TRANSPORTS};
use crate::softphone::facing;

/// Whose phone it is. The command line counts more than the file.
#[derive(Debug, clap::Args)]
pub(super) struct AccountArguments {
    /// The phone's file: account, password, server
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Whose phone it is: sip:101@example.test
    #[arg(long, global = true, value_name = "URI")]
    account: Option<String>,
    /// Its password. Others on this machine can see it here: OFFHOOK_PASSWORD and --config hide it
    #[arg(long, global = true)]
    password: Option<String>,
    /// The name that the other side shows
    #[arg(long, global = true)]
    name: Option<String>,
    /// Where requests go, when not to the account's domain: 192.0.2.7:5060
    #[arg(long, global = true, value_name = "HOST:PORT")]
    server: Option<String>,
    /// How they go
    #[arg(long, global = true, value_parser = TRANSPORTS)]
    transport: Option<String>,
    /// Whether others may hear calls on their way (they may not with "required")
    #[arg(long, global = true, value_parser = SRTP.map(|(name, _)| name))]
    srtp: Option<String>,
    /// A file with certificates of authorities (PEM) that are trusted beside the system's, for TLS; may be given more than once
    #[arg(long, global = true, value_name = "FILE")]
    ca: Vec<PathBuf>,
    /// The address of this machine to use; by default the one that reaches the server
    #[arg(long, global = true, value_name = "IP")]
    bind: Option<IpAddr>,
}

/// What is wrong with it.
#[derive(Debug)]
pub(super) enum Wrong {
    /// The file.
    File(Mistakes),
    /// What was said.
    Said(String),
}

impl AccountArguments {
    /// The account, the address of this machine to use, and authorities to trust.
    pub(super) fn read(&self) -> Result<(Account, IpAddr, Vec<PathBuf>), Wrong> {
        let file = match &self.config {
            Some(path) => PhoneFile::load(path).map_err(Wrong::File)?,
            None => PhoneFile::default(),
        };
        self.with(file).map_err(Wrong::Said)
    }

    fn with(&self, file: PhoneFile) -> Result<(Account, IpAddr, Vec<PathBuf>), String> {
        let said = self.account.clone().or(file.account);
        let address = said.ok_or("whose phone is it? --account sip:101@example.test")?;
        let mut account = Account::new(&address)
            .map_err(|error| format!("{error}; write it like sip:101@192.0.2.7"))?;
        let kept = || std::env::var("OFFHOOK_PASSWORD").ok().map(Secret::new);
        if let Some(password) =
            self.password.clone().map(Secret::new).or_else(kept).or(file.password)
        {
            account = account.password(password.reveal());
        }
        if let Some(name) = self.name.clone().or(file.name) {
            account = account.display_name(&name);
        }
        let transport = self.transport.as_deref().or(file.transport);
        if let Some(transport) = transport.and_then(Transport::of) {
            account = account.by(transport);
        }
        let wish = self.srtp.as_deref();
        let wish = SRTP.iter().find(|(name, _)| Some(*name) == wish).map(|(_, srtp)| *srtp);
        if let Some(srtp) = wish.or(file.srtp) {
            account = account.srtp(srtp);
        }
        let server = self.server.clone().or(file.server.map(|server| server.to_string()));
        let host = match &server {
            Some(server) => server.clone(),
            None => host_of(&address).ok_or("the account has no host")?,
        };
        if let Some(server) = server {
            account = account.server(&server).map_err(|error| error.to_string())?;
        }
        let at = match self.bind.or(file.bind) {
            Some(ip) => ip,
            None => facing(find(&host).unwrap_or(ELSEWHERE)).map_err(|error| {
                format!("no way to {host}: {error}; --bind names an address of this machine")
            })?,
        };
        let authorities = if self.ca.is_empty() { file.authorities } else { self.ca.clone() };
        Ok((account, at, authorities))
    }
}

/// `host` or `host:port` of an address of record.
fn host_of(address: &str) -> Option<String> {
    let uri = Uri::parse(address.as_bytes()).ok()?;
    Some(uri.sip()?.hostport().to_string())
}

/// An address of a host, only to see which way it lies. A domain may have none and be reached all the same, by its SRV records.
fn find(host: &str) -> Option<SocketAddr> {
    let with_port = || format!("{host}:5060").to_socket_addrs();
    host.to_socket_addrs().or_else(|_| with_port()).ok()?.next()
}

/// Some address that is not on this machine (RFC 5737): the way to it is the way out.
const ELSEWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5060);

#[cfg(test)]
mod tests {
    use super::*;

    fn said(account: Option<&str>, server: Option<&str>) -> AccountArguments {
        AccountArguments {
            config: None,
            account: account.map(Into::into),
            password: None,
            name: None,
            server: server.map(Into::into),
            transport: None,
            srtp: None,
            ca: Vec::new(),
            bind: None,
        }
    }

    #[test]
    fn the_server_tells_which_address_to_use() {
        let (account, at, _) =
            said(Some("sip:101@example.invalid"), Some("127.0.0.1:5060")).read().unwrap();
        assert_eq!(
            (account.address().as_str(), at),
            ("sip:101@example.invalid", [127, 0, 0, 1].into())
        );
        let (_, at, _) = said(Some("sip:101@[::1]:5070"), None).read().unwrap();
        assert_eq!(at, "::1".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn what_is_missing_is_asked_for() {
        let why = |arguments: AccountArguments| match arguments.read() {
            Err(Wrong::Said(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(why(said(None, None)).contains("--account"));
        assert!(why(said(Some("101"), None)).contains("no SIP address"));
    }
}
