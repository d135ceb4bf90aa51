//! Headers that are a line for people: Subject, Organization, Server, User-Agent (RFC 3261 §20.36, §20.25, §20.35, §20.41).

use super::family::texts;

texts! {
    /// What the call is about.
    Subject,
    /// Who the sender works for.
    Organization,
    /// The software of the server.
    Server,
    /// The software of the client.
    UserAgent,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Header;

    #[test]
    fn blanks_at_the_ends_do_not_count_and_no_octet_within_is_lost() {
        assert_eq!(Subject::parse(b" caf\xe9 \xff, x ").unwrap().0, b"caf\xe9 \xff, x");
        assert_eq!(UserAgent::parse(b"").unwrap().text(), "");
    }
}
