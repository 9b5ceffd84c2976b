//! What can go wrong in a channel, and what is to be done about it.

use super::changes::{HtlcKey, ReduceError};
use super::params::Party;
use crate::crypto::{DeriveError, ShaChainError, SignatureError, SignerError};
use crate::tx::{ClosingError, CommitmentError};
use crate::types::{BlockHeight, CltvExpiry, Features, FeeratePerKw, HtlcId, MilliSatoshi};
use bitcoin::Amount;

/// A step that was not made: the channel is as it was. The variant says what the node does now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// One of our own commands cannot be carried out now. Tell whoever gave it; the channel is well.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// Send a `warning` and go on.
    #[error("warning: {0}")]
    Warn(Violation),
    /// Send a `warning` and close the connection; the channel continues at the next one.
    #[error("disconnect: {0}")]
    Disconnect(Violation),
    /// Fail the channel: [`super::Channel::fail`].
    #[error("channel failed: {0}")]
    FailChannel(Violation),
    /// A fault of this wallet: [`super::Channel::freeze`]. Nothing is sent or published for this channel any more.
    #[error("fault in this wallet: {0}")]
    Bug(Fault),
}

/// Why one of our own commands is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Refusal {
    #[error("the channel cannot do this in state {state}")]
    WrongState { state: &'static str },
    #[error("the peer is not connected")]
    Offline,
    #[error("there is nothing to sign")]
    NothingToSign,
    #[error("the peer has not yet acknowledged the last commitment")]
    WaitingForRevocation,
    #[error("an HTLC of {amount} is below the peer's minimum of {minimum}")]
    HtlcTooSmall { amount: MilliSatoshi, minimum: MilliSatoshi },
    #[error("expiry {expiry:?} is not in ({least}, {most}]")]
    ExpiryOutOfRange { expiry: CltvExpiry, least: u32, most: u32 },
    #[error("the peer takes {limit} HTLCs at a time")]
    TooManyHtlcs { limit: u16 },
    #[error("{total} in flight would be more than the peer's limit of {limit}")]
    TooMuchInFlight { total: MilliSatoshi, limit: MilliSatoshi },
    #[error("{missing} are missing beside reserve and fees")]
    InsufficientFunds { missing: MilliSatoshi },
    #[error("the peer, who pays the fees, cannot afford one more HTLC: {missing} missing")]
    RemoteCannotAfford { missing: MilliSatoshi },
    #[error("{exposure} in trimmed HTLCs would be more than {limit}")]
    DustExposure { exposure: MilliSatoshi, limit: MilliSatoshi },
    #[error("the peer has not offered an HTLC {}", .id.0)]
    UnknownHtlc { id: HtlcId },
    #[error("HTLC {} is not yet irrevocably committed", .id.0)]
    NotIrrevocable { id: HtlcId },
    #[error("HTLC {} is already being removed", .id.0)]
    AlreadyRemoved { id: HtlcId },
    #[error("the preimage does not open HTLC {}", .id.0)]
    WrongPreimage { id: HtlcId },
    #[error("failure code {failure_code:#x} lacks the BADONION bit")]
    NotBadOnion { failure_code: u16 },
    #[error("only the opener sets the fee rate")]
    NotTheOpener,
    #[error("a fee rate of {feerate} is not between {least} and {most}")]
    Feerate { feerate: FeeratePerKw, least: FeeratePerKw, most: FeeratePerKw },
    #[error("the channel is shutting down")]
    ShuttingDown,
    #[error("the shutdown script cannot be used")]
    ShutdownScript,
    #[error("the funding transaction is no longer confirmed")]
    FundingUnconfirmed,
    #[error("a channel of {funding} is not between {least} and {limit}")]
    FundingAmount { funding: Amount, least: Amount, limit: Amount },
    #[error("{push} is more than the channel can give away")]
    Push { push: MilliSatoshi },
    #[error("the funding transaction lacks the channel's output at index {index}, or a witness")]
    FundingTransaction { index: u16 },
    #[error("the update does not fit: {0}")]
    Reduce(ReduceError),
    #[error("the commitment would not be valid: {0}")]
    Commitment(CommitmentError),
}

