//! `a=ice-ufrag`, `a=ice-pwd`, `a=candidate`…: the addresses between which a way is looked for (RFC 8839 §5).

use crate::{Attribute, Description, Line, Media, limits};

/// What one side says of itself for ICE.
#[derive(Clone, PartialEq, Eq)]
pub struct Ice {
    /// Names the side in connectivity checks.
    pub ufrag: Box<str>,
    /// Proves that a check is of somebody who has read the description.
    pub password: Box<str>,
    /// The values of `a=candidate`, most wanted first.
    pub candidates: Vec<Box<str>>,
    /// It makes no checks of its own, and answers ours (RFC 8445 §2.5).
    pub lite: bool,
    /// Whether more candidates come after the description.
    pub trickle: Trickle,
}

/// Whether candidates come after the description (RFC 8838 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trickle {
    /// It tells all of its own at once, and takes none that come later.
    Off,
    /// It takes them, and more of its own may come.
    Open,
    /// It takes them, and has told all of its own (§13).
    Complete,
}

/// What a fragment tells of a side whose description is known already (RFC 8840 §9).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fragment {
    /// More of its candidates.
    pub candidates: Vec<Box<str>>,
    /// No more come.
    pub complete: bool,
}

/// The password is in no log.
impl std::fmt::Debug for Ice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ice")
            .field("ufrag", &self.ufrag)
            .field("candidates", &self.candidates)
            .finish()
    }
}

impl Ice {
    /// What a section says, or its session where the section is silent (RFC 8839 §5.4, §5.6); `None` when it does not want ICE.
    pub fn of(description: &Description, media: &Media) -> Option<Self> {
        let text = |name: &str| {
            let own = media.attribute(name).or_else(|| description.attribute(name));
            own.map(Attribute::text).filter(|text| !text.is_empty())
        };
        // RFC 8839 §5.4: at least 4 and 22 characters, at most 256.
        let fits = |least: usize| move |text: &&str| (least..=256).contains(&text.len());
        let ufrag = text("ice-ufrag").filter(fits(4))?;
        let password = text("ice-pwd").filter(fits(22))?;
        let trickles = |text: &str| text.split_ascii_whitespace().any(|option| option == "trickle");
        let complete = media.attribute(END).or_else(|| description.attribute(END)).is_some();
        Some(Self {
            ufrag: ufrag.into(),
            password: password.into(),
            candidates: candidates(&media.lines),
            lite: description.attribute("ice-lite").is_some(),
            trickle: match (text("ice-options").is_some_and(trickles), complete) {
                (false, _) => Trickle::Off,
                (true, false) => Trickle::Open,
                (true, true) => Trickle::Complete,
            },
        })
    }

    /// What a fragment that came later says, if it is of this side: `None` for those of another session.
    pub fn trickled(&self, fragment: &str) -> Option<Fragment> {
        let values = |name: &'static str| {
            let of = move |line: &'_ str| {
                line.trim_end().strip_prefix("a=")?.strip_prefix(name).map(str::to_owned)
            };
            fragment.lines().filter_map(of)
        };
        let says = |name: &'static str, own: &str| values(name).all(|value| value.trim() == own);
        let is_theirs = says("ice-ufrag:", &self.ufrag)
            && says("ice-pwd:", &self.password)
            && values("ice-ufrag:").next().is_some();
        is_theirs.then(|| Fragment {
            candidates: values("candidate:").take(limits::CANDIDATES).map(Into::into).collect(),
            complete: values(END).next().is_some(),
        })
    }

    pub(crate) fn attributes(&self) -> impl Iterator<Item = Attribute> {
        let head = [
            Attribute::new("ice-ufrag", &*self.ufrag),
            Attribute::new("ice-pwd", &*self.password),
            Attribute::new("ice-options", "ice2 trickle"),
        ];
        let candidates = self.candidates.iter().map(|one| Attribute::new("candidate", &**one));
        let end = (self.trickle == Trickle::Complete).then(|| Attribute::flag(END));
        head.into_iter().chain(candidates).chain(end)
    }
}

/// Says that no more candidates come.
const END: &str = "end-of-candidates";

fn candidates(lines: &[Line]) -> Vec<Box<str>> {
    let found = lines.iter().filter_map(|line| match line {
        Line::Attribute(attribute) if &*attribute.name == "candidate" => {
            Some(attribute.text().into())
        }
        _ => None,
    });
    found.take(limits::CANDIDATES).collect()
}
