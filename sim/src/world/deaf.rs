//! Peers that are connected and deaf: they take what they are sent, and answer nothing.

use super::World;
use kite_core::node::Input;
use kite_core::types::ConnId;

/// Who hears nothing closes the connection after so long: half a minute of silence, and half a minute for a pong
/// (BOLT 1, The `ping` and `pong` Messages).
pub const GIVES_UP_WITHIN_SECS: u64 = 60;

impl World {
    /// From now on a host takes what it is sent and loses it, and nothing that it says leaves. It is not woken either; of
    /// the chain and of its owner it hears. One host at a time.
    pub fn deafen(&mut self, host: usize) {
        if self.deaf.is_some() {
            return;
        }
        self.tell(|| format!("{host} is deaf"));
        self.deaf = Some(host);
        let now = self.now.mono;
        for stream in &mut self.streams {
            let Some(end) = stream.ends.iter().position(|(end, _)| *end == host) else { continue };
            // What it said before arrives.
            if !std::mem::take(&mut stream.sent[1 - end]).is_empty() {
                stream.lost_since = Some(now);
            }
        }
    }

    /// Who is deaf.
    pub fn deaf(&self) -> Option<usize> {
        self.deaf
    }

    /// Whether bytes between these ends are lost. Notes that some were.
    pub(super) fn is_lost(&mut self, ends: [(usize, ConnId); 2]) -> bool {
        let is_lost = ends.iter().any(|(host, _)| Some(*host) == self.deaf);
        let now = self.now.mono;
        for stream in self.streams.iter_mut().filter(|stream| is_lost && stream.ends == ends) {
            stream.lost_since.get_or_insert(now);
        }
        is_lost
    }

    /// Whether a stream is still open of which bytes are lost for longer than anybody may wait.
    pub fn talks_to_the_deaf(&self) -> bool {
        let ends_at = |since: kite_core::types::Instant| since.plus_secs(GIVES_UP_WITHIN_SECS);
        self.streams.iter().filter_map(|stream| stream.lost_since).any(|since| ends_at(since) < self.now.mono)
    }

    /// Nobody is deaf any more. A stream of which bytes are lost is of no use: it breaks.
    pub fn hear_again(&mut self) {
        let Some(host) = self.deaf.take() else { return };
        self.tell(|| format!("{host} hears again"));
        let (broken, kept) =
            std::mem::take(&mut self.streams).into_iter().partition(|it| it.lost_since.is_some());
        self.streams = kept;
        let broken: Vec<super::streams::Stream> = broken;
        for (end, conn) in broken.into_iter().flat_map(|stream| stream.ends) {
            self.input(end, Input::Disconnected { conn, reason: "bytes were lost".into() });
        }
        self.input(host, Input::Wake);
    }
}
