//! Everything a channel can be told.

use super::changes::{Onion, Removal};
use super::params::ChannelConfig;
use crate::crypto::ChannelSigner;
use crate::onchain::Bid;
use crate::types::{
    BlockHeight, CltvExpiry, CommitmentNumber, Feature, Features, FeeratePerKw, HtlcId, MilliSatoshi,
    PaymentHash, PaymentId, ShortChannelId,
};
use crate::wire;
use bitcoin::blockdata::constants::ChainHash;
use bitcoin::secp256k1::SecretKey;
use bitcoin::{Amount, Script, ScriptBuf, Transaction};
use std::collections::BTreeMap;

/// What a channel may look at while it takes a step.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    /// The secrets of this channel.
    pub signer: &'a ChannelSigner,
    /// The secret of the node, which opens the onions of the peer's HTLCs.
    pub node_secret: &'a SecretKey,
    /// Our policy.
    pub config: &'a ChannelConfig,
    /// The chain we are on.
    pub chain_hash: ChainHash,
    /// The height of the best block known.
    pub height: BlockHeight,
    /// Our estimates.
    pub feerates: Feerates,
    /// What we offered in `init`.
    pub local_features: &'a Features,
    /// What the peer offered in `init`.
    pub remote_features: &'a Features,
    /// Where our balance goes when the channel closes and nothing else was promised.
    pub shutdown_script: &'a Script,
    /// The stored rows of the peer's revoked commitments, for the penalty.
    pub revoked: &'a BTreeMap<CommitmentNumber, Vec<u8>>,
}

impl Env<'_> {
    /// Whether both sides offer a feature.
    pub fn negotiated(&self, feature: Feature) -> bool {
        self.local_features.negotiated(self.remote_features, feature)
    }
}

/// Estimated fee rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feerates {
    /// For commitment transactions, which anchors can speed up.
    pub commitment: FeeratePerKw,
    /// For a cooperative close, which is not urgent.
    pub closing: FeeratePerKw,
}

/// The channel that its owner wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenRequest {
    /// What it shall hold.
    pub funding: Amount,
    /// What the peer is given at once.
    pub push: MilliSatoshi,
}

/// An HTLC to offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddHtlc {
    /// Whose payment it is.
    pub origin: PaymentId,
    /// What the peer gets.
    pub amount: MilliSatoshi,
    /// What the preimage must hash to.
    pub payment_hash: PaymentHash,
    /// When it times out.
    pub cltv_expiry: CltvExpiry,
    /// For the peer to peel.
    pub onion: Onion,
}

/// One thing that happened, or that somebody wants.
#[derive(Clone, Debug)]
pub enum Command {
    /// The peer is connected and `init` is exchanged.
    Connected,
    /// The connection is gone.
    Disconnected,
    /// The peer sent a message about this channel.
    Message(wire::Message),
    /// The funding transaction, with all its witnesses and not published, and the index of the channel's output.
    FundingTxSigned {
        /// The transaction.
        tx: Transaction,
        /// The index of its output that is the channel.
        output_index: u16,
    },
    /// The funding transaction is in the chain, proven, with at least the depth that [`super::Watch`] asked for.
    FundingConfirmed {
        /// The transaction as it was found.
        tx: Transaction,
        /// Where it stands.
        short_channel_id: ShortChannelId,
    },
    /// The funding transaction is no longer in the best chain.
    FundingReorged,
    /// There is a new best block. What is in it is not known yet.
    NewBlock(BlockHeight),
    /// All of [`Channel::watches`](super::Channel::watches) was asked about as of the best block, and what was found was told
    /// before: what was not told did not happen.
    Looked {
        /// The height of the best block.
        height: BlockHeight,
        /// Whether the funding transaction was found, in whatever block or on its way to one.
        sees_funding: bool,
    },
    /// A transaction was seen that spends the funding output, or what came of it.
    Spent {
        /// It.
        tx: Transaction,
        /// The height of its block, proven; unset while it is on its way there.
        height: Option<BlockHeight>,
    },
    /// The blocks above this height are no longer in the best chain.
    BlocksUndone {
        /// The height of the last block that stays.
        above: BlockHeight,
    },
    /// A transaction was made to claim something, and is about to be published.
    Bid(Bid),
    /// Offer an HTLC.
    AddHtlc(AddHtlc),
    /// Remove an HTLC that the peer offered.
    RemoveHtlc {
        /// The peer's number of it.
        id: HtlcId,
        /// Preimage or failure.
        removal: Removal,
    },
    /// Set the fee rate of the commitments.
    UpdateFee(FeeratePerKw),
    /// Sign the peer's commitment with all updates so far.
    Sign,
    /// What the onion of an incoming HTLC said was acted upon: it need not be kept.
    OnionRead(HtlcId),
    /// Close together with the peer.
    Shutdown {
        /// Where our balance shall go; unset: to the wallet.
        script: Option<ScriptBuf>,
    },
    /// Close alone, now.
    ForceClose,
}
