use std::fmt;
use thiserror::Error;

/// A message of the handshake (BOLT 8, Handshake Exchange).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// The initiator's ephemeral key.
    One,
    /// The responder's ephemeral key.
    Two,
    /// The initiator's static key.
    Three,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One => "act one",
            Self::Two => "act two",
            Self::Three => "act three",
        })
    }
}

/// Why bytes or a message were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TransportError {
    /// A handshake version other than 0. Ends the session.
    #[error("{act} has version {version}, expected 0")]
    BadVersion {
        /// The act.
        act: Act,
        /// Its first byte.
        version: u8,
    },
    /// A key that is no point of the curve. Ends the session.
    #[error("{act} holds no valid public key")]
    BadPublicKey {
        /// The act.
        act: Act,
    },
    /// The tag at the end of an act does not match: altered, or meant for another key. Ends the session.
    #[error("{act} is not authentic")]
    BadTag {
        /// The act.
        act: Act,
    },
    /// The encrypted static key of act three does not match its tag. Ends the session.
    #[error("the static key in act three is not authentic")]
    BadStaticKey,
    /// The encrypted length of a message does not match its tag. Ends the session.
    #[error("the length of a message is not authentic")]
    BadLengthTag,
    /// A message does not match its tag. Ends the session.
    #[error("a message of {length} bytes is not authentic")]
    BadMessageTag {
        /// Its length.
        length: u16,
    },
    /// A message to be sent is too long. The session goes on.
    #[error("a message of {length} bytes cannot be sent, at most 65535 can")]
    MessageTooLong {
        /// Its length.
        length: usize,
    },
    /// More bytes than fit; none were taken. The session goes on: take out the messages, then offer them again.
    #[error("{offered} bytes offered while {unread} are unread, the limit is {limit}")]
    BufferFull {
        /// The bytes of this call.
        offered: usize,
        /// The bytes that wait.
        unread: usize,
        /// The most that may wait.
        limit: usize,
    },
    /// The handshake is not complete. The session goes on.
    #[error("the handshake is not complete")]
    NotEstablished,
    /// The handshake is complete and has handed over to a [`super::Transport`]. Bytes go there.
    #[error("the handshake is already complete")]
    AlreadyEstablished,
}

impl TransportError {
    /// Whether the session is over. Otherwise the call had no effect.
    pub const fn is_fatal(&self) -> bool {
        !matches!(
            self,
            Self::MessageTooLong { .. }
                | Self::BufferFull { .. }
                | Self::NotEstablished
                | Self::AlreadyEstablished
        )
    }
}
