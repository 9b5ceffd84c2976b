//! What time it is.

use super::{MaybeSend, MaybeSync, Pending};
use kite_core::types::{Instant, Now};

/// Tells the time and waits for it.
pub trait Clock: MaybeSend + MaybeSync {
    /// Both clocks at this moment. The first never goes back and counts sleep (`CLOCK_BOOTTIME`,
    /// `performance.now()` with the jumps of the wall clock that a sleep leaves); it begins anywhere.
    fn now(&self) -> Now;

    /// Finishes at `at` or soon after it, also after the device slept.
    fn sleep_until(&self, at: Instant) -> Pending<'static, ()>;
}
