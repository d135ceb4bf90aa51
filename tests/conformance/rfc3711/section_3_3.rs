//! §3.3.1, §3.3.2: the index of a packet, and replay.

use srtp::{Receiver, Refused, Sender, limits};

use super::{COMMON, ends, opened, packet, sealed};

/// Packets with these numbers, one after the other.
fn wires(sender: &mut Sender, sequences: &[u16]) -> Vec<Vec<u8>> {
    sequences.iter().map(|sequence| sealed(sender, packet(*sequence, 7, b"sound"))).collect()
}

fn lets_in(receiver: &mut Receiver, wire: &[u8]) -> bool {
    opened(receiver, wire).is_ok()
}

/// "When the session starts, the sender side MUST set the rollover counter, ROC, to zero. Each time the RTP sequence number, SEQ, wraps modulo
/// 2^16, the sender side MUST increment ROC by one": who has heard the round can read the next; who begins there takes it for the first, and
/// cannot. "the receiver SHALL initialize s_l to the RTP sequence number (SEQ) of the first observed SRTP packet".
/// Proves: rfc3711-3.3.1-1, rfc3711-3.3.1-2, rfc3711-3.3.1-3, rfc3711-3.3.1-5.
#[test]
fn rounds_begin_at_zero_and_are_counted() {
    let (mut sender, mut receiver) = ends(COMMON, 0);
    let first = wires(&mut sender, &[30_000]);
    assert!(lets_in(&mut receiver, &first[0]));
    let round = wires(&mut sender, &[60_000, 65_535, 0, 25_000, 50_000, 10_000]);
    assert!(round.iter().all(|wire| lets_in(&mut receiver, wire)));
    let begins_late = ends(COMMON, 0).1;
    for (nth, wire) in round.iter().enumerate() {
        assert_eq!(lets_in(&mut begins_late.clone(), wire), nth < 2, "{nth}");
    }
}

/// "On consecutive SRTP packets, the receiver SHOULD estimate the index": the one nearest to the newest, over the edge and back. "After the packet
/// has been processed and authenticated …, the receiver MUST use v to conditionally update its s_l and ROC": not before, and not back.
/// Proves: rfc3711-3.2.1-1, rfc3711-3.3.1-6, rfc3711-3.3.1-7.
#[test]
fn what_overtakes_is_known_on_both_sides_of_the_edge_and_a_forgery_moves_nothing() {
    let (mut sender, mut receiver) = ends(COMMON, 0);
    let sent = wires(&mut sender, &[65_533, 65_534, 65_535, 0, 1, 2]);
    assert!(lets_in(&mut receiver, &sent[0]));
    // Forged ones from far ahead and from beyond the edge.
    for sequence in [2, 20_000, 32_000, 65_535] {
        let forged = [packet(sequence, 7, b"sound"), vec![0; 10]].concat();
        assert_eq!(opened(&mut receiver, &forged), Err(Refused::Forged));
    }
    for nth in [4, 2, 3, 1, 5] {
        assert!(lets_in(&mut receiver, &sent[nth]), "{nth}");
    }
    // One that came late has not turned the counter back.
    assert!(lets_in(&mut receiver, &wires(&mut sender, &[3])[0]));
}

/// "It is RECOMMENDED to use replay protection"; "SRTP-WINDOW-SIZE … MUST be at least 64"; "Only packets with index ahead of the window, or, inside
/// the window but not already received, SHALL be accepted."
/// Proves: rfc3711-3.3.2-1, rfc3711-3.3.2-2, rfc3711-3.3.2-3.
#[test]
fn a_packet_is_let_in_once_and_64_late_at_least() {
    let (mut sender, mut receiver) = ends(COMMON, 0);
    let numbers: Vec<u16> = (1000..1000 + limits::WINDOW as u16 + 2).collect();
    let sent = wires(&mut sender, &numbers);
    assert!(lets_in(&mut receiver, &sent[0]));
    let last = sent.len() - 1;
    assert!(lets_in(&mut receiver, &sent[last]));
    for nth in [last, 0, 1] {
        assert_eq!(opened(&mut receiver, &sent[nth]), Err(Refused::Replayed), "{nth}");
    }
    assert!(lets_in(&mut receiver, &sent[last - 64]));
    assert!(lets_in(&mut receiver, &sent[last - limits::WINDOW as usize + 1]));
    assert_eq!(opened(&mut receiver, &sent[last - 64]), Err(Refused::Replayed));
}

/// "After the packet has been authenticated …, the replay list SHALL be updated with the new index": what is forged does not take the place of
/// what is true.
/// Proves: rfc3711-3.3.2-4.
#[test]
fn a_forgery_takes_no_place_in_the_list() {
    let (mut sender, mut receiver) = ends(COMMON, 0);
    let sent = wires(&mut sender, &[10, 11, 12]);
    assert!(lets_in(&mut receiver, &sent[0]) && lets_in(&mut receiver, &sent[2]));
    let mut forged = sent[1].clone();
    forged[13] ^= 0x80;
    assert_eq!(opened(&mut receiver, &forged), Err(Refused::Forged));
    assert!(lets_in(&mut receiver, &sent[1]));
    assert_eq!(opened(&mut receiver, &sent[1]), Err(Refused::Replayed));
}
