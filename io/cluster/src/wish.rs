//! `Wish`: what may be asked of the shared store; `Word`: what it answers.

use std::time::Duration;

/// What may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// What is kept under a key.
    Recall {
        /// The key.
        key: Box<[u8]>,
    },
    /// Keep this, unless somebody else has kept something else meanwhile. What is kept begins with its edition, eight octets.
    Share {
        /// The key.
        key: Box<[u8]>,
        /// The edition that this one takes the place of. When nothing is kept at all, it does not count.
        before: [u8; 8],
        /// The new edition, and what is kept.
        value: Box<[u8]>,
        /// How many milliseconds it is kept.
        life: u64,
        /// Whether all nodes are told that it has changed.
        told: bool,
    },
    /// Pin this to the board that all nodes read, in the place of what is pinned there under the same key. A full board takes nothing new.
    Pin {
        /// The key.
        key: Box<[u8]>,
        /// What is pinned.
        value: Box<[u8]>,
        /// For how many milliseconds it is to be read, by the clock of the store: those of the nodes may be wrong.
        life: u64,
    },
    /// What is pinned to the board.
    Board,
    /// Whether this is the first who asks with this key.
    Spend {
        /// The key.
        key: Box<[u8]>,
        /// How many milliseconds that is remembered.
        life: u64,
    },
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// This is kept; nothing, when nothing is.
    Found(Option<Box<[u8]>>),
    /// It is kept now, as the store promises it.
    Kept,
    /// It is not: this is kept already.
    Differs(Box<[u8]>),
    /// This is pinned to the board.
    Pinned(Vec<Notice>),
    /// Whether it was the first.
    First(bool),
    /// Nobody knows: the store cannot be reached, or has too much to do.
    Unreachable,
}

/// What is pinned to the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What was pinned.
    pub value: Box<[u8]>,
    /// For how long it is still to be read.
    pub left: Duration,
}

/// How somebody is told.
pub type Tell = Box<dyn FnOnce(Word) + Send>;
