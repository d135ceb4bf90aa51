//! `WatchList`: who is watched at the phones, and what was told of them last: the own mailboxes (RFC 3842), and whoever a person wants to see.

use std::collections::BTreeMap;

use phone::packages::Messages;
use phone::{PhoneEvent, Watch};

use super::watch::What;
use super::watched;

/// All that is watched, in the order of its beginning.
#[derive(Debug, Default)]
pub(super) struct WatchList {
    all: Vec<Watched>,
}

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    /// The account that watches, by its place.
    pub(super) line: usize,
    watch: Watch,
    pub(super) whom: Whom,
    /// What each place has told last: one question may reach several phones, or several mailboxes.
    places: BTreeMap<u32, String>,
    /// All of that.
    pub(super) said: String,
}

/// Who is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    /// The mailbox of the account.
    Own,
    /// Somebody, as it was typed.
    Somebody(String, What),
}

impl WatchList {
    pub(super) fn begin(&mut self, (line, watch): (usize, Watch), whom: Whom) {
        let (places, said) = (BTreeMap::new(), "nothing yet".into());
        self.all.push(Watched { line, watch, whom, places, said });
    }

    /// The watch of this account for them, when there is one.
    pub(super) fn find(&self, line: usize, whom: &Whom) -> Option<Watch> {
        let found = self.all.iter().find(|one| one.line == line && one.whom == *whom);
        found.map(|one| one.watch)
    }

    /// A phone tells something.
    pub(super) fn hear(&mut self, line: usize, event: &PhoneEvent) {
        match event {
            PhoneEvent::Watched { watch, place, state, kind, body } => {
                if let Some(one) = self.at(line, *watch) {
                    one.hear(*place, (state, kind, body));
                }
            }
            PhoneEvent::NotWatched { watch, status, reason, again: true } => {
                if let Some(one) = self.at(line, *watch) {
                    one.places.clear();
                    one.said = match one.whom {
                        Whom::Own => String::new(),
                        Whom::Somebody(..) => {
                            format!("not watched: {status} {reason}; it is tried again")
                        }
                    };
                }
            }
            PhoneEvent::NotWatched { watch, again: false, .. } => {
                self.all.retain(|one| (one.line, one.watch) != (line, *watch));
            }
            _ => {}
        }
    }

    /// True for what is told of the mailbox of an account: it is shown with the account, and nobody has asked for it.
    pub(super) fn is_own(&self, line: usize, event: &PhoneEvent) -> bool {
        let (PhoneEvent::Watched { watch, .. } | PhoneEvent::NotWatched { watch, .. }) = event
        else {
            return false;
        };
        self.all.iter().any(|one| (one.line, one.watch) == (line, *watch) && one.whom == Whom::Own)
    }

    /// What waits in the mailbox of an account, in words; nothing, when nothing does or nobody knows.
    pub(super) fn mailbox(&self, line: usize) -> &str {
        let own = self.all.iter().find(|one| one.line == line && one.whom == Whom::Own);
        own.map_or("", |one| &one.said)
    }

    /// Whom a person wants to see.
    pub(super) fn others(&self) -> impl Iterator<Item = (&Watched, &str, What)> {
        self.all.iter().filter_map(|one| match &one.whom {
            Whom::Own => None,
            Whom::Somebody(target, what) => Some((one, &**target, *what)),
        })
    }

    fn at(&mut self, line: usize, watch: Watch) -> Option<&mut Watched> {
        self.all.iter_mut().find(|one| (one.line, one.watch) == (line, watch))
    }
}

impl Watched {
    fn hear(&mut self, place: u32, (state, kind, body): (&str, &str, &[u8])) {
        let said = match self.whom {
            Whom::Own => mailbox(body),
            Whom::Somebody(..) => watched::in_words(state, kind, body),
        };
        // One place of many has ended: the others go on.
        match place > 0 && state == "terminated" {
            true => drop(self.places.remove(&place)),
            false => drop(self.places.insert(place, said)),
        }
        let told = self.places.values().filter(|said| !said.is_empty());
        self.said = told.map(String::as_str).collect::<Vec<_>>().join("; ");
    }
}

