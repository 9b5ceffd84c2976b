//! What happens to a channel on the chain (BOLT 5): pure functions of what a commitment pays, which spends are known, and
//! the height.
//!
//! A published commitment is understood once, as a [`Close`]: `local`, `remote` and `revoked` tell what each of its outputs
//! is. From then on everything follows from the confirmed [`Spends`] and the height, and follows anew when a block is
//! undone: `claims` are the outputs that are, or will be, ours to take; `outcome` is what became of the HTLCs; `groups`
//! puts claims into transactions, `fees` says what each may cost, and `draft` makes it.

pub mod anchor;
pub mod bids;
pub mod claims;
pub mod coins;
pub mod draft;
pub mod fees;
pub mod groups;
pub mod local;
pub mod outcome;
pub mod outputs;
pub mod preimages;
pub mod remote;
pub mod revoked;
pub mod second_stage;
pub mod spends;

#[cfg(test)]
mod tests;

pub use bids::{Bid, Bids};
pub use claims::{Broadcaster, Claim, Way, claims};
pub use draft::{Coin, Draft};
pub use fees::{Auction, Stake};
pub use outputs::{Close, HtlcOutput, Output, OutputKind};
pub use spends::Spends;

use crate::types::BlockHeight;

/// An output that is spent under so many blocks stays spent (BOLT 5, General Nomenclature).
pub const IRREVOCABLE_DEPTH: u32 = 100;

/// What the chain decided under so many blocks is told to payments: the "reasonable depth" of BOLT 5.
pub const REASONABLE_DEPTH: u32 = 6;

/// So many blocks before somebody else can take an output, it is claimed alone and at any price (BOLT 5,
/// `security_delay`).
pub const SECURITY_DELAY: u32 = 18;

/// How many blocks confirm what is in the block at `height`, when the best block is at `tip`.
pub const fn depth(height: BlockHeight, tip: BlockHeight) -> u32 {
    tip.saturating_add(1).saturating_sub(height)
}
