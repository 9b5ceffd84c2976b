//! Everything a channel can ask for.

use super::Channel;
use super::changes::{HtlcKey, Removal};
use super::rows::RowName;
use crate::onion::Instruction;
use crate::types::{
    BlockHeight, ChannelId, CltvExpiry, HtlcId, MilliSatoshi, PaymentHash, PaymentId, PaymentPreimage,
    ShortChannelId,
};
use crate::wire;
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, ScriptBuf, Transaction, Txid};
use minicbor::{Decode, Encode};

/// A step of a channel.
#[derive(Clone, Debug)]
pub struct Transition {
    /// The channel after it. Where its rows differ from those before, they are stored first.
    pub next: Channel,
    /// What follows.
    pub effects: Effects,
}

/// What follows from a step. The order of the fields is the contract: `append` is stored in the same batch as the
/// channel's rows, `then` is released when that batch is durable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// Rows that are written once and stay until the channel is closed for good.
    pub append: Vec<(RowName, Vec<u8>)>,
    /// In this order.
    pub then: Vec<Gated>,
}

/// What leaves the core only after the step is durable.
#[derive(Clone, Debug, PartialEq)]
pub enum Gated {
    /// A message for the peer.
    Send(wire::Message),
    /// A transaction for the network.
    Broadcast(Transaction),
    /// News for the rest of the node. Its own records (payments) take them in the very batch of this step, for they are
    /// not told again; what an app sees of them waits for that batch.
    Notify(ChannelEvent),
}

/// An HTLC of the peer that is irrevocably committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingHtlc {
    /// Its number in the channel.
    pub id: HtlcId,
    /// What we are paid.
    pub amount: MilliSatoshi,
    /// What the preimage must hash to.
    pub payment_hash: PaymentHash,
    /// When it times out.
    pub cltv_expiry: CltvExpiry,
    /// What its onion said; unset once [`super::Command::OnionRead`] was given.
    pub instruction: Option<Instruction>,
    /// Inside a blinded path, the path key.
    pub path_key: Option<PublicKey>,
    /// Too much would be at stake in trimmed HTLCs: fail it, whatever it pays.
    pub over_dust_exposure: bool,
    /// Whether the funding transaction is as deep as it must be. Otherwise nothing may stand behind the HTLC: fail it,
    /// whatever it pays.
    pub is_funded: bool,
}

/// Who closed a channel, as the transaction tells that spent its funding output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Closer {
    /// Both together.
    #[n(0)]
    Mutual,
    /// We did, with our latest commitment.
    #[n(1)]
    Local,
    /// The peer did, with its latest commitment.
    #[n(2)]
    RemoteCurrent,
    /// The peer did, with the commitment that we signed last and that it has not acknowledged.
    #[n(3)]
    RemoteNext,
    /// The peer did, with a commitment it had revoked.
    #[n(4)]
    RemoteRevoked {
        /// Its number.
        #[n(0)]
        number: u64,
    },
    /// The peer did, with a commitment that we do not know: we have lost state.
    #[n(5)]
    RemoteUnknown {
        /// Its number.
        #[n(0)]
        number: u64,
    },
    /// It is no transaction that this channel can explain.
    #[n(6)]
    Unexplained,
    /// We did, with a commitment that this copy does not hold: it was put in the place of the one that published it.
    #[n(7)]
    LocalUnknown {
        /// Its number.
        #[n(0)]
        number: u64,
    },
}

impl Closer {
    /// Whether nothing of such a transaction has to be claimed: it pays the wallet, or nobody knows what it is.
    pub(super) const fn is_not_claimed(self) -> bool {
        matches!(self, Self::Mutual | Self::Unexplained)
    }

    /// Whether nobody knows what it says beside our balance.
    pub(super) const fn is_blind(self) -> bool {
        matches!(self, Self::RemoteUnknown { .. } | Self::LocalUnknown { .. } | Self::Unexplained)
    }

    /// Whether it is what both sides know to be the end of the channel. Anything else is not ours to publish.
    pub(super) const fn is_newest(self) -> bool {
        matches!(self, Self::Mutual | Self::Local | Self::RemoteCurrent | Self::RemoteNext)
    }
}

