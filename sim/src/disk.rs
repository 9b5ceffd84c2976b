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

/// A promise of the contract that a store, or the host around it, breaks: the tests of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What waits for a batch leaves although the power went before the write (P2).
    ReleasesEarly,
    /// A batch is acknowledged, and written only when the next one comes (P2).
    WritesBehind,
    /// A loss of power leaves the first half of a batch behind (P1).
    Tears,
    /// A batch becomes durable after the one that follows it (P1).
    Reorders,
    /// The fence is not compared (P8).
    SkipsFence,
}

/// What survives a crash.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    records: BTreeMap<Vec<u8>, Vec<u8>>,
    fence: u64,
    batches: u64,
    bytes: usize,
    /// Counts every change of what is on it.
    writes: u64,
    /// How it behaves.
    pub mode: Mode,
    /// The promise that it breaks, if any.
    pub fault: Option<Fault>,
    /// What is acknowledged and not written, and whether the batch after it is.
    held: Option<(Batch, bool)>,
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
        if self.fault == Some(Fault::WritesBehind)
            && let Some((earlier, _)) = self.held.take()
        {
            self.write(&earlier, earlier.ops.len());
        }
        if batch.expect_fence != self.fence && self.fault != Some(Fault::SkipsFence) {
            return Err(StoreFailure::FenceLost);
        }
        self.bytes += batch.size();
        match (self.fault, self.held.take()) {
            (Some(Fault::WritesBehind | Fault::Reorders), None) => {
                self.fence = batch.fence;
                self.held = Some((batch.clone(), false));
            }
            (Some(Fault::Reorders), Some((earlier, false))) => {
                self.write(batch, batch.ops.len());
                self.held = Some((earlier, true));
            }
            (_, held) => {
                held.into_iter().for_each(|(earlier, _)| self.write(&earlier, earlier.ops.len()));
                self.write(batch, batch.ops.len());
            }
        }
        Ok(())
    }

    /// The power goes while this batch is written.
    pub(crate) fn lose(&mut self, batch: &Batch) {
        if self.fault == Some(Fault::Tears) {
            self.write(batch, batch.ops.len().div_ceil(2));
            // An entry of the journal is one operation: it ends in the middle.
            if let [Op::Put { key, value }] = &batch.ops[..] {
                self.records.insert(key.clone(), value[..value.len() / 2].to_vec());
                self.writes += 1;
            }
        }
    }

    /// The power goes.
    pub(crate) fn lose_power(&mut self) {
        self.held = None;
    }

    fn write(&mut self, batch: &Batch, ops: usize) {
        self.writes += 1;
        self.fence = batch.fence;
        for op in &batch.ops[..ops] {
            match op {
                Op::Put { key, value } => drop(self.records.insert(key.clone(), value.clone())),
                Op::Delete { key } => drop(self.records.remove(key)),
            }
        }
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

    /// A number that is another one whenever something else is on it.
    pub fn writes(&self) -> u64 {
        self.writes
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
