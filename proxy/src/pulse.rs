//! Notices that one of the two ends has fallen silent or stuck.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::{ProxyConfig, Reason};

/// What a connection waits for, each as milliseconds since `start`, or [`NOTHING`].
#[derive(Debug)]
pub(crate) struct Pulse {
    start: Instant,
    last_data: AtomicU64,
    unanswered_ping: AtomicU64,
    sending_to_client: AtomicU64,
    writing_to_remote: AtomicU64,
    /// While the client's frames are not read (its bytes are being written or paced), its pong cannot be seen.
    client_unread: AtomicU64,
}

const NOTHING: u64 = u64::MAX;

impl Pulse {
    pub(crate) fn new() -> Self {
        let nothing = || AtomicU64::new(NOTHING);
        Self {
            start: Instant::now(),
            last_data: AtomicU64::new(0),
            unanswered_ping: nothing(),
            sending_to_client: nothing(),
            writing_to_remote: nothing(),
            client_unread: nothing(),
        }
    }

    /// Data was passed on in either direction.
    pub(crate) fn data_passed(&self) {
        self.last_data.store(self.now(), Relaxed);
    }

    pub(crate) fn pinged(&self) {
        let _ = self.unanswered_ping.compare_exchange(NOTHING, self.now(), Relaxed, Relaxed);
    }

    /// Any frame proves that the client lives.
    pub(crate) fn heard_client(&self) {
        self.unanswered_ping.store(NOTHING, Relaxed);
    }

    pub(crate) fn sending_to_client(&self, busy: bool) {
        self.sending_to_client.store(if busy { self.now() } else { NOTHING }, Relaxed);
    }

    pub(crate) fn writing_to_remote(&self, busy: bool) {
        self.writing_to_remote.store(if busy { self.now() } else { NOTHING }, Relaxed);
    }

    /// Reading the client's frames stops, or goes on; a ping sent meanwhile gets its full time again.
    pub(crate) fn client_unread(&self, unread: bool) {
        self.client_unread.store(if unread { self.now() } else { NOTHING }, Relaxed);
        if !unread && self.unanswered_ping.load(Relaxed) != NOTHING {
            self.unanswered_ping.store(self.now(), Relaxed);
        }
    }

    /// Waits until something has taken too long, and says what.
    pub(crate) async fn failed(&self, config: &ProxyConfig) -> Reason {
        loop {
            let now = self.now();
            let ping = match self.client_unread.load(Relaxed) {
                NOTHING => self.unanswered_ping.load(Relaxed),
                _ => NOTHING,
            };
            let waits = [
                (ping, config.stall_timeout, Reason::ClientUnresponsive),
                (self.sending_to_client.load(Relaxed), config.stall_timeout, Reason::ClientUnresponsive),
                (self.writing_to_remote.load(Relaxed), config.stall_timeout, Reason::RemoteStalled),
                (self.last_data.load(Relaxed), config.idle_timeout, Reason::Idle),
            ];
            // A wait that begins after this look ends no sooner than one full timeout from now.
            let mut next = now.saturating_add(millis(config.stall_timeout.min(config.idle_timeout)));
            for (since, timeout, reason) in waits {
                let end = since.saturating_add(millis(timeout));
                if end <= now {
                    return reason;
                }
                next = next.min(end);
            }
            sleep_until(self.start + Duration::from_millis(next.max(now + 1))).await;
        }
    }

    fn now(&self) -> u64 {
        millis(self.start.elapsed())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn failure(pulse: &Pulse) -> (Reason, u64) {
        let reason = pulse.failed(&ProxyConfig::default()).await;
        (reason, pulse.start.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_a_connection() {
        assert_eq!(failure(&Pulse::new()).await, (Reason::Idle, 600));

        let pulse = Pulse::new();
        pulse.pinged();
        assert_eq!(failure(&pulse).await, (Reason::ClientUnresponsive, 60));

        let pulse = Pulse::new();
        pulse.pinged();
        pulse.heard_client();
        pulse.writing_to_remote(true);
        pulse.client_unread(true);
        assert_eq!(failure(&pulse).await, (Reason::RemoteStalled, 60));
    }

    #[tokio::test(start_paused = true)]
    async fn a_ping_behind_unread_frames_is_not_held_against_the_client() {
        let pulse = Pulse::new();
        pulse.pinged();
        pulse.client_unread(true);
        tokio::time::sleep(Duration::from_secs(300)).await;
        pulse.client_unread(false);
        assert_eq!(failure(&pulse).await, (Reason::ClientUnresponsive, 360));
    }
}
