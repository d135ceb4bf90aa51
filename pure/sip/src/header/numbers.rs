//! Headers that are one number: Max-Forwards, Expires, Min-Expires, Content-Length, Max-Breadth, RSeq, Flow-Timer (RFC 3261 §20; RFC 5393 §5.3.3; RFC 3262 §7.1; RFC 5626 §10.1).

use super::family::one_part;

one_part! {
    /// How many hops are left, 0 to 255 (RFC 3261 §20.22).
    MaxForwards(u8),
    /// How long something is valid, in seconds (RFC 3261 §20.19).
    Expires(u32),
    /// The shortest registration that the registrar takes, in seconds (RFC 3261 §20.23).
    MinExpires(u32),
    /// The size of the body in octets (RFC 3261 §20.14). Where a message ends is [`crate::Message`]'s to say.
    ContentLength(u32),
    /// How many branches may still be forked in parallel (RFC 5393 §5.3.3).
    MaxBreadth(u32),
    /// Which of the provisional responses to a request this is, from 1 (RFC 3262 §7.1).
    RSeq(u32),
    /// How long a server waits for a keep-alive before it gives up a flow, in seconds (RFC 5626 §10.1).
    FlowTimer(u32),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Header;

    #[test]
    fn a_number_is_digits_that_fit() {
        assert_eq!(MaxForwards::parse(b"70"), Ok(MaxForwards(70)));
        assert_eq!(Expires::parse(b"4294967295").unwrap().text(), "4294967295");
        for bad in ["", "256", "-1", "1 2", "0x10"] {
            assert!(MaxForwards::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
