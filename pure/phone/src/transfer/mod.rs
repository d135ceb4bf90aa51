//! Transfers: one call becomes another (RFC 3515, RFC 3891, RFC 5589).
//!
//! There are three: the *transferor* asks with REFER (`call/transferring.rs`), the *transferee* is asked, calls somebody else and tells how it goes
//! ([`Referral`], `call/referred.rs`), and the *target* is called; when that call takes the place of one that it has, Replaces says so
//! (`replaces.rs`). What goes on as what is kept by the phone (`successions.rs`).

mod named;
mod referral;
mod replaces;
mod sent;
mod successions;
mod token;
mod wanted;

pub use named::{Entry, NamedCall};
pub(crate) use referral::{Order, Referral};
pub(crate) use sent::{Then, Transfer, status_of};
pub(crate) use successions::Succession;
pub(crate) use token::{Token, named_by, without_token};
pub(crate) use wanted::Wanted;

/// What a phone does when the other side of a call asks it to call somebody else (RFC 3515 §2.4.2). Such a call is made in the name of the account,
/// and at its cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Referrals {
    /// It does not: 603.
    Refuse,
    /// The program is asked ([`PhoneEvent::Referred`](protocol::doors::PhoneEvent::Referred)), and answers with
    /// [`Phone::follow`](crate::Phone::follow) or [`Phone::decline`](crate::Phone::decline).
    #[default]
    Ask,
    /// It calls.
    Follow,
}
