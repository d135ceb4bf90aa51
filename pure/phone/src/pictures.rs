//! Pictures of calls, for programs that have some: we carry their packets.

use machine::Time;
use protocol::doors::{Call, Output};

use crate::call::Conversation;
use crate::phone::Phone;
use crate::sound::{Sound, Video, VideoCodec, Wanted};
use crate::unable::Unable;

impl Phone {
    /// A call has pictures too, if the other side wants them: RTP packets, which the program makes and takes; what is in them we do not know. To be said
    /// in the same turn as [`call`](Self::call), right after it; or before [`ring`](Self::ring), [`announce`](Self::announce) and
    /// [`answer`](Self::answer). Without it a video section is answered with port 0. Pictures never cost a call: where they cannot be had (no port, no
    /// codec in common, a way that is looked for by ICE) the sound goes on alone, and [`Video::agreed`] says so; where a change of the call can be had without
    /// them alone, they are over for the rest of it. `examples/pictures.rs` is a whole call
    /// with them.
    ///
    /// # Errors
    /// There is no such call, or it has said or heard something of its sound already.
    pub fn show(
        &mut self,
        now: Time,
        call: Call,
        (codecs, video): (&[VideoCodec<'_>], Box<dyn Video>),
        out: &mut Vec<Output>,
    ) -> Result<(), Unable> {
        let wanted = Wanted::new(codecs, video);
        self.with(now, call, out, |conversation, turn| conversation.show(turn, wanted))
    }

    /// Sends an RTP or RTCP packet with the pictures of a call, protected as was agreed on. While the other side wants none, RTP is not sent; while there are
    /// none, nothing is.
    ///
    /// # Errors
    /// There is no such call, or nothing has been said of its sound yet.
    pub fn send_video(
        &mut self,
        call: Call,
        packet: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<(), Unable> {
        let sound = self.calls.get_mut(&call).ok_or(Unable::NoSuchCall)?.sound();
        sound.ok_or(Unable::NotNow("stands"))?.send_video(packet, out);
        Ok(())
    }

    /// Who takes the pictures of a call, to look at; while the call lasts.
    pub fn video(&mut self, call: Call) -> Option<&mut dyn Video> {
        self.calls.get_mut(&call).and_then(Conversation::sound).and_then(Sound::video)
    }
}
