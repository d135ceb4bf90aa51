//! A million may be registered: what each of them takes is counted at the allocator.

use std::net::SocketAddr;
use std::time::Duration;

use offhook_tests::office::{Office, Phone, status, trusting};
use protocol::Flow;

/// Where they are.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Living {
    /// Each at an address of its own.
    Apart,
    /// All behind one.
    Together,
}

/// Somebody of the crowd: a number of seven digits, and an address.
fn somebody(number: u32, living: Living) -> Phone {
    let together = living == Living::Together;
    let host = if together { 0 } else { number };
    let octets = host.to_be_bytes();
    let port = if together { 1024 + (number % 60_000) as u16 } else { 5060 };
    let peer = SocketAddr::from(([10, octets[1], octets[2], octets[3]], port));
    Phone { user: (1_000_000 + number).to_string(), flow: Flow { peer, ..Phone::udp(1).flow } }
}

/// Octets that each of so many takes once nobody's REGISTER can be repeated any more.
fn octets_each(count: u32, living: Living) -> i64 {
    let mut settings = trusting();
    settings.overload.per_source = u32::MAX;
    let mut office = Office::new(settings);
    let register = |office: &mut Office, from: u32, to: u32| {
        for number in from..to {
            let phone = somebody(number, living);
            let contact = format!("Contact: <{}>\r\nExpires: 3600\r\n", phone.contact());
            let sent = office.receive(phone.flow, phone.register(&contact).wire());
            assert_eq!(status(&sent), 200, "{number}");
            office.events.clear();
            if number % 50 == 0 {
                office.wait(Duration::from_millis(1));
            }
        }
        office.wait(Duration::from_secs(40));
        office.events = Vec::new();
    };
    // What there is once, whoever comes.
    register(&mut office, 0, 1000);
    let used = allocation_counter::measure(|| register(&mut office, 1000, count));
    used.bytes_current / i64::from(count - 1000)
}

/// The target is 250 of the process's memory, where rooms of allocations are rounded up; of what is asked for it is less.
#[test]
fn whoever_is_registered_takes_little_room() {
    for living in [Living::Apart, Living::Together] {
        let each = octets_each(50_000, living);
        assert!(each <= 180, "{each} octets, {living:?}");
    }
}
