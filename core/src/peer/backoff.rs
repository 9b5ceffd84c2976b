//! When to connect again.

use crate::types::Instant;

/// The longest wait after the first failure.
const FIRST_MILLIS: u64 = 1_000;
/// The longest wait of all.
const MAX_MILLIS: u64 = 120_000;
/// A connection that lasted so long after `init` was a good one.
const GOOD_AFTER_SECS: u64 = 60;

/// How long to wait before a peer is dialled again: twice as long after each failure up to 2 minutes, and by chance up to
/// half shorter, so that not all wallets of a restarted server come at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// No failure so far.
    pub const fn new() -> Self {
        Self { failures: 0 }
    }

    /// A connection was lost, or could not be made. `ready_since` is [`super::Peer::ready_since`] of it. Returns when to
    /// dial again.
    ///
    /// A remote that closes each connection soon after `init` counts as failing.
    pub fn on_lost(&mut self, now: Instant, ready_since: Option<Instant>, entropy: [u8; 8]) -> Instant {
        if ready_since.is_some_and(|since| now >= since.plus_secs(GOOD_AFTER_SECS)) {
            self.failures = 0;
        }
        let longest = FIRST_MILLIS.saturating_mul(1 << self.failures.min(16)).min(MAX_MILLIS);
        self.failures = self.failures.saturating_add(1);
        let half = longest / 2;
        now.plus_millis(half + u64::from_le_bytes(entropy) % (longest - half + 1))
    }

    /// The network came back, or the owner asked: the next failure counts as the first.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLIEST: [u8; 8] = [0; 8];

    #[test]
    fn waits_double_up_to_a_limit() {
        let mut backoff = Backoff::new();
        let now = Instant(5_000);
        let waits: Vec<u64> = (0..10).map(|_| backoff.on_lost(now, None, EARLIEST).0 - now.0).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    }

    #[test]
    fn chance_shortens_by_at_most_half_and_is_the_same_for_the_same_entropy() {
        let mut seen = std::collections::BTreeSet::new();
        for i in 0..200u64 {
            let entropy = i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
            let mut backoff = Backoff { failures: 3 };
            let at = backoff.on_lost(Instant(0), None, entropy);
            assert_eq!(at, Backoff { failures: 3 }.on_lost(Instant(0), None, entropy));
            assert!((4_000..=8_000).contains(&at.0), "{at:?}");
            seen.insert(at);
        }
        assert!(seen.len() > 150);
    }

    #[test]
    fn only_a_connection_that_lasted_forgives_failures() {
        let now = Instant(1_000_000);
        let cases = [
            (None, 6),
            (Some(now), 6),
            (Some(Instant(now.0 - 59_999)), 6),
            (Some(Instant(now.0 - 60_000)), 1),
        ];
        for (ready_since, failures) in cases {
            let mut backoff = Backoff { failures: 5 };
            backoff.on_lost(now, ready_since, EARLIEST);
            assert_eq!(backoff, Backoff { failures }, "{ready_since:?}");
        }
    }

    #[test]
    fn no_number_of_failures_or_late_hour_overflows() {
        let mut backoff = Backoff { failures: u32::MAX };
        assert_eq!(backoff.on_lost(Instant(0), None, [0xff; 8]).0 / 1000 / 60, 1);
        assert_eq!(backoff.on_lost(Instant(u64::MAX), None, [0xff; 8]), Instant(u64::MAX));
        backoff.reset();
        assert_eq!(backoff, Backoff::new());
    }
}
