//! Whose phone it is: from the command line, and from the phone's file.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

use phone::{Account, Token};
use protocol::Transport;
use sip::Uri;

use super::flows::Flows;
use crate::config::{Mistakes, PhoneAccount, PhoneFile, SRTP, Secret, TONES, TRANSPORTS};
use crate::limits;
use crate::softphone::{ELSEWHERE, Home, facing};

use super::ways::WayArguments;

/// Whose phone it is. The command line counts more than the file.
#[derive(Debug, clap::Args)]
pub(super) struct AccountArguments {
    /// The phone's file: accounts, passwords, servers
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Whose phone it is: sip:101@example.test, or 101 for one of the file's. More than once for several; calls go out by the first
    #[arg(long, global = true, value_name = "URI")]
    account: Vec<String>,
    /// Its password; once for all accounts, or once for each. Others on this machine can see it here: OFFHOOK_PASSWORD and --config hide it
    #[arg(long, global = true)]
    password: Vec<String>,
    /// A file with its OAuth token (RFC 8898), shown instead of a password to who asks for one of --token-server; by TLS alone, unless it is encrypted
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The authorization server that the token is from: https://login.example.test
    #[arg(long, global = true, value_name = "URL")]
    token_server: Option<String>,
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
    /// Whose tones its owner hears when it rings there, when they are busy, when somebody else calls
    #[arg(long, global = true, value_parser = TONES.map(|(name, _)| name))]
    tones: Option<String>,
    /// Who may watch its calls and join them, of whom the server passes on: 102,sip:bob@example.test
    #[arg(long, global = true, value_name = "WHO", value_delimiter = ',')]
    show_calls_to: Vec<String>,
    /// What it speaks, most wanted first: opus,G722,PCMA,PCMU
    #[arg(long, global = true, value_name = "NAMES", value_delimiter = ',')]
    codecs: Vec<String>,
    #[command(flatten)]
    ways: WayArguments,
    /// A file with certificates of authorities (PEM) that are trusted beside the system's, for TLS; may be given more than once
    #[arg(long, global = true, value_name = "FILE")]
    ca: Vec<PathBuf>,
    /// The address of this machine to use; by default the one that reaches the server, also when that becomes another
    #[arg(long, global = true, value_name = "IP")]
    bind: Option<IpAddr>,
    #[command(flatten)]
    flows: Flows,
}

/// An account, and what of this machine it uses.
#[derive(Debug)]
pub(super) struct Owned {
    pub(super) account: Account,
    /// The address of this machine.
    pub(super) at: Home,
    /// Files of authorities to trust.
    pub(super) authorities: Vec<PathBuf>,
}

impl AccountArguments {
    /// What the phone's file says; nothing, when there is none.
    pub(super) fn file(&self) -> Result<PhoneFile, Mistakes> {
        self.config.as_deref().map_or_else(|| Ok(PhoneFile::default()), PhoneFile::load)
    }

    /// The accounts; the first is the one that calls go out by.
    pub(super) fn read(&self, file: PhoneFile) -> Result<Vec<Owned>, String> {
        let wanted = self.wanted(file)?;
        wanted.into_iter().enumerate().map(|(number, one)| self.own(number, one)).collect()
    }

    /// Those of the file; or those that are named, which the file may know.
    fn wanted(&self, file: PhoneFile) -> Result<Vec<PhoneAccount>, String> {
        if self.account.is_empty() && file.accounts.is_empty() {
            return Err("whose phone is it? --account sip:101@example.test".into());
        }
        let (named, passwords) = (self.account.len(), self.password.len());
        let accounts = if named == 0 { file.accounts.len() } else { named };
        if passwords > 1 && passwords != accounts {
            return Err(format!(
                "{accounts} accounts and {passwords} passwords: give one for all, or one each"
            ));
        }
        if accounts > 1 && (self.token_file.is_some() || self.token_server.is_some()) {
            return Err("--token-file is for one account: its provider alone may see a token; in the file each [[account]] has its own".into());
        }
        if accounts > limits::ACCOUNTS {
            return Err(format!("{accounts} accounts are too many: at most {}", limits::ACCOUNTS));
        }
        if named == 0 {
            return Ok(file.accounts);
        }
        let is = |one: &&PhoneAccount, said: &str| {
            one.address.as_deref().is_some_and(|address| is_meant(address, said))
        };
        let find = |said: &String| {
            let known = file.accounts.iter().find(|one| is(one, said));
            let all = if named == 1 { file.all.clone() } else { file.all.clone().without_token() };
            let new = || PhoneAccount { address: Some(said.clone()), ..all };
            known.cloned().unwrap_or_else(new)
        };
        Ok(self.account.iter().map(find).collect())
    }

