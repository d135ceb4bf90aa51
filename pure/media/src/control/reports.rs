//! `Reports`: writing ours, reading theirs, and the round trip that both make known (RFC 3550 §6.4 to §6.6).

use std::time::Duration;

use machine::{Dice, Time};
use rtp::rtcp::{Block, Chunk, Item, ReportBlock, Rtcp, SenderInfo, VoipMetrics, item};
use rtp::{Malformed, Ntp};

use super::{Interval, Minimum, canonical};

/// Octets of an IPv4 and a UDP header: RTCP's bandwidth counts them (RFC 3550 §6.2).
const HEADERS: f64 = 28.0;
/// How much one packet moves the mean size (RFC 3550 §6.3.3).
const WEIGHT: f64 = 1.0 / 16.0;

/// Our side of RTCP.
#[derive(Clone, Debug)]
pub(crate) struct Reports {
    name: Box<[u8]>,
    minimum: Minimum,
    size: f64,
    /// What each report grows by on its way.
    cover: f64,
    next: Time,
    /// When our last two reports went out: who sent since the older one is a sender (RFC 3550 §6.3.8).
    sent: [Option<Time>; 2],
    /// The last sender report that came: whose, its time in its own words, and when.
    sender_report: Option<(u32, u32, Time)>,
    round_trip: Option<Duration>,
    told: Option<ReportBlock>,
    metrics: Option<VoipMetrics>,
    last_heard: Option<Time>,
}

/// What is to be said when a report is made.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) ssrc: u32,
    /// What we sent, if we are a sender.
    pub(crate) info: Option<SenderInfo>,
    /// What we heard, if something.
    pub(crate) block: Option<ReportBlock>,
    /// How good what we heard was, if the other side wants to know.
    pub(crate) metrics: Option<VoipMetrics>,
}

/// Whether we go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Departing {
    No,
    /// The report ends with a BYE.
    Yes,
}

impl Reports {
    pub(crate) fn new(now: Time, minimum: Minimum, dice: &mut Dice) -> Self {
        let name = canonical(dice);
        // The first guess at the mean size is that of our first report (RFC 3550 §6.3.2).
        let mut reports = Self {
            name,
            minimum,
            size: 80.0 + HEADERS,
            cover: 0.0,
            next: now,
            sent: [None; 2],
            sender_report: None,
            round_trip: None,
            told: None,
            metrics: None,
            last_heard: None,
        };
        let first = reports.interval();
        reports.next = now + first.draw(dice);
        reports
    }

    /// Reports are so many octets longer on the wire from now on: SRTCP's (RFC 3711 §3.4). They count.
    pub(crate) fn cover(&mut self, octets: u16) {
        let cover = f64::from(octets);
        self.size += cover - self.cover;
        self.cover = cover;
    }

    pub(crate) const fn next(&self) -> Time {
        self.next
    }

    /// What the time between reports depends on, for one who is alone and silent.
    pub(crate) const fn interval(&self) -> Interval {
        let (minimum, size, initial) = (self.minimum, self.size, !self.has_reported());
        Interval { minimum, size, initial, members: 1, senders: 0, we_send: false }
    }

    /// True when a moment lies after the older of our last two reports.
    pub(crate) fn is_recent(&self, moment: Option<Time>) -> bool {
        moment.is_some_and(|moment| self.sent[1].is_none_or(|report| moment >= report))
    }

    pub(crate) const fn has_reported(&self) -> bool {
        self.sent[0].is_some()
    }

    pub(crate) const fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// What the other side said last about what we send.
    pub(crate) const fn told(&self) -> Option<&ReportBlock> {
        self.told.as_ref()
    }

    pub(crate) const fn last_heard(&self) -> Option<Time> {
        self.last_heard
    }

