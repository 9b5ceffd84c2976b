//! Tokio's runtime.

use super::super::{Pending, Spawn, Work};

/// Runs futures on tokio's runtime, in which it must be used.
#[derive(Debug, Clone, Copy)]
pub struct TokioSpawn;

impl Spawn for TokioSpawn {
    fn spawn(&self, task: Pending<'static, ()>) {
        drop(tokio::spawn(task));
    }

    fn call(&self, work: Work) -> Pending<'static, ()> {
        let called = tokio::task::spawn_blocking(work);
        Box::pin(async {
            // What the app threw was told by the panic itself.
            let _ = called.await;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::TokioSpawn;
    use crate::platform::aside;
    use std::sync::mpsc;
    use std::time::Duration;

    /// On one thread: if the work were done there, nobody could tell it anything.
    #[tokio::test(flavor = "current_thread")]
    async fn what_takes_long_keeps_nobody_waiting() {
        let (tell, told) = mpsc::channel();
        let work = aside(&TokioSpawn, move || told.recv_timeout(Duration::from_secs(20)));
        let other = async { tell.send(7) };
        let (heard, said) = futures::join!(work, other);
        assert_eq!((heard, said), (Ok(7), Ok(())));
    }
}
