//! What others are shown of us: who is in our conference (RFC 4575), and our calls (RFC 4235).

use protocol::doors::Call;

use crate::call::{Conversation, Standing};
use crate::packages::{Conference, Dialogs, Member, Talk, TalkState};
use crate::phone::Phone;

impl Phone {
    /// Who is in the conference: its owner first.
    pub(crate) fn roster(&self) -> Conference {
        let account = &self.line.account;
        let owner = Member {
            entity: account.address(),
            name: account.name.as_deref().map(Into::into),
            has_left: false,
            phones: vec!["connected".into()],
        };
        let members = self.conference().filter_map(|call| self.calls.get(&call)).filter_map(member);
        Conference {
            entity: self.line.contact(account.transport()),
            subject: None,
            version: None,
            is_whole: true,
            members: std::iter::once(owner).chain(members).collect(),
        }
    }

    /// The calls that there are.
    pub(crate) fn shown_calls(&self) -> Dialogs {
        let talks = self.calls.iter().filter_map(|(call, conversation)| talk(*call, conversation));
        let entity = self.line.account.address();
        Dialogs { entity, version: 0, is_whole: true, talks: talks.collect() }
    }
}

fn member(conversation: &Conversation) -> Option<Member> {
    let dialog = conversation.confirmed()?;
    let status = if conversation.is_silent() { "on-hold" } else { "connected" };
    let entity = String::from_utf8_lossy(dialog.remote_uri()).into_owned();
    Some(Member { entity, name: None, has_left: false, phones: vec![status.into()] })
}

fn talk(call: Call, conversation: &Conversation) -> Option<Talk> {
    let (state, is_outgoing) = match conversation.standing() {
        Standing::Calling => (TalkState::Trying, true),
        Standing::Offered => (TalkState::Early, false),
        Standing::Up => (TalkState::Confirmed, conversation.is_ours()),
        Standing::Over => return None,
    };
    let dialog = conversation.own_dialog();
    let names = dialog.map(|dialog| {
        let id = dialog.id();
        let call_id = String::from_utf8_lossy(id.call_id.as_bytes()).into_owned();
        [call_id, id.local.to_string(), id.remote.to_string()]
    });
    let remote = dialog.map(|dialog| String::from_utf8_lossy(dialog.remote_uri()).into_owned());
    Some(Talk { id: call.0.to_string(), state, is_outgoing, dialog: names, remote })
}
