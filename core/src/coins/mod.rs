//! The on-chain wallet.
