//! The shared corpus through a stream: what was captured is heard, what was meant to hurt is dropped.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test, and it reads the corpus from disk"
)]

use std::path::PathBuf;
use std::time::Duration;

use machine::{Dice, Time};
use offhook_media::{
    Agreement, Codec, FRAME_TIME, Output, Pair, Recorder, Silence, Stream, Tone, detect, level,
};

const START: Time = Time(1_700_000_000_000_000_000);

/// Every file of one folder of the corpus with its name; none, and a word about it, when the corpus is not there.
fn folder(name: &str) -> Vec<(String, Vec<u8>)> {
    let shared = std::env::var_os("OFFHOOK_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let folder = shared.join("corpus").join(name);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        let missing = format!("no corpus at {} (set OFFHOOK_SHARED)", folder.display());
        assert!(std::env::var_os("OFFHOOK_REQUIRE_SAMPLES").is_none(), "{missing}");
        println!("skipped: {missing}");
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension != "tsv"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}

/// One stream and its recorder, living a capture.
struct Listener {
    stream: Stream,
    audio: Pair<Silence, Recorder>,
    keys: String,
    now: Time,
}

impl Listener {
    fn new(codec: Codec) -> Self {
        let stream = Stream::new(START, Agreement::plain(codec, Some(101)), Dice::new(1));
        Self { stream, audio: Pair::default(), keys: String::new(), now: START }
    }

    fn wait_until(&mut self, time: Time) {
        let mut out = Vec::new();
        while self.stream.deadline() <= time {
            self.now = self.stream.deadline();
            self.stream.wake(self.now, &mut self.audio, &mut out);
        }
        self.now = self.now.max(time);
        self.note(out);
    }

    fn receive(&mut self, datagram: &[u8]) {
        let mut out = Vec::new();
        self.stream.receive(self.now, datagram, &mut out);
        self.note(out);
    }

    fn note(&mut self, out: Vec<Output>) {
        for output in out {
            if let Output::Key(key) = output {
                self.keys.push(key);
            }
        }
    }

    fn live(&mut self, datagrams: &[(Duration, Vec<u8>)]) {
        for (at, datagram) in datagrams {
            self.wait_until(START + *at);
            self.receive(datagram);
        }
        self.wait_until(self.now + Duration::from_millis(500));
    }
}

/// The UDP payloads of a capture with the time since its first packet: classic pcap; Ethernet, Linux cooked or raw IPv4.
fn datagrams(octets: &[u8]) -> Vec<(Duration, Vec<u8>)> {
    let word = |at: usize| Some(u32::from_le_bytes(octets.get(at..at + 4)?.try_into().unwrap()));
    if word(0) != Some(0xA1B2_C3D4) {
        return Vec::new(); // another format
    }
    let link = match word(20) {
        Some(1) => 14,
        Some(113) => 16,
        _ => 0,
    };
    let (mut found, mut at, mut first) = (Vec::new(), 24, None);
    while let (Some(seconds), Some(micros), Some(length)) = (word(at), word(at + 4), word(at + 8)) {
        let time = Duration::from_secs(seconds.into()) + Duration::from_micros(micros.into());
        let since = time.saturating_sub(*first.get_or_insert(time));
        let frame = octets.get(at + 16..at + 16 + length as usize).unwrap_or_default();
        found.extend(udp(frame.get(link..).unwrap_or_default()).map(|payload| (since, payload)));
        at += 16 + length as usize;
    }
    found
}

fn udp(ip: &[u8]) -> Option<Vec<u8>> {
    let header = usize::from(ip.first()? & 15) * 4;
    if ip.first()? >> 4 != 4 || *ip.get(9)? != 17 {
        return None;
    }
    ip.get(header + 8..).map(<[u8]>::to_vec)
}

/// Packets of 20, 30 and 40 ms, as they came.
#[test]
fn captured_calls_are_heard() {
    for (name, octets) in folder("rtp-pcap") {
        let (codec, seconds, packets) = match name.as_str() {
            "sipp-g711a.pcap" => (Codec::Pcma, 7.0, 236),
            "testsuite-non-transcode_sipp_40msalaw.pcap" => (Codec::Pcma, 33.0, 826),
            "freeswitch-milliwatt.pcmu.rtp.pcap" => (Codec::Pcmu, 4.6, 232),
            _ => continue,
        };
        let mut listener = Listener::new(codec);
        listener.live(&datagrams(&octets));
        let report = listener.stream.report();
        let received = report.received;
        assert_eq!((received.packets, received.lost, received.late), (packets, 0, 0), "{name}");
        assert!(received.played as f64 * 0.02 >= seconds - 0.1, "{name}: {report:?}");
        assert!(received.concealed <= 5, "{name}: {report:?}"); // the end, which nobody announces
        assert!(report.here.unwrap().mos > 4.3, "{name}: {report:?}");
        let heard = listener.audio.ear.samples();
        assert!(level::of(heard) > -40.0, "{name}: {}", level::of(heard));
        if name.contains("milliwatt") {
            // Its sender plays 1,004 Hz at -7 dBm0.
            let found = detect::tone(heard, 1004.0);
            assert!((found.level + 7.0).abs() < 0.2 && found.share > 0.97, "{found:?}");
        }
    }
}

/// Each of SIPp's recordings of a key, as it was sent.
#[test]
fn captured_keys_are_read() {
    for (name, octets) in folder("rtp-pcap") {
        let Some(key) = name.strip_prefix("sipp-dtmf_2833_") else { continue };
        let key = match key.trim_end_matches(".pcap") {
            "star" => "*",
            "pound" => "#",
            digit => digit,
        };
        let datagrams = datagrams(&octets);
        let kind = datagrams[0].1[1] & 0x7F;
        let mut listener = Listener::new(Codec::Pcmu);
        let agreement = listener.stream.agreement().clone();
        listener.stream.agree(listener.now, Agreement { receive_keys: Some(kind), ..agreement });
        listener.live(&datagrams);
        assert_eq!(listener.keys, key, "{name}");
    }
}

/// Nothing in the corpus stops a stream or is taken for a key; and whoever speaks afterwards is heard.
#[test]
fn whatever_comes_the_call_goes_on() {
    let mut listener = Listener::new(Codec::Pcmu);
    for octets in ["cve-rtp", "cve-rtcp", "rtp-seeds", "rtcp"].iter().flat_map(|name| folder(name))
    {
        for end in 0..=octets.1.len() {
            let part = &octets.1[..end];
            listener.receive(part);
            let mut out = Vec::new();
            listener.stream.receive_rtcp(listener.now, part, &mut out);
            listener.note(out);
        }
        listener.wait_until(listener.now + FRAME_TIME);
    }
    for (_, octets) in folder("rtp-pcap") {
        datagrams(&octets).iter().take(300).for_each(|(_, datagram)| listener.receive(datagram));
        listener.wait_until(listener.now + FRAME_TIME);
    }
    let mut other = Stream::new(listener.now, Agreement::plain(Codec::Pcmu, None), Dice::new(2));
    let mut tone = Tone::sine(400.0);
    listener.audio.ear.take();
    for _ in 0..100 {
        let (now, mut out) = (other.deadline(), Vec::new());
        other.wake(now, &mut tone, &mut out);
        listener.wait_until(now);
        for output in out {
            if let Output::Rtp(datagram) = output {
                listener.receive(&datagram);
            }
        }
    }
    let heard = detect::tone(listener.audio.ear.samples(), 400.0).lasted;
    assert!(heard >= Duration::from_millis(1_850), "{heard:?}");
}
