//! SRV: the servers of a service, ordered by priority and by chance (RFC 2782).

use machine::Dice;

use super::Srv;
use crate::limits;

/// Puts servers in the order to try: by priority, and within one at random, in proportion to their weights. No more than
/// [`limits::SERVERS`].
pub(super) fn order(servers: Vec<Srv>, dice: &mut Dice) -> Vec<Srv> {
    let rank = |server: &Srv| (server.priority, server.weight.into());
    by_weight(servers, (rank, limits::SERVERS), dice)
}

/// The first few in the order to try: by priority, and within one at random, in proportion to their weights. What is told of each is its
/// priority and its weight.
pub fn by_weight<T>(
    mut servers: Vec<T>,
    (rank, most): (impl Fn(&T) -> (u16, u32), usize),
    dice: &mut Dice,
) -> Vec<T> {
    let weight = |server: &T| u64::from(rank(server).1);
    // Those of weight 0 come first: they win when a 0 is thrown.
    servers.sort_by_key(|server| rank(server));
    let mut ordered = Vec::new();
    while let Some(first) = servers.first().map(|server| rank(server).0)
        && ordered.len() < most
    {
        let equals = servers.iter().take_while(|server| rank(server).0 == first);
        let sum: u64 = equals.clone().map(weight).sum();
        // Nobody has a weight: everybody has the same.
        let won = if sum == 0 {
            usize::try_from(dice.below(equals.count() as u64)).unwrap_or_default()
        } else {
            let thrown = dice.below(sum.saturating_add(1));
            let mut running = 0_u64;
            let reaches = |server: &T| {
                running = running.saturating_add(weight(server));
                running >= thrown
            };
            servers.iter().position(reaches).unwrap_or_default()
        };
        ordered.push(servers.remove(won));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(priority: u16, weight: u16, port: u16) -> Srv {
        Srv { priority, weight, port, target: None }
    }

    fn ports(servers: &[Srv]) -> Vec<u16> {
        servers.iter().map(|server| server.port).collect()
    }

    #[test]
    fn lower_priorities_come_first_whatever_their_weight() {
        for seed in 0..50 {
            let servers = vec![server(20, 60_000, 3), server(10, 0, 1), server(10, 9, 2)];
            let ordered = ports(&order(servers, &mut Dice::new(seed)));
            assert!(ordered == [1, 2, 3] || ordered == [2, 1, 3], "{ordered:?}");
        }
    }

    /// How often each of some weights is first, in ten thousand throws.
    fn firsts(weights: &[u16]) -> Vec<usize> {
        let mut firsts = vec![0; weights.len()];
        let mut dice = Dice::new(3263);
        for _ in 0..10_000 {
            let servers =
                weights.iter().zip(0..).map(|(weight, port)| server(1, *weight, port)).collect();
            let ordered = order(servers, &mut dice);
            assert_eq!(ordered.len(), weights.len());
            firsts[usize::from(ordered[0].port)] += 1;
        }
        firsts
    }

    #[test]
    fn servers_are_chosen_in_proportion_to_their_weights() {
        let firsts = firsts(&[60, 20, 20]);
        for (count, share) in firsts.iter().zip([6_000_usize, 2_000, 2_000]) {
            assert!(count.abs_diff(share) < 300, "{firsts:?}");
        }
    }

    #[test]
    fn a_weight_of_0_has_a_very_small_chance_and_no_weights_at_all_have_equal_ones() {
        let with = firsts(&[0, 99]);
        assert!((1..300).contains(&with[0]), "{with:?}");
        let without = firsts(&[0, 0, 0, 0]);
        assert!(without.iter().all(|count| count.abs_diff(2_500) < 300), "{without:?}");
    }

    #[test]
    fn a_thousand_servers_are_some() {
        let many = (0..1_000).map(|port| server(port % 7, port, port)).collect();
        let ordered = order(many, &mut Dice::new(1));
        assert_eq!(ordered.len(), limits::SERVERS);
        assert!(ordered.iter().all(|server| server.priority == 0));
    }
}
