//! §5: WebSocket as a transport of SIP, as the server uses it.

use std::time::Duration;

use offhook_tests::office::{
    Office, Phone, Request, answers, reply, requests, rows, status, trusting, uri, with_web,
};
use protocol::{Input, Transport};
use sip::header::Via;
use sip::{Message, Name};

const WEBS: [Transport; 2] = [Transport::Ws, Transport::Wss];

fn office() -> Office {
    Office::new(with_web(trusting()))
}

fn vias(message: &Message) -> Vec<String> {
    message
        .all::<Via>()
        .map(|via| via.unwrap())
        .map(|via| format!("{} {}", via.transport.0, via.sent_by()))
        .collect()
}

/// A request within the dialog that an answer has begun, along its Record-Route.
fn within(answer: &Message, phone: &Phone, method: &str, far: &str) -> Request {
    let mut routes: Vec<_> = answer
        .elements(Name::RecordRoute)
        .map(|route| String::from_utf8_lossy(route).into_owned())
        .collect();
    routes.reverse();
    let mut request = phone.request(method, far);
    request.call_id = String::from_utf8_lossy(answer.call_id()).into_owned();
    request.cseq = 2;
    request.row(&format!("Route: {}", routes.join(", ")))
}

/// "client and server transactions using WebSocket for transport MUST follow the procedures and timer values for reliable transports"
/// Proves: rfc7118-5-1.
#[test]
fn nothing_is_repeated_over_websocket() {
    for web in WEBS {
        let (mut office, alice, bob) = (office(), Phone::udp(101), Phone::web(102, web, 7));
        office.register(&bob);
        let sent = office.receive(alice.flow, alice.invite("sip:102@example.test").wire());
        assert_eq!(requests(&sent, "INVITE").len(), 1);
        // Timer B, and no timer A.
        let later = office.wait(Duration::from_secs(31));
        assert!(requests(&later, "INVITE").is_empty(), "{later:?}");
        assert_eq!(answers(&office.wait(Duration::from_secs(2)), alice.flow)[0], 408);
        // A refusal of ours waits for its ACK without timer G, and is forgotten without timer I.
        let (mut office, carol) = (self::office(), Phone::web(103, web, 8));
        let sent = office.receive(carol.flow, carol.invite("sip:999@example.test").wire());
        assert_eq!(answers(&sent, carol.flow).last(), Some(&480));
        assert!(office.wait(Duration::from_secs(30)).is_empty());
    }
}

/// ANCHORS trap 54: `.invalid` is nowhere to be looked up; everything goes over the connection.
#[test]
fn trap_54_a_page_calls_and_is_called_over_its_connection() {
    for web in WEBS {
        let (mut office, desk, page) = (office(), Phone::udp(101), Phone::web(102, web, 7));
        office.register(&desk);
        office.register(&page);
        // It is called: a Via with the transport, a Record-Route for each side, the page's own below.
        let sent = office.receive(desk.flow, desk.invite("sip:102@example.test").wire());
        let [invite] = &requests(&sent, "INVITE")[..] else { panic!("{sent:?}") };
        assert_eq!((invite.flow, uri(invite)), (page.flow, page.contact()));
        let port = web.default_port();
        assert_eq!(vias(&invite.message)[0], format!("{web} 192.0.2.10:{port}"));
        let routes: Vec<_> = invite
            .message
            .elements(Name::RecordRoute)
            .map(|route| String::from_utf8_lossy(route).into_owned())
            .collect();
        assert!(routes[0].ends_with(&format!("@192.0.2.10:{port};transport=ws;lr>")), "{routes:?}");
        assert!(routes[1].ends_with("@192.0.2.10:5060;lr>"), "{routes:?}");
        let contact = format!("Contact: <{}>\r\n", page.contact());
        let sent = office.receive(page.flow, reply(&invite.message, 200, &contact));
        assert_eq!(answers(&sent, desk.flow), [200]);
        // The desk phone hangs up: its BYE knows the way to the page by the Record-Route alone.
        let bye = within(&sent[0].message, &desk, "BYE", &page.contact());
        let sent = office.receive(
            desk.flow,
            bye.row("X: 1").wire().replace(
                "To: <sip:102@102.invalid;transport=ws>",
                "To: <sip:102@example.test>;tag=to-tag",
            ),
        );
        assert_eq!(
            requests(&sent, "BYE").iter().map(|bye| bye.flow).collect::<Vec<_>>(),
            [page.flow]
        );
        assert!(office.asked.is_empty(), "nobody asks where .invalid is: {:?}", office.asked);
        // It calls, with the Route that web phones write: that of the web server before us counts too.
        for route in [
            "sip:example.test:443;transport=ws;lr",
            "sip:192.0.2.10;transport=ws;lr",
            "sip:example.test;lr",
        ] {
            let invite =
                page.invite("sip:101@example.test").call(route).row(&format!("Route: <{route}>"));
            let sent = office.receive(page.flow, invite.wire());
            let [invite] = &requests(&sent, "INVITE")[..] else { panic!("{route}: {sent:?}") };
            assert_eq!((invite.flow, invite.message.has(Name::Route)), (desk.flow, false));
            assert_eq!(
                vias(&invite.message),
                ["UDP 192.0.2.10:5060".to_owned(), format!("{web} 102.invalid")]
            );
            let sent = office.receive(desk.flow, reply(&invite.message, 486, ""));
            assert_eq!(answers(&sent, page.flow), [486], "{route}");
        }
    }
}

