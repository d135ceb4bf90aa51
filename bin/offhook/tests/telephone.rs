//! A telephone in a program: what its few verbs do, with real sockets; and pipes as mouth and ear of the one on the command line.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by stopping")]

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use media::{Audio, Callbacks, FRAME, Tone, detect};
use offhook::telephone::{PhoneEvent, Telephone};
use phone::{Account, Srtp, Video, VideoFormat};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PATIENCE: Duration = Duration::from_secs(20);

/// A telephone without a server, and where it is called.
fn telephone(user: &str) -> (Telephone, String) {
    let account = Account::new(&format!("sip:{user}@127.0.0.1")).unwrap();
    let telephone = Telephone::open_at(&account, HERE).unwrap();
    let at = format!("sip:{user}@{}", telephone.address().unwrap());
    (telephone, at)
}

type Heard = Arc<Mutex<Vec<i16>>>;

/// Says a tone and keeps what it hears, 20 ms at a time.
fn bot(hz: f64) -> (Box<dyn Audio>, Heard) {
    let (mut tone, heard) = (Tone::sine(hz), Heard::default());
    let kept = Arc::clone(&heard);
    let hear = move |frame: &[i16]| {
        assert_eq!(frame.len(), FRAME);
        kept.lock().unwrap().extend(frame);
    };
    (Box::new(Callbacks::new(move |frame: &mut [i16]| tone.speak(frame), hear)), heard)
}

/// How long a tone was heard.
fn lasted(heard: &Heard, hz: f64) -> Duration {
    detect::tone(&heard.lock().unwrap(), hz).lasted
}

/// Waits for something to be told.
fn until(telephone: &Telephone, mut is_it: impl FnMut(&PhoneEvent) -> bool) {
    let told = std::iter::from_fn(|| telephone.next(PATIENCE));
    assert!(told.take(100).any(|event| is_it(&event)), "it was not told");
}

/// Tells of what is agreed on and of what comes.
struct Screen(Sender<Shown>);

enum Shown {
    Agreed(Option<VideoFormat>),
    Packet(Vec<u8>),
}

impl Video for Screen {
    fn agreed(&mut self, format: Option<&VideoFormat>) {
        drop(self.0.send(Shown::Agreed(format.cloned())));
    }

    fn receive(&mut self, packet: &[u8]) {
        drop(self.0.send(Shown::Packet(packet.to_vec())));
    }
}

/// A program's pictures, protected by keys of a handshake, over sockets of their own.
#[test]
fn pictures_go_from_one_program_to_the_other() {
    let [(alice, _), (bob, at_bob)] = ["alice", "bob"].map(|user| {
        let account = Account::new(&format!("sip:{user}@127.0.0.1")).unwrap().srtp(Srtp::Dtls);
        let telephone = Telephone::open_at(&account, HERE).unwrap();
        let at = format!("sip:{user}@{}", telephone.address().unwrap());
        (telephone, at)
    });
    let [(tell, at_alice), (tell_bob, at_bobs)] = [channel(), channel()];
    let ours = alice
        .with(move |phone, now, out| {
            let call = phone.call(now, &at_bob, bot(440.0).0, out)?;
            phone.show(now, call, (&[("VP8", "")], Box::new(Screen(tell))), out)?;
            Ok(call)
        })
        .unwrap();
    let (theirs, _) = bob.until_called(PATIENCE).unwrap();
    bob.with(move |phone, now, out| {
        phone.show(now, theirs, (&[("VP8", "")], Box::new(Screen(tell_bob))), out)?;
        phone.answer(now, theirs, bot(660.0).0, out)
    })
    .unwrap();
    alice.until_up(ours, PATIENCE).unwrap();
    let Ok(Shown::Agreed(Some(format))) = at_alice.recv_timeout(PATIENCE) else {
        panic!("no pictures were agreed on")
    };
    assert_eq!(&*format.name, "VP8");
    let packet = [&[0x80, format.send, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9][..], &[7; 900]].concat();
    // Nothing goes before there are keys: so it is said again until it arrives.
    let arrived = (0..PATIENCE.as_millis() / 50).any(|_| {
        let said = packet.clone();
        alice.with(move |phone, _, out| phone.send_video(ours, &said, out)).unwrap();
        let shown = at_bobs.recv_timeout(Duration::from_millis(50));
        matches!(shown, Ok(Shown::Packet(came)) if came == packet)
    });
    assert!(arrived);
    alice.hang_up(ours).unwrap();
    assert_eq!(bob.until_over(theirs, PATIENCE), Ok(200));
    for telephone in [alice, bob] {
        telephone.close().unwrap();
    }
}

