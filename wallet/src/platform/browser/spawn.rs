//! The browser's own queue of tasks.

use super::super::{Pending, Spawn, Work};

/// Runs futures between the browser's events.
#[derive(Debug, Clone, Copy)]
pub struct MicrotaskSpawn;

impl Spawn for MicrotaskSpawn {
    fn spawn(&self, task: Pending<'static, ()>) {
        wasm_bindgen_futures::spawn_local(task);
    }

    fn call(&self, work: Work) -> Pending<'static, ()> {
        work();
        Box::pin(std::future::ready(()))
    }
}