/// A message from a page needs no Content-Length; over a stream and to a phone on a stream it has one.
#[test]
fn a_length_is_written_where_it_is_needed() {
    let (mut office, desk, page) =
        (office(), Phone::tcp(101, 3), Phone::web(102, Transport::Wss, 7));
    office.register(&desk);
    let bare = page.invite("sip:101@example.test").wire().replace("Content-Length: 5\r\n", "");
    let sent = office.receive(page.flow, bare);
    let [invite] = &requests(&sent, "INVITE")[..] else { panic!("{sent:?}") };
    assert_eq!(rows(std::slice::from_ref(invite), Name::ContentLength), ["5"]);
    assert_eq!(invite.message.body(), b"v=0\r\n");
}

/// ANCHORS trap 54: a page that is closed has no contact any more, and whoever calls is told at once.
#[test]
fn trap_54_a_contact_ends_with_its_connection() {
    for web in WEBS {
        let (mut office, alice, bob) = (office(), Phone::udp(101), Phone::web(102, web, 7));
        office.register(&bob);
        assert_eq!(office.node.registered(), 1);
        office.tell(Input::Failed(bob.flow));
        assert_eq!(office.node.registered(), 0);
        let sent = office.receive(alice.flow, alice.invite("sip:102@example.test").wire());
        assert_eq!(answers(&sent, alice.flow).last(), Some(&480), "{sent:?}");
        // An answer of ours for a page that has gone goes nowhere: no connection is opened to it.
        let invite = bob.invite("sip:101@example.test");
        office.register(&alice);
        let sent = office.receive(bob.flow, invite.wire());
        let [copy] = &requests(&sent, "INVITE")[..] else { panic!("{sent:?}") };
        office.tell(Input::Failed(bob.flow));
        let sent = office.receive(alice.flow, reply(&copy.message, 180, ""));
        assert!(
            sent.iter().all(|sent| sent.flow.connection == 7 || sent.flow == alice.flow),
            "{sent:?}"
        );
    }
}

/// "When a SIP WebSocket Server receives a request, it MAY decide not to add a "received" parameter to the top Via header." What it
/// would show is often the inside of our own network.
/// Proves: rfc7118-1-1.
#[test]
fn a_page_does_not_learn_from_which_address_it_came() {
    let (mut office, page) = (office(), Phone::web(102, Transport::Ws, 7));
    let sent = office.receive(page.flow, page.register("").wire());
    assert_eq!((status(&sent), sent[0].flow), (200, page.flow));
    let via = rows(&sent, Name::Via);
    assert!(!via[0].contains("received"), "{via:?}");
    let desk = Phone::udp(101);
    let named = desk.register("").wire().replace("UDP 198.51.100.1:5060", "UDP desk.example");
    let via = rows(&office.receive(desk.flow, named), Name::Via);
    assert!(via[0].ends_with("received=198.51.100.1"), "{via:?}");
}
