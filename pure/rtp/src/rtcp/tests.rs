//! What is written reads back; what is broken is refused.

use super::*;
use crate::Ntp;
use proptest::prelude::*;

const WORD: std::ops::Range<usize> = 0..5;

fn words() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<[u8; 4]>(), WORD).prop_map(|words| words.as_flattened().to_vec())
}

prop_compose! {
    fn report()(
        ssrc in any::<u32>(), fraction_lost in any::<u8>(), lost in ReportBlock::MIN_LOST..=ReportBlock::MAX_LOST,
        highest_sequence in any::<u32>(), jitter in any::<u32>(), last_sr in any::<u32>(), delay_since_last_sr in any::<u32>(),
    ) -> ReportBlock {
        ReportBlock { ssrc, fraction_lost, lost, highest_sequence, jitter, last_sr, delay_since_last_sr }
    }
}

fn reads_back(packets: &[Rtcp<'_>]) -> Result<(), TestCaseError> {
    let octets = write(packets);
    let read = parse(&octets);
    prop_assert_eq!(read.as_deref(), Ok(packets));
    prop_assert_eq!(write(packets), octets);
    Ok(())
}

proptest! {
    #[test]
    fn reports_read_back(
        ssrc in any::<u32>(), reports in prop::collection::vec(report(), 0..=31), extension in words(),
        (ntp, timestamp, packets, octets) in any::<(u64, u32, u32, u32)>(),
    ) {
        let info = SenderInfo { ntp: Ntp(ntp), timestamp, packets, octets };
        let (extension, again) = (&extension[..], reports.clone());
        reads_back(&[
            Rtcp::SenderReport { ssrc, info, reports, extension },
            Rtcp::ReceiverReport { ssrc, reports: again, extension },
        ])?;
    }

    #[test]
    fn descriptions_and_farewells_read_back(
        texts in prop::collection::vec((1u8..=8, prop::collection::vec(any::<u8>(), 0..=255)), 0..6),
        sources in prop::collection::vec(any::<u32>(), 0..=31),
        reason in prop::collection::vec(any::<u8>(), 0..=255),
    ) {
        let items: Vec<_> = texts.iter().map(|(kind, text)| Item { kind: *kind, text }).collect();
        let chunks = vec![Chunk { ssrc: 1, items: items.clone() }, Chunk { ssrc: 2, items: vec![] }, Chunk { ssrc: 3, items }];
        reads_back(&[Rtcp::Sdes(chunks), Rtcp::Bye { sources, reason: &reason }])?;
    }

    #[test]
    fn what_is_unknown_is_kept(subtype in 0u8..32, name in any::<[u8; 4]>(), data in words(), kind in 208u8..=223, block in 8u8..) {
        reads_back(&[
            Rtcp::App { subtype, ssrc: 7, name, data: &data },
            Rtcp::Other { count: subtype, packet_type: kind, body: &data },
            Rtcp::Xr { ssrc: 7, blocks: vec![Block::Other { kind: block, specific: subtype, body: &data }] },
        ])?;
    }

    #[test]
    fn extended_reports_read_back(ntp in any::<u64>(), answers in prop::collection::vec(any::<(u32, u32, u32)>(), 0..9), octets in any::<[u8; 32]>()) {
        let answers = answers.into_iter().map(|(ssrc, last_rr, delay)| Dlrr { ssrc, last_rr, delay }).collect();
        let mut octets = octets;
        octets[25] = 0; // reserved
        let mut block = vec![0x80, 207, 0, 10, 0, 0, 0, 9, 7, 0, 0, 8];
        block.extend_from_slice(&octets);
        let read = parse(&block).unwrap();
        prop_assert_eq!(write(&read), block);
        reads_back(&[Rtcp::Xr { ssrc: 1, blocks: vec![Block::ReceiverReferenceTime(Ntp(ntp)), Block::Dlrr(answers)] }])?;
    }

    #[test]
    fn no_octets_make_it_panic(octets in prop::collection::vec(any::<u8>(), 0..200), kind in 200u8..208) {
        let _ = parse(&octets);
        let mut octets = octets;
        let words = (octets.len() / 4).saturating_sub(1) as u8;
        if let Some(header) = octets.first_chunk_mut() { *header = [0x81, kind, 0, words]; }
        let _ = parse(&octets);
    }
}

#[test]
fn a_negative_loss_keeps_its_sign() {
    let block = ReportBlock { lost: -3, ..ReportBlock::default() };
    let packets = [Rtcp::ReceiverReport { ssrc: 1, reports: vec![block], extension: &[] }];
    let octets = write(&packets);
    assert_eq!(octets[12..16], [0, 0xFF, 0xFF, 0xFD]);
    assert_eq!(parse(&octets).as_deref(), Ok(&packets[..]));
}

#[test]
fn padding_belongs_to_the_last_packet_only() {
    let padded = [0xA0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4];
    assert_eq!(parse(&padded).unwrap().len(), 1);
    let twice = [padded, padded].concat();
    assert_eq!(parse(&twice), Err(Malformed::Padding));
    let mut odd = padded;
    odd[11] = 3;
    assert_eq!(parse(&odd), Err(Malformed::Padding));
}

#[test]
fn a_flood_of_empty_packets_is_cut_short() {
    assert_eq!(parse(&[0x80, 199, 0, 0].repeat(16_000)), Err(Malformed::TooMany));
    let mut xr = vec![0x80, 207, 0, 101, 0, 0, 0, 1];
    xr.extend([9, 0, 0, 0].repeat(100));
    assert_eq!(parse(&xr), Err(Malformed::TooMany));
}

#[test]
fn lengths_must_add_up() {
    let good = [0x80, 201, 0, 1, 0, 0, 0, 1];
    assert!(parse(&good).is_ok());
    assert_eq!(parse(&good[..4]), Err(Malformed::Length));
    assert_eq!(parse(&[&good[..], &[0x80]].concat()), Err(Malformed::Short));
    assert_eq!(parse(&[]), Err(Malformed::Short));
    assert_eq!(parse(&[0, 201, 0, 1, 0, 0, 0, 1]), Err(Malformed::Version(0)));
}
