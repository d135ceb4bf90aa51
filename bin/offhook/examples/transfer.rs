//! Calls two people, one while the other waits, and leaves them talking with each other (RFC 5589 §7):
//!
//!     cargo run -p offhook --example transfer -- sip:101@192.0.2.10 secret 102 103

use std::env;
use std::error::Error;
use std::iter;
use std::time::Duration;

use media::Silence;
use offhook::telephone::{PhoneEvent, Telephone};
use phone::Account;

fn main() -> Result<(), Box<dyn Error>> {
    let said: Vec<String> = env::args().skip(1).collect();
    let [address, password, first, second] = &said[..] else {
        return Err("transfer ADDRESS PASSWORD FIRST SECOND".into());
    };
    let telephone = Telephone::open(&Account::new(address)?.password(password))?;
    telephone.register(Duration::from_secs(5))?;
    let one = telephone.call(first, Box::new(Silence))?;
    telephone.until_up(one, Duration::from_secs(60))?;
    telephone.with(move |phone, now, out| phone.hold(now, one, out))?;
    let other = telephone.call(second, Box::new(Silence))?;
    telephone.until_up(other, Duration::from_secs(60))?;
    telephone.with(move |phone, now, out| phone.transfer_to(now, one, other, out))?;
    // The one that waited calls the other, in place of us: both of our calls end, in whichever order.
    for _ in 0..2 {
        let over = iter::from_fn(|| telephone.next(Duration::from_secs(60)))
            .find(|event| matches!(event, PhoneEvent::Ended { .. }));
        println!("{over:?}");
    }
    telephone.close()?;
    Ok(())
}
