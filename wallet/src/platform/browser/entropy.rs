//! `crypto.getRandomValues`.

use super::super::{Entropy, EntropyError};

/// `crypto.getRandomValues`, and nothing in its place where it is missing.
#[derive(Debug, Clone, Copy)]
pub struct BrowserEntropy;

impl Entropy for BrowserEntropy {
    fn bytes(&self) -> Result<[u8; 32], EntropyError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| EntropyError { reason: error.to_string() })?;
        Ok(bytes)
    }
}