#[test]
fn a_bot_is_called_hears_keys_and_transfers() {
    let ((alice, _), (bob, at_bob), (carol, at_carol)) =
        (telephone("alice"), telephone("bob"), telephone("carol"));
    let (voice, at_alice) = bot(440.0);
    let ours = alice.call(&at_bob, voice).unwrap();
    let (theirs, from) = bob.until_called(PATIENCE).unwrap();
    assert!(from.contains("alice"), "{from}");
    let (voice, heard) = bot(660.0);
    bob.answer(theirs, voice).unwrap();
    alice.until_up(ours, PATIENCE).unwrap();
    alice.press(ours, "17#").unwrap();
    let mut keys = String::new();
    until(&bob, |event| {
        if let PhoneEvent::Key { key, .. } = event {
            keys.push(*key);
        }
        keys == "17#"
    });
    bob.transfer(theirs, &at_carol).unwrap();
    until(&alice, |event| matches!(event, PhoneEvent::Referred { .. }));
    alice.with(move |phone, now, out| phone.follow(now, ours, out)).unwrap();
    let (asked, _) = carol.until_called(PATIENCE).unwrap();
    carol.answer(asked, bot(880.0).0).unwrap();
    assert_eq!(bob.until_over(theirs, PATIENCE), Ok(200));
    assert!(lasted(&heard, 440.0) > Duration::from_millis(40), "{:?}", lasted(&heard, 440.0));
    assert!(lasted(&at_alice, 660.0) > Duration::from_millis(40));
    for telephone in [alice, bob, carol] {
        telephone.close().unwrap();
    }
}

#[test]
fn nobody_there_is_said_in_words() {
    let (alice, _) = telephone("alice");
    let call = alice.call("sip:nobody@127.0.0.1:9", Box::new(media::Silence)).unwrap();
    let why = alice.until_up(call, PATIENCE).unwrap_err();
    assert!(!why.is_empty() && why != "nobody has picked up", "{why}");
    let why = alice.call("not an address at all", Box::new(media::Silence));
    assert!(why.is_err() || alice.until_up(why.unwrap(), PATIENCE).is_err());
    alice.close().unwrap();
}

/// `--play -` and `--record -`: another program is the mouth and the ear.
#[test]
fn raw_samples_go_in_and_out_through_pipes() {
    let (bob, at_bob) = telephone("bob");
    let mut child = Command::new(env!("CARGO_BIN_EXE_offhook"))
        .args(["phone", "call", &at_bob, "--account", "sip:alice@127.0.0.1", "--json"])
        .args(["--play", "-", "--record", "-", "--rate", "8000", "--hangup-after", "3s"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut mouth = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let said = Tone::sine(440.0).take(Duration::from_secs(10));
        let octets: Vec<u8> =
            said.iter().step_by(2).flat_map(|sample| sample.to_le_bytes()).collect();
        // It hangs up before all is said.
        let _ = mouth.write_all(&octets);
    });
    let (call, _) = bob.until_called(PATIENCE).unwrap();
    let (voice, heard) = bot(660.0);
    bob.answer(call, voice).unwrap();
    let (mut octets, mut news) = (Vec::new(), String::new());
    child.stdout.take().unwrap().read_to_end(&mut octets).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut news).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{news}");
    writer.join().unwrap();
    assert!(news.contains("\"established\""), "{news}");
    assert!(lasted(&heard, 440.0) > Duration::from_secs(2), "{:?}", lasted(&heard, 440.0));
    let samples: Vec<i16> = octets
        .chunks_exact(2)
        .flat_map(|pair| [i16::from_le_bytes([pair[0], pair[1]]); 2])
        .collect();
    assert!(detect::tone(&samples, 660.0).lasted > Duration::from_secs(2));
    bob.close().unwrap();
}
