//! Who may use a wallet's data.
//!
//! The lock is manners: it spares the owner a wallet that stops. Safety is the store's fence (contract P8).

use super::{MaybeSend, MaybeSync, Pending};

/// Keeps a second tab or process away from a wallet's data: Web Locks, or a locked file.
pub trait Lock: MaybeSend + MaybeSync {
    /// Takes the lock at once or not at all. It is held until the answer is dropped or the process ends.
    fn acquire(&self) -> Pending<'_, Result<Box<dyn Held>, LockError>>;
}

/// A lock that is held. Dropping it gives it back.
pub trait Held: MaybeSend + MaybeSync {}

/// Why a lock was not given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Another tab or process has it.
    #[error("this wallet is open in another tab or process")]
    Taken,
    /// The platform could not say.
    #[error("the lock of this wallet could not be taken: {reason}")]
    Failed {
        /// What the platform said.
        reason: String,
    },
}
