//! `Record`: a fact that outlives the process. Replaying the records restores the state.

use machine::Time;

/// What is known under a key, whole: a newer record of the same key takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Under what it is kept.
    pub key: Box<[u8]>,
    /// What is kept, in the form of who wrote it; empty: nothing any more.
    pub value: Box<[u8]>,
    /// When nobody needs it any longer.
    pub until: Time,
}