/// What waits, in few words.
fn mailbox(body: &[u8]) -> String {
    let Ok(messages) = Messages::read(body) else { return String::new() };
    let new: u32 = messages.classes.iter().map(|(_, class)| class.new).fold(0, u32::saturating_add);
    match (messages.waiting, new) {
        (false, _) => String::new(),
        // RFC 3842 §5.2: how many is not always said.
        (true, 0) => "messages wait".into(),
        (true, 1) => "1 new message".into(),
        (true, new) => format!("{new} new messages"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(watch: u32, body: &str) -> PhoneEvent {
        PhoneEvent::Watched {
            watch: Watch(watch),
            place: 0,
            state: "active".into(),
            kind: "application/simple-message-summary".into(),
            body: body.as_bytes().to_vec().into(),
        }
    }

    #[test]
    fn the_own_mailbox_is_told_in_few_words() {
        let mut list = WatchList::default();
        list.begin((1, Watch(7)), Whom::Own);
        assert!(list.is_own(1, &told(7, "")) && !list.is_own(0, &told(7, "")));
        for (body, said) in [
            (
                "Messages-Waiting: yes\r\nVoice-Message: 2/8\r\nFax-Message: 1/0\r\n",
                "3 new messages",
            ),
            ("Messages-Waiting: yes\r\nVoice-Message: 1/0\r\n", "1 new message"),
            ("Messages-Waiting: yes\r\n", "messages wait"),
            ("Messages-Waiting: no\r\nVoice-Message: 0/8\r\n", ""),
            ("what?", ""),
        ] {
            list.hear(1, &told(7, body));
            assert_eq!(list.mailbox(1), said, "{body}");
        }
        list.hear(0, &told(7, "Messages-Waiting: yes\r\n"));
        assert_eq!((list.mailbox(0), list.mailbox(1)), ("", ""), "that is another account's");
        assert_eq!(list.others().count(), 0);
    }

    #[test]
    fn what_one_place_of_many_tells_does_not_hide_what_the_others_have_told() {
        let of = |place, state: &str, body: &str| match told(7, body) {
            PhoneEvent::Watched { watch, kind, body, .. } => {
                PhoneEvent::Watched { watch, place, state: state.into(), kind, body }
            }
            other => other,
        };
        let mut list = WatchList::default();
        list.begin((0, Watch(7)), Whom::Own);
        let mailbox = "Messages-Waiting: yes\r\nVoice-Message: 2/8\r\n";
        for (place, state, body, said) in [
            (0, "active", mailbox, "2 new messages"),
            (1, "active", "Messages-Waiting: yes\r\n", "2 new messages; messages wait"),
            (2, "active", "Messages-Waiting: no\r\n", "2 new messages; messages wait"),
            (1, "terminated", "", "2 new messages"),
            (0, "active", "Messages-Waiting: no\r\n", ""),
        ] {
            list.hear(0, &of(place, state, body));
            assert_eq!(list.mailbox(0), said, "place {place} {state}");
        }
    }

    #[test]
    fn who_is_not_to_be_watched_is_forgotten_and_who_cannot_be_now_is_not() {
        let mut list = WatchList::default();
        let whom = Whom::Somebody("102".into(), What::Presence);
        list.begin((0, Watch(1)), whom.clone());
        let refused = |again| {
            let reason = "gone".into();
            PhoneEvent::NotWatched { watch: Watch(1), status: 480, reason, again }
        };
        list.hear(0, &refused(true));
        assert_eq!(list.find(0, &whom), Some(Watch(1)));
        let said: Vec<_> = list.others().map(|(one, ..)| one.said.clone()).collect();
        assert_eq!(said, ["not watched: 480 gone; it is tried again"]);
        list.hear(0, &refused(false));
        assert_eq!(list.find(0, &whom), None);
    }
}
