//! `Conference`: who is in a conference, as `application/conference-info+xml` (RFC 4575).

use super::Unreadable;
use super::xml::Element;

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
}

#[cfg(test)]
mod tests {
    use super::*;

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
