//! Whether our commitment may be published without the owner's word (contract P10).

use super::error::Violation;
use crate::types::BlockHeight;

/// What this run knows of the age of a channel's state. Never stored: a copy of a store cannot tell that it is an old one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was loaded, and the peer's `channel_reestablish` has not shown that it is the newest.
    Unproven {
        /// What ended the channel meanwhile: it is carried out once the state is proven.
        failed: Option<Violation>,
        /// The height at which the owner heard last what the peer can take back meanwhile.
        warned_at: Option<BlockHeight>,
    },
    /// The channel began in this run, or the peer has shown that it knows nothing newer.
    Current,
}

impl Standing {
    /// As after a start.
    pub(super) const LOADED: Self = Self::Unproven { failed: None, warned_at: None };
}
