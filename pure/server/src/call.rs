//! `Call`: a number that stands for a call: its Call-ID and its caller's tag, under the house's secret.

use sip::Message;
use sip::header::{From, To};

use crate::seal::Seal;

/// A call, whoever of the two speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Call(pub(crate) u64);

impl Call {
    /// The call that a request begins, or belongs to when its caller sends it.
    pub(crate) fn of(seal: &Seal, request: &Message) -> Self {
        let from = request.get::<From>();
        Self::tagged(seal, request, from.as_ref().and_then(|from| from.tag()))
    }

    /// The call that a request belongs to, when its callee sends it.
    pub(crate) fn of_callee(seal: &Seal, request: &Message) -> Self {
        let to = request.get::<To>();
        Self::tagged(seal, request, to.as_ref().and_then(|to| to.tag()))
    }

    /// The call of a request whose caller has this tag.
    pub(crate) fn tagged(seal: &Seal, request: &Message, tag: Option<&[u8]>) -> Self {
        Self(seal.number([b"seat", request.call_id(), tag.unwrap_or_default()]))
    }
}
