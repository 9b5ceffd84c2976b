//! Pure builders of every transaction (BOLT 3).
//!
//! Every commitment transaction belongs to one party, the *broadcaster*, and is signed by the other one, the
//! *countersignatory*. `to_local` is the broadcaster's money, `to_remote` the countersignatory's. Nothing here knows
//! which of the two we are.

pub mod closing;
pub mod commitment;
mod error;
pub mod fees;
mod fixed;
mod format;
pub mod funding;
pub mod htlc;
pub mod keys;
pub mod obscured;
mod order;
pub mod scripts;
pub mod sighash;
pub mod spec;
pub mod trim;
pub mod weight;
pub mod witness;

pub use closing::{Closing, ClosingParams, build_closing};
pub use commitment::{Commitment, CommitmentHtlc, CommitmentOutput, CommitmentParams, build_commitment};
pub use error::{ClosingError, CommitmentError, SighashError};
pub use fees::commit_tx_fee;
pub use fixed::FixedOutputs;
pub use format::CommitmentFormat;
pub use htlc::HtlcTx;
pub use keys::{CommitmentKeys, HtlcKeys};
pub use spec::{CommitmentSpec, Direction, Htlc};
pub use trim::{dust_exposure, untrimmed_count};

#[cfg(test)]
mod tests;