    fn own(&self, number: usize, file: PhoneAccount) -> Result<Owned, String> {
        let address = file.address.ok_or("whose phone is it? --account sip:101@example.test")?;
        let mut account = Account::new(&address)
            .map_err(|error| format!("{error}; write it like sip:101@192.0.2.7"))?;
        let kept = || std::env::var("OFFHOOK_PASSWORD").ok().map(Secret::new);
        let said = self.password.get(number).or_else(|| self.password.first());
        if let Some(password) = said.cloned().map(Secret::new).or_else(kept).or(file.password) {
            account = account.password(password.reveal());
        }
        let from = self.token_server.clone().or(file.token_server);
        if let Some(token) = token(self.token_file.clone().or(file.token_file), from)? {
            account = account.token(token);
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
        let tones = TONES.iter().find(|(name, _)| Some(*name) == self.tones.as_deref());
        if let Some(tones) = tones.map(|(_, tones)| *tones).or(file.tones) {
            account = account.signals(tones);
        }
        if !self.codecs.is_empty() {
            let names = self.codecs.iter().map(String::as_str);
            account = account.codecs(names).map_err(|error| error.to_string())?;
        }
        let friends = [&self.show_calls_to, &file.show_calls_to];
        let friends = friends.into_iter().find(|friends| !friends.is_empty());
        let friends: Vec<_> = friends.into_iter().flatten().map(String::as_str).collect();
        account = account.shows_calls(&friends).ice(self.ways.read()?);
        let server = self.server.clone().or(file.server.map(|server| server.to_string()));
        let host = match &server {
            Some(server) => server.clone(),
            None => host_of(&address).ok_or("the account has no host")?,
        };
        if let Some(server) = server {
            account = account.server(&server).map_err(|error| error.to_string())?;
        }
        let at = match self.bind.or(file.bind) {
            Some(ip) => Home::Fixed(ip),
            None => {
                let server = find(&host).unwrap_or(ELSEWHERE);
                let ip = facing(server).map_err(|error| {
                    format!("no way to {host}: {error}; --bind names an address of this machine")
                })?;
                Home::Facing(server, ip)
            }
        };
        let account = self.flows.keep(account)?;
        let authorities = if self.ca.is_empty() { file.authorities } else { self.ca.clone() };
        Ok(Owned { account, at, authorities })
    }
}

/// The token in a file, and whose it is: both are said, or neither.
fn token(file: Option<PathBuf>, server: Option<String>) -> Result<Option<Token>, String> {
    let (file, server) = match (file, server) {
        (Some(file), Some(server)) => (file, server),
        (None, None) => return Ok(None),
        (Some(_), None) => return Err("whose token is it? --token-server https://…".into()),
        (None, Some(_)) => return Err("where is the token? --token-file FILE".into()),
    };
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = std::fs::read_to_string(&file).map_err(|error| named(&error))?;
    Token::new(text.trim(), &server).map(Some).map_err(|error| named(&error))
}

/// Is that the account that somebody means by its address, or by its user alone?
pub(super) fn is_meant(address: &str, said: &str) -> bool {
    let bare = address.split_once(':').map_or(address, |(_, bare)| bare);
    [address, bare, user_of(address)].contains(&said)
}

/// The user of an address: all that is needed to tell accounts apart.
pub(super) fn user_of(address: &str) -> &str {
    let bare = address.split_once(':').map_or(address, |(_, bare)| bare);
    bare.split_once('@').map_or(bare, |(user, _)| user)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn said(accounts: &[&str], server: Option<&str>) -> AccountArguments {
        AccountArguments {
            config: None,
            account: accounts.iter().map(|&account| account.into()).collect(),
            password: Vec::new(),
            token_file: None,
            token_server: None,
            name: None,
            ways: WayArguments::default(),
            show_calls_to: Vec::new(),
            server: server.map(Into::into),
            transport: None,
            srtp: None,
            tones: None,
            codecs: Vec::new(),
            ca: Vec::new(),
            bind: None,
            flows: Flows::default(),
        }
    }

    #[test]
    fn the_server_tells_which_address_to_use() {
        let read = |account: &str, server| {
            said(&[account], server).read(PhoneFile::default()).unwrap().remove(0)
        };
        let Owned { account, at, .. } = read("sip:101@example.invalid", Some("127.0.0.1:5060"));
        assert_eq!(
            (account.address().as_str(), at),
            (
                "sip:101@example.invalid",
                Home::Facing("127.0.0.1:5060".parse().unwrap(), [127, 0, 0, 1].into())
            )
        );
        let server = "[::1]:5070".parse().unwrap();
        let here = Home::Facing(server, "::1".parse().unwrap());
        assert_eq!(read("sip:101@[::1]:5070", None).at, here);
    }

    #[test]
    fn a_token_has_a_file_and_a_server() {
        let file = std::env::temp_dir().join(format!("offhook-token-{}", std::process::id()));
        let read = |file: Option<&std::path::Path>, server: Option<&str>| {
            token(file.map(Into::into), server.map(Into::into))
        };
        let server = Some("https://login.example.test");
        assert_eq!(read(None, None), Ok(None));
        assert!(read(Some(&file), None).unwrap_err().contains("--token-server"));
        assert!(read(None, server).unwrap_err().contains("--token-file"));
        assert!(read(Some(&file), server).is_err(), "it is not there");
        std::fs::write(&file, "s3cret\n").unwrap();
        let good = read(Some(&file), server);
        let bad = read(Some(&file), Some("http://login.example.test")).unwrap_err();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(good, Ok(Some(Token::new("s3cret", "https://login.example.test").unwrap())));
        assert!(bad.contains("https://") && !bad.contains("s3cret"), "{bad}");
    }

    #[test]
    fn what_is_missing_is_asked_for() {
        let why = |arguments: AccountArguments| arguments.read(PhoneFile::default()).unwrap_err();
        assert!(why(said(&[], None)).contains("--account"));
        assert!(why(said(&["101"], None)).contains("no SIP address"));
        let many = vec!["sip:101@127.0.0.1"; limits::ACCOUNTS + 1];
        assert!(why(said(&many, None)).contains("too many"));
        let mut uneven = said(&["sip:1@h", "sip:2@h", "sip:3@h"], None);
        uneven.password = vec!["a".into(), "b".into()];
        assert!(why(uneven).contains("3 accounts and 2 passwords"));
    }

    #[test]
    fn an_account_of_the_file_is_named_by_its_user_and_another_has_what_is_said_for_all() {
        let file = "srtp = \"required\"\n[[account]]\naddress = \"sip:101@h\"\nname = \"Desk\"\n\
                    [[account]]\naddress = \"sip:102@h\"\n";
        let file = PhoneFile::parse("p", file).unwrap();
        let names = |accounts: &[&str]| {
            let wanted = said(accounts, None).wanted(file.clone()).unwrap();
            wanted.into_iter().map(|one| (one.address.unwrap(), one.name)).collect::<Vec<_>>()
        };
        let (first, second) =
            (("sip:101@h".into(), Some("Desk".into())), ("sip:102@h".into(), None));
        assert_eq!(names(&[]), [first.clone(), second.clone()]);
        assert_eq!(names(&["102", "101@h"]), [second, first]);
        assert_eq!(names(&["sip:9@i"]), [("sip:9@i".into(), None)]);
        assert_eq!(
            said(&["sip:9@i"], None).wanted(file).unwrap()[0].srtp,
            Some(phone::Srtp::Required)
        );
    }
}