    /// Writes a compound packet: a report first, then our name, then perhaps a BYE (RFC 3550 §6.1).
    pub(crate) fn write(&mut self, now: Time, said: Said, departing: Departing) -> Vec<u8> {
        let Said { ssrc, info, block, metrics } = said;
        let reports: Vec<_> = block.map(|block| self.answer(now, block)).into_iter().collect();
        let report = match info {
            Some(info) => Rtcp::SenderReport { ssrc, info, reports, extension: &[] },
            None => Rtcp::ReceiverReport { ssrc, reports, extension: &[] },
        };
        let name = Item { kind: item::CNAME, text: &self.name };
        let mut packets = vec![report, Rtcp::Sdes(vec![Chunk { ssrc, items: vec![name] }])];
        if let Some(metrics) = metrics {
            packets.push(Rtcp::Xr { ssrc, blocks: vec![Block::VoipMetrics(metrics)] });
        }
        if departing == Departing::Yes {
            packets.push(Rtcp::Bye { sources: vec![ssrc], reason: &[] });
        }
        let written = rtp::rtcp::write(&packets);
        self.measure(written.len());
        self.sent = [Some(now), self.sent[0]];
        written
    }

    pub(crate) fn schedule(&mut self, now: Time, interval: Interval, dice: &mut Dice) {
        self.next = now + interval.draw(dice);
    }

    /// Adds to a report what makes the round trip known to the other side: LSR and DLSR (RFC 3550 §6.4.1).
    fn answer(&self, now: Time, block: ReportBlock) -> ReportBlock {
        match self.sender_report {
            Some((ssrc, middle, came)) if ssrc == block.ssrc => ReportBlock {
                last_sr: middle,
                delay_since_last_sr: u32::try_from(units(now - came)).unwrap_or(u32::MAX),
                ..block
            },
            _ => block,
        }
    }

    fn measure(&mut self, octets: usize) {
        self.size += WEIGHT * (octets as f64 + self.cover + HEADERS - self.size);
    }

    /// Reads what came, for the one whose SSRC is `ours`.
    pub(crate) fn read<'a>(
        &mut self,
        now: Time,
        datagram: &'a [u8],
        ours: u32,
    ) -> Result<Vec<Rtcp<'a>>, Malformed> {
        let packets = rtp::rtcp::parse(datagram)?;
        self.measure(datagram.len());
        self.last_heard = Some(now);
        for packet in &packets {
            match packet {
                Rtcp::SenderReport { ssrc, info, reports, .. } => {
                    self.sender_report = Some((*ssrc, info.ntp.middle(), now));
                    self.told_by(now, reports, ours);
                }
                Rtcp::ReceiverReport { reports, .. } => self.told_by(now, reports, ours),
                Rtcp::Xr { blocks, .. } => self.measured_by(blocks, ours),
                _ => {}
            }
        }
        Ok(packets)
    }

    fn told_by(&mut self, now: Time, blocks: &[ReportBlock], ours: u32) {
        let Some(block) = blocks.iter().find(|block| block.ssrc == ours) else { return };
        self.told = Some(*block);
        if block.last_sr == 0 {
            return;
        }
        let middle = Ntp::from_unix_nanos(now.0).middle();
        let trip = middle.wrapping_sub(block.last_sr).wrapping_sub(block.delay_since_last_sr);
        // Clocks may tick apart by a little: slightly negative is none at all; much, and it answers no report of ours.
        let trip = trip.cast_signed();
        if (-655..MOST_TRIP).contains(&trip) {
            self.round_trip = Some(time(trip.max(0).unsigned_abs()));
        }
    }

    fn measured_by(&mut self, blocks: &[Block<'_>], ours: u32) {
        let metrics = blocks.iter().find_map(|block| match block {
            Block::VoipMetrics(metrics) if metrics.ssrc == ours => Some(*metrics),
            _ => None,
        });
        self.metrics = metrics.or(self.metrics);
    }

    /// How good what we send is heard, in the other side's own words (RFC 3611 §4.7).
    pub(crate) const fn metrics(&self) -> Option<&VoipMetrics> {
        self.metrics.as_ref()
    }

    /// Our SSRC changed: what was said about the old one is history.
    pub(crate) const fn forget_told(&mut self) {
        self.told = None;
        self.metrics = None;
    }
}

/// A round trip longer than a minute is a mistake: 60 s in units of 1/65536 s.
const MOST_TRIP: i32 = 60 << 16;

/// In units of 1/65536 s (RFC 3550 §6.4.1).
fn units(time: Duration) -> u64 {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX) / 1000;
    nanos.saturating_mul(65_536) / 1_000_000
}