/// News of a channel.
#[derive(Clone, Debug, PartialEq)]
pub enum ChannelEvent {
    /// The peer agrees: make a transaction that pays so much to this script, sign it, do not publish it.
    FundingNeeded {
        /// The script of the channel's output.
        script: ScriptBuf,
        /// What it must hold.
        amount: Amount,
    },
    /// The channel has a funding transaction and waits for it to confirm.
    Pending {
        /// Its final name.
        channel_id: ChannelId,
        /// The funding transaction.
        funding_txid: Txid,
    },
    /// Payments can be made.
    Ready {
        /// Where the funding transaction stands.
        short_channel_id: ShortChannelId,
    },
    /// A block with the funding transaction was undone.
    FundingUnconfirmed,
    /// The peer's HTLC is irrevocably committed: read its onion, then remove it or forward it.
    HtlcIrrevocablyCommitted(IncomingHtlc),
    /// The preimage of an HTLC we offered is known. May be told more than once.
    HtlcSettled {
        /// Whose payment it is.
        origin: PaymentId,
        /// Our number of it.
        id: HtlcId,
        /// Opens the payment hash.
        preimage: PaymentPreimage,
    },
    /// An HTLC we offered is gone from both commitments and was not paid.
    HtlcFailed {
        /// Whose payment it is.
        origin: PaymentId,
        /// Our number of it.
        id: HtlcId,
        /// [`Removal::Failed`] or [`Removal::Malformed`].
        reason: Removal,
    },
    /// An HTLC that we offered is settled in the chain, deep enough, and was not paid. May be told more than once.
    HtlcTimedOut {
        /// Whose payment it is.
        origin: PaymentId,
        /// Our number of it.
        id: HtlcId,
    },
    /// An HTLC that we offered and that was in no commitment will never be: the connection was lost, or the channel ended,
    /// before it was signed. Its number may be given to another.
    HtlcNeverCommitted {
        /// Whose payment it is.
        origin: PaymentId,
        /// Our number of it.
        id: HtlcId,
    },
    /// The peer complained and goes on.
    PeerWarning {
        /// Its text, made safe to show.
        text: String,
    },
    /// The peer has lost state; it is waited for its `error`.
    PeerFellBehind,
    /// We have lost state, and the peer proved it: we wait for it to close.
    FellBehind,
    /// A fault of ours stopped the channel.
    Frozen {
        /// What happened.
        fault: String,
    },
    /// The channel failed, and is closed once the peer has shown that our state is the newest (contract P10).
    FailsLater {
        /// Why.
        reason: String,
    },
    /// The peer was told preimages and has not settled; nothing is published before it has shown that our state is the newest,
    /// and by then it may be too late. Told again as the expiry comes nearer.
    OwnerMustClose {
        /// What the peer can take back: what pays too little to have an output is not counted.
        amount: MilliSatoshi,
        /// The first block after which it can.
        last_block: BlockHeight,
    },
    /// Closing together has begun.
    ShuttingDown,
    /// Both agree on the closing transaction.
    ClosingAgreed {
        /// It.
        txid: Txid,
        /// What it pays us.
        to_us: Amount,
        /// What it costs.
        fee: Amount,
    },
    /// The channel failed.
    Failed {
        /// Why.
        reason: CloseReason,
    },
    /// The funding output was spent.
    Closing {
        /// Who closed.
        closer: Closer,
        /// By which transaction.
        txid: Txid,
        /// What of it is ours, before fees of claims: HTLCs not counted.
        to_us: Amount,
    },
    /// All is over.
    Closed {
        /// Why.
        reason: CloseReason,
    },
}

impl Effects {
    pub(super) fn send(&mut self, message: impl Into<wire::Message>) {
        self.then.push(Gated::Send(message.into()));
    }

    pub(super) fn notify(&mut self, event: ChannelEvent) {
        self.then.push(Gated::Notify(event));
    }

    pub(super) fn broadcast(&mut self, tx: Transaction) {
        self.then.push(Gated::Broadcast(tx));
    }

    /// The messages for the peer, in order.
    pub fn messages(&self) -> impl Iterator<Item = &wire::Message> {
        self.then.iter().filter_map(|gated| match gated {
            Gated::Send(message) => Some(message),
            Gated::Broadcast(_) | Gated::Notify(_) => None,
        })
    }

    /// The news, in order.
    pub fn events(&self) -> impl Iterator<Item = &ChannelEvent> {
        self.then.iter().filter_map(|gated| match gated {
            Gated::Notify(event) => Some(event),
            Gated::Send(_) | Gated::Broadcast(_) => None,
        })
    }
}

impl HtlcKey {
    /// An HTLC that we offered.
    pub const fn outgoing(id: HtlcId) -> Self {
        Self { offered_by: super::params::Party::Local, id }
    }

    /// An HTLC that the peer offered.
    pub const fn incoming(id: HtlcId) -> Self {
        Self { offered_by: super::params::Party::Remote, id }
    }
}

/// Why a channel ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// Both sides agreed.
    #[error("closed together with the peer")]
    Mutual,
    /// Our owner wanted it at once.
    #[error("closed by the owner alone")]
    ForceClosed,
    /// The peer published a commitment.
    #[error("closed by the peer alone")]
    RemoteForceClosed,
    /// Something went wrong.
    #[error("{detail}")]
    Failed {
        /// What.
        detail: String,
    },
}