/// What a peer did against the rules, or what the chain holds against the channel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Violation {
    #[error("message type {message_type} is out of place in state {state}")]
    Unexpected { message_type: u16, state: &'static str },
    #[error("message type {message_type} before channel_reestablish")]
    BeforeReestablish { message_type: u16 },
    #[error("the chain is not ours")]
    WrongChain,
    #[error("option_dual_fund is negotiated, open_channel is not to be used")]
    DualFund,
    #[error("channel_type {offered:?} is not option_anchors with option_static_remotekey")]
    ChannelType { offered: Option<Features> },
    #[error("funding of {funding} is not between {least} and {limit}")]
    FundingAmount { funding: Amount, least: Amount, limit: Amount },
    #[error("push of {push} is more than the funding of {funding}")]
    Push { push: MilliSatoshi, funding: Amount },
    #[error("to_self_delay {to_self_delay} is more than {limit}")]
    ToSelfDelay { to_self_delay: u16, limit: u16 },
    #[error("max_accepted_htlcs {max_accepted_htlcs} is not between 1 and 483")]
    MaxAcceptedHtlcs { max_accepted_htlcs: u16 },
    #[error("dust_limit {dust_limit} is not between {least} and {limit}")]
    DustLimit { dust_limit: Amount, least: Amount, limit: Amount },
    #[error("dust_limit {dust_limit} is more than the channel_reserve {reserve}")]
    DustAboveReserve { dust_limit: Amount, reserve: Amount },
    #[error("channel_reserve {reserve} is more than {limit}")]
    ReserveTooLarge { reserve: Amount, limit: Amount },
    #[error("htlc_minimum {minimum} is more than {limit}")]
    HtlcMinimum { minimum: MilliSatoshi, limit: MilliSatoshi },
    #[error("max_htlc_value_in_flight {limit} is of no use")]
    InFlightLimit { limit: MilliSatoshi },
    #[error("feerate {feerate} is not between {least} and {most}")]
    Feerate { feerate: FeeratePerKw, least: FeeratePerKw, most: FeeratePerKw },
    #[error("minimum_depth {minimum_depth} is not between 1 and {limit}")]
    MinimumDepth { minimum_depth: u32, limit: u32 },
    #[error("both balances are at most the channel_reserve")]
    BothBelowReserve,
    #[error("the shutdown script has no allowed form")]
    ShutdownScript,
    #[error("the shutdown script is not the one promised")]
    ShutdownScriptChanged,
    #[error("shutdown with updates pending")]
    ShutdownWithPendingUpdates,
    #[error("an update after shutdown")]
    UpdateAfterShutdown,
    #[error("channel_id is not that of the funding output")]
    ChannelIdMismatch,
    #[error("the funding transaction's output is not what was agreed")]
    FundingOutput,
    #[error("the funding transaction did not confirm in time")]
    FundingTimeout,
    #[error("commitment signature: {0}")]
    CommitmentSignature(SignatureError),
    #[error("signature of HTLC {index}: {error}")]
    HtlcSignature { index: usize, error: SignatureError },
    #[error("{found} HTLC signatures for {expected} HTLC outputs")]
    HtlcSignatureCount { found: usize, expected: usize },
    #[error("commitment_signed before the next per-commitment point is known, or revoke_and_ack out of turn")]
    RevocationOutOfTurn,
    #[error("the per-commitment secret does not give the previous per-commitment point")]
    WrongSecret,
    #[error("the per-commitment secret is not of the chain: {0}")]
    SecretChain(ShaChainError),
    #[error("HTLC number {} instead of {}", .found.0, .expected.0)]
    HtlcId { found: HtlcId, expected: HtlcId },
    #[error("HTLC of {amount}, the minimum is {minimum}")]
    HtlcTooSmall { amount: MilliSatoshi, minimum: MilliSatoshi },
    #[error("cltv_expiry {cltv_expiry} is not a height")]
    ExpiryTooLarge { cltv_expiry: u32 },
    #[error("more than {limit} HTLCs")]
    TooManyHtlcs { limit: u16 },
    #[error("{total} in flight, the limit is {limit}")]
    TooMuchInFlight { total: MilliSatoshi, limit: MilliSatoshi },
    #[error("the {who:?} side cannot afford the update: {missing} missing")]
    CannotAfford { who: Party, missing: MilliSatoshi },
    #[error("{0:?} is not committed")]
    UnknownHtlc(HtlcKey),
    #[error("{0:?} is removed a second time")]
    RemovedTwice(HtlcKey),
    #[error("the preimage does not open {0:?}")]
    WrongPreimage(HtlcKey),
    #[error("failure code {failure_code:#x} lacks the BADONION bit")]
    NotBadOnion { failure_code: u16 },
    #[error("update_fee from the side that does not pay it")]
    FeeFromAccepter,
    #[error("update does not fit: {0}")]
    Reduce(ReduceError),
    #[error("commitment not valid: {0}")]
    Commitment(CommitmentError),
    #[error("next_commitment_number {found} instead of {expected}")]
    CommitmentNumber { found: u64, expected: u64 },
    #[error("next_revocation_number {found} instead of {expected}")]
    RevocationNumber { found: u64, expected: u64 },
    #[error("your_last_per_commitment_secret is wrong")]
    LastSecret,
    #[error("closing signature for a fee of {fee} fits no closing transaction")]
    ClosingSignature { fee: Amount },
    #[error("closing fee {fee} is out of bounds {least} to {most}")]
    ClosingFee { fee: Amount, least: Amount, most: Amount },
    #[error("{blocks} blocks came, and the peer has not done its part of the close")]
    CloseUnanswered { blocks: u32 },
    #[error("closing transaction not valid: {0}")]
    Closing(ClosingError),
    #[error("{key:?} waited for revoke_and_ack until height {height}, too near to its expiry")]
    TooOldToSign { key: HtlcKey, height: u32 },
    #[error("{key:?} has timed out at height {height}")]
    HtlcTimedOut { key: HtlcKey, height: u32 },
    #[error("{key:?} is fulfilled and not resolved at height {height}")]
    FulfilmentOverdue { key: HtlcKey, height: u32 },
    #[error("the peer failed the channel: {text}")]
    RemoteError { text: String },
    #[error("force-closed by the user")]
    ForceClosed,
}

