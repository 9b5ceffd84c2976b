//! How often something may be done.

use crate::types::Instant;

/// So many at once, and then one in each interval.
#[derive(Debug)]
pub struct Allowance {
    burst: u32,
    interval_millis: u64,
    left: u32,
    /// Up to here `left` has been refilled.
    refilled: Instant,
}

impl Allowance {
    pub const fn new(burst: u32, interval_millis: u64, now: Instant) -> Self {
        Self { burst, interval_millis, left: burst, refilled: now }
    }

    /// Takes one, if there is one.
    pub fn take(&mut self, now: Instant) -> bool {
        let intervals = now.0.saturating_sub(self.refilled.0) / self.interval_millis;
        self.refilled = self.refilled.plus_millis(intervals * self.interval_millis);
        self.left = u32::try_from(intervals).unwrap_or(u32::MAX).saturating_add(self.left).min(self.burst);
        let taken = self.left > 0;
        self.left = self.left.saturating_sub(1);
        taken
    }
}
