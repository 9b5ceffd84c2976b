//! What runs while nobody calls.

use super::{MaybeSend, MaybeSync, Pending};

/// Something of the app's that is to be called.
#[cfg(not(target_family = "wasm"))]
pub type Work = Box<dyn FnOnce() + Send>;
/// Something of the app's that is to be called.
#[cfg(target_family = "wasm")]
pub type Work = Box<dyn FnOnce()>;

/// Runs futures in the background.
pub trait Spawn: MaybeSend + MaybeSync {
    /// Runs this to its end. It ends by itself when its wallet is stopped or dropped.
    fn spawn(&self, task: Pending<'static, ()>);

    /// Calls into the app, which may take its time, wait for the wallet, or fail: natively on a thread of its own, so that
    /// nothing else waits. Finishes with the call, however it ends.
    fn call(&self, work: Work) -> Pending<'static, ()>;
}
