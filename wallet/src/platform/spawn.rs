//! What runs while nobody calls.

use super::{MaybeSend, MaybeSync, Pending};
use futures::channel::oneshot;
use std::future::Future;

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

/// Does what takes the processor for long, natively on a thread of its own: who waits for it may be the thread that draws.
pub fn aside<T: MaybeSend + 'static>(
    spawn: &dyn Spawn,
    work: impl FnOnce() -> T + MaybeSend + 'static,
) -> impl Future<Output = T> + MaybeSend + 'static {
    let (tell, told) = oneshot::channel();
    let called = spawn.call(Box::new(move || {
        // Nobody waits any more.
        let _ = tell.send(work());
    }));
    async move {
        called.await;
        // It always tells, unless it panicked: then this does as well.
        told.await.expect("the work has ended")
    }
}
