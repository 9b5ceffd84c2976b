//! Why a connection is closed.

use crate::types::{ChannelId, FeaturesError};
use crate::wire::{Message, Warning};

/// Why a connection is closed. None of these fails a channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// The remote did not complete the handshake in time.
    #[error("the handshake took too long")]
    HandshakeTimeout,
    /// The remote did not send `init` in time.
    #[error("no init in time")]
    InitTimeout,
    /// The remote did not answer a `ping` in time.
    #[error("no pong in time")]
    PongTimeout,
    /// Something else stood where `init` must stand.
    #[error("message of type {message_type} before init")]
    MessageBeforeInit {
        /// The type of that message.
        message_type: u16,
    },
    /// The remote complained before its `init`.
    #[error("refused by the remote: {text}")]
    Refused {
        /// The complaint, in the remote's words: bounded and safe to show.
        text: String,
    },
    /// The remote needs what we do not have, or contradicts itself.
    #[error("features of the remote: {0}")]
    Features(#[from] FeaturesError),
    /// The remote is interested in other chains only.
    #[error("no common chain")]
    NoCommonChain,
}

impl PeerError {
    /// What to tell the remote before closing; unset where it would not be heard, or not be allowed (BOLT 1: nothing but
    /// `init` before the remote's `init`).
    pub fn farewell(&self) -> Option<Message> {
        match self {
            Self::Features(_) | Self::NoCommonChain => {
                Some(Warning::new(ChannelId::ALL, &self.to_string()).into())
            }
            Self::HandshakeTimeout
            | Self::InitTimeout
            | Self::PongTimeout
            | Self::MessageBeforeInit { .. }
            | Self::Refused { .. } => None,
        }
    }
}
