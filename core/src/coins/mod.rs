//! The on-chain wallet: addresses, coins, and the transactions that spend them.
//!
//! Built on `bdk_wallet`; what it changes is stored row by row in the same batches as the channels.

mod balance;
mod cost;
mod error;
mod history;
mod paying;
mod plausible;
mod rows;
mod spend;
mod wallet;

#[cfg(test)]
mod tests;

pub use balance::{OnchainBalance, OnchainTransaction};
pub use error::CoinsError;
pub use paying::Change;
pub(crate) use rows::{RowChange, rows_prefix};
pub use spend::{Fee, Spending};
pub use wallet::Coins;
