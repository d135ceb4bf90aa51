//! `Conference`: who is in a conference, as `application/conference-info+xml` (RFC 4575).

use std::fmt::Write as _;

use super::Unreadable;
use super::xml::{Element, escaped};

/// A conference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conference {
    /// Its address.
    pub entity: String,
    /// What it is about.
    pub subject: Option<String>,
    /// Counted up with each document; absent in parts of one.
    pub version: Option<u32>,
    /// True for all members; false for those that have changed.
    pub is_whole: bool,
    /// Who is in it.
    pub members: Vec<Member>,
}

/// Somebody in a conference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub entity: String,
    /// As a display shows them.
    pub name: Option<String>,
    /// True when they have left.
    pub has_left: bool,
    /// How each of their phones takes part: `connected`, `on-hold`, `disconnected` …
    pub phones: Vec<String>,
}

impl Conference {
    /// Reads it.
    pub fn read(body: &[u8]) -> Result<Self, Unreadable> {
        let document = Element::read(body, "conference-info")?;
        let about = document.child("conference-description");
        let users = document.child("users").map_or(&[][..], |users| &users.children);
        let member = |user: &Element| Member {
            entity: user.attribute("entity").unwrap_or_default().to_owned(),
            name: user.text_of("display-text").map(str::to_owned),
            has_left: user.attribute("state") == Some("deleted"),
            phones: user
                .all("endpoint")
                .filter_map(|phone| phone.text_of("status").map(str::to_owned))
                .collect(),
        };
        Ok(Self {
            entity: document.attribute("entity").unwrap_or_default().to_owned(),
            subject: about.and_then(|about| about.text_of("subject")).map(str::to_owned),
            version: document.attribute("version").and_then(|version| version.parse().ok()),
            is_whole: document.attribute("state").is_none_or(|state| state == "full"),
            members: users.iter().filter(|user| user.name == "user").map(member).collect(),
        })
    }

    /// Writes all of it, as the document of this number.
    pub fn write(&self, version: u32) -> Vec<u8> {
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" entity=\"{}\" \
             state=\"full\" version=\"{version}\">\r\n",
            escaped(&self.entity)
        );
        // To write into a string cannot fail.
        if let Some(subject) = &self.subject {
            let subject = escaped(subject);
            let _ = write!(
                text,
                "<conference-description><subject>{subject}</subject></conference-description>\r\n"
            );
        }
        let _ = write!(
            text,
            "<conference-state><user-count>{}</user-count><active>true</active></conference-state>\r\n<users>\r\n",
            self.members.len()
        );
        for member in &self.members {
            member.write(&mut text);
        }
        text.push_str("</users>\r\n</conference-info>\r\n");
        text.into_bytes()
    }
}

impl Member {
    fn write(&self, text: &mut String) {
        let (entity, state) =
            (escaped(&self.entity), if self.has_left { "deleted" } else { "full" });
        // To write into a string cannot fail.
        let _ = write!(text, "<user entity=\"{entity}\" state=\"{state}\">");
        if let Some(name) = &self.name {
            let _ = write!(text, "<display-text>{}</display-text>", escaped(name));
        }
        for phone in &self.phones {
            let phone = escaped(phone);
            let _ =
                write!(text, "<endpoint entity=\"{entity}\"><status>{phone}</status></endpoint>");
        }
        text.push_str("</user>\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let member = |entity: &str, name: Option<&str>, status: &str| Member {
            entity: entity.into(),
            name: name.map(Into::into),
            has_left: false,
            phones: vec![status.into()],
        };
        let conference = Conference {
            entity: "sip:alice@h;gr=\"<&>\"".into(),
            subject: Some("a < b & c".into()),
            version: Some(7),
            is_whole: true,
            members: vec![
                member("sip:alice@h", Some("Alice <3"), "connected"),
                member("sip:bob@h", None, "on-hold"),
            ],
        };
        assert_eq!(Conference::read(&conference.write(7)), Ok(conference));
    }

    #[test]
    fn members_are_read() {
        let body = br#"<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="sips:conf233@example.com" state="full" version="3">
              <conference-description><subject>Agenda: This month's goals</subject></conference-description>
              <users><user entity="sip:bob@example.com" state="full"><display-text>Bob Hoskins</display-text>
                <endpoint entity="sip:bob@pc33.example.com"><status>connected</status></endpoint></user>
                <user entity="sip:alice@example.com" state="deleted"/></users>
            </conference-info>"#;
        let read = Conference::read(body).unwrap();
        assert_eq!((read.version, read.is_whole, read.members.len()), (Some(3), true, 2));
        assert_eq!(read.members[0].phones, ["connected"]);
        assert!(read.members[1].has_left);
        assert_eq!(read.subject.as_deref(), Some("Agenda: This month's goals"));
    }
}
