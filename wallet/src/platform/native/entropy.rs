//! The operating system's randomness.

use super::super::{Entropy, EntropyError};

/// The operating system's randomness.
#[derive(Debug, Clone, Copy)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn bytes(&self) -> Result<[u8; 32], EntropyError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| EntropyError { reason: error.to_string() })?;
        Ok(bytes)
    }
}
