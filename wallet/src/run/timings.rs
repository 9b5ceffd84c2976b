//! How long payments took, for this run only: the clock that measures it has no meaning after it.

use kite_core::types::{Instant, PaymentId};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// More payments than this in one run are not remembered.
const CAPACITY: usize = 4_096;

/// When payments began, and how long they took.
#[derive(Debug, Default)]
pub struct Timings(Mutex<BTreeMap<PaymentId, Timing>>);

#[derive(Clone, Copy, Debug)]
enum Timing {
    Since(Instant),
    Took(u64),
}

impl Timings {
    /// A payment begins.
    pub fn begin(&self, id: PaymentId, now: Instant) {
        let mut timings = self.lock();
        if timings.len() >= CAPACITY {
            timings.clear();
        }
        timings.entry(id).or_insert(Timing::Since(now));
    }

    /// A payment arrived, or failed for good.
    pub fn end(&self, id: PaymentId, now: Instant) {
        if let Some(timing) = self.lock().get_mut(&id)
            && let Timing::Since(began) = *timing
        {
            *timing = Timing::Took(now.0.saturating_sub(began.0));
        }
    }

    /// Milliseconds from the command to the outcome; unset before the outcome and for payments of earlier runs.
    pub fn took_millis(&self, id: &PaymentId) -> Option<u64> {
        match self.lock().get(id)? {
            Timing::Took(millis) => Some(*millis),
            Timing::Since(_) => None,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<PaymentId, Timing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
