//! What an app can ask of the node.

use crate::coins::{CoinsError, Fee};
use crate::invoice::{Invoice, InvoiceBuildError, InvoiceError};
use crate::types::{ChannelId, FeeratePerKw, MilliSatoshi, PaymentId};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, ScriptBuf};

/// A number that the app gives a command, to find its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u64);

/// Something the app wants.
#[derive(Clone, Debug)]
pub enum Command {
    /// Keep a connection to this node, now and after every start.
    ConnectPeer {
        /// Who.
        node_id: PublicKey,
        /// `host:port`.
        address: String,
    },
    /// Forget the address of a peer and close the connection. Refused while there is a channel with it.
    ForgetPeer {
        /// Who.
        node_id: PublicKey,
    },
    /// Open a channel with a connected peer, paid from the on-chain coins.
    OpenChannel {
        /// With whom.
        node_id: PublicKey,
        /// Capacity.
        amount: Amount,
        /// For the funding transaction.
        feerate: FeeratePerKw,
    },
    /// Close a channel together with the peer.
    CloseChannel {
        /// Which one.
        channel_id: ChannelId,
    },
    /// Close a channel alone and at once, by our latest commitment. What is in it comes back after a delay, and what it
    /// costs is paid from it and from the on-chain coins.
    ForceClose {
        /// Which one.
        channel_id: ChannelId,
    },
    /// Pay an invoice.
    Send(Box<SendRequest>),
    /// Make an invoice.
    MakeInvoice {
        /// Unset: the payer chooses.
        amount: Option<MilliSatoshi>,
        /// Shown to the payer.
        description: String,
        /// How long it can be paid.
        expiry_secs: u32,
    },
    /// A fresh on-chain address.
    NewAddress,
    /// Pay on-chain.
    SendOnchain {
        /// Chosen by the app; the same one never pays twice, whatever else it says, and not over Lightning either.
        id: PaymentId,
        /// To where.
        script_pubkey: ScriptBuf,
        /// Unset: everything that is not reserved.
        amount: Option<Amount>,
        /// To miners.
        fee: Fee,
    },
}

/// A payment to be made.
#[derive(Clone, Debug)]
pub struct SendRequest {
    /// Chosen by the app; the same one never pays twice, and not on-chain either.
    pub id: PaymentId,
    /// What to pay.
    pub invoice: Invoice,
    /// What arrives. Equal to the invoice's amount if it has one.
    pub amount: MilliSatoshi,
    /// The most that may be paid on top.
    pub max_fee: MilliSatoshi,
    /// When to give up looking for a way. What is in flight by then still counts.
    pub timeout_secs: u32,
    /// Kept with the payment, for the owner only.
    pub note: Option<String>,
}

/// Why a command was refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The node stopped because the store did.
    #[error("the wallet has stopped because its store failed: start it again")]
    Stopped,
    /// The invoice cannot be paid.
    #[error(transparent)]
    Invoice(#[from] InvoiceError),
    /// A payment with this id or for this invoice is under way.
    #[error("this payment is already in flight")]
    InFlight,
    /// This invoice was paid.
    #[error("this invoice was already paid")]
    AlreadyPaid,
    /// Not between what the invoice allows.
    #[error("{asked} cannot be sent: {reason}")]
    Amount {
        /// What was asked for.
        asked: MilliSatoshi,
        /// Why not.
        reason: &'static str,
    },
    /// Not enough to spend.
    #[error("{needed} are needed and {available} can be spent")]
    Insufficient {
        /// What it takes.
        needed: MilliSatoshi,
        /// What there is.
        available: MilliSatoshi,
    },
    /// There is no such thing.
    #[error("there is no such {what}")]
    Unknown {
        /// `peer`, `channel` …
        what: &'static str,
    },
    /// The peer is not connected.
    #[error("the peer is not connected: connect to it first")]
    NotConnected,
    /// The on-chain wallet cannot do it.
    #[error(transparent)]
    Coins(#[from] CoinsError),
    /// The invoice could not be made.
    #[error(transparent)]
    InvoiceBuild(#[from] InvoiceBuildError),
    /// The peer could not be reached.
    #[error("the peer could not be reached: {reason}")]
    ConnectionFailed {
        /// Why.
        reason: String,
    },
    /// The peer refused, or the channel is not in a state for it.
    #[error("{reason}")]
    Refused {
        /// Why, for the owner.
        reason: String,
    },
    /// The chain is not known well enough for it.
    #[error("the chain is not in sync yet: wait for it")]
    NotSynced,
}
