//! What can go wrong with a chain server.

use bitcoin::BlockHash;

/// Why the chain server could not be used. It is asked again later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The address is not one of a web server.
    #[error("{url:?} is not the address of a chain server")]
    InvalidUrl {
        /// What was configured.
        url: String,
    },
    /// There was no answer.
    #[error("the chain server cannot be reached: {reason}")]
    Unreachable {
        /// What the platform said.
        reason: String,
    },
    /// The answer took too long.
    #[error("the chain server did not answer within {millis} ms")]
    TimedOut {
        /// How long it had.
        millis: u64,
    },
    /// The answer was larger than any honest one.
    #[error("the chain server sent more than {limit} bytes for {path}")]
    TooLarge {
        /// What was asked for.
        path: String,
        /// The most it may be.
        limit: usize,
    },
    /// An answer that says no.
    #[error("the chain server answered {status} for {path}: {message}")]
    Refused {
        /// What was asked for.
        path: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of its text.
        message: String,
    },
    /// Not what was asked for.
    #[error("the chain server answered nonsense for {path}: {detail}")]
    Garbage {
        /// What was asked for.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The chain changed while it was looked at.
    #[error("the chain changed while it was looked at")]
    Changed,
    /// The server's chain is behind the wallet's.
    #[error("the chain server is behind: its newest block {tip} is an old one")]
    Behind {
        /// The server's tip.
        tip: BlockHash,
    },
    /// The wallet did not accept the headers it was given.
    #[error("the blocks of the chain server up to {tip} were refused: it is wrong or on another network")]
    Disbelieved {
        /// The server's tip.
        tip: BlockHash,
    },
    /// The server's chain and the wallet's share no block.
    #[error("the chain server is on another network")]
    OtherNetwork,
    /// A script with more transactions than a wallet can look through.
    #[error("an address has more than {limit} transactions")]
    TooManyTransactions {
        /// The most that are looked at.
        limit: usize,
    },
}

impl ChainError {
    /// Whether a server would have to be broken or lying for this.
    pub const fn is_suspicious(&self) -> bool {
        matches!(self, Self::Garbage { .. } | Self::TooLarge { .. } | Self::Disbelieved { .. })
    }
}
