//! The facts a chain source can report.

use super::{ConfirmationProof, FeeRates};
use crate::types::{BlockHeight, UnixTime};
use bitcoin::block::Header;
use bitcoin::{BlockHash, ScriptBuf, Transaction};

/// Something a chain source says. All of it is checked before it is used.
#[derive(Clone, Debug)]
pub enum ChainFact {
    /// Headers in order, the first of which builds on a header known here. May replace a part of the chain.
    Headers(Vec<Header>),
    /// Everything a chain source knows about one watched script.
    History(History),
    /// Every watched script was asked about at this tip, and the answers were given. What could not be read of a script of
    /// the wallet is missing; the watched outputs of channels are known.
    Synced {
        /// The tip.
        tip: BlockHash,
        /// When.
        at: UnixTime,
    },
    /// What transactions pay these days.
    FeeRates(FeeRates),
}

/// All transactions that pay to or spend from one script. Of a script of a channel at least those that make or spend what
/// is watched there ([`crate::node::Node::watched_outputs`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The script.
    pub script_pubkey: ScriptBuf,
    /// In any order. A transaction that was reported before and is missing now has left the mempool.
    pub transactions: Vec<Seen>,
}

/// A transaction with what shows that it is in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The transaction.
    pub tx: Transaction,
    /// Unset while it is not in a block.
    pub proof: Option<ConfirmationProof>,
}

/// Where a transaction stands, once its proof was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The height of its block.
    pub height: BlockHeight,
    /// The block.
    pub block_hash: BlockHash,
    /// The time in the header of the block.
    pub block_time: UnixTime,
    /// Its place in the block.
    pub tx_index: u32,
}
