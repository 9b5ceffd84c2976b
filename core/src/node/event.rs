//! What the app is told. Events are records: they come again until the app has handled them.

use crate::payment::FailureReason;
use crate::types::{ChannelId, MilliSatoshi, PaymentHash, PaymentId, PaymentPreimage, UnixTime};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, Txid};

/// One event with its place in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    /// Counts from 1, without gaps, for the life of the wallet.
    pub seq: u64,
    /// When it happened.
    pub time: UnixTime,
    /// What happened.
    pub event: Event,
}

/// Something the owner of a wallet wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An outgoing payment arrived.
    PaymentSent {
        /// Which one.
        id: PaymentId,
        /// Its hash.
        payment_hash: PaymentHash,
        /// The proof.
        preimage: PaymentPreimage,
        /// What was paid on top.
        fee: MilliSatoshi,
    },
    /// An outgoing payment failed; nothing of it is in flight.
    PaymentFailed {
        /// Which one.
        id: PaymentId,
        /// Its hash.
        payment_hash: PaymentHash,
        /// Why.
        reason: FailureReason,
    },
    /// An incoming payment is ours.
    PaymentReceived {
        /// Which one.
        id: PaymentId,
        /// Its hash.
        payment_hash: PaymentHash,
        /// How much.
        amount: MilliSatoshi,
    },
    /// A channel waits for its funding transaction.
    ChannelPending {
        /// Its id.
        channel_id: ChannelId,
        /// With whom.
        node_id: PublicKey,
        /// The transaction.
        funding_txid: Txid,
    },
    /// A channel can be used.
    ChannelReady {
        /// Its id.
        channel_id: ChannelId,
        /// With whom.
        node_id: PublicKey,
    },
    /// A channel will be, or was, closed.
    ChannelClosed {
        /// Its id.
        channel_id: ChannelId,
        /// With whom.
        node_id: PublicKey,
        /// Why, in words.
        reason: String,
        /// The transaction that closes it, once there is one.
        txid: Option<Txid>,
        /// What comes back to the owner.
        amount: Amount,
    },
    /// A channel could not be opened.
    ChannelOpenFailed {
        /// With whom.
        node_id: PublicKey,
        /// Why, in words.
        reason: String,
    },
    /// Coins arrived on-chain, or left.
    Onchain {
        /// The transaction.
        txid: Txid,
        /// More or less than before, in satoshi.
        net_sat: i64,
        /// Whether it is in a block.
        confirmed: bool,
    },
    /// Something needs the owner.
    ActionRequired {
        /// What, in words.
        what: String,
    },
}