const fn time(units: u32) -> Duration {
    Duration::from_nanos(((units as u64) * 1_000_000_000) >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Time = Time(1_700_000_000_000_000_000);

    fn info(now: Time) -> SenderInfo {
        SenderInfo { ntp: Ntp::from_unix_nanos(now.0), ..SenderInfo::default() }
    }

    #[test]
    fn the_round_trip_is_what_is_left_without_the_stay() {
        let mut dice = Dice::new(9);
        let [mut a, mut b] = [(), ()].map(|()| Reports::new(START, Minimum::Fixed, &mut dice));
        let sent = a.write(
            START,
            Said { ssrc: 1, info: Some(info(START)), block: None, metrics: None },
            Departing::No,
        );
        let came = START + Duration::from_millis(70);
        b.read(came, &sent, 2).unwrap();
        let block = Some(ReportBlock { ssrc: 1, ..ReportBlock::default() });
        let later = came + Duration::from_secs(3);
        let back =
            b.write(later, Said { ssrc: 2, info: None, block, metrics: None }, Departing::No);
        a.read(later + Duration::from_millis(50), &back, 1).unwrap();
        let trip = a.round_trip().unwrap();
        assert!(trip.abs_diff(Duration::from_millis(120)) < Duration::from_millis(1), "{trip:?}");
    }

    #[test]
    fn a_round_trip_that_cannot_be_is_none() {
        let mut reports = Reports::new(START, Minimum::Fixed, &mut Dice::new(1));
        for (last_sr, delay_since_last_sr) in [(0, 5), (1, 0), (0x8000_0000, 7), (77, u32::MAX)] {
            let block =
                ReportBlock { ssrc: 7, last_sr, delay_since_last_sr, ..ReportBlock::default() };
            let packet = Rtcp::ReceiverReport { ssrc: 1, reports: vec![block], extension: &[] };
            reports.read(START, &rtp::rtcp::write(&[packet]), 7).unwrap();
            assert_eq!(reports.round_trip(), None, "{last_sr:x}");
            assert_eq!(reports.told(), Some(&block));
        }
    }

    #[test]
    fn only_the_sender_of_a_sender_report_is_answered() {
        let mut dice = Dice::new(9);
        let [mut a, mut b] = [(), ()].map(|()| Reports::new(START, Minimum::Fixed, &mut dice));
        let said = Said { ssrc: 5, info: Some(info(START)), block: None, metrics: None };
        b.read(START, &a.write(START, said, Departing::No), 2).unwrap();
        for (ssrc, answered) in [(5, true), (6, false)] {
            let block = b.answer(START, ReportBlock { ssrc, ..ReportBlock::default() });
            assert_eq!(block.last_sr != 0, answered);
        }
    }

    #[test]
    fn what_comes_counts_for_the_mean_size_as_what_goes() {
        let mut reports = Reports::new(START, Minimum::Fixed, &mut Dice::new(1));
        let before = reports.size;
        let data = [0; 400];
        let long = Rtcp::App { subtype: 0, ssrc: 1, name: *b"LONG", data: &data };
        let octets = rtp::rtcp::write(&[long]);
        reports.read(START, &octets, 7).unwrap();
        let expected = before + (octets.len() as f64 + 28.0 - before) / 16.0;
        assert!((reports.size - expected).abs() < 1e-9);
    }

    /// "When initializing … "avg_rtcp_size" …, it MUST include the size of the fields that will be added by SRTCP", and so must "packet_size".
    /// Proves: rfc3711-3.4-14, rfc3711-1-1, rfc3711-2-1.
    #[test]
    fn what_srtcp_adds_counts_for_the_mean_size() {
        let [mut plain, mut covered] = [0, 14].map(|octets| {
            let mut reports = Reports::new(START, Minimum::Fixed, &mut Dice::new(1));
            reports.cover(octets);
            reports
        });
        let more =
            |plain: &Reports, covered: &Reports| covered.interval().size - plain.interval().size;
        assert!((more(&plain, &covered) - 14.0).abs() < 1e-9);
        for reports in [&mut plain, &mut covered] {
            let said = Said { ssrc: 5, info: Some(info(START)), block: None, metrics: None };
            let sent = reports.write(START, said, Departing::No);
            reports.read(START, &sent, 7).unwrap();
        }
        assert!((more(&plain, &covered) - 14.0).abs() < 1e-9);
    }
}
