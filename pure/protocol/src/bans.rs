//! Strangers who do harm: what shards tell each other of them, and whom the driver is not to hear for a while.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use machine::Time;

/// Where messages come from, as bans know it: an IPv4 address, or the first 64 bits of an IPv6 address, for whoever has one of those has
/// all 2⁶⁴.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(u64);

/// The first 32 bits of an IPv4 address written as such a network; no IPv6 network begins so (RFC 4291 §2.5.5).
const IPV4: u64 = 0x0000_ffff << 32;

impl Source {
    /// Its octets: what it is hashed by.
    pub const fn octets(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// The source with these octets.
    pub const fn from_octets(octets: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(octets))
    }

    /// Its first address.
    pub fn ip(self) -> IpAddr {
        if self.0 >> 32 == IPV4 >> 32 {
            Ipv4Addr::from_bits(self.0 as u32).into()
        } else {
            Ipv6Addr::from_bits(u128::from(self.0) << 64).into()
        }
    }
}

impl From<IpAddr> for Source {
    fn from(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self(IPV4 | u64::from(ip.to_bits())),
            IpAddr::V6(ip) => Self((ip.to_bits() >> 64) as u64),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip() {
            IpAddr::V4(ip) => ip.fmt(f),
            IpAddr::V6(ip) => write!(f, "{ip}/64"),
        }
    }
}

impl FromStr for Source {
    type Err = &'static str;

    /// Reads what [`Display`](fmt::Display) writes, or any address of it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = text.strip_suffix("/64").unwrap_or(text);
        let ip: IpAddr = address.parse().map_err(|_| "is no IP address")?;
        if ip.is_ipv4() && address != text {
            return Err("is an IPv4 network; bans are for single IPv4 addresses");
        }
        Ok(ip.into())
    }
}

/// What somebody has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Offence {
    /// A wrong answer to our challenge, for a user that there is.
    WrongPassword,
    /// The same for a user that there is not.
    UnknownUser,
    /// Octets on a connection that are no SIP.
    NotSip,
    /// A call to where the caller may not call.
    Fraud,
    /// An operator has said so.
    ByHand,
}

impl Offence {
    /// Its name in logs and lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WrongPassword => "wrong-password",
            Self::UnknownUser => "unknown-user",
            Self::NotSip => "not-sip",
            Self::Fraud => "fraud",
            Self::ByHand => "by-hand",
        }
    }
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a source is treated that has done too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Nothing that it sends is heard.
    Barred,
    /// Of its guesses one is heard now and then; everything else is as ever.
    Slowed,
}

impl Treatment {
    /// Its name in logs and lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Barred => "barred",
            Self::Slowed => "slowed",
        }
    }
}

/// A ban, with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Whose messages.
    pub source: Source,
    /// What is done with them.
    pub treatment: Treatment,
    /// Why: the last that was done.
    pub offence: Offence,
    /// How much was done since the source was last forgotten.
    pub count: u32,
    /// How many bans it has had in a row, with this one.
    pub times: u32,
    /// Since when it is banned.
    pub since: Time,
    /// Until when.
    pub until: Time,
    /// Of what nodes say of one source the highest number is the last word.
    pub edition: u64,
    /// A message of it: its method, its From and its User-Agent. Text of a stranger.
    pub sample: Box<str>,
}

/// That a ban was lifted, by an operator. It is remembered for a while: somebody may still tell of the ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifting {
    /// Whose.
    pub source: Source,
    /// A ban of a lower number is an older word, and counts for nothing.
    pub edition: u64,
    /// Until when that is remembered.
    pub until: Time,
}

/// Something that was done, and that is proven to come from where it seems to come from: nobody gets others banned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misdeed {
    /// From where.
    pub source: Source,
    /// From which port there.
    pub port: u16,
    /// What.
    pub offence: Offence,
    /// How heavy it is, in tenths of a wrong password.
    pub weight: u32,
    /// For which user, there or not; of a long name the beginning.
    pub user: Option<Box<[u8]>>,
    /// A message of it.
    pub sample: Box<str>,
}

/// A user has registered from a source, so that source is not barred like others, and the user is served from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guest {
    /// The source.
    pub source: Source,
    /// The user, as a number that only our shards can make of its name: enough to tell those of one source apart.
    pub user: u32,
    /// The last port it came from.
    pub port: u16,
    /// Until when it is registered, in seconds since 1970; it is known for longer.
    pub until: u32,
}

/// What shards tell each other of strangers, and of accounts that may have been stolen. It may be lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caution {
    /// Something was done.
    Did(Misdeed),
    /// A source is barred.
    Barred(Ban),
    /// A source is free again, because an operator has said so.
    Lifted(Lifting),
    /// Whom not to treat like a stranger.
    Known(Vec<Guest>),
    /// An account, as a number that only our shards can make of its name, has tried what is forbidden.
    Tried {
        /// The account.
        account: u64,
    },
    /// So many calls of an account pass through a shard.
    Calls {
        /// The account.
        account: u64,
        /// The number of the shard.
        shard: u16,
        /// How many.
        calls: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_an_address_or_the_network_of_one() {
        for (address, written) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("::1", "::/64"),
        ] {
            let source = Source::from(address.parse::<IpAddr>().unwrap());
            assert_eq!(source.to_string(), written);
            assert_eq!(written.parse(), Ok(source));
            assert_eq!(address.parse(), Ok(source));
            assert_eq!(Source::from(source.ip()), source);
        }
        assert!("192.0.2.7/64".parse::<Source>().is_err() && "x".parse::<Source>().is_err());
    }
}
