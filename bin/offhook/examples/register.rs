//! Registers, says what comes of it and what else happens for a minute, and takes the registration back:
//!
//!     cargo run -p offhook --example register -- sip:101@192.0.2.10 secret

use std::env;
use std::error::Error;
use std::time::Duration;

use offhook::telephone::Telephone;
use phone::Account;

fn main() -> Result<(), Box<dyn Error>> {
    let said: Vec<String> = env::args().skip(1).collect();
    let [address, password] = &said[..] else { return Err("register ADDRESS PASSWORD".into()) };
    let telephone = Telephone::open(&Account::new(address)?.password(password))?;
    // A wrong password, a name that nobody knows, a registrar that is silent: the error says which.
    telephone.register(Duration::from_secs(5))?;
    println!("registered");
    while let Some(event) = telephone.next(Duration::from_secs(60)) {
        println!("{event:?}");
    }
    telephone.close()?;
    Ok(())
}
