//! The browser's clocks.

use super::super::{Clock, Pending};
use super::global::find;
use gloo_timers::future::TimeoutFuture;
use js_sys::Date;
use kite_core::types::{Instant, Now, UnixTime};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::JsCast as _;
use web_sys::Performance;

/// Timers stand still while a device sleeps. A wait is looked at again this often.
const LONGEST_NAP_MILLIS: u64 = 5000;
/// The two clocks may drift apart by this much between two looks before it is taken for a sleep.
const DRIFT_MILLIS: f64 = 1000.0;

/// `performance.now()`, which some browsers stop while the device sleeps, moved on by what the wall clock shows then.
#[derive(Debug, Clone)]
pub struct BrowserClock {
    performance: Option<Performance>,
    seen: Rc<Cell<Seen>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    mono: f64,
    wall: f64,
    slept: f64,
}

impl BrowserClock {
    /// The clocks of this browser.
    pub fn new() -> Self {
        let performance = find(&["performance"]).map(|performance| performance.unchecked_into());
        let clock = Self { performance, seen: Rc::default() };
        clock.seen.set(Seen { mono: clock.running(), wall: Date::now(), slept: 0.0 });
        clock
    }

    fn mono(&self) -> Instant {
        let (last, mono, wall) = (self.seen.get(), self.running(), Date::now());
        let missed = (wall - last.wall) - (mono - last.mono);
        let slept = last.slept + if missed > DRIFT_MILLIS { missed } else { 0.0 };
        let mono = mono.max(last.mono);
        self.seen.set(Seen { mono, wall, slept });
        Instant(whole(mono + slept))
    }

    fn running(&self) -> f64 {
        self.performance.as_ref().map_or_else(Date::now, Performance::now)
    }
}

impl Default for BrowserClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for BrowserClock {
    fn now(&self) -> Now {
        Now { mono: self.mono(), unix: UnixTime(whole(Date::now() / 1000.0)) }
    }

    fn sleep_until(&self, at: Instant) -> Pending<'static, ()> {
        let clock = self.clone();
        Box::pin(async move {
            loop {
                let left = at.0.saturating_sub(clock.mono().0).min(LONGEST_NAP_MILLIS);
                if left == 0 {
                    return;
                }
                TimeoutFuture::new(u32::try_from(left).unwrap_or(u32::MAX)).await;
            }
        })
    }
}

/// The whole part; 0 for what is no time.
fn whole(number: f64) -> u64 {
    // A float becomes an integer by `as` only, which here cannot overflow: it saturates.
    number.max(0.0) as u64
}
