//! The operating system's clocks.

use super::super::{Clock, Pending};
use kite_core::types::{Instant, Now, UnixTime};
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Tokio's timers stand still while a device sleeps. A wait is looked at again this often.
const LONGEST_NAP: Duration = Duration::from_secs(5);

/// `CLOCK_BOOTTIME` where there is one, and the wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct NativeClock;

impl Clock for NativeClock {
    fn now(&self) -> Now {
        Now { mono: mono(), unix: UnixTime(read(ClockId::Realtime).as_secs()) }
    }

    fn sleep_until(&self, at: Instant) -> Pending<'static, ()> {
        Box::pin(async move {
            loop {
                let left = Duration::from_millis(at.0.saturating_sub(mono().0));
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(LONGEST_NAP)).await;
            }
        })
    }
}

fn mono() -> Instant {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let clock = ClockId::Boottime;
    // Apple's monotonic clock goes on during sleep.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let clock = ClockId::Monotonic;
    Instant(u64::try_from(read(clock).as_millis()).unwrap_or(u64::MAX))
}

/// A clock that stands before its beginning shows zero.
fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
