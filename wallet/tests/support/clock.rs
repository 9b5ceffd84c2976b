//! tokio's clock. Tests that pause it decide how time passes.

use kite_core::types::{Instant, Now, UnixTime};
use kite_wallet::platform::{Clock, Pending};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

pub struct TokioClock(tokio::time::Instant);

impl TokioClock {
    pub fn new() -> Self {
        Self(tokio::time::Instant::now())
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Now {
        let millis = u64::try_from(self.0.elapsed().as_millis()).unwrap();
        Now { mono: Instant(millis), unix: UnixTime(1_900_000_000 + millis / 1_000) }
    }

    fn sleep_until(&self, at: Instant) -> Pending<'static, ()> {
        Box::pin(tokio::time::sleep_until(self.0 + Duration::from_millis(at.0)))
    }
}

/// A clock that a test puts forward.
pub struct Ahead {
    clock: TokioClock,
    millis: AtomicU64,
}

impl Ahead {
    pub fn new() -> Self {
        Self { clock: TokioClock::new(), millis: AtomicU64::new(0) }
    }

    pub fn pass(&self, millis: u64) {
        self.millis.fetch_add(millis, Relaxed);
    }
}

impl Clock for Ahead {
    fn now(&self) -> Now {
        let (now, millis) = (self.clock.now(), self.millis.load(Relaxed));
        Now { mono: now.mono.plus_millis(millis), unix: UnixTime(now.unix.0 + millis / 1_000) }
    }

    fn sleep_until(&self, at: Instant) -> Pending<'static, ()> {
        self.clock.sleep_until(Instant(at.0.saturating_sub(self.millis.load(Relaxed))))
    }
}
