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
