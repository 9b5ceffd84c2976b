//! How the loop is doing.

use crate::chain::ChainError;
use kite_core::node::StoreFailure;
use std::sync::{Mutex, PoisonError};

/// Read by the API, written by the loop.
#[derive(Debug, Default)]
pub struct Status(Mutex<Snapshot>);

/// How the loop is doing at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// It connects to peers and looks at the chain.
    pub online: bool,
    /// Every watched script was asked about at the tip, and the chain server has answered since. What `chain_error` says is
    /// missing, but no output of a channel.
    pub synced: bool,
    /// Transactions are on their way to the chain server.
    pub publishing: bool,
    /// Why the last look at the chain failed, or what it could not read.
    pub chain_error: Option<ChainError>,
    /// The store failed.
    pub halted: Option<StoreFailure>,
}

impl Status {
    /// How it is doing now.
    pub fn get(&self) -> Snapshot {
        self.lock().clone()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Snapshot)) {
        change(&mut self.lock());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Snapshot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