impl Violation {
    /// Whether BOLT 2 leaves the choice between closing the connection and failing the channel. Closing the connection
    /// makes both sides forget what was not signed, and costs neither a channel.
    pub(super) const fn leaves_choice(&self) -> bool {
        matches!(
            self,
            Self::HtlcId { .. }
                | Self::HtlcTooSmall { .. }
                | Self::ExpiryTooLarge { .. }
                | Self::TooManyHtlcs { .. }
                | Self::TooMuchInFlight { .. }
                | Self::CannotAfford { .. }
                | Self::UnknownHtlc(_)
                | Self::RemovedTwice(_)
                | Self::WrongPreimage(_)
                | Self::NotBadOnion { .. }
                | Self::FeeFromAccepter
                | Self::UpdateAfterShutdown
                | Self::CommitmentSignature(_)
                | Self::HtlcSignature { .. }
                | Self::HtlcSignatureCount { .. }
                | Self::ClosingSignature { .. }
        )
    }

    /// The height that is reached from which on only the chain can settle an HTLC; unset where it is something else.
    pub(super) const fn deadline(&self) -> Option<BlockHeight> {
        match self {
            Self::HtlcTimedOut { height, .. } | Self::FulfilmentOverdue { height, .. } => Some(*height),
            _ => None,
        }
    }

    /// Whether the peer's `channel_reestablish` does not fit to what we know.
    pub(super) const fn is_of_reestablish(&self) -> bool {
        matches!(self, Self::CommitmentNumber { .. } | Self::RevocationNumber { .. } | Self::LastSecret)
    }
}

/// What must not happen whatever the peer does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Fault {
    #[error("the signer refused: {0}")]
    Signer(#[from] SignerError),
    #[error("no key can be derived: {0}")]
    Derive(#[from] DeriveError),
    #[error("our own update does not fit: {0}")]
    Reduce(#[from] ReduceError),
    #[error("our own commitment cannot be built: {0}")]
    Commitment(#[from] CommitmentError),
    #[error("our own closing transaction cannot be built: {0}")]
    Closing(#[from] ClosingError),
    #[error("{0}")]
    Broken(&'static str),
}

impl From<Fault> for ChannelError {
    fn from(fault: Fault) -> Self {
        Self::Bug(fault)
    }
}

macro_rules! faults {
    ($($error:ty),*) => {
        $(impl From<$error> for ChannelError {
            fn from(error: $error) -> Self {
                Self::Bug(error.into())
            }
        })*
    };
}

faults!(SignerError, DeriveError);
