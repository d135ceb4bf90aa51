//! `Call`: a number that stands for a call: its Call-ID and its caller's tag, under the house's secret.

use sip::Message;

use crate::seal::Seal;

/// A call, whoever of the two speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Call(pub(crate) u64);

impl Call {
    /// The call that a request begins, or belongs to when its caller sends it.
    pub(crate) fn of(seal: &Seal, request: &Message) -> Self {
        Self::tagged(seal, request, request.from_tag())
    }

    /// The call that a request belongs to, when its callee sends it.
    pub(crate) fn of_callee(seal: &Seal, request: &Message) -> Self {
        Self::tagged(seal, request, request.to_tag())
    }

    /// The call of a request whose caller has this tag.
    pub(crate) fn tagged(seal: &Seal, request: &Message, tag: Option<&[u8]>) -> Self {
        Self(seal.mark([b"seat", request.call_id(), tag.unwrap_or_default()]))
    }
}
