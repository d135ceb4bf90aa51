//! Conferences of others: who is in them, and asking for more people (RFC 4579 §5.2, §5.5).

use machine::Time;
use protocol::doors::{Call, Output};

use crate::call::{Conversation, Role};
use crate::packages::Package;
use crate::phone::Phone;
use crate::unable::Unable;

impl Phone {
    /// Asks the focus of a conference to call somebody into it. [`PhoneEvent::Transfer`](crate::PhoneEvent::Transfer) tells how that goes; our own call
    /// stays as it is.
    pub fn invite(
        &mut self,
        now: Time,
        call: Call,
        target: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), Unable> {
        let target = self.target(target)?;
        let to = [b"<", &*target, b">"].concat();
        self.with(now, call, out, |conversation, turn| conversation.invite_there(turn, &to))
    }

    /// The other side of a call has become a focus: who is in its conference is watched while it is one.
    pub(crate) fn watch_focus(
        &mut self,
        now: Time,
        (call, role): (Call, Role),
        out: &mut Vec<Output>,
    ) {
        match role {
            Role::Party => {
                if let Some(watch) = self.rosters.remove(&call) {
                    // It may have ended by itself.
                    let _ = self.unwatch(now, watch, out);
                }
            }
            Role::Focus => {
                let dialog = self.calls.get(&call).and_then(Conversation::confirmed);
                let uri =
                    dialog.map(|dialog| String::from_utf8_lossy(dialog.target()).into_owned());
                // Too much is watched already: then without a roster.
                let watch =
                    uri.and_then(|uri| self.watch(now, &uri, Package::Conference, out).ok());
                self.rosters.extend(watch.map(|watch| (call, watch)));
            }
        }
    }
}
