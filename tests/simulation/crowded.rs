//! A million may be registered: what each of them takes is counted at the allocator.

use std::net::SocketAddr;
use std::time::Duration;

use offhook_tests::office::{Office, Phone, status, trusting};
use protocol::Flow;

/// Somebody of the crowd: a number of seven digits, and an address of its own or that of everybody.
fn somebody(number: u32, together: bool) -> Phone {
    let host = if together { 0 } else { number };
    let octets = host.to_be_bytes();
    let port = if together { 1024 + (number % 60_000) as u16 } else { 5060 };
    let peer = SocketAddr::from(([10, octets[1], octets[2], octets[3]], port));
    Phone { user: (1_000_000 + number).to_string(), flow: Flow { peer, ..Phone::udp(1).flow } }
}

/// Octets that each of so many takes once nobody's REGISTER can be repeated any more.
fn octets_each(count: u32, together: bool) -> i64 {
    let mut settings = trusting();
    settings.overload.per_source = u32::MAX;
    let mut office = Office::new(settings);
    let register = |office: &mut Office, from: u32, to: u32| {
        for number in from..to {
            let phone = somebody(number, together);
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
    for together in [false, true] {
        let each = octets_each(50_000, together);
        assert!(each <= 180, "{each} octets, from one address: {together}");
    }
}
