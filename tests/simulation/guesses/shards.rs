//! Guesses that are heard by several shards: they judge as one.

use super::*;

/// Two shards, and the letters between them.
struct Pair([Office; 2]);

impl Pair {
    fn new() -> Self {
        Self([0, 1].map(|number| {
            let shard = Shard { number, count: 2 };
            Office::new(Settings { shard, nonce_secret: Some(5), ..settings() })
        }))
    }

    fn exchange(&mut self) {
        let letters: [Vec<Caution>; 2] =
            self.0.each_mut().map(|office| std::mem::take(&mut office.cautions));
        let [first, second] = letters;
        for (to, letters) in [(1, first), (0, second)] {
            for letter in letters {
                self.0[to].tell(Input::Cautioned(letter));
            }
        }
    }

    fn wait(&mut self, time: Duration) {
        for _ in 0..4 {
            self.exchange();
            self.0.iter_mut().for_each(|office| drop(office.wait(time / 4)));
        }
        self.exchange();
    }

    fn treatments(&self) -> Vec<Vec<Treatment>> {
        let of = |office: &Office| office.node.bans(None).iter().map(|ban| ban.treatment).collect();
        self.0.iter().map(of).collect()
    }

    fn reports(&self) -> usize {
        self.0.iter().map(|office| bans(office).len()).sum()
    }
}

#[test]
fn a_ban_holds_on_every_shard_wherever_the_guesses_were_heard() {
    for address in ["203.0.113.9", "203.0.113.10", "203.0.113.11", "203.0.113.12"] {
        let mut pair = Pair::new();
        let guesser = at(101, address, 5060);
        for nth in 0..10 {
            attempt(&mut pair.0[nth % 2], &guesser, u32::try_from(nth).unwrap(), Password::Wrong);
            pair.exchange();
        }
        pair.wait(secs(1));
        assert_eq!(pair.treatments(), [[Treatment::Barred], [Treatment::Barred]], "{address}");
        assert_eq!(pair.reports(), 1, "it is said once");
        assert!(pair.0.iter().all(|office| office.barred.contains(&source(address))));
        // Every shard is asked, as the console does, and one of them says it.
        let mut words = 0;
        for asked in 0..2 {
            let (now, mut out) = (pair.0[asked].now, Vec::new());
            assert!(pair.0[asked].node.unban(now, source(address), &mut out));
            for output in out {
                if let protocol::Output::Caution(lifted @ Caution::Lifted(_)) = output {
                    words += 1;
                    pair.0[asked].cautions.push(lifted);
                }
            }
        }
        pair.exchange();
        assert_eq!(words, 1, "two would be of two editions");
        assert_eq!(pair.treatments(), [[], []]);
    }
}

#[test]
fn whoever_is_registered_on_one_shard_is_spared_on_all() {
    for address in ["203.0.113.9", "203.0.113.10", "203.0.113.11", "203.0.113.12"] {
        let mut pair = Pair::new();
        let (phone, guesser) = (at(102, address, 5060), at(101, address, 6000));
        assert_eq!(status(&attempt(&mut pair.0[1], &phone, 0, Password::Right)), 200);
        for nth in 0..10 {
            attempt(&mut pair.0[0], &guesser, nth, Password::Wrong);
            pair.exchange();
        }
        pair.wait(secs(1));
        assert_eq!(pair.treatments(), [[Treatment::Slowed], [Treatment::Slowed]], "{address}");
        assert_eq!(pair.reports(), 1);
        for office in &mut pair.0 {
            assert_eq!(status(&attempt(office, &phone, 5, Password::Right)), 200);
        }
    }
}

#[test]
fn a_besieged_user_calls_by_every_shard_from_where_it_is_registered() {
    let mut pair = Pair::new();
    let home = at(101, "198.51.100.1", 5060);
    let homes = server::Steering::new(7, 2).home_of(b"101");
    let (at_home, elsewhere) = (usize::from(homes), usize::from(1 - homes));
    assert_eq!(status(&attempt(&mut pair.0[at_home], &home, 0, Password::Right)), 200);
    for nth in 0..60_u32 {
        let guesser = at(101, &format!("203.0.113.{}", nth + 1), 5060);
        attempt(&mut pair.0[elsewhere], &guesser, nth, Password::Wrong);
        pair.exchange();
    }
    let stranger = at(101, "203.0.113.200", 5060);
    // Its router has given it another port meanwhile.
    let home = at(101, "198.51.100.1", 40_000);
    for (phone, expected) in [(&home, 200), (&stranger, 0)] {
        let answer = attempt(&mut pair.0[elsewhere], phone, 90, Password::Right);
        assert_eq!(status(&answer), expected, "{phone:?}");
    }
}

#[test]
fn a_challenge_fits_beside_its_request() {
    let mut office = Office::default();
    let phone = at(101, "203.0.113.9", 5060);
    let asked = office.receive(phone.flow, register(&phone, 0).wire());
    assert_eq!(asked[0].message.all::<WwwAuthenticate>().count(), 2, "both digests");
}

#[test]
fn a_ban_is_written_down_with_its_reason() {
    let settings = Settings { bindings: Bindings::Kept, ..settings() };
    let mut office = Office::new(settings.clone());
    guess(&mut office, &at(101, "203.0.113.9", 5060), 10);
    let kept = office.asked.drain(..).find_map(|(_, question)| match question {
        Question::Keep(record) => Some(record),
        _ => None,
    });
    let record = kept.expect("a record");
    let mut next = Office::new(settings);
    next.node.restore(next.now, (&record.key, &record.value), 0);
    let listed = next.node.bans(None);
    assert_eq!(listed, office.node.bans(None));
    assert_eq!((listed[0].offence, listed[0].count), (Offence::WrongPassword, 10));
}
