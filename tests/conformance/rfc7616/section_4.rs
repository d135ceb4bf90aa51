//! §4: letters of every language.

use machine::Dice;
use offhook_tests::office::{Office, Phone, rows, settings, status};
use protocol::auth::{Answers, Credentials, Tries};
use server::Settings;
use server::settings::User;
use sip::Name;

/// "servers SHOULD use the "charset" authentication parameter" "For the username, recipients MUST support all characters defined in the
/// "UsernameCasePreserved" profile …, with the exception of the colon" "For the password, recipients MUST support all characters defined in
/// the "OpaqueString" profile"
/// Proves: rfc7616-4-1, rfc7616-4-2, rfc7616-4-3.
#[test]
fn names_and_passwords_may_hold_any_letter() {
    for (user, password) in [
        ("j\u{f6}rg", "gr\u{fc}n"),
        ("\u{5f20}\u{4f1f}", "\u{5bc6} \u{7801}"),
        ("\u{645}\u{62d}\u{645}\u{62f}", "\u{627}\u{644}"),
        ("o'neil", "with \"quotes\" and \\ and : and \u{1f511}"),
    ] {
        let mut office =
            Office::new(Settings { users: vec![User::new(user, password)], ..settings() });
        let escaped = sip::uri::escape_user(user.as_bytes());
        let address = format!("sip:{}@example.test", String::from_utf8(escaped).unwrap());
        let mut register = Phone::udp(101).register("Contact: <sip:x@198.51.100.1>\r\n");
        register.from = format!("<{address}>;tag=1");
        register.to = format!("<{address}>");
        let flow = Phone::udp(101).flow;
        let first = office.receive(flow, register.wire());
        assert!(rows(&first, Name::WwwAuthenticate).iter().all(|row| {
            (user.is_ascii() && password.is_ascii()) != row.contains("charset=\"UTF-8\"")
        }));
        let mut answers = Answers::new(vec![Credentials::for_any_realm(user, password)]);
        answers.learn(&first[0].message, &mut Tries::default(), &mut Dice::new(1)).unwrap();
        let (_, row) = answers.rows("REGISTER", b"sip:example.test", b"").remove(0);
        let row = format!("Authorization: {}", String::from_utf8(row).unwrap());
        let sent = office.receive(flow, register.again().row(&row).wire());
        assert_eq!(status(&sent), 200, "{user}");
    }
}
