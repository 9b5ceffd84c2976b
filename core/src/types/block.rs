//! Block heights and the time locks that count them.

use std::fmt;

/// The number of a block; the genesis block has 0.
pub type BlockHeight = u32;

/// The absolute block height at which an HTLC times out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CltvExpiry(u32);

/// A number of blocks to add to a height.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CltvExpiryDelta(pub u16);

impl CltvExpiry {
    /// From here on Bitcoin reads a lock time as seconds; no HTLC may use it (BOLT 2, update_add_htlc).
    pub const LIMIT: u32 = 500_000_000;

    /// A height below [`CltvExpiry::LIMIT`], else unset.
    pub const fn new(height: u32) -> Option<Self> {
        if height < Self::LIMIT { Some(Self(height)) } else { None }
    }

    /// The height as a number.
    pub const fn height(self) -> BlockHeight {
        self.0
    }

    /// How many blocks remain from `height` on (0 when past).
    pub const fn blocks_from(self, height: BlockHeight) -> u32 {
        self.0.saturating_sub(height)
    }
}

impl CltvExpiryDelta {
    /// The expiry this many blocks after `height`, unless it leaves the range.
    pub fn after(self, height: BlockHeight) -> Option<CltvExpiry> {
        CltvExpiry::new(height.checked_add(u32::from(self.0))?)
    }
}

impl fmt::Debug for CltvExpiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cltv {}", self.0)
    }
}

impl fmt::Debug for CltvExpiryDelta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{} blocks", self.0)
    }
}
