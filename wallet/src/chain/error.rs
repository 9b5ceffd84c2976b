//! What can go wrong with a chain server.

use bitcoin::{BlockHash, ScriptBuf};
use kite_core::chain::ProofError;

/// Why the chain server could not be used. It is asked again later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The address is not one of a web server.
    #[error("{url:?} is not the address of a chain server: it must begin with http:// or https://")]
    InvalidUrl {
        /// What was configured.
        url: String,
    },
    /// There was no answer.
    #[error(
        "the chain server cannot be reached ({reason}): check the network; the wallet tries again by itself"
    )]
    Unreachable {
        /// What the platform said.
        reason: String,
    },
    /// The answer took too long.
    #[error(
        "the chain server did not answer within {millis} ms: it is tried again; choose another one if this lasts"
    )]
    TimedOut {
        /// How long it had.
        millis: u64,
    },
    /// The answer was larger than any honest one.
    #[error(
        "the chain server sent more than {limit} bytes for {path}: it is broken or lies; choose another one if this lasts"
    )]
    TooLarge {
        /// What was asked for.
        path: String,
        /// The most it may be.
        limit: usize,
    },
    /// An answer that says no.
    #[error(
        "the chain server answered {status} for {path} ({message}): it is tried again; choose another one if this lasts"
    )]
    Refused {
        /// What was asked for.
        path: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of its text.
        message: String,
    },
    /// Not what was asked for.
    #[error(
        "the chain server answered nonsense for {path} ({detail}): it is broken or lies; choose another one if this lasts"
    )]
    Garbage {
        /// What was asked for.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The chain changed while it was looked at.
    #[error("the chain changed while it was looked at: it is looked at again")]
    Changed,
    /// The server's chain is behind the wallet's.
    #[error(
        "the chain server is behind (its newest block {tip} is an old one): choose another one if this lasts"
    )]
    Behind {
        /// The server's tip.
        tip: BlockHash,
    },
    /// The wallet did not accept the headers it was given.
    #[error(
        "the blocks of the chain server up to {tip} were refused: it is broken, lies or is on another network, or the clock of this device is wrong"
    )]
    Disbelieved {
        /// The server's tip.
        tip: BlockHash,
    },
    /// The server says that a transaction is in a block, and cannot prove it.
    #[error(
        "the chain server gave a wrong proof ({error}): it is broken or lies; choose another one if this lasts"
    )]
    Unproven {
        /// What is wrong with it.
        error: ProofError,
    },
    /// The server's chain and the wallet's share no block.
    #[error("the chain server is on another network: choose one of the wallet's own network")]
    OtherNetwork,
    /// A script with more transactions than a wallet can look through.
    #[error("an address has more than {limit} transactions")]
    TooManyTransactions {
        /// The most that are looked at.
        limit: usize,
    },
    /// All but this script could be read.
    #[error("what was paid to or from the script {script:x} cannot be read: {reason}")]
    Unread {
        /// The script.
        script: ScriptBuf,
        /// What went wrong.
        reason: Box<ChainError>,
    },
}

impl ChainError {
    /// Whether a server would have to be broken or lying for this.
    pub const fn is_suspicious(&self) -> bool {
        matches!(
            self,
            Self::Garbage { .. } | Self::TooLarge { .. } | Self::Disbelieved { .. } | Self::Unproven { .. }
        )
    }
}
