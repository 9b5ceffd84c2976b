//! The operating system's clocks.

use super::super::{Clock, Pending};
use kite_core::types::{Instant, Now, UnixTime};
use std::time::{Duration, SystemTime};

/// Tokio's timers stand still while a device sleeps. A wait is looked at again this often.
const LONGEST_NAP: Duration = Duration::from_secs(5);

/// `CLOCK_BOOTTIME` where there is one, and the wall clock.
#[derive(Debug)]
pub struct NativeClock {
    #[cfg(not(unix))]
    started: std::time::Instant,
}

impl NativeClock {
    /// The clocks of this device.
    pub fn new() -> Self {
        Self {
            #[cfg(not(unix))]
            started: std::time::Instant::now(),
        }
    }

    fn mono(&self) -> Instant {
        #[cfg(unix)]
        let since = boot_time();
        // On Windows this one counts sleep.
        #[cfg(not(unix))]
        let since = self.started.elapsed();
        Instant(whole_millis(since))
    }
}

impl Default for NativeClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for NativeClock {
    fn now(&self) -> Now {
        #[expect(clippy::disallowed_methods, reason = "this is the clock, and it is not a browser's")]
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        Now { mono: self.mono(), unix: UnixTime(unix) }
    }

    fn sleep_until(&self, at: Instant) -> Pending<'static, ()> {
        let clock = Self {
            #[cfg(not(unix))]
            started: self.started,
        };
        Box::pin(async move {
            loop {
                let left = Duration::from_millis(at.0.saturating_sub(clock.mono().0));
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(LONGEST_NAP)).await;
            }
        })
    }
}

#[cfg(unix)]
fn boot_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let clock = ClockId::Boottime;
    // Apple's monotonic clock goes on during sleep.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let clock = ClockId::Monotonic;
    let time = clock_gettime(clock);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn whole_millis(since: Duration) -> u64 {
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
