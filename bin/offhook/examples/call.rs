//! Calls somebody, says a tone, presses keys, and hangs up after five seconds:
//!
//!     cargo run -p offhook --example call -- sip:101@192.0.2.10 secret 102

use std::env;
use std::error::Error;
use std::time::Duration;

use media::Tone;
use offhook::telephone::Telephone;
use phone::Account;

fn main() -> Result<(), Box<dyn Error>> {
    let said: Vec<String> = env::args().skip(1).collect();
    let [address, password, whom] = &said[..] else {
        return Err("call ADDRESS PASSWORD WHOM".into());
    };
    let telephone = Telephone::open(&Account::new(address)?.password(password))?;
    telephone.register(Duration::from_secs(5))?;
    let call = telephone.call(whom, Box::new(Tone::sine(440.0)))?;
    telephone.until_up(call, Duration::from_secs(60))?;
    telephone.press(call, "1234#")?;
    while let Some(event) = telephone.next(Duration::from_secs(5)) {
        println!("{event:?}");
    }
    telephone.hang_up(call)?;
    telephone.close()?;
    Ok(())
}
