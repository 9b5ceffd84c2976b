//! tokio's clock. Tests that pause it decide how time passes.

use kite_core::types::{Instant, Now, UnixTime};
use kite_wallet::platform::{Clock, Pending};
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
