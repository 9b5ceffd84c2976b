//! HTLCs of ours that a peer keeps from being signed: it leaves our last `commitment_signed` without `revoke_and_ack`.

use super::Node;
use crate::types::{ConnId, Instant};

/// As long as a peer may be deaf (BOLT 1, The `ping` and `pong` Messages).
const REVOCATION_TIMEOUT_SECS: u64 = 60;

impl Node {
    /// Closes the connections over which an HTLC waits too long, even if the answer has come just now: it is taken back
    /// with the connection, and its payment looks for another way (BOLT 2, Message Retransmission).
    pub(super) fn end_long_waits(&mut self) {
        let now = self.now.mono;
        let is_over = |since: &Instant| since.plus_secs(REVOCATION_TIMEOUT_SECS) <= now;
        let waiting = self.channels.values().filter(|entry| entry.waits_since.as_ref().is_some_and(is_over));
        for conn in waiting.filter_map(|entry| entry.conn).collect::<Vec<ConnId>>() {
            self.drop_connection(conn, "the peer does not acknowledge our commitment_signed");
        }
    }

    /// Notes since when HTLCs wait, after everything was signed that can be.
    pub(super) fn note_waits(&mut self) {
        let now = self.now.mono;
        for entry in self.channels.values_mut() {
            entry.waits_since = entry.channel.holds_unsigned_adds().then(|| entry.waits_since.unwrap_or(now));
        }
    }

    /// When the first of them has waited too long.
    pub(super) fn next_wait_end(&self) -> Option<Instant> {
        let since = self.channels.values().filter_map(|entry| entry.waits_since).min()?;
        Some(since.plus_secs(REVOCATION_TIMEOUT_SECS))
    }
}
