//! `Url`: where the store is, and who we are there: `redis://user:password@host:port,host:port/prefix`.

use std::fmt;

/// Where a store is.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    /// Whether TLS is spoken there.
    pub(crate) secure: bool,
    /// Who we are; an empty name is the store's `default`.
    pub(crate) user: Option<(String, String)>,
    /// Servers to begin with: the cluster tells of the others.
    pub(crate) seeds: Vec<(String, u16)>,
    /// How our keys begin.
    pub(crate) prefix: String,
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secure, seeds, prefix, .. } = self;
        f.debug_struct("Url")
            .field("secure", secure)
            .field("seeds", seeds)
            .field("prefix", prefix)
            .finish_non_exhaustive()
    }
}

impl Url {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, in words that repeat no password.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (secure, rest) = match text.split_once("://") {
            Some(("redis", rest)) => (false, rest),
            Some(("rediss", rest)) => (true, rest),
            _ => return Err("it does not begin with redis:// or rediss://"),
        };
        let (rest, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = match rest.rsplit_once('@') {
            Some((user, hosts)) => (Some(user.split_once(':').unwrap_or(("", user))), hosts),
            None => (None, rest),
        };
        let user = match user {
            Some((name, word)) => {
                let read = |text| unescape(text).ok_or("its user or password has a broken %");
                Some((read(name)?, read(word)?))
            }
            None => None,
        };
        let seeds: Result<Vec<_>, _> = hosts.split(',').map(seed).collect();
        let prefix = if prefix.is_empty() { "offhook" } else { prefix };
        if prefix.len() > 64 || prefix.contains(['{', '}']) {
            return Err("what stands behind its last / is too long, or has braces");
        }
        Ok(Self { secure, user, seeds: seeds?, prefix: prefix.into() })
    }

    /// The servers to begin with.
    pub fn servers(&self) -> Vec<String> {
        self.seeds.iter().map(|(host, port)| format!("{host}:{port}")).collect()
    }
}

fn seed(text: &str) -> Result<(String, u16), &'static str> {
    let no_port = || (text, None);
    let (host, port) = match text.rsplit_once(':') {
        // The colons of a bare IPv6 address part no port.
        Some((host, _)) if host.contains(':') && !host.ends_with(']') => no_port(),
        Some((host, port)) => (host, Some(port)),
        None => no_port(),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err("it names a server without a host");
    }
    let port = port.map_or(Ok(6379), str::parse).map_err(|_| "it names a port that is none")?;
    Ok((host.into(), port))
}

fn unescape(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut octets = parts.next()?.as_bytes().to_vec();
    for part in parts {
        octets.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        octets.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_has_several_seeds_a_user_and_a_prefix() {
        let url = Url::parse("redis://ann:p%40ss@h1:7000,[::1]:7001,h3/office").unwrap();
        assert_eq!(url.user, Some(("ann".into(), "p@ss".into())));
        let seeds = [("h1".into(), 7000), ("::1".into(), 7001), ("h3".into(), 6379)];
        assert_eq!(url.seeds, seeds);
        assert_eq!((url.prefix.as_str(), url.secure), ("office", false));
        assert!(!format!("{url:?}").contains("p@ss"));
        let url = Url::parse("rediss://:word@h").unwrap();
        assert_eq!(url.user, Some((String::new(), "word".into())));
        assert_eq!((url.prefix.as_str(), url.secure), ("offhook", true));
    }

    #[test]
    fn what_is_no_url_is_refused_and_no_password_repeated() {
        for bad in ["http://h", "redis://", "redis://h:x", "redis://u:%zz@h", "redis://h/{x}"] {
            let said = Url::parse(bad).unwrap_err();
            assert!(!said.contains("%zz"), "{said}");
        }
    }
}
