//! How long a close together waits for the peer (BOLT 2, Legacy Closing Negotiation).

use super::Link;
use crate::channel::Channel;
use crate::channel::error::{ChannelError, Violation};

/// A day of blocks: what BOLT 2 calls a reasonable amount of time (ADR 0035).
const ANSWER_BLOCKS: u32 = 144;

impl Channel {
    /// Counts a block that came while nothing but the peer's word was missing to close together. A peer that is away cannot
    /// answer: that block does not count.
    ///
    /// # Errors
    /// The channel is to fail: it was one block too many.
    pub(super) const fn count_unanswered(&self, blocks: u32) -> Result<u32, ChannelError> {
        if !matches!(self.link, Link::Online) {
            return Ok(blocks);
        }
        let blocks = blocks.saturating_add(1);
        if blocks < ANSWER_BLOCKS {
            return Ok(blocks);
        }
        Err(ChannelError::FailChannel(Violation::CloseUnanswered { blocks }))
    }
}
