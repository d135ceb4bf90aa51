//! `Dialogs`: who talks with whom, as `application/dialog-info+xml` (RFC 4235).

use std::fmt::Write as _;

use super::Unreadable;
use super::xml::{Element, escaped};

/// The calls of somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialogs {
    /// Whose.
    pub entity: String,
    /// Counted up with each document.
    pub version: u32,
    /// True for all calls; false for those that have changed.
    pub is_whole: bool,
    /// The calls.
    pub talks: Vec<Talk>,
}

/// A call of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Talk {
    /// Its name among others.
    pub id: String,
    /// How far it has come.
    pub state: TalkState,
    /// True when they have called.
    pub is_outgoing: bool,
    /// Its dialog as its own side names it: Call-ID, local tag, remote tag. Who is allowed to can pick it up with these.
    pub dialog: Option<[String; 3]>,
    /// With whom.
    pub remote: Option<String>,
}

/// How far a call has come (RFC 4235 §3.7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TalkState {
    /// Nothing has been heard.
    Trying,
    /// It is being worked on.
    Proceeding,
    /// It rings.
    Early,
    /// It is up.
    Confirmed,
    /// It is over.
    Terminated,
}

impl Dialogs {
    /// Reads it.
    pub fn read(body: &[u8]) -> Result<Self, Unreadable> {
        let document = Element::read(body, "dialog-info")?;
        let version = document.attribute("version").and_then(|version| version.parse().ok());
        Ok(Self {
            entity: document.attribute("entity").unwrap_or_default().to_owned(),
            version: version.ok_or_else(|| Unreadable::because("no version"))?,
            is_whole: document.attribute("state") == Some("full"),
            talks: document.all("dialog").filter_map(talk).collect(),
        })
    }

    /// Writes all of them, as the document of this number.
    pub fn write(&self, version: u32) -> Vec<u8> {
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{version}\" \
             state=\"full\" entity=\"{}\">\r\n",
            escaped(&self.entity)
        );
        for talk in &self.talks {
            talk.write(&mut text);
        }
        text.push_str("</dialog-info>\r\n");
        text.into_bytes()
    }
}

impl Talk {
    fn write(&self, text: &mut String) {
        // To write into a string cannot fail.
        let _ = write!(text, "<dialog id=\"{}\"", escaped(&self.id));
        if let Some([call_id, local, remote]) = &self.dialog {
            let [call_id, local, remote] = [call_id, local, remote].map(|word| escaped(word));
            let _ = write!(
                text,
                " call-id=\"{call_id}\" local-tag=\"{local}\" remote-tag=\"{remote}\""
            );
        }
        let direction = if self.is_outgoing { "initiator" } else { "recipient" };
        let state = self.state.word();
        let _ = write!(text, " direction=\"{direction}\"><state>{state}</state>");
        if let Some(remote) = &self.remote {
            let remote = escaped(remote);
            let _ = write!(text, "<remote><identity>{remote}</identity></remote>");
        }
        text.push_str("</dialog>\r\n");
    }
}

impl TalkState {
    const fn word(self) -> &'static str {
        match self {
            Self::Trying => "trying",
            Self::Proceeding => "proceeding",
            Self::Early => "early",
            Self::Confirmed => "confirmed",
            Self::Terminated => "terminated",
        }
    }
}

fn talk(element: &Element) -> Option<Talk> {
    let word = |name: &str| element.attribute(name).map(str::to_owned);
    let names = [word("call-id"), word("local-tag"), word("remote-tag")];
    let remote = element.child("remote");
    let target = remote.and_then(|remote| remote.child("target")?.attribute("uri"));
    let identity = remote.and_then(|remote| remote.text_of("identity"));
    Some(Talk {
        id: word("id")?,
        state: match element.text_of("state")?.to_ascii_lowercase().as_str() {
            "trying" => TalkState::Trying,
            "proceeding" => TalkState::Proceeding,
            "early" => TalkState::Early,
            "confirmed" => TalkState::Confirmed,
            "terminated" => TalkState::Terminated,
            _ => return None,
        },
        is_outgoing: element.attribute("direction") == Some("initiator"),
        dialog: match names {
            [Some(call_id), Some(local), Some(remote)] => Some([call_id, local, remote]),
            _ => None,
        },
        remote: identity.or(target).map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let talk = |id: &str, state, is_outgoing, dialog| Talk {
            id: id.into(),
            state,
            is_outgoing,
            dialog,
            remote: Some("sip:bob@h".into()),
        };
        let names = ["a@\"b", "<1>", "2"].map(String::from);
        let dialogs = Dialogs {
            entity: "sip:alice@h".into(),
            version: 3,
            is_whole: true,
            talks: vec![
                talk("1", TalkState::Early, false, Some(names)),
                talk("2", TalkState::Trying, true, None),
            ],
        };
        assert_eq!(Dialogs::read(&dialogs.write(3)), Ok(dialogs));
    }

    #[test]
    fn the_example_of_the_rfc_is_read() {
        let body = br#"<?xml version="1.0"?>
            <dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="1" state="full" entity="sip:alice@example.com">
              <dialog id="as7d900as8" call-id="a84b4c76e66710" local-tag="1928301774" remote-tag="456887766" direction="initiator">
                <state event="cancelled">Early</state>
                <remote><identity>sip:bob@example.org</identity><target uri="sip:bobster@phone21.example.org"/></remote>
              </dialog>
              <dialog id="other"><state>asleep</state></dialog>
            </dialog-info>"#;
        let read = Dialogs::read(body).unwrap();
        assert!(read.is_whole && read.version == 1);
        let [talk] = &read.talks[..] else { panic!("{read:?}") };
        assert_eq!((talk.state, talk.is_outgoing), (TalkState::Early, true));
        assert_eq!(talk.dialog.as_ref().unwrap()[2], "456887766");
        assert_eq!(talk.remote.as_deref(), Some("sip:bob@example.org"));
        assert!(Dialogs::read(b"<dialog-info state='full'/>").is_err());
    }
}
