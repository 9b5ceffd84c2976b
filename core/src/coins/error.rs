//! What can go wrong with coins.

use bitcoin::Amount;

/// Why the on-chain wallet cannot do something. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoinsError {
    /// Not enough confirmed coins above what is kept for closing channels.
    #[error(
        "{needed} are needed and {available} can be spent ({kept} are kept for closing channels): add on-chain funds"
    )]
    Insufficient {
        /// What it takes, fees included as far as known.
        needed: Amount,
        /// What can be spent.
        available: Amount,
        /// What is kept back.
        kept: Amount,
    },
    /// Too little to be relayed.
    #[error("{amount} is below what the network relays ({minimum})")]
    Dust {
        /// What was asked for.
        amount: Amount,
        /// The least.
        minimum: Amount,
    },
    /// The coins are not those any more that were reckoned with when the owner agreed to a fee.
    #[error(
        "the fee that was agreed to, {limit}, is not enough any more ({cheapest}): ask again what it costs"
    )]
    FeeTooHigh {
        /// The least that would do.
        cheapest: Amount,
        /// What was agreed to.
        limit: Amount,
    },
    /// The transaction could not be made for another reason.
    #[error("the transaction could not be made: {detail}")]
    Build {
        /// Why.
        detail: String,
    },
    /// The stored coins do not read back.
    #[error("the stored on-chain wallet is damaged: {detail}")]
    Damaged {
        /// Where.
        detail: String,
    },
}
