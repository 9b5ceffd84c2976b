//! The blocks that are believed without proof, one a network: compiled in, and older than any channel of ours.

use crate::types::BlockHeight;
use bitcoin::Network;
use bitcoin::block::Header;
use bitcoin::blockdata::constants::genesis_block;

/// A block from which on headers are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its height.
    pub height: BlockHeight,
    /// Its header.
    pub header: Header,
}

impl Checkpoint {
    /// The first block of the network. Networks with a long past get a later one before they are opened.
    pub fn genesis(network: Network) -> Self {
        Self { height: 0, header: genesis_block(network).header }
    }
}
