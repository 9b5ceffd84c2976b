//! `crypto.getRandomValues`.

use super::super::{Entropy, EntropyError};

/// `crypto.getRandomValues`, and nothing in its place where it is missing.
#[derive(Debug, Clone, Copy)]
pub struct BrowserEntropy;

impl Entropy for BrowserEntropy {
    fn bytes(&self) -> Result<[u8; 32], EntropyError> {
        let mut bytes = [0; 32];
        // Its error is a bare number here, and stands for one thing only.
        getrandom::fill(&mut bytes)
            .map_err(|_| EntropyError { reason: "the browser's crypto.getRandomValues fails".to_owned() })?;
        Ok(bytes)
    }
}
