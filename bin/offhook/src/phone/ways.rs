//! How the phone finds its way to others: ICE, and the servers that help.

use std::net::{SocketAddr, ToSocketAddrs as _};

use phone::{Ice, Servers, Told, TurnServer};

/// Whether a way is looked for, and with whose help.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct WayArguments {
    /// Whether a way to the other side is looked for (ICE): in each call with "on", by the TURN server alone with "relay", never with "off"; otherwise when the other side wants it
    #[arg(long, global = true, value_parser = ["on", "off", "relay"])]
    ice: Option<String>,
    /// A STUN server, which says how this machine looks from outside: stun.example.org or 192.0.2.7:3478. With it, --ice is on
    #[arg(long, global = true, value_name = "HOST[:PORT]")]
    stun: Option<String>,
    /// A TURN server, which passes sound on where nothing else does. With it, --ice is on
    #[arg(long, global = true, value_name = "USER:PASSWORD@HOST[:PORT]")]
    turn: Option<String>,
}

impl WayArguments {
    /// What they say; names are looked up now.
    pub(super) fn read(&self) -> Result<Ice, String> {
        let helped = self.stun.is_some() || self.turn.is_some();
        match self.ice.as_deref() {
            Some("off") if helped => {
                Err("--ice off asks no server: leave --stun and --turn out".into())
            }
            Some("off") => Ok(Ice::Off),
            None if !helped => Ok(Ice::Welcome),
            Some("relay") if self.turn.is_none() => Err("--ice relay needs a --turn server".into()),
            _ => Ok(Ice::On(self.servers()?)),
        }
    }

    fn servers(&self) -> Result<Servers, String> {
        let stun = self.stun.as_deref().map(|host| find("--stun", host)).transpose()?;
        let turn = self.turn.as_deref().map(turn).transpose()?;
        let told = match self.ice.as_deref() {
            Some("relay") => Told::Relayed,
            _ => Told::All,
        };
        Ok(Servers { stun, turn, told })
    }
}

fn turn(said: &str) -> Result<TurnServer, String> {
    let parts = said.rsplit_once('@').and_then(|(who, host)| Some((who.split_once(':')?, host)));
    // The password is in no message.
    let ((username, password), host) =
        parts.ok_or("--turn looks like user:password@turn.example.org")?;
    let at = find("--turn", host)?;
    Ok(TurnServer { at, username: username.into(), password: password.into() })
}

fn find(option: &str, host: &str) -> Result<SocketAddr, String> {
    let usual = || (host.trim_matches(['[', ']']), STUN).to_socket_addrs();
    let found = host.to_socket_addrs().or_else(|_| usual());
    let mut found = found.map_err(|error| format!("{option} {host}: {error}"))?;
    found.next().ok_or_else(|| format!("{option} {host}: no address"))
}

/// RFC 8489 §8.2, RFC 8656 §3: over UDP the port of both.
const STUN: u16 = 3478;

#[cfg(test)]
mod tests {
    use super::*;

    fn ways(ice: Option<&str>, stun: Option<&str>, turn: Option<&str>) -> Result<Ice, String> {
        let text = |said: Option<&str>| said.map(Into::into);
        WayArguments { ice: text(ice), stun: text(stun), turn: text(turn) }.read()
    }

    #[test]
    fn a_server_turns_it_on_and_off_is_off() {
        assert_eq!(ways(None, None, None), Ok(Ice::Welcome));
        assert_eq!(ways(Some("off"), None, None), Ok(Ice::Off));
        assert_eq!(ways(Some("on"), None, None), Ok(Ice::On(Servers::default())));
        let stun = Some("192.0.2.7:3478".parse().unwrap());
        assert_eq!(
            ways(None, Some("192.0.2.7"), None),
            Ok(Ice::On(Servers { stun, ..Servers::default() }))
        );
        assert!(ways(Some("off"), Some("192.0.2.7"), None).unwrap_err().contains("--stun"));
        assert!(ways(Some("relay"), None, None).unwrap_err().contains("--turn"));
        let Ok(Ice::On(Servers { turn: Some(turn), .. })) =
            ways(None, None, Some("me:p:w@x@[2001:db8::1]:5349"))
        else {
            panic!("no TURN server")
        };
        assert_eq!((&*turn.username, &*turn.password), ("me", "p:w@x"));
        assert_eq!(turn.at.to_string(), "[2001:db8::1]:5349");
        let why = ways(None, None, Some("secret@192.0.2.7")).unwrap_err();
        assert!(!why.contains("secret"), "{why}");
    }
}
