//! TLS lines: nothing is said on them before the peer has proven to be whom we want (RFC 5922 §7.3, §7.4).

use machine::{Machine, Time};
use protocol::transport::distrust::{Distrust, Why};
use protocol::{Input, Output};
use sim::{Connection, Parcel, Segment};

use crate::actor::Actor;
use crate::lines::By;
use crate::papers::Papers;

impl<M: Machine<Input = Input, Output = Output>> Actor<M> {
    /// Octets came on a stream.
    pub(crate) fn data(
        &mut self,
        now: Time,
        stream: Connection,
        octets: &[u8],
        out: &mut Vec<Parcel>,
    ) {
        let Some(line) = self.lines.line(stream) else { return };
        let Some(by) = line.proving() else {
            line.framer.push(octets);
            return self.cut(now, stream, out);
        };
        line.heard.extend_from_slice(octets);
        let wanted = line.flow.identity;
        let Some(read) = Papers::read(&line.heard) else { return };
        let judged = read.and_then(|(papers, length)| match by {
            By::Them => Ok((papers.identity(), length)),
            By::Us => {
                papers.prove(self.introduced.name(wanted).ok_or(Why::NoName)?)?;
                Ok((wanted, length))
            }
        });
        match judged {
            Err(why) => self.distrust(now, stream, why, out),
            Ok((identity, length)) => {
                if by == By::Them {
                    out.push(line.parcel(Segment::Data(self.papers.word())));
                }
                line.proven(identity, out);
                let rest = std::mem::take(&mut line.heard);
                line.framer.push(rest.get(length..).unwrap_or_default());
                self.cut(now, stream, out);
            }
        }
    }

    /// The peer is not whom we want: it is not talked to.
    fn distrust(&mut self, now: Time, stream: Connection, why: Why, out: &mut Vec<Parcel>) {
        if let Some(line) = self.lines.line(stream) {
            out.push(line.parcel(Segment::Reset));
        }
        let Some(flow) = self.lines.remove(stream) else { return };
        let domain = self.introduced.name(flow.identity).unwrap_or_default().into();
        let distrust = Distrust { peer: flow.peer, domain, why };
        for shard in 0..self.shards().len() {
            self.feed(now, shard, Input::Untrusted(flow, distrust.clone()), out);
        }
    }
}
