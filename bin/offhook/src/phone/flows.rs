//! `Flows`: how the phone is reached by more than one way at once (RFC 5626).

use std::fmt::Write as _;

use phone::Account;
use sha2::{Digest as _, Sha256};

/// The ways that are kept open.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Flows {
    /// A proxy to which a way is kept open, and watched: sip:proxy.example.test;transport=tcp;lr. Said twice, no call is lost when one of them fails
    #[arg(long, global = true, value_name = "URI")]
    flow: Vec<String>,
    /// Which phone of the account this is, the same after each start: urn:uuid:…. Without, --flow takes one made of this machine's id and the account
    #[arg(long, global = true, value_name = "URN")]
    instance: Option<String>,
}

impl Flows {
    /// The account with its ways.
    pub(super) fn keep(&self, account: Account) -> Result<Account, String> {
        let account = match &self.instance {
            Some(instance) if !instance.starts_with("urn:") || instance.contains(['<', '>']) => {
                return Err(format!("--instance {instance}: write it like urn:uuid:f81d4fae-…"));
            }
            Some(instance) => account.instance(instance),
            None if self.flow.is_empty() => return Ok(account),
            None => {
                let machine = std::fs::read_to_string(MACHINE).map_err(|error| {
                    format!("{MACHINE}: {error}; --instance says which phone this is")
                })?;
                let instance = instance(machine.trim(), &account.address());
                account.instance(&instance)
            }
        };
        self.flow.iter().try_fold(account, |account, proxy| {
            account.flow(proxy).map_err(|error| format!("--flow {proxy}: {error}"))
        })
    }
}

/// What tells this machine from all others, and is a secret of its programs (machine-id(5)).
const MACHINE: &str = "/etc/machine-id";

/// A UUID that is always the same for this account on this machine, and tells nobody which machine that is (RFC 9562 §5.8).
fn instance(machine: &str, address: &str) -> String {
    let hash = Sha256::digest(format!("{machine}\0{address}\0offhook phone"));
    let mut urn = String::from("urn:uuid:");
    for (at, octet) in hash.iter().take(16).enumerate() {
        let octet = match at {
            6 => octet & 0x0f | 0x80,
            8 => octet & 0x3f | 0x80,
            _ => *octet,
        };
        if matches!(at, 4 | 6 | 8 | 10) {
            urn.push('-');
        }
        // A String takes everything.
        let _ = write!(urn, "{octet:02x}");
    }
    urn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_a_uuid_of_machine_and_account() {
        let one = instance("machine", "sip:101@h");
        assert_eq!((one.len(), one.as_bytes()[23], one.as_bytes()[9 + 14]), (45, b'8', b'8'));
        assert_eq!(one, instance("machine", "sip:101@h"));
        assert_ne!(one, instance("machine", "sip:102@h"));
        assert_ne!(one, instance("another", "sip:101@h"));
        assert!(!one.contains("machine"));
    }

    #[test]
    fn what_is_no_way_is_named() {
        let account = || Account::new("sip:101@h").unwrap();
        let why = |flow: &str, instance: &str| {
            let ways = Flows { flow: vec![flow.into()], instance: Some(instance.into()) };
            ways.keep(account()).unwrap_err()
        };
        assert!(why("sip:p;lr", "7").contains("urn:uuid"));
        assert!(why("tel:7", "urn:uuid:7").contains("--flow tel:7"));
        assert!(Flows::default().keep(account()).is_ok());
    }
}
