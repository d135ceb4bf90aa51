//! `Token`: what epoll calls a socket.

/// A socket, as epoll knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// The bell of the inbox.
    Bell,
    /// A listener's socket for datagrams.
    Datagrams(u16),
    /// A listener's socket that accepts connections.
    Accept(u16),
    /// A connection.
    Stream(u32),
    /// A socket for media.
    Media(u32),
}

impl Token {
    pub(crate) const fn bits(self) -> u64 {
        let (kind, number) = match self {
            Self::Bell => (0, 0),
            Self::Datagrams(number) => (1, number as u32),
            Self::Accept(number) => (2, number as u32),
            Self::Stream(number) => (3, number),
            Self::Media(number) => (4, number),
        };
        (kind << 32) | number as u64
    }

    pub(crate) const fn of(bits: u64) -> Self {
        let number = bits as u32;
        match bits >> 32 {
            1 => Self::Datagrams(number as u16),
            2 => Self::Accept(number as u16),
            3 => Self::Stream(number),
            4 => Self::Media(number),
            _ => Self::Bell,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for token in [
            Token::Bell,
            Token::Datagrams(7),
            Token::Accept(u16::MAX),
            Token::Stream(u32::MAX),
            Token::Media(1),
        ] {
            assert_eq!(Token::of(token.bits()), token);
        }
    }
}
