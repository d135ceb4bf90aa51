//! `Past`: routes and groups as they were before a reload, for requests that are on their way by them; and the names of members, which
//! outlive reloads.

use std::collections::{BTreeMap, VecDeque};

use crate::groups::Place;
use crate::limits;
use crate::seal::Seal;
use crate::settings::{Group, Member, Route};

/// Where the members of the groups are found: by names that stay the same when others come and go.
#[derive(Debug, Default)]
pub(crate) struct Places {
    by_group: Vec<Vec<Place>>,
    by_place: BTreeMap<Place, (usize, usize)>,
}

impl Places {
    pub(crate) fn of(groups: &[Group], seal: &Seal) -> Self {
        let mut places = Self::default();
        for (at, group) in groups.iter().enumerate() {
            let name = group.name.as_bytes();
            let own = seal.number([b"group", name]);
            let mut members: Vec<Place> = Vec::new();
            for (number, member) in group.members.iter().enumerate() {
                // One that is there twice is two.
                let earlier = group.members.iter().take(number).filter(|it| it.to == member.to);
                let ordinal = earlier.count().to_string();
                let parts = [b"member", name, member.to.as_bytes(), ordinal.as_bytes()];
                members.push(Place { group: own, member: seal.number(parts) });
            }
            let found = members.iter().zip(0..).map(|(place, number)| (*place, (at, number)));
            places.by_place.extend(found);
            places.by_group.push(members);
        }
        places
    }

    /// The members of a group, by its number in the settings.
    pub(crate) fn of_group(&self, group: usize) -> &[Place] {
        self.by_group.get(group).map_or(&[], |members| members)
    }

    /// The members of all groups.
    pub(crate) fn all(&self) -> impl Iterator<Item = (usize, &[Place])> {
        self.by_group.iter().map(Vec::as_slice).enumerate()
    }

    /// A member, and its group.
    pub(crate) fn find<'a>(
        &self,
        groups: &'a [Group],
        place: Place,
    ) -> Option<(&'a Group, &'a Member)> {
        let (group, member) = self.by_place.get(&place)?;
        let group = groups.get(*group)?;
        Some((group, group.members.get(*member)?))
    }
}

/// What earlier generations said, the latest first.
#[derive(Debug, Default)]
pub(crate) struct Past(VecDeque<Earlier>);

#[derive(Debug)]
struct Earlier {
    generation: u32,
    routes: Vec<Route>,
    groups: Vec<Group>,
    places: Places,
}

impl Past {
    /// A generation is over.
    pub(crate) fn push(
        &mut self,
        generation: u32,
        (routes, groups): (Vec<Route>, Vec<Group>),
        places: Places,
    ) {
        self.0.truncate(limits::EARLIER - 1);
        self.0.push_front(Earlier { generation, routes, groups, places });
    }

    /// The routes of a generation.
    pub(crate) fn routes(&self, generation: u32) -> Option<&[Route]> {
        let earlier = self.0.iter().find(|earlier| earlier.generation == generation)?;
        Some(&earlier.routes)
    }

    /// The group of this name in a generation.
    pub(crate) fn group(&self, generation: u32, name: &str) -> Option<(&Group, &[Place])> {
        let earlier = self.0.iter().find(|earlier| earlier.generation == generation)?;
        let at = earlier.groups.iter().position(|group| *group.name == *name)?;
        Some((earlier.groups.get(at)?, earlier.places.of_group(at)))
    }

    /// A member, and its group, as they were last.
    pub(crate) fn find(&self, place: Place) -> Option<(&Group, &Member)> {
        self.0.iter().find_map(|earlier| earlier.places.find(&earlier.groups, place))
    }
}
