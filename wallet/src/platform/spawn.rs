//! What runs while nobody calls.

use super::{MaybeSend, MaybeSync, Pending};

/// Runs futures in the background.
pub trait Spawn: MaybeSend + MaybeSync {
    /// Runs this to its end. It ends by itself when its wallet is stopped or dropped.
    fn spawn(&self, task: Pending<'static, ()>);
}
