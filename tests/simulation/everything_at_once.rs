//! Whatever can go wrong, thrown together: storms, bits turned over, partitions, restarts of the server and of routers, phones behind
//! NATs. No call hangs, nothing is left, nobody turns at full speed.
//!
//! `OFFHOOK_SEEDS=0..500 cargo test --release -p offhook-tests --test simulation everything` tries others.

use std::net::IpAddr;
use std::time::Duration;

use machine::Dice;
use offhook_tests::attendant::{Habits, Pickup, Wish};
use offhook_tests::exchange::{Exchange, NUMBERS};
use offhook_tests::seeds::seeds;
use protocol::Transport;
use sim::{Change, HostId, NatId, NatRules, Realm, Weather};

struct Mess {
    exchange: Exchange,
    dice: Dice,
    phones: Vec<HostId>,
    nats: Vec<NatId>,
}

impl Mess {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(u128::from(seed) + 77);
        let shards = 1 + u16::try_from(dice.below(4)).unwrap();
        let mut exchange = Exchange::with(seed, Weather::FAIR, shards, |settings| {
            settings.registrar.max = Duration::from_secs(300);
        });
        let (mut phones, mut nats) = (Vec::new(), Vec::new());
        for (nth, number) in NUMBERS.iter().chain(&NUMBERS[..3]).enumerate() {
            let transport = if dice.chance(50) { Transport::Udp } else { Transport::Tcp };
            let habits = habits(&mut dice);
            let home = if dice.chance(50) {
                let outside = exchange.address();
                let rules = pick(&mut dice, &KINDS);
                let (nat, inside) = exchange.world.add_nat(Realm::INTERNET, &[outside], rules);
                nats.push(nat);
                (inside, IpAddr::from([10, 0, 0, 1 + u8::try_from(nth).unwrap()]))
            } else {
                (Realm::INTERNET, exchange.address())
            };
            phones.push(exchange.phone_at(number, transport, habits, home));
        }
        Self { exchange, dice, phones, nats }
    }

    /// One more thing happens.
    fn happen(&mut self) {
        let phone = pick(&mut self.dice, &self.phones);
        match self.dice.below(100) {
            0..60 => {
                let target = pick(&mut self.dice, &NUMBERS);
                let wish = Wish {
                    patience: Some(Duration::from_millis(self.dice.below(40_000))),
                    talk: Some(Duration::from_millis(self.dice.below(8000))),
                };
                self.exchange.dial(phone, target, wish);
            }
            60..65 => {
                let habits = habits(&mut self.dice);
                self.exchange.at_phone(phone, |attendant, _, _| attendant.habits = habits);
            }
            65..75 => {
                let weather = pick(&mut self.dice, &WEATHERS);
                self.exchange.world.change(&Change::Weather(weather));
            }
            75..82 => {
                let other = pick(&mut self.dice, &self.phones);
                let server = self.exchange.server;
                self.exchange.world.change(&Change::Part(vec![phone], vec![server, other]));
            }
            82..85 => {
                let server = self.exchange.server;
                self.exchange.world.change(&Change::Mute(server, phone));
            }
            85..93 => self.exchange.world.change(&Change::HealAll),
            93..95 => {
                let seed = self.dice.roll();
                self.exchange.restart_server(seed);
            }
            95..97 if !self.nats.is_empty() => {
                let nat = pick(&mut self.dice, &self.nats);
                self.exchange.world.change(&Change::Forget(nat));
            }
            _ => self.hold_something(phone),
        }
    }

    fn hold_something(&mut self, phone: HostId) {
        let resume = self.dice.chance(50);
        self.exchange.by_hand(phone, |phone, now, out| {
            let Some(call) = phone.calls().next() else { return };
            let _ = if resume { phone.resume(now, call, out) } else { phone.hold(now, call, out) };
        });
    }
}

fn pick<T: Copy>(dice: &mut Dice, from: &[T]) -> T {
    from[usize::try_from(dice.below(from.len() as u64)).unwrap()]
}

/// Everybody hangs up in the end: without session timers, a call whose BYE was lost for good must be ended by hand.
fn habits(dice: &mut Dice) -> Habits {
    let mut after = |most| Duration::from_millis(dice.below(most));
    let (ring, then, talk) = (after(500), after(6000), after(9000));
    let then = match dice.below(10) {
        0..6 => Pickup::Answer(then),
        6..9 => Pickup::Refuse(then, pick(dice, &[486, 480, 603, 600, 488])),
        _ => Pickup::Never,
    };
    Habits { ring: dice.chance(80).then_some(ring), then, talk: Some(talk) }
}

const KINDS: [NatRules; 4] =
    [NatRules::FULL_CONE, NatRules::WELL_BEHAVED, NatRules::PORT_RESTRICTED, NatRules::SYMMETRIC];

const WEATHERS: [Weather; 6] = [
    Weather::FAIR,
    Weather::BREEZE,
    Weather::STORM,
    Weather { loss: 60, ..Weather::STORM },
    Weather { corrupt: 3, ..Weather::BREEZE },
    Weather { twice: 40, jitter: Duration::from_millis(900), ..Weather::BREEZE },
];

fn live_through(seed: u64) -> u64 {
    println!("seed {seed}");
    let mut mess = Mess::new(seed);
    let phones = mess.phones.clone();
    mess.exchange.sign_on(&phones);
    for _ in 0..60 {
        mess.happen();
        let millis = mess.dice.below(5000);
        mess.exchange.live(millis);
    }
    mess.exchange.world.change(&Change::HealAll);
    mess.exchange.world.change(&Change::Weather(Weather::FAIR));
    // Streams that were stalled are given up after a quarter of an hour.
    mess.exchange.world.run_for(Duration::from_secs(3600));
    for id in &phones {
        let attendant = mess.exchange.attendant(*id);
        assert!(attendant.phone.is_registered(), "seed {seed}: {}", mess.exchange.world.name(*id));
    }
    mess.exchange.sign_off(&phones);
    assert_eq!(mess.exchange.world.spins(), 0, "seed {seed}: somebody is due again and again");
    mess.exchange.world.trace()
}

#[test]
fn no_call_hangs_and_nothing_is_left() {
    // 1386: somebody answered and hung up in the same moment. 1490: a bit turned over took a Via away from an answer.
    for seed in seeds(0..12).chain([1386, 1490]) {
        live_through(seed);
    }
}

#[test]
fn the_same_mess_is_made_twice() {
    assert_eq!(live_through(3), live_through(3));
}
