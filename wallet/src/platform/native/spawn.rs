//! Tokio's runtime.

use super::super::{Pending, Spawn};

/// Runs futures on tokio's runtime, in which it must be used.
#[derive(Debug, Clone, Copy)]
pub struct TokioSpawn;

impl Spawn for TokioSpawn {
    fn spawn(&self, task: Pending<'static, ()>) {
        drop(tokio::spawn(task));
    }
}
