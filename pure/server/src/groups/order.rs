//! The order in which the members of a group are tried, whoever is alive.

use std::cmp::Reverse;

use machine::Dice;
use protocol::locate::by_weight;

use super::Lot;
use crate::settings::{Balance, Group, Member};

/// The members by priority; those of one priority as the group says.
pub(super) fn members(group: &Group, turn: usize, lot: &Lot<'_>, dice: &mut Dice) -> Vec<usize> {
    let mut all: Vec<(usize, &Member)> = group.members.iter().enumerate().collect();
    match group.balance {
        Balance::Order => {}
        Balance::RoundRobin => {
            let first = turn.checked_rem(all.len()).unwrap_or(0);
            all.rotate_left(first);
        }
        Balance::Weight => {
            // RFC 2782 throws from 0 to the sum, both included: with small weights the first would win too often.
            let rank = |(_, member): &(usize, &Member)| {
                (member.priority, u32::from(member.weight).saturating_mul(1000))
            };
            let most = all.len();
            all = by_weight(all, (rank, most), dice);
        }
        // The highest lot wins: when a member goes or comes, only its own calls move.
        Balance::CallId | Balance::Caller => all.sort_by_key(|(_, member)| Reverse(lot(member))),
    }
    all.sort_by_key(|(_, member)| member.priority);
    all.into_iter().map(|(place, _)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(balance: Balance, members: &[(u16, u16)]) -> Group {
        let mut group = Group::of("g", &[]);
        group.balance = balance;
        group.members = members
            .iter()
            .enumerate()
            .map(|(place, (priority, weight))| Member {
                priority: *priority,
                weight: *weight,
                ..Member::at(&format!("sip:192.0.2.{place}"))
            })
            .collect();
        group
    }

    #[test]
    fn priorities_come_first_and_turns_go_round() {
        let order = group(Balance::Order, &[(2, 1), (1, 1), (1, 1)]);
        let mut dice = Dice::new(1);
        assert_eq!(members(&order, 7, &|_| 0, &mut dice), [1, 2, 0]);
        let turns = group(Balance::RoundRobin, &[(1, 1), (1, 1), (1, 1)]);
        let firsts: Vec<_> = (0..6).map(|turn| members(&turns, turn, &|_| 0, &mut dice)).collect();
        assert_eq!(firsts[0], [0, 1, 2]);
        assert_eq!(firsts[1], [1, 2, 0]);
        assert_eq!(firsts.iter().map(|order| order[0]).collect::<Vec<_>>(), [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn weights_hold_over_ten_thousand_picks() {
        let group = group(Balance::Weight, &[(1, 1), (1, 3), (1, 6), (2, 9)]);
        let mut dice = Dice::new(6116);
        let mut firsts = [0_usize; 4];
        for _ in 0..10_000 {
            let order = members(&group, 0, &|_| 0, &mut dice);
            assert_eq!(order.len(), 4);
            firsts[order[0]] += 1;
        }
        for (first, expected) in firsts.into_iter().zip([1000, 3000, 6000, 0]) {
            assert!(first.abs_diff(expected) <= 200, "{firsts:?}");
        }
    }

    #[test]
    fn a_lot_is_the_same_for_all_that_draw_it_and_others_stay_when_one_goes() {
        let mut group = group(Balance::CallId, &[(1, 1), (1, 1), (1, 1), (1, 1)]);
        let mut dice = Dice::new(1);
        let mix = |hash: u64, octet: u8| {
            (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
        };
        let lot = |call: u64| {
            let seed = call.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            move |member: &Member| member.to.bytes().fold(seed, mix)
        };
        let mut first = |group: &Group| -> Vec<Box<str>> {
            let first = |call| members(group, 0, &lot(call), &mut dice)[0];
            (0..1000).map(first).map(|place| group.members[place].to.clone()).collect()
        };
        let before = first(&group);
        assert_eq!(before, first(&group));
        let gone = group.members.remove(1).to;
        let after = first(&group);
        let (mut moved, mut had) = (0, 0);
        for (before, after) in before.iter().zip(&after) {
            had += usize::from(*before == gone);
            moved += usize::from(before != after);
        }
        assert_eq!(moved, had);
        assert!((150..350).contains(&had), "{had}");
    }
}
