//! A store that keeps its promises, or breaks them where a test wants it to.

use kite_core::node::StoreFailure;
use kite_core::store::{Batch, Op, Stored};
use std::collections::BTreeMap;

/// How the store behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Every batch is durable and acknowledged at once.
    #[default]
    Prompt,
    /// Every batch is durable at once; the acknowledgement waits for [`super::host::Host::acknowledge`].
    Delayed,
    /// Nothing can be written.
    Failing(StoreFailure),
}

/// What survives a crash.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    records: BTreeMap<Vec<u8>, Vec<u8>>,
    fence: u64,
    batches: u64,
    bytes: usize,
    /// How it behaves.
    pub mode: Mode,
}

impl Disk {
    /// Applies a batch wholly, or not at all.
    ///
    /// # Errors
    /// The fence is another, or the disk fails.
    pub fn apply(&mut self, batch: &Batch) -> Result<(), StoreFailure> {
        if let Mode::Failing(failure) = self.mode {
            return Err(failure);
        }
        if batch.expect_fence != self.fence {
            return Err(StoreFailure::FenceLost);
        }
        self.fence = batch.fence;
        self.bytes += batch.size();
        for op in &batch.ops {
            match op {
                Op::Put { key, value } => drop(self.records.insert(key.clone(), value.clone())),
                Op::Delete { key } => drop(self.records.remove(key)),
            }
        }
        Ok(())
    }

    /// What a node reads at its start.
    pub fn stored(&self) -> Stored {
        Stored { fence: self.fence, records: self.records.clone().into_iter().collect() }
    }

    /// How many batches a node asked for, over all its starts.
    pub fn batches(&self) -> u64 {
        self.batches
    }

    /// How many bytes were written.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Another node takes the fence.
    pub fn take_over(&mut self) {
        self.fence += 1;
    }

    pub(crate) fn count_batch(&mut self) -> u64 {
        self.batches += 1;
        self.batches
    }
}
