//! What the chain says, and why it is believed.
//!
//! Chain facts come from a server that may lie. Headers must carry the work they claim and build on a pinned
//! checkpoint; a transaction counts as confirmed only with a proof that leads to one of those headers. A lying server
//! can hide facts, never invent them.

mod checkpoint;
mod fact;
mod feerates;
pub(crate) mod headers;
pub(crate) mod proof;
mod work;

pub use checkpoint::Checkpoint;
pub use fact::{ChainFact, Confirmation, History, Seen};
pub use feerates::{FeeRates, Urgency};
pub use headers::{BlockId, HeaderChain, HeaderError, Reorganised};
pub use proof::{ConfirmationProof, ProofError};
