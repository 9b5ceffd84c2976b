//! Where randomness comes from.

use super::{MaybeSend, MaybeSync};

/// The operating system's or the browser's source of randomness.
pub trait Entropy: MaybeSend + MaybeSync {
    /// 32 fresh bytes that nobody can guess.
    ///
    /// # Errors
    /// [`EntropyError`]: nothing secret is made then.
    fn bytes(&self) -> Result<[u8; 32], EntropyError>;
}

/// The platform has no randomness to give.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this device gave no randomness: {reason}")]
pub struct EntropyError {
    /// What the platform said.
    pub reason: String,
}
