//! Where the wallet's records are kept.

use super::{MaybeSend, MaybeSync, Pending};
use kite_core::store::{Batch, Stored};

/// A store of opaque records that applies batches wholly or not at all.
///
/// The contract (`docs/contract.md`, P1, P4 and P8): a batch is one transaction. The same transaction compares the
/// stored fence with `expect_fence`, fails with [`StoreError::FenceLost`] if they differ, and sets it to `fence`. A
/// finished `commit` means that this batch survives a loss of power: SQLite with `synchronous=FULL`, IndexedDB with
/// durability `strict`, told by the transaction's `complete` and not by a request's `success`. An aborted, closed or
/// full database is an error. Nothing is reordered, merged, cached or dropped.
pub trait Store: MaybeSend + MaybeSync {
    /// Opens the database, makes it if it is not there, and reads everything. A new one holds fence 0 and no record.
    ///
    /// May be called again, also after [`Store::close`].
    fn open(&self) -> Pending<'_, Result<Stored, StoreError>>;

    /// Applies one batch. The wallet never has two at once under way. After an error it commits nothing more until
    /// the store was opened again.
    ///
    /// A future that is dropped half-way leaves the batch applied or not applied, never in part.
    fn commit(&self, batch: Batch) -> Pending<'_, Result<(), StoreError>>;

    /// Whether the platform promises not to clear the data on its own (`navigator.storage.persisted()`; always so for
    /// files). Asks for that promise where it has to be asked for.
    fn is_persistent(&self) -> Pending<'_, bool>;

    /// Closes the database, so that another tab or process can open it.
    fn close(&self) -> Pending<'_, ()>;
}

/// Why a store could not read or write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another tab, process or copy took the wallet over (contract P8).
    #[error("another tab or process has taken this wallet over")]
    FenceLost,
    /// There is no room left.
    #[error("there is no room left on this device")]
    Full,
    /// Anything else: an aborted transaction, a closed database.
    #[error("the store failed: {reason}")]
    Failed {
        /// What the platform said.
        reason: String,
    },
}
